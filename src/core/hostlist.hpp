// Node names in the short form that every cluster uses: "n[01-04,7],login". Pure functions; any
// thread.
#pragma once

#include <string>
#include <vector>

namespace hyades {

// Appends the names that `text` stands for, in the order written, each once. A name may hold
// several bracketed groups ("r[1-2]n[1-4]"); a zero-padded lower end sets the width of its range.
// False, `out` unchanged and `error` a sentence, when `text` is malformed, empty, holds a name with
// other than letters, digits, '.', '_' and '-' (or that begins with '-' or '.'), or stands for more
// than Limits::list_max names.
bool expand_hostlist(const std::string& text, std::vector<std::string>& out, std::string& error);

// The reverse, as short as it gets: names that differ in their last number only are gathered, in
// the order in which the first of them came, numbers ascending. Repeated names count once.
std::string compress_hostlist(const std::vector<std::string>& names);

}  // namespace hyades
