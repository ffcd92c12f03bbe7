#include "policy/order.hpp"

#include <algorithm>
#include <cmath>

namespace hyades {

namespace {
double log10_of(double value) { return std::log10(value > 0 ? value : 0.1); }
}  // namespace

double aged(double score, double ageing, double waited_s) {
  return score > 0 ? score / (1 + ageing * std::max(waited_s, 0.0) / 3600) : score;
}

double score(QueueOrder order, const OrderFacts& facts) {
  const double r = std::max(facts.run_s, 1.0);
  const double n = facts.procs;
  const double w = facts.waited_s;
  switch (order) {
    case QueueOrder::Fcfs:
      return 0;  // ties go to the earlier submission
    case QueueOrder::Sjf:
      return r;
    case QueueOrder::Saf:
      return r * n;
    case QueueOrder::Lxf:
      return -(w + r) / r;
    case QueueOrder::Wfp3: {
      const double ratio = w / r;
      return -(ratio * ratio * ratio) * n;
    }
    case QueueOrder::Unicep:
      return -w / (std::log2(std::max(n, 2.0)) * r);
    case QueueOrder::F1:
      return log10_of(r) * n + 870 * log10_of(facts.since_busy_s);
    case QueueOrder::F2:
      return std::sqrt(r) * n + 25600 * log10_of(facts.since_busy_s);
    case QueueOrder::F3:
      return r * n + 6860000 * log10_of(facts.since_busy_s);
    case QueueOrder::F4:
      return r * std::sqrt(n) + 530000 * log10_of(facts.since_busy_s);
    case QueueOrder::Multifactor:
      return -(std::min(w / 604800, 1.0) + (1 - n / facts.machine));
    case QueueOrder::Index:
    case QueueOrder::Learned:
    case QueueOrder::LookaheadWait:
    case QueueOrder::LookaheadSlowdown:
      return n * r / std::sqrt(std::max(facts.inverse_s, 1e-12));
  }
  return 0;
}

bool changes_with_time(const QueueConfig& queue, bool forecasts_stay) {
  switch (queue.order) {
    case QueueOrder::Lxf:
    case QueueOrder::Wfp3:
    case QueueOrder::Unicep:
    case QueueOrder::Multifactor:
    case QueueOrder::Learned:
    case QueueOrder::LookaheadWait:
    case QueueOrder::LookaheadSlowdown:
      return true;
    case QueueOrder::Fcfs:
      return false;
    default:
      return (run_times_of(queue) != RunTimes::Request && !forecasts_stay) || queue.ageing > 0;
  }
}

std::int64_t procs_of(const JobSpec& spec) { return std::int64_t{spec.tasks} * spec.cpus_per_task; }

}  // namespace hyades
