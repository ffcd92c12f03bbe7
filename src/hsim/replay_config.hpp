// The configuration under which a log is replayed: a file as the master reads it, or a rule on the
// log's own machine.
#pragma once

#include <string>

#include "core/config.hpp"

namespace hyades {

// The file's queues, guard and nodes. Nodes must say how many cores they have, because there is
// nobody who could find out; without any [[node]] the machine is one node of `procs` cores that all
// queues share. Throws Failure with every mistake in the file.
ClusterConfig replay_config(const std::string& path, int procs);

// The same for a configuration that is at hand; `name` is for messages.
ClusterConfig replay_config(ClusterConfig config, const std::string& name, int procs);

// Cores of all nodes.
int procs_of(const ClusterConfig& config);

}  // namespace hyades
