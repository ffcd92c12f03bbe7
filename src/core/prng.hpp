// A small random number generator (xoshiro256**, seeded by splitmix64) that gives the same numbers
// with every compiler and library, so that a seed means the same run everywhere. Only integers:
// the standard distributions and floating point are not portable.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hyades {

class Prng {
 public:
  explicit Prng(std::uint64_t seed) {
    for (auto& word : state_) word = splitmix(seed);
  }

  std::uint64_t next() {
    const std::uint64_t result = rotate(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  // 0..n-1, each as likely; n > 0.
  std::uint64_t below(std::uint64_t n) {
    const std::uint64_t skip = (0 - n) % n;
    std::uint64_t number = next();
    while (number < skip) number = next();
    return number % n;
  }

  // low..high, both included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }

  // low..high with every power of two as likely: many small numbers, few large ones.
  std::int64_t skewed(std::int64_t low, std::int64_t high) {
    int doublings = 0;
    for (std::int64_t width = low > 0 ? low : 1; width * 2 <= high; width *= 2) ++doublings;
    const int chosen = static_cast<int>(below(static_cast<std::uint64_t>(doublings) + 1));
    const std::int64_t base = (low > 0 ? low : 1) << chosen;
    const std::int64_t value = between(base, base * 2);
    return value < low ? low : value > high ? high : value;
  }

  bool chance(int per_thousand) { return static_cast<int>(below(1000)) < per_thousand; }

  template <typename Container>
  const auto& pick(const Container& container) {
    return container[static_cast<std::size_t>(below(container.size()))];
  }

  // A generator of its own for one part of a run, so that a change in one part leaves the numbers
  // of the others alone.
  Prng split() { return Prng(next()); }

 private:
  static std::uint64_t splitmix(std::uint64_t& seed) {
    std::uint64_t z = (seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  static std::uint64_t rotate(std::uint64_t x, int bits) {
    return (x << bits) | (x >> (64 - bits));
  }

  std::uint64_t state_[4];
};

}  // namespace hyades
