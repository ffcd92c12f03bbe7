#include "trace/lublin_model.hpp"

#include <algorithm>
#include <cmath>

namespace hyades {
namespace {

struct Gamma {
  double shape;
  double scale;
};

constexpr double ln_2 = 0.693147180559945309417232121458;

// Processors: log2 is uniform in [low, med] or, rarer, in [med, high]; high is the machine's.
constexpr double serial_share = 0.244;
constexpr double power_of_two_share = 0.576;
constexpr double low = 0.8;
constexpr double med_below_high = 2.5;
constexpr double below_med_probability = 0.86;

// Run time: its logarithm is of the first distribution with a probability that falls with the size.
constexpr Gamma short_runs{4.2, 0.94};
constexpr Gamma long_runs{312, 0.03};
constexpr double short_slope = -0.0054;
constexpr double short_at_0 = 0.78;
constexpr double run_log_max = 12;

// Gaps: their logarithm at the busy hours, and what makes of that all hours.
constexpr Gamma busy_gaps{10.2303, 0.4871};
constexpr double all_to_busy = 1.0225;
constexpr double gap_log_max = 13;

double pow_2(double exponent) { return natural_exp(exponent * ln_2); }

double two_stage_uniform(RandomNumbers& random, double high) {
  const double med = std::max(low, high - med_below_high);
  const bool below = random.chance(below_med_probability);
  const double from = below ? low : med;
  const double to = below ? med : std::max(med, high);
  return from + (to - from) * random.uniform();
}

}  // namespace

int lublin_procs(RandomNumbers& random, int machine) {
  const double kind = random.uniform();
  if (kind <= serial_share || machine == 1) return 1;
  double log_procs = two_stage_uniform(random, natural_log(machine) / ln_2);
  if (kind <= serial_share + power_of_two_share) log_procs = std::floor(log_procs + 0.5);
  const double procs = std::floor(pow_2(log_procs) + 0.5);
  return static_cast<int>(std::clamp(procs, 1.0, static_cast<double>(machine)));
}

std::int64_t lublin_run_s(RandomNumbers& random, int procs) {
  const double short_share = std::clamp(short_slope * procs + short_at_0, 0.0, 1.0);
  const Gamma& runs = random.chance(short_share) ? short_runs : long_runs;
  double log_run;
  do {
    log_run = random.gamma(runs.shape, runs.scale);
  } while (log_run > run_log_max);
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(natural_exp(log_run)));
}

double lublin_gap_s(RandomNumbers& random) {
  double log_gap;
  do {
    log_gap = random.gamma(busy_gaps.shape * all_to_busy, busy_gaps.scale);
  } while (log_gap > gap_log_max);
  return natural_exp(log_gap);
}

}  // namespace hyades
