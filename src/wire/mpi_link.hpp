// The Link over MPI. Ranks are peer ids: 0 is the master.
//
// A rank that dies is never reported by MPI, and whatever was sent to it stays pending for ever,
// so nothing here waits for anybody:
// - A message travels in chunks that MPI sends eagerly. No chunk needs a rendezvous with its
//   receiver, so a receiver or sender that dies in the middle blocks nobody.
// - Every few chunks one is a synchronous (and non-blocking) send: its completion says that all up
//   to it were received. At most about `window` chunks are outstanding towards a peer, the rest
//   waits here, and messages beyond the queue's bounds are dropped and counted: the protocol
//   repeats what matters.
// - Own heartbeats, not this class, find out who is dead.
//
// One thread. Only the constructor is collective.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/ports.hpp"
#include "wire/mpi_world.hpp"

namespace hyades {

class MpiLink : public Link {
 public:
  struct Options {
    int window = 64;                           // chunks outstanding towards one peer
    std::size_t queued_bytes_max = 64u << 20;  // towards one peer, outstanding ones included
    std::size_t queued_messages_max = 20'000;  // likewise
    std::size_t deliveries_max = 4096;         // of one poll
  };

  struct Counters {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t dropped = 0;    // queue full, peer dropped, or message too long
    std::uint64_t malformed = 0;  // received and refused
  };

  // Collective over all ranks: exchanges the doorbells' addresses. Throws std::runtime_error.
  explicit MpiLink(const MpiWorld& world);
  MpiLink(const MpiWorld& world, const Options& options);
  ~MpiLink() override;
  MpiLink(const MpiLink&) = delete;
  MpiLink& operator=(const MpiLink&) = delete;

  void send(PeerId to, const Message& message) override;

  // Also pushes what waits to be sent. Call it whenever doorbell_fd() is readable, and after
  // sleeping for sleep_ms_max() at most.
  void poll(std::vector<Delivery>& out) override;

  // Readable when there may be something to poll for.
  int doorbell_fd() const;

  // For the caller's epoll: 100, or 1 while a long message is on its way.
  int sleep_ms_max() const;

  // The peer is dead or not trusted any more: forget what waits for it and send it nothing.
  void drop_peer(PeerId peer);
  // It was heard again.
  void readmit_peer(PeerId peer);

  // What waits for this peer here, or may have been sent and not received yet.
  std::size_t queued_bytes(PeerId peer) const;
  const Counters& counters() const;
  // Why the last malformed message was refused, for the log; "" if none was.
  const std::string& last_error() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace hyades
