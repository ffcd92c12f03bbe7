#include "sim/faulty_link.hpp"

#include <algorithm>

namespace hyades {

FaultyWires::FaultyWires(SimContext& context, ToNode to_node, ToMaster to_master)
    : context_(context),
      to_node_(std::move(to_node)),
      to_master_(std::move(to_master)),
      cut_(context.options.nodes.size(), 0) {}

void FaultyWires::join(Epoch epoch, bool renumber) {
  Master master;
  const int nodes = static_cast<int>(cut_.size());
  for (int node = 0; node < nodes; ++node) master.node_of_peer.push_back(node);
  if (current_ != 0 && !renumber && masters_.count(current_)) {
    master.node_of_peer = masters_.at(current_).node_of_peer;
  } else if (renumber) {
    context_.marks.hit(Mark::peers_renumbered);
    for (std::size_t i = master.node_of_peer.size(); i > 1; --i) {
      std::swap(master.node_of_peer[i - 1], master.node_of_peer[context_.random.below(i)]);
    }
  }
  masters_[epoch] = std::move(master);
  current_ = epoch;
}

void FaultyWires::leave(Epoch epoch) {
  masters_.at(epoch).inbox.clear();
  masters_.at(epoch).alive = false;
}

void FaultyWires::from_master(Epoch epoch, PeerId to, const Message& message) {
  const Master& master = masters_.at(epoch);
  if (to < 1 || to > static_cast<int>(master.node_of_peer.size())) {
    throw Violation("link", "a message to peer " + std::to_string(to) + ", which does not exist");
  }
  const int node = master.node_of_peer[static_cast<std::size_t>(to - 1)];
  const auto copy = std::make_shared<const Message>(message);
  carry({epoch, node}, node, [this, node, copy, epoch] {
    if (epoch != current_) context_.marks.hit(Mark::order_of_an_old_epoch);
    to_node_(node, *copy, epoch);
  });
}

void FaultyWires::from_node(int node, const Message& message, Epoch to) {
  const auto copy = std::make_shared<const Message>(message);
  const Epoch sent_under = current_;
  carry({0, node}, node,
        [this, node, copy, to, sent_under] { arrive_at_master(node, *copy, to, sent_under); });
}

void FaultyWires::arrive_at_master(int node, const Message& message, Epoch to, Epoch sent_under) {
  const Epoch epoch = to != 0 ? to : current_;
  const auto found = masters_.find(epoch);
  if (found == masters_.end() || !found->second.alive) {
    context_.marks.hit(Mark::message_into_the_void);
    return;
  }
  if (sent_under != current_) context_.marks.hit(Mark::message_of_an_old_world);
  const auto& peers = found->second.node_of_peer;
  const auto peer = std::find(peers.begin(), peers.end(), node) - peers.begin() + 1;
  found->second.inbox.push_back({static_cast<PeerId>(peer), message});
  to_master_(epoch);
}

std::vector<Delivery> FaultyWires::take_inbox(Epoch epoch) {
  auto& inbox = masters_.at(epoch).inbox;
  std::vector<Delivery> taken(std::make_move_iterator(inbox.begin()),
                              std::make_move_iterator(inbox.end()));
  inbox.clear();
  return taken;
}

void FaultyWires::carry(std::pair<Epoch, int> pair, int node, const Deliver& deliver) {
  SimContext& c = context_;
  if (is_cut_off(node)) return;
  if (c.strikes(c.options.drop, Mark::message_dropped)) return;
  const auto arrive = [this, node, deliver] {
    if (!is_cut_off(node)) deliver();
  };
  std::int64_t latency_ms = c.random.between(1, 20);
  if (c.strikes(c.options.delay, Mark::message_delayed))
    latency_ms += c.random.skewed(500, 240'000);
  std::int64_t& last_ms = last_ms_[pair];
  last_ms = std::max(last_ms, c.events.now_ms() + latency_ms);
  c.events.after(last_ms - c.events.now_ms(), arrive);
  if (c.strikes(c.options.repeat, Mark::message_repeated)) {
    c.events.after(last_ms - c.events.now_ms(), arrive);
  }
  if (c.strikes(c.options.repeat_late, Mark::message_repeated_late)) {
    c.events.after(c.random.skewed(20'000, 4 * 3'600'000), arrive);
  }
}

void FaultyLink::send(PeerId to, const Message& message) {
  try {
    wish_.pass();
  } catch (const ProcessDied&) {
    context_.marks.hit(Mark::master_killed_while_sending);
    throw;
  }
  if (message.epoch != epoch_) {
    throw Violation("epoch", "a master sends in the name of another epoch");
  }
  wires_.from_master(epoch_, to, message);
}

void FaultyLink::poll(std::vector<Delivery>& out) {
  for (Delivery& delivery : wires_.take_inbox(epoch_)) out.push_back(std::move(delivery));
}

}  // namespace hyades
