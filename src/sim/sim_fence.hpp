// The site's way to cut power, simulated: the simulation takes the orders and hands back results.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/ports.hpp"

namespace hyades {

class SimFence : public Fence {
 public:
  void start(const std::string& node) override { orders_.push_back(node); }
  void poll(std::vector<FenceResult>& out) override {
    for (FenceResult& result : results_) out.push_back(std::move(result));
    results_.clear();
  }

  std::vector<std::string> take_orders() { return std::exchange(orders_, {}); }
  void finish(FenceResult result) { results_.push_back(std::move(result)); }

 private:
  std::vector<std::string> orders_;
  std::vector<FenceResult> results_;
};

}  // namespace hyades
