// What a supervisor is told: where the cluster lives and of what it is made.
#pragma once

#include <string>
#include <vector>

#include "master/hostfile.hpp"

namespace hyades {

struct SupervisorOptions {
  std::string state_directory;
  std::string config_path;  // "": none was named
  std::string hyadesd;      // path of the daemon
  bool create = false;      // let the first master make a new, empty queue
  std::string spool_root;   // the nodes' spools are in it, by name
  std::string user;         // whom the daemons become; "": they stay what we are

  // Either virtual nodes on this host,
  int nodes = 0;
  std::string node_names;  // host list of them

  // or machines.
  std::vector<HostEntry> hosts;
  std::string remote_program;  // hyades-remote
  std::string launch_agent;    // "": ssh
  std::vector<std::string> networks;

  bool on_hosts() const { return !hosts.empty(); }
};

}  // namespace hyades
