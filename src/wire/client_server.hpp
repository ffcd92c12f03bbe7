// The master's front door: a Unix stream socket at <state directory>/run/hyades.sock. Every user of
// the host may connect; the kernel says who they are, and nothing they send is believed before it
// was checked. On request it also listens on the network, where MUNGE says who they are
// (schema/hyades.proto has the conversation). No client can make it wait: everything is
// non-blocking, sizes are capped before memory is allocated, and whoever is slow is dropped.
//
// One request a connection is outstanding at a time. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/request.hpp"
#include "core/time.hpp"
#include "hyades.pb.h"
#include "wire/credential_checker.hpp"
#include "wire/frame.hpp"

namespace hyades {

// A whole, well-formed request. Who asks is the kernel's word, or MUNGE's (then `pid` is 0).
struct ClientRequest {
  RequestId id = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
  pb::ClientRequest what;
};

class ClientServer {
 public:
  struct Options {
    std::size_t request_bytes_max = kRequestBytesMax;
    std::size_t reply_bytes_max = kReplyBytesMax;
    int connections_max = 4096;
    int connections_per_uid = 256;
    // Unfinished requests and unread replies of one user, together. Must be above
    // request_bytes_max + reply_bytes_max.
    std::size_t bytes_per_uid = 256u << 20;
    int requests_per_second_per_uid = 0;  // 0: no bound; a burst of one second's worth is fine
    BootMs frame_timeout_ms = 30'000;     // from the first byte of a request to its last
    BootMs reply_timeout_ms = 30'000;     // a client that reads nothing for so long is dropped
    bool any_user = false;                // serve all users even when we are not root (any more)

    std::vector<std::string> listen;  // "host:port" or ":port"; none: not on the network
    std::string cluster;              // the name that credentials are made for
    CredentialChecker::Options munge;
    bool munge_may_come_later = false;  // until it works, those on the network are turned away
    int strangers_max = 1024;           // on the network, before they have shown who they are
    int strangers_per_address = 256;
    BootMs login_timeout_ms = 5'000;  // to show who they are
    BootMs idle_timeout_ms = 30'000;  // between requests, and for each to arrive
    // One line for each request from the network and each that was refused there; of this host's
    // users one for each that was denied, and for each that note() was called for.
    std::function<void(const std::string&)> audit;
  };

  // Creates <state_directory>/run if need be, replaces a socket that nobody answers on, and
  // listens. As root, or for any_user, the socket is open to every user (0666 in a 0755
  // directory), else to the own user alone (0600 in a 0700 directory). Null with a sentence in
  // `error` when that cannot be, among others when it is to listen on the network and MUNGE does
  // not work (unless that may come later).
  static std::unique_ptr<ClientServer> open(const std::string& state_directory,
                                            const Options& options, std::string& error);
  ~ClientServer();
  ClientServer(const ClientServer&) = delete;
  ClientServer& operator=(const ClientServer&) = delete;

  // An epoll instance, to be nested into the caller's: readable when poll has something to do.
  int fd() const;

  // Accepts, reads, writes, times out. Appends whole requests. Call it when fd() is readable and
  // at least once a second.
  void poll(std::vector<ClientRequest>& out, BootMs now);

  // The end of this open request is to be in the log, however it ends: its client may do what
  // others may not.
  void note(RequestId id);

  // Answers an open request; does nothing when its client is gone. A reply beyond the caps becomes
  // an error reply that says so.
  void reply(RequestId id, const pb::ClientReply& reply);

  // Requests whose clients went away before they were answered, since the last call: nobody waits
  // for these any more.
  std::vector<RequestId> take_closed();

  // For hctl and tests.
  std::size_t connections() const;
  const std::string& socket_path() const;

 private:
  class Core;
  explicit ClientServer(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

// Shorthand for error replies.
pb::ClientReply error_reply(ErrorCode code, const std::string& message);

}  // namespace hyades
