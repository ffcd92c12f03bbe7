// A command's conversation with the master, with patience while the master restarts.
#pragma once

#include <atomic>
#include <string>

#include "hyades.pb.h"
#include "wire/client_connection.hpp"

namespace hyades {

enum class Retry {
  Always,     // doing it twice is the same as doing it once: also ask again after no answer
  UntilSent,  // only while it is certain that the master never had it
};

class MasterClient {
 public:
  // `name` is the command's, for the line on stderr that says what it waits for.
  MasterClient(std::string name, MasterAddress address, int retry_ms);

  // The master's answer, which may be an error (reply.error()). Throws Failure when there is none
  // within the patience. `wait_ms` is how long a master that is there may take.
  pb::ClientReply ask(const pb::ClientRequest& request, Retry retry, int wait_ms = 30'000);

  // The same, but throws Failure for an error reply, too: with the master's words.
  pb::ClientReply get(const pb::ClientRequest& request, Retry retry = Retry::Always);

  void be_quiet() { quiet_ = true; }
  void set_patience(int retry_ms) { retry_ms_ = retry_ms; }

  // True from the moment that a request may have reached the master. For signal handlers.
  bool may_have_been_sent() const { return may_have_been_sent_.load(); }

 private:
  [[noreturn]] void give_up(CallResult result, const std::string& error) const;
  void say_waiting();

  std::string name_;
  MasterAddress address_;
  int retry_ms_;
  bool quiet_ = false;
  bool said_waiting_ = false;
  std::atomic<bool> may_have_been_sent_ = false;
  ClientConnection connection_;
};

}  // namespace hyades
