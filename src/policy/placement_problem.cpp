#include "policy/placement_problem.hpp"

#include <algorithm>

namespace hyades {
namespace {

constexpr double kLeastRun_s = 1;

bool wants_memory(const JobSpec& spec) {
  return spec.exclusive || spec.memory_per_node_mib > 0 || spec.memory_per_cpu_mib > 0;
}

}  // namespace

PlacementProblem::PlacementProblem(const ClusterView& view, const PlacementFacts& facts,
                                   const std::vector<PlanLedger::Level>& levels,
                                   const std::vector<PlacementJob>& jobs,
                                   const std::vector<PlacementJob>& fixed,
                                   const std::vector<const std::vector<char>*>& pools)
    : view_(view), facts_(facts), levels_(levels), jobs_(jobs), fixed_(fixed), pools_(pools) {
  for (const PlacementJob& job : jobs_) {
    with_memory_ = with_memory_ || wants_memory(job.job->spec);
    with_bandwidth_ = with_bandwidth_ || job.facts->work.memory > 0;
    mean_run_s_ += std::max(job.run_s, kLeastRun_s) / static_cast<double>(jobs_.size());
    for (const DeviceCount& device : job.job->spec.devices_per_node) {
      if (std::find(kinds_.begin(), kinds_.end(), device.kind) == kinds_.end()) {
        kinds_.push_back(device.kind);
      }
    }
  }
  with_bandwidth_ = with_bandwidth_ && facts_.settings().contention > 0;
  with_balance_ = facts_.settings().balance > 0;
  add_rows();
  add_background();
  for (const PlacementJob& job : jobs_) add_job(job);
}

void PlacementProblem::add_rows() {
  rows_of_.assign(view_.cluster->nodes().size(), -1);
  for (const PlacementJob& job : jobs_) {
    for (const Plan& plan : job.places) {
      for (const PlannedShare& share : plan) {
        if (rows_of_[static_cast<std::size_t>(share.node)] < 0) add_node_rows(share.node);
      }
    }
  }
  pools_first_ = static_cast<std::uint32_t>(problem_.rows().size());
  terms_.assign(pools_first_, Term::None);
  for (const NodeRows& rows : node_rows_) {
    if (with_bandwidth_) terms_[rows.bandwidth] = Term::Bandwidth;
    if (with_balance_) terms_[rows.balance] = Term::Balance;
  }
  for (const std::vector<char>* const pool : pools_) {
    for (std::size_t level = 0; level < levels_.size(); ++level) {
      double cores = 0;
      for (const PlacementJob& job : jobs_) {
        if (!runs_at(job, level)) continue;
        for (const PlannedShare& share : job.places.front()) {
          if (!(*pool)[static_cast<std::size_t>(share.node)]) continue;
          cores += cores_of(job.job->spec, node_at(share.node), share.tasks);
        }
      }
      problem_.add_row({.capacity = cores});
      terms_.push_back(Term::None);
    }
  }
}

void PlacementProblem::add_node_rows(NodeIndex node) {
  rows_of_[static_cast<std::size_t>(node)] = static_cast<int>(node_rows_.size());
  NodeRows rows;
  rows.first = static_cast<std::uint32_t>(problem_.rows().size());
  for (const PlanLedger::Level& level : levels_) {
    const FreeRow& free = level.free.row(node);
    problem_.add_row({.capacity = static_cast<double>(free.cores)});
    if (with_memory_) problem_.add_row({.capacity = static_cast<double>(free.memory_mib)});
    for (const std::string& kind : kinds_) {
      problem_.add_row({.capacity = static_cast<double>(level.free.devices(node, kind))});
    }
  }
  const PlacementSettings& settings = facts_.settings();
  if (with_bandwidth_) {
    rows.bandwidth = problem_.add_row({.knee = 1, .weight = settings.contention * mean_run_s_});
  }
  if (with_balance_) rows.balance = problem_.add_row({.weight = 2 * settings.balance});
  node_rows_.push_back(rows);
}

// What runs there, and what starts and is not moved.
void PlacementProblem::add_background() {
  const auto rows_at = [&](NodeIndex node) {
    const int at = node < 0 ? -1 : rows_of_[static_cast<std::size_t>(node)];
    return at < 0 ? nullptr : &node_rows_[static_cast<std::size_t>(at)];
  };
  const auto add = [&](std::uint32_t row, double amount) {
    problem_.set_load(row, problem_.rows()[row].load + amount);
  };
  std::vector<LocalUse> uses;
  for (const PlacementJob& job : fixed_) {
    for (const PlannedShare& share : job.places.front()) {
      if (rows_at(share.node) == nullptr) continue;
      uses.clear();
      uses_of(job, {share}, uses);
      for (const LocalUse& use : uses) {
        if (use.row < pools_first_) add(use.row, use.amount);
      }
    }
  }
  for (std::size_t i = 0; with_balance_ && i < rows_of_.size(); ++i) {
    const auto node = static_cast<NodeIndex>(i);
    const NodeRows* const rows = rows_at(node);
    const double cores = node_at(node).inventory.cores;
    if (rows != nullptr) add(rows->balance, 1 - view_.free->cores(node) / std::max(cores, 1.0));
  }
  if (!with_bandwidth_ || view_.running == nullptr) return;
  view_.running->each([&](const RunningJob& running) {
    if (running.job == nullptr || running.plan != nullptr) return;
    const ClassFacts& its = facts_.of_class(running.job->spec.work_class);
    if (its.work.memory <= 0) return;
    for (const NodeShare& share : running.job->placement.shares) {
      const NodeIndex node = view_.cluster->index(share);
      const NodeRows* const rows = rows_at(node);
      if (rows == nullptr) continue;
      add(rows->bandwidth, share.cores.size() * its.bandwidth[static_cast<std::size_t>(node)]);
    }
  });
}

void PlacementProblem::add_job(const PlacementJob& job) {
  problem_.add_job();
  own_.emplace_back();
  std::vector<LocalUse> uses;
  for (const Plan& plan : job.places) {
    own_.back().push_back(own_cost(job, plan));
    uses.clear();
    uses_of(job, plan, uses);
    problem_.add_place(own_.back().back().total(), uses);
  }
}

void PlacementProblem::uses_of(const PlacementJob& job, const Plan& plan,
                               std::vector<LocalUse>& out) const {
  const JobSpec& spec = job.job->spec;
  const std::uint32_t of_memory = with_memory_ ? 1 : 0;
  const auto each_level = static_cast<std::uint32_t>(1 + of_memory + kinds_.size());
  const auto use = [&](std::uint32_t row, double amount) {
    if (amount > 0) out.push_back({row, amount});
  };
  std::vector<double> of_pool(pools_.size());
  for (const PlannedShare& share : plan) {
    const auto at = static_cast<std::size_t>(share.node);
    const Node& node = node_at(share.node);
    const NodeRows& rows = node_rows_[static_cast<std::size_t>(rows_of_[at])];
    const double cores = cores_of(spec, node, share.tasks);
    for (std::uint32_t level = 0; level < levels_.size(); ++level) {
      if (!runs_at(job, level)) continue;
      const std::uint32_t first = rows.first + level * each_level;
      use(first, cores);
      if (with_memory_ && wants_memory(spec)) {
        use(first + 1, static_cast<double>(memory_of(spec, node, share.tasks)));
      }
      for (std::uint32_t kind = 0; kind < kinds_.size(); ++kind) {
        use(first + 1 + of_memory + kind,
            device_count(spec.exclusive ? node.inventory.devices : spec.devices_per_node,
                         kinds_[kind]));
      }
    }
    if (with_bandwidth_) use(rows.bandwidth, cores * job.facts->bandwidth[at]);
    if (with_balance_) use(rows.balance, cores / std::max(node.inventory.cores, 1));
    for (std::size_t pool = 0; pool < pools_.size(); ++pool) {
      if ((*pools_[pool])[at]) of_pool[pool] += cores;
    }
  }
  std::uint32_t row = pools_first_;
  for (const double cores : of_pool) {
    for (std::size_t level = 0; level < levels_.size(); ++level, ++row) {
      if (runs_at(job, level)) use(row, cores);
    }
  }
}

PlaceCost PlacementProblem::own_cost(const PlacementJob& job, const Plan& plan) const {
  const PlacementSettings& settings = facts_.settings();
  const double run_s = std::max(job.run_s, kLeastRun_s);
  double slowest = 0, watts = 0;
  std::vector<std::pair<int, int>> in_group;  // group -> nodes
  for (const PlannedShare& share : plan) {
    slowest = std::max(slowest, job.facts->slowness[static_cast<std::size_t>(share.node)]);
    watts +=
        facts_.core_watts(share.node) * cores_of(job.job->spec, node_at(share.node), share.tasks);
    const int group = facts_.group(share.node);
    const auto its = std::find_if(in_group.begin(), in_group.end(),
                                  [&](const auto& each) { return each.first == group; });
    its == in_group.end() ? void(in_group.emplace_back(group, 1)) : void(++its->second);
  }
  PlaceCost cost;
  cost.run_s = run_s * slowest;
  const double nodes = static_cast<double>(plan.size());
  if (nodes > 1) {
    double near = 0;
    for (const auto& [group, count] : in_group) near += 0.5 * count * (count - 1);
    const double far = 1 - near / (0.5 * nodes * (nodes - 1));
    cost.transfer_s =
        settings.transfer * run_s * job.facts->work.network * (settings.far - 1) * far;
  }
  cost.energy_s = settings.energy_s_per_kj * cost.run_s * watts / 1000;
  return cost;
}

PlaceCost PlacementProblem::cost(const LocalLoads& loads, std::size_t job,
                                 std::size_t place) const {
  PlaceCost cost = own_[job][place];
  for (const LocalUse& use : problem_.place(job, place).uses) {
    const Term term = terms_[use.row];
    if (term == Term::None) continue;
    const double seconds = loads.added({0, std::span(&use, 1)});
    (term == Term::Bandwidth ? cost.contention_s : cost.balance_s) += seconds;
  }
  return cost;
}

}  // namespace hyades
