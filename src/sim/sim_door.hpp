// A master's front door in a simulation: requests come from simulated clients, answers go back.
#pragma once

#include <functional>
#include <vector>

#include "core/ports.hpp"
#include "sim/sim_context.hpp"

namespace hyades {

class SimDoor : public Door {
 public:
  SimDoor(SimContext& context, std::function<void(const Reply&)> answer)
      : context_(context), answer_(std::move(answer)) {}

  void push(const Request& request) { inbox_.push_back(request); }
  // Dies before it answers the n-th request from now.
  void die_after(int replies) { wish_.arm(replies); }

  void poll(std::vector<Request>& out) override {
    for (Request& request : inbox_) out.push_back(std::move(request));
    inbox_.clear();
  }

  void reply(const Reply& reply) override {
    try {
      wish_.pass();
    } catch (const ProcessDied&) {
      context_.marks.hit(Mark::master_killed_while_replying);
      throw;
    }
    answer_(reply);
  }

  void committed(const Batch&) override {}

 private:
  SimContext& context_;
  std::function<void(const Reply&)> answer_;
  std::vector<Request> inbox_;
  DeathWish wish_;
};

}  // namespace hyades
