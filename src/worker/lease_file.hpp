// How a node's shepherds learn that the master still knows of it: the worker writes down when the
// newest heartbeat that the master has acknowledged was sent, and a shepherd whose job has a lease
// reads it. Times are those of the boot clock, which nobody sets. Nothing is synced: after a power
// cut there is no shepherd left to read it.
#pragma once

#include <optional>
#include <string>

#include "core/time.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {

std::string lease_path(const std::string& spool_directory);

class LeaseFile {
 public:
  // Creates the file when it is absent. `forget`: what it says is of an earlier boot.
  // False: it cannot be opened or written; errno says why.
  bool open(const std::string& spool_directory, bool forget);

  // Never lowers it. False: it could not be written.
  bool renew(BootMs acknowledged);

 private:
  UniqueFd file_;
  BootMs value_ = 0;
};

// When the lease was renewed last; 0 when it cannot be told, or lies in the future.
BootMs read_lease(const std::string& spool_directory);

}  // namespace hyades
