#include "telemetry/energy_share.hpp"

#include <algorithm>
#include <cmath>

#include "telemetry/metric.hpp"

namespace hyades {
namespace {

// Larger ones would make sums of them infinite.
constexpr double kAmountMax = 1e100;

double amount(double value) {
  return std::isfinite(value) && value > 0 ? std::min(value, kAmountMax) : 0;
}

double part_of(double value, double whole) { return whole > 0 ? amount(value) / whole : 0; }

double sum_over(const std::vector<JobUse>& jobs, double JobUse::*member) {
  double sum = 0;
  for (const JobUse& job : jobs) sum += amount(job.*member);
  return sum;
}

}  // namespace

EnergyShares share_energy(const NodeUse& node) {
  const auto& jobs = node.jobs;
  if (!(node.joules >= 0) || node.joules > kAmountMax) {
    return {std::vector<double>(jobs.size(), kNoReading), kNoReading};
  }
  const double cores = std::max(amount(node.cores), sum_over(jobs, &JobUse::cores));
  const double cpu = std::max(amount(node.cpu_seconds), sum_over(jobs, &JobUse::cpu_seconds));
  const double claimed = std::max(amount(node.gpu_joules), sum_over(jobs, &JobUse::gpu_joules));
  const double in_gpus = std::min(claimed, node.joules);
  const double rest = node.joules - in_gpus;
  const double idle = rest * std::min(amount(node.idle_share), 1.0);

  EnergyShares shares;
  double left = node.joules;
  for (const JobUse& job : jobs) {
    const double joules = in_gpus * part_of(job.gpu_joules, claimed) +
                          idle * part_of(job.cores, cores) +
                          (rest - idle) * part_of(job.cpu_seconds, cpu);
    // Rounding alone could take more than there is.
    shares.jobs_joules.push_back(std::min(joules, left));
    left -= shares.jobs_joules.back();
  }
  shares.unattributed_joules = left;
  return shares;
}

}  // namespace hyades
