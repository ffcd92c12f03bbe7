#include "policy/learned/replay_memory.hpp"

#include <algorithm>
#include <cmath>

#include "core/assert.hpp"
#include "policy/learned/training_bytes.hpp"

namespace hyades::learned {
namespace {

constexpr double kLeastError = 0.01;  // so that none is forgotten for good

std::size_t power_of_two(std::size_t least) {
  std::size_t size = 1;
  while (size < least) size *= 2;
  return size;
}

}  // namespace

double unit_number(Prng& random) {
  return static_cast<double>(random.next() >> 11) / 9007199254740992.0;
}

SumTree::SumTree(std::size_t places) : leaves_(power_of_two(places)), sums_(2 * leaves_) {}

void SumTree::set(std::size_t place, double weight) {
  std::size_t at = leaves_ + place;
  sums_[at] = weight;
  for (at /= 2; at > 0; at /= 2) sums_[at] = sums_[2 * at] + sums_[2 * at + 1];
}

std::size_t SumTree::find(double at) const {
  std::size_t node = 1;
  while (node < leaves_) {
    const double left = sums_[2 * node];
    // Rounding must not lead where nothing is.
    const bool go_left = at < left || sums_[2 * node + 1] <= 0;
    if (!go_left) at -= left;
    node = 2 * node + (go_left ? 0 : 1);
  }
  return node - leaves_;
}

void ReplayMemory::add(Experience experience) {
  if (experiences_.size() < most_) {
    experiences_.push_back(std::move(experience));
  } else {
    experiences_[next_] = std::move(experience);
  }
  tree_.set(next_, largest_);
  next_ = (next_ + 1) % most_;
}

std::vector<ReplayMemory::Drawn> ReplayMemory::draw(std::size_t count, double correction,
                                                    Prng& random) const {
  HYADES_ASSERT(!experiences_.empty());
  std::vector<Drawn> drawn;
  double heaviest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    // One of each of `count` equal parts: fewer accidents than `count` draws of the whole.
    const double at = (static_cast<double>(i) + unit_number(random)) / static_cast<double>(count);
    const std::size_t place = tree_.find(at * tree_.total());
    const double share = tree_.weight(place) / tree_.total();
    const double weight = std::pow(static_cast<double>(experiences_.size()) * share, -correction);
    heaviest = std::max(heaviest, weight);
    drawn.push_back({&experiences_[place], place, static_cast<float>(weight)});
  }
  for (Drawn& each : drawn) each.weight /= static_cast<float>(heaviest);
  return drawn;
}

void ReplayMemory::set_error(std::size_t place, double error) {
  const double weight = std::pow(std::abs(error) + kLeastError, power_);
  largest_ = std::max(largest_, weight);
  tree_.set(place, weight);
}

void ReplayMemory::put_state(std::string& out) const {
  put_experiences(out, experiences_);
  std::vector<double> weights;
  for (std::size_t i = 0; i < experiences_.size(); ++i) weights.push_back(tree_.weight(i));
  put_list(out, weights);
  put_value(out, static_cast<std::uint64_t>(next_));
  put_value(out, largest_);
}

// The sums are made anew; each is of the two below it, whatever the order of the changes was.
bool ReplayMemory::take_state(Taker& from) {
  std::vector<double> weights;
  std::uint64_t next = 0;
  if (!take_experiences(from, experiences_) || !take_list(from, weights) || !from.take(next) ||
      !from.take(largest_)) {
    return false;
  }
  if (experiences_.size() > most_ || weights.size() != experiences_.size()) return false;
  if (next >= most_ || (experiences_.size() < most_ && next != experiences_.size())) return false;
  next_ = next;
  tree_ = SumTree(most_);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] >= 0)) return false;
    tree_.set(i, weights[i]);
  }
  return true;
}

}  // namespace hyades::learned
