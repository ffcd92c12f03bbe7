#include "telemetry/quantiser.hpp"

#include <cmath>

namespace hyades {
namespace {

// 0 where `resolution` does not divide 1.
double whole_parts(double resolution) {
  const double parts = std::round(1 / resolution);
  return resolution < 1 && 1 / parts == resolution ? parts : 0;
}

}  // namespace

bool Quantiser::is_resolution(double resolution) {
  return resolution >= 1e-12 && resolution <= 1e12;
}

Quantiser::Quantiser(double resolution)
    : resolution_(is_resolution(resolution) ? resolution : 1),
      per_unit_(whole_parts(resolution_)) {}

std::optional<std::int64_t> Quantiser::to_quantum(double value) const {
  const double multiples = per_unit_ > 0 ? value * per_unit_ : value / resolution_;
  // Written so that NaN fails, too.
  if (!(std::abs(multiples) <= static_cast<double>(kQuantumMax))) return std::nullopt;
  return std::llround(multiples);
}

double Quantiser::to_value(std::int64_t quantum) const {
  const auto multiples = static_cast<double>(quantum);
  return per_unit_ > 0 ? multiples / per_unit_ : multiples * resolution_;
}

}  // namespace hyades
