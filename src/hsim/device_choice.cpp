#include "hsim/device_choice.hpp"

#include <algorithm>
#include <limits>

namespace hyades {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr double kSamePrice = 1e-6;

// Milliseconds on each of the fleet's parts; infinity: not there.
std::vector<double> runs_of(const DeviceJob& job, const DeviceFleet& fleet,
                            const ThroughputTable& table) {
  std::vector<double> runs;
  for (const FleetPart& part : fleet.parts) {
    const std::optional<WallMs> run_ms = run_ms_on(part.device, job, fleet, table);
    runs.push_back(run_ms ? static_cast<double>(*run_ms) : kNever);
  }
  return runs;
}

std::size_t least_of(const std::vector<double>& values) {
  return static_cast<std::size_t>(std::min_element(values.begin(), values.end()) - values.begin());
}

// The kind where its time costs least; of those, where it is done first.
std::size_t cheapest(const std::vector<double>& runs, const std::vector<double>& prices) {
  std::size_t its = least_of(runs);
  const auto cost = [&](std::size_t k) { return runs[k] * prices[k]; };
  for (std::size_t k = 0; k < runs.size(); ++k) {
    if (runs[k] < kNever && cost(k) < (1 - kSamePrice) * cost(its)) its = k;
  }
  return its;
}

}  // namespace

ShareProblem share_problem(const std::map<DeviceWork, double>& counts, const DeviceFleet& fleet,
                           const ThroughputTable& table) {
  ShareProblem problem;
  for (const FleetPart& part : fleet.parts) problem.devices.push_back(part.count);
  for (const auto& [work, jobs] : counts) {
    ShareClass& its = problem.classes.emplace_back(ShareClass{jobs, work.workers, {}});
    for (const FleetPart& part : fleet.parts) {
      its.rates.push_back(table.rate(part.device, work, work.workers > fleet.per_node));
    }
  }
  return problem;
}

std::vector<double> prices_for(const KindQueue& queue, const DeviceFleet& fleet,
                               const ThroughputTable& table) {
  std::map<DeviceWork, double> counts, steps;
  for (const DeviceJob* const job : queue.waiting) {
    ++counts[job->work];
    steps[job->work] += job->steps;
  }
  ShareProblem problem = share_problem(counts, fleet, table);
  std::size_t at = 0;
  for (const auto& [work, sum] : steps) problem.classes[at++].steps = sum;
  return least_makespan(problem).prices;
}

KindChoice by_earliest_end(const KindQueue& queue, const DeviceFleet& fleet,
                           const ThroughputTable& table) {
  KindChoice choice;
  std::vector<double> busy = queue.busy_ms;
  for (const DeviceJob* const job : queue.waiting) {
    const std::vector<double> runs = runs_of(*job, fleet, table);
    std::vector<double> ends;
    for (std::size_t k = 0; k < runs.size(); ++k) {
      ends.push_back(busy[k] / fleet.parts[k].count + runs[k]);
    }
    const std::size_t its = least_of(ends);
    busy[its] += runs[its] * job->work.workers;
    choice.emplace_back(runs.size(), 0)[its] = 1;
  }
  return choice;
}

KindChoice by_price(const KindQueue& queue, const std::vector<double>& prices,
                    const DeviceFleet& fleet, const ThroughputTable& table) {
  KindChoice choice;
  for (const DeviceJob* const job : queue.waiting) {
    const std::vector<double> runs = runs_of(*job, fleet, table);
    choice.emplace_back(runs.size(), 0)[cheapest(runs, prices)] = 1;
  }
  return choice;
}

KindChoice by_price_or_patience(const KindQueue& queue, const std::vector<double>& prices,
                                const DeviceFleet& fleet, const ThroughputTable& table) {
  KindChoice choice = by_price(queue, prices, fleet, table);
  std::vector<double> busy = queue.busy_ms;
  for (std::size_t i = 0; i < choice.size(); ++i) {
    const DeviceJob& job = *queue.waiting[i];
    const std::vector<double> runs = runs_of(job, fleet, table);
    const auto its = static_cast<std::size_t>(std::find(choice[i].begin(), choice[i].end(), 1) -
                                              choice[i].begin());
    const double end = busy[its] / fleet.parts[its].count + runs[its];
    busy[its] += runs[its] * job.work.workers;
    for (std::size_t k = 0; k < runs.size(); ++k) {
      if (runs[k] < end) choice[i][k] = 1;
    }
  }
  return choice;
}

}  // namespace hyades
