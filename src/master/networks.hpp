// The networks of [cluster] networks: how they are written, and whether this host has them. They go
// to mpirun, which starts nothing, and does not say why, when it knows none of them.
#pragma once

#include <string>

namespace hyades {

// Why `text` can be neither a network ("10.0.0.0/24") nor the name of an interface ("eth1"); ""
// when it can.
std::string network_problem(const std::string& text);

// Whether an interface of this host has this name, or an address in this network. `text` has no
// problem.
bool is_own_network(const std::string& text);

// Those that it has, for people: "eth0 (10.0.0.7), lo (127.0.0.1)".
std::string own_networks();

}  // namespace hyades
