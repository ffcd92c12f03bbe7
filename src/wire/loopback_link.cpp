#include "wire/loopback_link.hpp"

#include "core/assert.hpp"
#include "wire/codec.hpp"

namespace hyades {

LoopbackHub::LoopbackHub(int peers, std::size_t queued_messages_max)
    : queued_messages_max_(queued_messages_max),
      queues_(static_cast<std::size_t>(peers)),
      dead_(static_cast<std::size_t>(peers), 0) {
  for (PeerId peer = 0; peer < peers; ++peer) {
    links_.push_back(std::unique_ptr<LoopbackLink>(new LoopbackLink(*this, peer)));
  }
}

void LoopbackHub::kill(PeerId peer) {
  dead_[static_cast<std::size_t>(peer)] = 1;
  queues_[static_cast<std::size_t>(peer)].clear();
}

void LoopbackHub::revive(PeerId peer) { dead_[static_cast<std::size_t>(peer)] = 0; }

bool LoopbackHub::alive(PeerId peer) const {
  return peer >= 0 && static_cast<std::size_t>(peer) < dead_.size() &&
         !dead_[static_cast<std::size_t>(peer)];
}

void LoopbackLink::send(PeerId to, const Message& message) {
  if (!hub_.alive(self_)) return;
  std::string bytes = encode(message);
  if (!hub_.alive(to) || bytes.size() > kNodeMessageBytesMax ||
      hub_.queued(to) >= hub_.queued_messages_max_) {
    ++hub_.dropped_;
    return;
  }
  hub_.queues_[static_cast<std::size_t>(to)].push_back({self_, std::move(bytes)});
}

void LoopbackLink::poll(std::vector<Delivery>& out) {
  if (!hub_.alive(self_)) return;
  auto& queue = hub_.queues_[static_cast<std::size_t>(self_)];
  for (; !queue.empty(); queue.pop_front()) {
    Delivery delivery;
    std::string error;
    const bool decoded = decode(queue.front().bytes, delivery.message, error);
    HYADES_ASSERT(decoded);  // what encode wrote, decode reads
    delivery.from = queue.front().from;
    out.push_back(std::move(delivery));
  }
}

}  // namespace hyades
