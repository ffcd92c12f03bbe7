// <state directory>/run, where the client socket lives, and the socket's address in it. The
// address goes through /proc/self/fd, because a socket's path must be shorter than 108 bytes and
// state directories need not be.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <string>

namespace hyades {

std::string run_directory_path(const std::string& state_directory);
std::string client_socket_path(const std::string& state_directory);

// For clients. A descriptor the caller closes; -1 with errno set.
int open_run_directory(const std::string& state_directory);

// For the master: creates it if need be and sets its mode. A descriptor the caller closes; -1 with
// a sentence in `error`, also when somebody else could write to it.
int make_run_directory(const std::string& state_directory, bool any_user, std::string& error);

// Valid while `directory` is open.
sockaddr_un client_socket_address(int directory);

extern const char* const kClientSocketName;

}  // namespace hyades
