// The master's front door with a port on the loopback interface, and clients that do as they like.
// Both are in one thread: nothing blocks.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "hyades.pb.h"
#include "munge_daemon.hpp"
#include "wire/client_server.hpp"
#include "wire/login_proof.hpp"
#include "wire/unique_fd.hpp"

namespace hyades::test {

class LoginBox {
 public:
  explicit LoginBox(const std::string& munge_socket, bool any_user = true);
  ~LoginBox();

  // What it would be opened with; change it and call open() again.
  ClientServer::Options options;
  std::string open();  // "" or why it refuses

  // One turn. `ahead_ms` moves the server's clock for good.
  void poll(BootMs ahead_ms = 0);
  // From now on the server's clock moves by poll's `ahead_ms` only.
  void stop_clock();
  ClientServer& server() { return *server_; }
  const std::string& directory() const { return directory_; }
  std::string place() const { return options.listen.front(); }
  int port() const { return port_; }

  std::vector<ClientRequest> requests;  // that have arrived
  std::vector<std::string> log;         // the audit lines

 private:
  std::string directory_;
  int port_ = 0;
  BootMs ahead_ms_ = 0;
  BootMs stopped_ms_ = 0;  // 0: it runs
  std::unique_ptr<ClientServer> server_;
};

// One frame as the client got it.
struct HeardFrame {
  FrameType type = FrameType::Reply;
  std::string body;
};

class RawLogin {
 public:
  explicit RawLogin(LoginBox& box);

  void say(std::string_view bytes);
  void say(FrameType type, std::string_view body) { say(make_frame(type, body)); }
  // The next frame; fails the test when none comes. "" and Reply when the server hung up.
  HeardFrame hear();
  bool hung_up();

  // The server's hello; fails the test when it is anything else.
  pb::Greeting greeting();
  // The words of a reply that refuses; fails the test when the server says anything else.
  std::string refusal();
  // All the way to "proceed", honestly: the request may be sent. False when it was refused.
  bool log_in(uid_t uid, const std::string& request, const std::string& munge_socket);

 private:
  bool take_frame(HeardFrame& frame);

  LoginBox& box_;
  UniqueFd fd_;
  std::string in_;
  bool closed_ = false;
};

std::string status_request();

// The payload for a request of this connection.
std::string payload_for(const pb::Greeting& greeting, const std::string& request);

}  // namespace hyades::test
