// The wires between the masters and the nodes of one simulated world. A message may be dropped,
// repeated, delayed (keeping the order within its pair), cut off, or repeated long after, even
// when the master that sent it has been replaced.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "core/ports.hpp"
#include "sim/sim_context.hpp"

namespace hyades {

// Masters are numbered by their epochs; node i is the i-th of SimOptions::nodes.
class FaultyWires {
 public:
  // Hands a message of the master of `epoch` to a node.
  using ToNode = std::function<void(int node, const Message& message, Epoch epoch)>;
  // Something waits in this master's inbox.
  using ToMaster = std::function<void(Epoch epoch)>;

  FaultyWires(SimContext& context, ToNode to_node, ToMaster to_master);

  // A new master joins; from now on it is the one that nodes talk to. `renumber`: its peers have
  // other numbers than the last master's.
  void join(Epoch epoch, bool renumber);
  // It is dead: its inbox is gone.
  void leave(Epoch epoch);

  void from_master(Epoch epoch, PeerId to, const Message& message);
  // `to`: the master that is answered; 0: whoever is the master when the message arrives.
  void from_node(int node, const Message& message, Epoch to);
  std::vector<Delivery> take_inbox(Epoch epoch);

  void cut_off(int node, bool cut) { cut_[static_cast<std::size_t>(node)] = cut; }
  bool is_cut_off(int node) const { return cut_[static_cast<std::size_t>(node)]; }

 private:
  struct Master {
    std::vector<int> node_of_peer;  // peer - 1 -> node
    std::deque<Delivery> inbox;
    bool alive = true;
  };
  using Deliver = std::function<void()>;

  void carry(std::pair<Epoch, int> pair, int node, const Deliver& deliver);
  void arrive_at_master(int node, const Message& message, Epoch to, Epoch sent_under);

  SimContext& context_;
  ToNode to_node_;
  ToMaster to_master_;
  std::map<Epoch, Master> masters_;
  Epoch current_ = 0;
  std::vector<char> cut_;
  // When the last message of a pair (and direction) will be there: none may overtake it.
  std::map<std::pair<Epoch, int>, std::int64_t> last_ms_;
};

// One master's end.
class FaultyLink : public Link {
 public:
  FaultyLink(FaultyWires& wires, Epoch epoch, SimContext& context)
      : wires_(wires), epoch_(epoch), context_(context) {}

  // Dies while it sends the n-th message from now.
  void die_after(int messages) { wish_.arm(messages); }

  void send(PeerId to, const Message& message) override;
  void poll(std::vector<Delivery>& out) override;

 private:
  FaultyWires& wires_;
  Epoch epoch_;
  SimContext& context_;
  DeathWish wish_;
};

}  // namespace hyades
