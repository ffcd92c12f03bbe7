// Sockets between hrun and step daemons.
#pragma once

#include <string>

#include "wire/unique_fd.hpp"

namespace hyades {

// Sends small messages at once, and notices within a few minutes that the other machine is gone; a
// cut of the network that is shorter does no harm.
void prepare_step_socket(int fd);

// Begins to connect: the socket is non-blocking and may not be connected yet. `address` is a name
// or a number. None and `error` a clause when that fails at once.
UniqueFd connect_step_socket(const std::string& address, int port, std::string& error);

}  // namespace hyades
