// mpirun's command line and environment for a world: why it is called as it is.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "master/remote_words.hpp"
#include "master/supervisor_options.hpp"

namespace hyades {

// One run of mpirun.
struct WorldPlan {
  std::vector<std::string> members;  // hosts, in the order of the host file; local mode: none
  std::string host_list;             // file that names, line by line, where each rank goes
  std::string failures;              // as in RemotePlace
  std::string shared_memory;         // directory for the ranks' shared memory; "": none
  bool again = false;                // an earlier world has served clients
};

std::vector<std::string> mpirun_command(const SupervisorOptions& options, const WorldPlan& plan);

// What is put into mpirun's environment, and so into that of the ranks on this host.
std::map<std::string, std::string> mpirun_environment(const SupervisorOptions& options,
                                                      const WorldPlan& plan);

// What hyades-remote is told on the nodes.
RemotePlace remote_place(const SupervisorOptions& options, const std::string& shared_memory);

// The content of plan.host_list.
std::string host_list_text(const std::vector<std::string>& members);

}  // namespace hyades
