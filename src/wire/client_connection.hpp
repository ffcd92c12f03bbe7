// A command's way to the master. Connects when first used and again after the connection broke.
// Over the network, too: then MUNGE says who we are. Blocks up to the given time. One thread.
#pragma once

#include <string>
#include <string_view>

#include "hyades.pb.h"
#include "wire/client_deadline.hpp"
#include "wire/frame.hpp"
#include "wire/master_address.hpp"

namespace hyades {

enum class CallResult {
  Ok,            // `reply` is the master's answer (which may be an error: see reply.error())
  NotConnected,  // no master is there, or it went away before it had the whole request: nothing
                 // was done, and asking again later is safe
  NoAnswer,      // the request was sent whole and no answer came: it may have been done
  Refused,       // asking again is useless: the server belongs to a stranger, speaks another
                 // version, or the request is too large
};

class ClientConnection {
 public:
  explicit ClientConnection(MasterAddress address);
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  // `timeout_ms` < 0: wait for ever. Unless Ok, `error` is a sentence for people. Nothing is sent
  // before it is clear that the server is root, ourselves, or the owner of the run directory; on
  // the network, root, ourselves or the user that $HYADES_MASTER_USER names.
  CallResult call(const pb::ClientRequest& request, pb::ClientReply& reply, int timeout_ms,
                  std::string& error);

  void close();

 private:
  using Deadline = ClientDeadline;
  CallResult connect(const Deadline& deadline, std::string& error);
  CallResult connect_local(const Deadline& deadline, std::string& error);
  CallResult log_in(std::string_view body, pb::ClientReply& reply, const Deadline& deadline,
                    std::string& error, bool& answered);
  CallResult send_request(const std::string& frame, pb::ClientReply& reply,
                          const Deadline& deadline, std::string& error, bool& answered);
  CallResult check_server(int directory, std::string& error) const;
  CallResult send_frame(const std::string& frame, const Deadline& deadline, std::string& error);
  CallResult receive(pb::ClientReply& reply, const Deadline& deadline, std::string& error);
  // A frame of the type `wanted`, or a reply instead; `type` says which.
  CallResult receive_frame(FrameType wanted, FrameType& type, std::string& body,
                           const Deadline& deadline, std::string& error);
  CallResult parse_reply(const std::string& body, pb::ClientReply& reply, std::string& error) const;
  std::string server_name() const;
  CallResult read_bytes(std::string& into, std::size_t count, const Deadline& deadline,
                        std::string& error);

  MasterAddress address_;
  std::string munge_socket_;  // $HYADES_MUNGE_SOCKET
  std::string master_user_;   // $HYADES_MASTER_USER
  int fd_ = -1;
};

}  // namespace hyades
