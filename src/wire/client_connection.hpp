// A command's way to the master. Connects when first used and again after the connection broke.
// Blocks up to the given time. One thread.
#pragma once

#include <string>

#include "hyades.pb.h"

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
  explicit ClientConnection(std::string state_directory);
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  // `timeout_ms` < 0: wait for ever. Unless Ok, `error` is a sentence for people. Nothing is sent
  // before it is clear that the server is root, ourselves, or the owner of the run directory.
  CallResult call(const pb::ClientRequest& request, pb::ClientReply& reply, int timeout_ms,
                  std::string& error);

  void close();

 private:
  class Deadline;
  CallResult connect(const Deadline& deadline, std::string& error);
  CallResult check_server(int directory, std::string& error) const;
  CallResult send_frame(const std::string& frame, const Deadline& deadline, std::string& error);
  CallResult receive(pb::ClientReply& reply, const Deadline& deadline, std::string& error);
  CallResult read_bytes(std::string& into, std::size_t count, const Deadline& deadline,
                        std::string& error);

  std::string state_directory_;
  int fd_ = -1;
};

}  // namespace hyades
