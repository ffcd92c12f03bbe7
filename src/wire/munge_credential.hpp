// MUNGE credentials, by libmunge. Both functions talk to the MUNGE daemon and block while it does
// not answer, for half a minute and more: only for processes that may wait, or be ended.
#pragma once

#include <sys/types.h>

#include <string>

namespace hyades {

enum class MungeVerdict {
  Good,
  Refused,      // the credential proves nothing
  Unavailable,  // there is no saying: the daemon does not answer
};

// `socket` is the daemon's; "" for MUNGE's own. Unless Good, `error` is a sentence for people.
MungeVerdict encode_credential(const std::string& payload, uid_t only_for,
                               const std::string& socket, std::string& credential,
                               std::string& error);

// What a credential says. The identity is the MUNGE daemon's word.
struct MungeContent {
  uid_t uid = 0;
  gid_t gid = 0;
  uid_t only_for = 0;  // who may decode it; -1: everybody
  std::string payload;
};

MungeVerdict decode_credential(const std::string& credential, const std::string& socket,
                               MungeContent& content, std::string& error);

}  // namespace hyades
