// The lock on a launch's record, for those who only want to know.
#pragma once

#include <optional>
#include <string>

namespace hyades {

// True while somebody holds the record's lock for starting or running the job; nothing when that
// cannot be told. `record` is an open file description of the caller's own. Asks with a shared lock
// and gives it back at once, so any number may ask at the same time without seeing each other.
std::optional<bool> is_record_locked(int record);

// Everything in the file, up to the size a record can have. False: it cannot be read.
bool read_record(int record, std::string& text);

}  // namespace hyades
