// The file that names a cluster's machines: `hyades up --hostfile FILE`. One host a line,
//
//   n[01-16]                    # a range stands for its hosts
//   n17 address=10.0.0.17       # called n17, reached at that address
#pragma once

#include <string>
#include <vector>

namespace hyades {

struct HostEntry {
  std::string name;     // what the node is called
  std::string address;  // what the launch agent is called with; the name when the file gives none

  friend bool operator==(const HostEntry&, const HostEntry&) = default;
};

struct HostfileResult {
  std::vector<HostEntry> hosts;     // in the order of the file
  std::vector<std::string> errors;  // "FILE:LINE: what is wrong and what to do"; none: all is well
};

// A file without any host is an error.
HostfileResult parse_hostfile(const std::string& text, const std::string& path);
HostfileResult load_hostfile(const std::string& path);

}  // namespace hyades
