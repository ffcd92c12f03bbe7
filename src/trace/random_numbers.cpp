#include "trace/random_numbers.hpp"

#include <cmath>

namespace hyades {
namespace {

constexpr double ln_2 = 0.693147180559945309417232121458;

}  // namespace

// x = 2^exponent * m, and log m = 2 artanh((m - 1) / (m + 1)) as a series.
double natural_log(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);  // exact
  if (m < 0.70710678118654752) {
    m *= 2;
    --exponent;
  }
  const double s = (m - 1) / (m + 1);  // |s| < 0.172
  const double square = s * s;
  double sum = 0;
  for (int term = 23; term >= 1; term -= 2) sum = sum * square + 1.0 / term;
  return exponent * ln_2 + 2 * s * sum;
}

// e^x = 2^k * e^r with |r| < 0.35, and e^r as a series.
double natural_exp(double x) {
  const double k = std::floor(x / ln_2 + 0.5);
  const double r = x - k * ln_2;
  double sum = 1;
  for (int term = 15; term >= 1; --term) sum = 1 + r / term * sum;
  return std::ldexp(sum, static_cast<int>(k));  // exact
}

double RandomNumbers::uniform() {
  constexpr double step = 1.0 / (std::uint64_t{1} << 53);
  return (static_cast<double>(prng_.next() >> 11) + 0.5) * step;
}

// Marsaglia's polar method; the second number it gives is not kept.
double RandomNumbers::normal() {
  while (true) {
    const double u = 2 * uniform() - 1;
    const double v = 2 * uniform() - 1;
    const double square = u * u + v * v;
    if (square < 1 && square > 0) return u * std::sqrt(-2 * natural_log(square) / square);
  }
}

// Marsaglia and Tsang's method (2000).
double RandomNumbers::gamma(double shape, double scale) {
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = normal();
    const double t = 1 + c * x;
    if (t <= 0) continue;
    const double v = t * t * t;
    if (natural_log(uniform()) < 0.5 * x * x + d - d * v + d * natural_log(v)) return scale * d * v;
  }
}

}  // namespace hyades
