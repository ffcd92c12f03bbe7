// Where a command finds the master: by the state directory on the master's own host, or by host and
// port from another one.
#pragma once

#include <string>

namespace hyades {

struct MasterAddress {
  std::string state_directory;
  std::string network;  // "host:port"; "": by the state directory

  // For people: "in /var/lib/hyades", "at head:6710".
  std::string place() const { return network.empty() ? "in " + state_directory : "at " + network; }
};

}  // namespace hyades
