#include "policy/patience.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/hostlist.hpp"

namespace hyades {
namespace {

// Jobs of a pass for which this is worked out; each costs as much as the cluster has nodes.
constexpr int kLooksMost = 100;
// Forecasts are not as good as to wait for less.
constexpr double kWorthIt = 0.95;

WallMs ms_of(double seconds) { return static_cast<WallMs>(seconds * 1000); }

// The fastest for which this is so, which then is so for all that are slower, since those take in
// the faster nodes. The slowest is not asked.
template <typename Speeds, typename Is>
std::size_t first_that(const Speeds& speeds, const Is& is) {
  std::size_t first = 0, last = speeds.size() - 1;
  while (first < last) {
    const std::size_t middle = (first + last) / 2;
    if (is(speeds[middle])) {
      last = middle;
    } else {
      first = middle + 1;
    }
  }
  return first;
}

}  // namespace

// nullptr: all nodes are alike to it, or it is none of our business.
const Patience::Speeds* Patience::speeds_for(const QueueView& queue, const Job& job) {
  const PlacementSettings& settings = facts_.settings();
  if (!settings.enabled || !settings.patient || !queue.config->placement ||
      job.spec.work_class == kUnplacedWorkClass) {
    return nullptr;
  }
  const ClassFacts& facts = facts_.of_class(job.spec.work_class);
  if (!facts.uneven) return nullptr;
  if (last_ != nullptr && last_queue_ == queue.config->name && last_facts_ == &facts) return last_;
  const auto [found, fresh] = speeds_.try_emplace({queue.config->name, &facts});
  if (fresh) found->second = make_speeds(queue, facts);
  last_ = found->second.by_slowness.size() < 2 ? nullptr : &found->second;
  last_queue_ = queue.config->name;
  last_facts_ = &facts;
  return last_;
}

Patience::Speeds Patience::make_speeds(const QueueView& queue, const ClassFacts& facts) {
  Speeds speeds;
  speeds.range = slowness_on(facts, queue.usable);
  std::vector<Speed>& all = speeds.by_slowness;
  for (const ClassFacts::Kind& kind : facts.kinds) {  // which differ in size and group, too
    if (all.empty() || kind.slowness >= (1 + kSameSpeed) * all.back().slowness) {
      if (!all.empty() && all.back().nodes.empty()) all.pop_back();
      all.push_back({kind.slowness, {}, {}});
    }
    for (const NodeIndex node : kind.nodes) {
      if (queue.usable[static_cast<std::size_t>(node)]) all.back().nodes.push_back(node);
    }
  }
  if (!all.empty() && all.back().nodes.empty()) all.pop_back();
  std::vector<char> as_fast(queue.usable.size(), 0);
  for (Speed& speed : all) {
    for (const NodeIndex node : speed.nodes) as_fast[static_cast<std::size_t>(node)] = 1;
    speed.as_fast = as_fast;
  }
  return speeds;
}

double Patience::share_of(const Job& job, NodeIndex node, int tasks) const {
  const Inventory& has = ledger_.view().cluster->nodes()[static_cast<std::size_t>(node)].inventory;
  if (job.spec.exclusive) return 1;
  double share = static_cast<double>(tasks) * job.spec.cpus_per_task / std::max(has.cores, 1);
  for (const DeviceCount& device : job.spec.devices_per_node) {
    const int there = device_count(has.devices, device.kind);
    if (there > 0) share = std::max(share, static_cast<double>(device.count) / there);
  }
  return std::min(share, 1.0);
}

void Patience::add(const Load& load) {
  Busy& busy = busy_[static_cast<std::size_t>(load.node)];
  busy.work_s += load.share * load.seconds;
  busy.last_s = std::max(busy.last_s, load.seconds);
}

void Patience::look_at_running() {
  if (!busy_.empty()) return;
  const Cluster& cluster = *ledger_.view().cluster;
  busy_.resize(cluster.nodes().size());
  const auto look = [&](const RunningJob& running) {
    if (running.job == nullptr) return;
    const double seconds = remaining_s(*running.job);
    for (const NodeShare& share : running.job->placement.shares) {
      const NodeIndex node = cluster.index(share);
      if (node < 0) continue;
      add({node, share_of(*running.job, node, share.tasks), seconds});
    }
  };
  ledger_.view().running->each(look);
  for (const Load& load : early_) add(load);
}

// A job that has run for longer than was expected of it is expected to run as long again.
double Patience::remaining_s(const Job& job) {
  const double limit_s = job.spec.time_limit_s;
  const WallMs begun_ms = job.started_ms != 0 ? job.started_ms : job.assigned_ms;
  const double elapsed_s = static_cast<double>(ledger_.now_ms() - begun_ms) / 1000;
  const QueueView* const queue = sources_.queue_of(job);
  double run_s = limit_s;
  if (queue != nullptr) {
    const Speeds* const speeds = speeds_for(*queue, job);
    run_s = speeds == nullptr ? sources_.expected_run(*queue->config, job)
                              : run_on_best_s(*queue, job, *speeds) * slowness_of(job);
  }
  if (run_s <= elapsed_s) run_s = 2 * elapsed_s;
  return std::max(std::min(run_s, limit_s) - elapsed_s, 0.0);
}

// Where it runs.
double Patience::slowness_of(const Job& job) const {
  const ClassFacts& facts = facts_.of_class(job.spec.work_class);
  double slowest = 1;
  for (const NodeShare& share : job.placement.shares) {
    const NodeIndex node = ledger_.view().cluster->index(share);
    if (node >= 0) slowest = std::max(slowest, facts.slowness[static_cast<std::size_t>(node)]);
  }
  return slowest;
}

// Who asks for a time asks for one that will do on the slowest node; what is predicted is of nodes
// as they come.
double Patience::run_on_best_s(const QueueView& queue, const Job& job, const Speeds& speeds) const {
  const bool asked = run_times_of(*queue.config) == RunTimes::Request;
  return sources_.expected_run(*queue.config, job) /
         (asked ? speeds.range.slowest : speeds.range.mean);
}

// Those that could hold some of the job if nothing else ran there.
std::vector<NodeIndex> Patience::nodes_of(const Speed& speed, const Job& job) const {
  const Cluster& cluster = *ledger_.view().cluster;
  const DeviceNeeds needs = cluster.whole().needs_of(job.spec);
  const NodeIndex avoid = job.avoid_node.empty() ? -1 : cluster.index(job.avoid_node);
  std::vector<NodeIndex> nodes;
  for (const NodeIndex index : speed.nodes) {
    const Node& node = cluster.nodes()[static_cast<std::size_t>(index)];
    const bool holds = index != avoid && node_allowed(node, job.spec) &&
                       cluster.whole().capacity(index, node, job.spec, needs) > 0;
    if (holds) nodes.push_back(index);
  }
  return nodes;
}

// How many of these nodes the job takes, about.
std::size_t Patience::node_count(const std::vector<NodeIndex>& nodes, const Job& job) const {
  if (job.spec.nodes > 0) return static_cast<std::size_t>(job.spec.nodes);
  const Node& node = ledger_.view().cluster->nodes()[static_cast<std::size_t>(nodes.front())];
  const int each = std::max(node.inventory.cores / job.spec.cpus_per_task, 1);
  return static_cast<std::size_t>((job.spec.tasks + each - 1) / each);
}

// Until there is room on as many of these nodes as it takes, if all work there is shared out
// evenly; infinite: there are none. A job that wants most of a node also waits for the last one
// there, and one of several nodes for as many of them.
double Patience::wait_s(const std::vector<NodeIndex>& nodes, const Job& job) const {
  if (nodes.empty()) return std::numeric_limits<double>::infinity();
  const std::size_t count = std::min(node_count(nodes, job), nodes.size());
  const int tasks = tasks_on_each(job, count);
  std::vector<double> waits;
  double sum = 0;
  for (const NodeIndex node : nodes) {
    const Busy& busy = busy_[static_cast<std::size_t>(node)];
    waits.push_back(std::max(busy.work_s, share_of(job, node, tasks) * busy.last_s));
    sum += waits.back();
  }
  const double mean = sum / static_cast<double>(nodes.size());
  if (count == 1) return mean;
  const auto last = waits.begin() + static_cast<std::ptrdiff_t>(count - 1);
  std::nth_element(waits.begin(), last, waits.end());
  return std::max(mean, *last);
}

int Patience::tasks_on_each(const Job& job, std::size_t nodes) {
  const int count = static_cast<int>(nodes);
  return (job.spec.tasks + count - 1) / count;
}

// If nothing else ran there.
bool Patience::holds(const Speed& speed, const Job& job) const {
  const Cluster& cluster = *ledger_.view().cluster;
  std::vector<char> nodes = speed.as_fast;
  const NodeIndex avoid = job.avoid_node.empty() ? -1 : cluster.index(job.avoid_node);
  if (avoid >= 0) nodes[static_cast<std::size_t>(avoid)] = 0;
  return !place(job.spec, cluster.nodes(), cluster.whole(), nodes).empty();
}

std::string Patience::names_of(const std::vector<NodeIndex>& nodes) const {
  constexpr std::size_t named_most = 1000;
  std::vector<std::string> names;
  for (const NodeIndex node : nodes) {
    if (names.size() == named_most) break;
    names.push_back(ledger_.view().cluster->nodes()[static_cast<std::size_t>(node)].name);
  }
  return compress_hostlist(names);
}

void Patience::choose(const QueueView& queue, const Job& job, const Fit& fit, Plan& plan) {
  const Speeds* const speeds = speeds_for(queue, job);
  if (speeds == nullptr) return;
  const auto& all = speeds->by_slowness;
  const Plan first_fit = plan;
  const std::size_t its = first_that(all, [&](const Speed& speed) {
    Plan faster = fit(speed.as_fast);
    if (faster.empty()) return false;
    plan = std::move(faster);
    return true;
  });
  if (plan != first_fit) first_fits_[job.id] = first_fit;
  if (its == 0 || looks_ >= kLooksMost) return;
  ++looks_;
  look_at_running();
  const double run_s = run_on_best_s(queue, job, *speeds);
  const double here_s = run_s * all[its].slowness;
  std::size_t best = its;
  double best_s = kWorthIt * here_s;
  for (std::size_t i = first_that(all, [&](const Speed& speed) { return holds(speed, job); });
       i < its; ++i) {
    const double there_s = wait_s(nodes_of(all[i], job), job) + run_s * all[i].slowness;
    if (there_s >= best_s) continue;
    best = i;
    best_s = there_s;
  }
  if (best == its) return;
  const WallMs now_ms = ledger_.now_ms();
  PatientJob patient{.faster_nodes = names_of(nodes_of(all[best], job)),
                     .faster_end_ms = now_ms + ms_of(best_s),
                     .now_end_ms = now_ms + ms_of(here_s),
                     .until_ms = now_ms + ms_of(run_s * (all[its].slowness - all[best].slowness)),
                     .waits = true};
  if (const auto known = known_.find(job.id); known != known_.end()) {
    patient.until_ms = known->second.until_ms;
    patient.woken = known->second.woken;
    if (now_ms >= patient.until_ms) return;  // long enough
  }
  nodes_[job.id] = &all[best].as_fast;
  waiting_[job.id] = std::move(patient);
  plan.clear();
  expect(job, run_s, *speeds);
}

void Patience::stands(const QueueView& queue, const Job& job) {
  const Speeds* const speeds = looks_ < kLooksMost ? speeds_for(queue, job) : nullptr;
  if (speeds == nullptr) return;
  ++looks_;
  look_at_running();
  expect(job, run_on_best_s(queue, job, *speeds), *speeds);
}

// On the nodes on which it ends first.
void Patience::expect(const Job& job, double run_s, const Speeds& speeds) {
  std::vector<NodeIndex> best;
  double best_s = std::numeric_limits<double>::infinity(), there_s = 0;
  for (const Speed& speed : speeds.by_slowness) {
    std::vector<NodeIndex> nodes = nodes_of(speed, job);
    const double end_s = wait_s(nodes, job) + run_s * speed.slowness;
    if (end_s >= best_s) continue;
    best = std::move(nodes);
    best_s = end_s;
    there_s = run_s * speed.slowness;
  }
  if (best.empty()) return;
  const std::size_t count = std::min(node_count(best, job), best.size());
  const double each = static_cast<double>(count) / static_cast<double>(best.size());
  for (const NodeIndex node : best) {
    Busy& busy = busy_[static_cast<std::size_t>(node)];
    busy.work_s += each * share_of(job, node, tasks_on_each(job, count)) * there_s;
  }
}

void Patience::started(const QueueView& queue, const Job& job, const Plan& plan) {
  const Speeds* const speeds = speeds_for(queue, job);
  const double run_s = speeds == nullptr ? sources_.expected_run(*queue.config, job)
                                         : run_on_best_s(queue, job, *speeds);
  const ClassFacts& facts = facts_.of_class(job.spec.work_class);
  for (const PlannedShare& share : plan) {
    const auto node = static_cast<std::size_t>(share.node);
    const double seconds = run_s * (speeds == nullptr ? 1 : facts.slowness[node]);
    const Load load{share.node, share_of(job, share.node, share.tasks), seconds};
    if (busy_.empty()) {
      early_.push_back(load);
    } else {
      add(load);
    }
  }
}

const std::vector<char>* Patience::nodes_for(JobId job) const {
  const auto found = nodes_.find(job);
  return found == nodes_.end() ? nullptr : found->second;
}

}  // namespace hyades
