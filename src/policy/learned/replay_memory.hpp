// What actors lived through, for learning from: the newest so many steps, drawn with a probability
// that grows with how wrong the last estimate of each was (prioritised replay, Schaul et al. 2016).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/prng.hpp"
#include "policy/global_state.hpp"
#include "policy/plain_bytes.hpp"

namespace hyades::learned {

// One decision and what came of it until n decisions later.
struct Experience {
  std::shared_ptr<const GlobalState> state;
  std::size_t choice = 0;
  UnitNumbers numbers{};
  float gain = 0;                           // discounted, of these n epochs
  float discount = 0;                       // of what follows; 0: nothing does
  std::shared_ptr<const GlobalState> next;  // nullptr: nothing follows
};

// Numbers >= 0 under which places are drawn: place i with probability weight(i) / total().
class SumTree {
 public:
  explicit SumTree(std::size_t places);
  void set(std::size_t place, double weight);
  double weight(std::size_t place) const { return sums_[leaves_ + place]; }
  double total() const { return sums_[1]; }
  // The place at which the running sum of weights passes `at` (0..total()).
  std::size_t find(double at) const;

 private:
  std::size_t leaves_;  // a power of two
  std::vector<double> sums_;
};

class ReplayMemory {
 public:
  // `priority` 0: every experience is as likely; 1: in proportion to its error.
  ReplayMemory(std::size_t most, double priority) : most_(most), power_(priority), tree_(most) {}

  // A new one is as likely as the likeliest.
  void add(Experience experience);
  std::size_t size() const { return experiences_.size(); }

  struct Drawn {
    const Experience* experience = nullptr;
    std::size_t place = 0;
    float weight = 1;  // makes up for being drawn too often; 1 at the most
  };
  // `correction` 0..1: how far weights make up for it.
  std::vector<Drawn> draw(std::size_t count, double correction, Prng& random) const;
  void set_error(std::size_t place, double error);

  // What it holds as bytes, and back into a memory for as many: false where they are none, or of
  // more than it holds.
  void put_state(std::string& out) const;
  bool take_state(Taker& from);

 private:
  std::size_t most_;
  double power_;
  SumTree tree_;
  std::vector<Experience> experiences_;
  std::size_t next_ = 0;
  double largest_ = 1;
};

// 0..1
double unit_number(Prng& random);

}  // namespace hyades::learned
