// Appends a shepherd's lines to its launch's record.
#pragma once

#include <sys/types.h>

#include <string>

#include "wire/unique_fd.hpp"

namespace hyades {

class RecordWriter {
 public:
  // `record` is the launch's record, with its lock, which lives as long as the writer.
  explicit RecordWriter(UniqueFd record);

  // All or nothing: until all of it is there, the next attempt writes to the same place.
  bool append(const std::string& line);

  // Tries for ever, because nobody else knows how the job ended; on the disk on return.
  void append_and_sync(const std::string& line);

 private:
  UniqueFd record_;
  off_t size_ = 0;
};

}  // namespace hyades
