#include "trace/day_cycle.hpp"

#include <algorithm>
#include <cmath>

#include "trace/random_numbers.hpp"

namespace hyades {
namespace {

constexpr double day_s = 86'400;
constexpr double half_hour_s = 1800;

// The model's gamma distribution of submissions over the half hours of a day that begins at 5 a.m.
constexpr double shape = 8.1737;
constexpr double scale = 3.9631;
constexpr int first_half_hour = 11;

// Not normalised: only the ratios count.
double density(double x) { return natural_exp((shape - 1) * natural_log(x) - x / scale); }

// Simpson's rule; the density is smooth.
double share(double from, double to) {
  constexpr int steps = 8;
  const double width = (to - from) / steps;
  double sum = density(from) + density(to);
  for (int i = 1; i < steps; ++i) sum += (i % 2 == 1 ? 4 : 2) * density(from + i * width);
  return sum * width / 3;
}

}  // namespace

DayCycle::DayCycle() {
  std::array<double, halves_of_hours> shares;
  double whole = 0;
  for (int i = first_half_hour; i < first_half_hour + halves_of_hours; ++i) {
    const double of_it = share(i - 0.5, i + 0.5);
    shares[(i - 1) % halves_of_hours] = of_it;
    whole += of_it;
  }
  before_[0] = 0;
  for (int i = 0; i < halves_of_hours; ++i) before_[i + 1] = before_[i] + shares[i] / whole * day_s;
  before_[halves_of_hours] = day_s;
}

double DayCycle::second_of(double even_s) const {
  const double day = std::floor(even_s / day_s);
  const double rest = even_s - day * day_s;
  const auto after = std::upper_bound(before_.begin() + 1, before_.end() - 1, rest);
  const auto half_hour = after - before_.begin() - 1;
  const double within = (rest - before_[half_hour]) / (*after - before_[half_hour]);
  return day * day_s + (static_cast<double>(half_hour) + within) * half_hour_s;
}

}  // namespace hyades
