// The socket that the client server listens on. Private to it.
#pragma once

#include <string>

namespace hyades {

// Binds and listens in the run directory; `path` is the socket's, for messages. A non-blocking
// descriptor that the caller closes; -1 with a sentence in `error`, among others when another
// master answers there. A socket that nobody answers on is replaced.
int listen_for_clients(int directory, const std::string& path, bool any_user, std::string& error);

}  // namespace hyades
