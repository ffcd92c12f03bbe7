// Readings as whole multiples of the smallest difference that is kept.
#pragma once

#include <cstdint>
#include <optional>

namespace hyades {

class Quantiser {
 public:
  // More than this many multiples are refused. Up to here to_quantum(to_value(q)) == q for every
  // resolution: the two roundings together are off by less than half a multiple.
  static constexpr std::int64_t kQuantumMax = std::int64_t{1} << 50;

  static bool is_resolution(double resolution);  // 1e-12..1e12

  // What is no resolution is taken as 1.
  explicit Quantiser(double resolution = 1);

  double resolution() const { return resolution_; }

  // Absent for NaN, the infinities and what is too large.
  std::optional<std::int64_t> to_quantum(double value) const;
  double to_value(std::int64_t quantum) const;

 private:
  double resolution_;
  double per_unit_;  // multiples in 1, where that is a whole number: 3 / 10 is 0.3, 3 * 0.1 is not
};

}  // namespace hyades
