// Random numbers of the distributions that workloads are made of. The same seed gives the same
// numbers with every compiler and library, which the standard distributions do not: only +, -, *, /
// and sqrt are used, whose results IEEE 754 fixes, and logarithms that are made of them.
#pragma once

#include <cstdint>

#include "core/prng.hpp"

namespace hyades {

// To some 1e-15 of the value. natural_log: of a positive number.
double natural_log(double x);
double natural_exp(double x);

class RandomNumbers {
 public:
  explicit RandomNumbers(std::uint64_t seed) : prng_(seed) {}

  // 0..1, neither of the two included.
  double uniform();

  bool chance(double probability) { return uniform() < probability; }

  // low..high, both included.
  std::int64_t between(std::int64_t low, std::int64_t high) { return prng_.between(low, high); }

  // Mean 0, standard deviation 1.
  double normal();

  // Mean shape * scale; shape >= 1.
  double gamma(double shape, double scale);

  // A generator of its own for one part, so that a change in one part leaves the others alone.
  RandomNumbers split() { return RandomNumbers(prng_.next()); }

 private:
  Prng prng_;
};

}  // namespace hyades
