// Wakes a peer that sleeps in epoll: MPI cannot. A bell is one small datagram after the message
// itself was sent; it may be lost (the peer looks every 100 ms anyhow) and anybody on the host may
// ring (it only wakes). One thread.
//
// Only peers on the same host and in the same network namespace can be rung so far; others are
// found by their next timed look.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <vector>

namespace hyades {

class Doorbell {
 public:
  // Exchanged once between all peers, byte for byte.
  struct Address {
    char host[128];  // machine, boot and network namespace
    sockaddr_un socket;
    socklen_t length;
  };

  struct Bell {
    std::int32_t from = 0;
    std::int32_t acknowledges = 0;  // 1: what you sent was received, there is room for more
    std::uint64_t chunks = 0;       // how many the sender of the bell has sent to us so far
  };

  // Throws std::runtime_error.
  explicit Doorbell(int self);
  ~Doorbell();
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  const Address& address() const { return address_; }
  void learn(std::vector<Address> addresses);  // by peer

  int fd() const { return fd_; }
  void ring(int peer, std::uint64_t chunks, bool acknowledges);
  // Appends the bells that were rung; those from nobody we know are left out.
  void drain(std::vector<Bell>& out);

 private:
  bool reachable(int peer) const;

  int self_;
  int fd_ = -1;
  Address address_{};
  std::vector<Address> addresses_;
};

}  // namespace hyades
