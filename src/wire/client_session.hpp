// One client's connection as the server sees it: its buffers and what it may do next. Private to
// the client server.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/request.hpp"
#include "core/time.hpp"
#include "wire/frame.hpp"
#include "wire/network_login.hpp"

namespace hyades {

class ClientSession {
 public:
  // Takes over the descriptor.
  ClientSession(int fd, uid_t uid, gid_t gid, pid_t pid);
  ~ClientSession();
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  const int fd;
  uid_t uid;  // nobody's, while a client on the network has not shown who it is
  gid_t gid;
  const pid_t pid;
  std::unique_ptr<NetworkLogin> login;  // of a client on the network

  RequestId open = 0;        // the request that waits for its answer
  std::string asked;         // what it is about, for the log
  bool noted = false;        // its answer is to be in the log
  bool half_closed = false;  // the client will send no more, but may still read
  bool close_after_flush = false;
  std::uint32_t interest = 0;  // epoll events asked for
  BootMs frame_started_ms = 0;
  BootMs reply_moved_ms = 0;  // when the client last read something of its reply

  enum class Frame {
    Partial,   // more has to come
    Complete,  // `body` is the request
    Bad,       // `error` says what is wrong; the connection cannot be used any further
  };

  // Bytes arrived. `body` points into them or into the session and is valid until the next call.
  Frame take(std::string_view bytes, std::size_t length_max, std::string_view& body,
             std::string& error);
  // The body has been read.
  void forget_frame() { std::string().swap(in_); }

  bool reading() const {
    return open == 0 && !writing() && !(login != nullptr && login->deciding != 0);
  }
  // What comes next says who the client is.
  bool wants_credential() const { return login != nullptr && login->digest.empty(); }
  bool frame_begun() const { return !in_.empty(); }
  bool writing() const { return written_ < out_.size(); }
  std::size_t buffered_bytes() const { return in_.size() + out_.size(); }

  enum class Write { Done, Blocked, Broken };
  // Sends as much of the frame as the client takes now and keeps the rest.
  Write write(std::string_view frame, BootMs now);
  Write flush(BootMs now);

 private:
  Write send_some(std::string_view bytes, std::size_t& sent);

  std::string in_;  // of a frame that is not whole yet
  std::string out_;
  std::size_t written_ = 0;
};

// Header and body of a reply, ready to be sent.
inline std::string reply_frame(const std::string& body) {
  return make_frame(FrameType::Reply, body);
}

}  // namespace hyades
