// The TCP sockets that the client server listens on. Private to it.
#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

#include "wire/unique_fd.hpp"

namespace hyades {

// Binds and listens on every address that `place` ("host:port", ":port") stands for. Non-blocking;
// none, with a sentence in `error`, when one of them cannot be had.
std::vector<UniqueFd> listen_on_network(const std::string& place, std::string& error);

// Who connected, for limits and the log: "10.0.0.7".
std::string peer_host(const sockaddr_storage& peer, socklen_t length);

// A peer that has vanished must not hold its connection for ever.
void keep_watch_on(int fd);

}  // namespace hyades
