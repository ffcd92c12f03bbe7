// <state directory>/log, into which root may write although the directory above it belongs to the
// daemons' user: held open, so that nothing can be put in its place any more.
#pragma once

#include <string>

#include "wire/unique_fd.hpp"

namespace hyades {

class LogDirectory {
 public:
  // Throws std::runtime_error when the directory is not there, not ours, a link, or open to others'
  // writing.
  explicit LogDirectory(const std::string& state_directory);

  // A file in it, for as long as this object lives, in this process and its children.
  std::string path(const std::string& name) const;

 private:
  UniqueFd fd_;
};

}  // namespace hyades
