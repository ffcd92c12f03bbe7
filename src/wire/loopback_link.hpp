// Links between a master and nodes in one process, for tests: what arrives has been encoded and
// decoded, order is kept for each pair, and a dead peer's queue neither blocks nor grows.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/ports.hpp"

namespace hyades {

class LoopbackHub;

class LoopbackLink : public Link {
 public:
  void send(PeerId to, const Message& message) override;
  void poll(std::vector<Delivery>& out) override;

 private:
  friend class LoopbackHub;
  LoopbackLink(LoopbackHub& hub, PeerId self) : hub_(hub), self_(self) {}

  LoopbackHub& hub_;
  PeerId self_;
};

// Owns the links of peers 0..peers-1. One thread.
class LoopbackHub {
 public:
  explicit LoopbackHub(int peers, std::size_t queued_messages_max = 100'000);

  LoopbackLink& link(PeerId peer) { return *links_[static_cast<std::size_t>(peer)]; }

  // From now on the peer gets and says nothing; what waits for it is forgotten.
  void kill(PeerId peer);
  void revive(PeerId peer);

  std::size_t queued(PeerId peer) const { return queues_[static_cast<std::size_t>(peer)].size(); }
  std::size_t dropped() const { return dropped_; }

 private:
  friend class LoopbackLink;
  struct Parcel {
    PeerId from = 0;
    std::string bytes;
  };

  bool alive(PeerId peer) const;

  std::size_t queued_messages_max_;
  std::vector<std::unique_ptr<LoopbackLink>> links_;
  std::vector<std::deque<Parcel>> queues_;  // by receiver
  std::vector<char> dead_;
  std::size_t dropped_ = 0;
};

}  // namespace hyades
