// The client's part in reaching a master over the network. Private to the client connection.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "hyades.pb.h"
#include "wire/client_deadline.hpp"
#include "wire/munge_credential.hpp"

namespace hyades {

// A connected, non-blocking descriptor that the caller closes; -1 with a sentence in `error`.
// `hopeless`: asking again cannot help.
int connect_to_master(const std::string& place, const ClientDeadline& deadline, std::string& error,
                      bool& hopeless);

// "" when a master that runs as `uid` may see our requests, else why not. Root may, we ourselves,
// and the user `expected` ($HYADES_MASTER_USER; "": the user "hyades", where there is one).
std::string check_master_user(uid_t uid, const std::string& expected);

// A credential for one request, and the secret that shows that the master could read it.
struct MadeCredential {
  MungeVerdict verdict = MungeVerdict::Unavailable;
  std::string text;
  std::string secret;
  std::string error;
};

// Asks the MUNGE daemon in a process of its own, which is ended when the daemon hangs.
MadeCredential make_credential(const pb::Greeting& hello, std::string_view request_body,
                               const std::string& socket, const ClientDeadline& deadline);

}  // namespace hyades
