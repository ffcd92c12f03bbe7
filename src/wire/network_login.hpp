// How far a client on the network is with showing who it is. Private to the client server.
#pragma once

#include <cstdint>
#include <string>

#include "core/time.hpp"
#include "hyades.pb.h"

namespace hyades {

struct NetworkLogin {
  std::string address;
  BootMs since_ms = 0;         // when its turn to speak began
  std::string nonce;           // for one credential
  std::string digest;          // of the request that it may send; "": a credential comes first
  std::uint64_t deciding = 0;  // the credential that is being looked at; 0: none
  bool identified = false;     // the session's uid is its
};

// "cancel job 42": what a request is about. Nothing in it is free text of the client.
std::string verb_and_object(const pb::ClientRequest& request);

}  // namespace hyades
