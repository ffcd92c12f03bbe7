#include "hsim/placement_scene.hpp"

#include <algorithm>
#include <map>

#include "core/assert.hpp"
#include "policy/backfill_policy.hpp"

namespace hyades {
namespace {

constexpr int kChassisNodes = 4;    // of one kind
constexpr int kNoise = 20;          // figures vary by so many thousandths
constexpr int kOccupied = 700;      // nodes in a thousand on which something runs
constexpr int kSeveralNodes = 300;  // starts in a thousand
constexpr int kRounds = 100;        // of jobs that are asked for in place of others
constexpr MiB kMemoryOfCore_mib = 4096;

struct NodeKind {
  int cores;
  std::map<std::string, double> figures;
};

// As such devices may be; measured on none.
const std::vector<NodeKind>& node_kinds() {
  static const std::vector<NodeKind> kinds = {
      {32,  // some years old
       {{"gemm_gflops", 1000},
        {"stream_gbs", 90},
        {"stream_one_gbs", 10},
        {"chase_ns", 110},
        {"disk_mbs", 450},
        {"idle_w", 110},
        {"busy_w", 330}}},
      {64,  // many cores
       {{"gemm_gflops", 3500},
        {"stream_gbs", 220},
        {"stream_one_gbs", 12},
        {"chase_ns", 125},
        {"disk_mbs", 1800},
        {"idle_w", 150},
        {"busy_w", 520}}},
      {48,  // fast memory
       {{"gemm_gflops", 2400},
        {"stream_gbs", 850},
        {"stream_one_gbs", 22},
        {"chase_ns", 145},
        {"disk_mbs", 1800},
        {"idle_w", 160},
        {"busy_w", 560}}},
      {32,  // fast cores
       {{"gemm_gflops", 2300},
        {"stream_gbs", 170},
        {"stream_one_gbs", 18},
        {"chase_ns", 80},
        {"disk_mbs", 3200},
        {"idle_w", 120},
        {"busy_w", 420}}},
  };
  return kinds;
}

}  // namespace

PlacementScene::PlacementScene(int nodes, int starts, std::uint64_t seed) : random_(seed) {
  for (int i = 0; i < nodes; ++i) add_node(i);
  const QueueConfig& queue = config_.queues.front();
  queues_.push_back(
      {&queue, &waiting_, std::vector<char>(static_cast<std::size_t>(nodes), 1), now_ms, {}});
  occupy();
  add_starts(starts);
}

void PlacementScene::add_node(int number) {
  if (number % kChassisNodes == 0) kind_ = random_.below(node_kinds().size());
  const NodeKind& kind = node_kinds()[kind_];
  Inventory inventory;
  inventory.cores = kind.cores;
  inventory.memory_mib = kind.cores * kMemoryOfCore_mib;
  NodeProfile profile{.measured_ms = now_ms, .source = "modelled", .figures = kind.figures};
  for (auto& [name, figure] : profile.figures) figure = noisy(figure);
  const std::string name = "n" + std::to_string(number + 1);
  cluster_.define(name, inventory);
  cluster_.find(name)->responding = true;
  cluster_.set_profile(name, profile);
  config_.nodes.push_back({name, inventory, "g" + std::to_string(number / group_nodes)});
}

double PlacementScene::noisy(double figure) {
  return figure * (1 + static_cast<double>(random_.between(-kNoise, kNoise)) / 1000);
}

void PlacementScene::occupy() {
  const auto nodes = static_cast<NodeIndex>(cluster_.nodes().size());
  for (NodeIndex node = 0; node < nodes; ++node) {
    if (random_.chance(kOccupied)) occupy(node);
  }
}

// Between none and all of its cores.
void PlacementScene::occupy(NodeIndex node) {
  const int cores = cluster_.free().cores(node);
  const auto keep_free = static_cast<int>(random_.below(static_cast<std::uint64_t>(cores)));
  while (cluster_.free().cores(node) > keep_free) {
    Job& job = new_job();
    job.spec.tasks =
        static_cast<int>(random_.between(1, std::min(16, cluster_.free().cores(node) - keep_free)));
    job.phase = JobPhase::Running;
    job.placement = cluster_.choose(job.spec, {{node, job.spec.tasks}});
    cluster_.take(job.placement);
    RunningJob running{now_ms + random_.between(60'000, 86'400'000),
                       job.id,
                       &job,
                       nullptr,
                       job.placement.cores(),
                       0};
    for (const NodeShare& share : job.placement.shares) running.memory_mib += share.memory_mib;
    running_.insert(running);
  }
}

// Those for which there is no room are not asked for.
void PlacementScene::add_starts(int starts) {
  const BackfillPolicy policy;
  int missing = starts;
  for (int round = 0; round < kRounds && missing > 0; ++round) {
    for (; missing > 0; --missing) {
      Job& job = new_job();
      ask(job.spec);
      enqueue(job);
    }
    Decision decision = policy.plan(queues_, view(), now_ms);
    std::vector<JobId> started;
    for (const Start& start : decision.starts) started.push_back(start.job);
    std::sort(started.begin(), started.end());
    std::vector<WaitingJob> left;
    waiting_.each([&](const WaitingJob& job) {
      if (!std::binary_search(started.begin(), started.end(), job.id)) left.push_back(job);
    });
    for (const WaitingJob& job : left) waiting_.erase(job);
    missing = static_cast<int>(left.size());
  }
}

Job& PlacementScene::new_job() {
  Job& job = jobs_.emplace_back();
  by_id_.push_back(&job);
  job.id = jobs_.size();
  job.submitted_ms = now_ms - 1000;
  job.spec.queue = config_.queues.front().name;
  job.spec.work_class = random_.pick(known_work_classes()).name;
  job.spec.memory_per_cpu_mib = random_.between(500, kMemoryOfCore_mib);
  job.spec.time_limit_s = static_cast<int>(random_.skewed(600, 43'200));
  return job;
}

void PlacementScene::ask(JobSpec& spec) {
  spec.nodes = 1;
  spec.tasks = static_cast<int>(random_.between(1, 16));
  if (!random_.chance(kSeveralNodes)) return;
  const auto all = static_cast<std::int64_t>(cluster_.nodes().size());
  spec.nodes = static_cast<int>(random_.between(2, std::clamp<std::int64_t>(all / 3, 2, 8)));
  spec.tasks_per_node = static_cast<int>(random_.between(1, 16));
  spec.tasks = spec.nodes * spec.tasks_per_node;
}

void PlacementScene::enqueue(const Job& job) {
  const double rank = BackfillPolicy().rank(config_.queues.front(), job, now_ms);
  waiting_.insert(waiting_job(job, rank));
}

void PlacementScene::add_wide_job() {
  Job& job = new_job();
  job.spec.nodes = job.spec.tasks = static_cast<int>(cluster_.nodes().size());
  job.spec.exclusive = true;
  job.spec.memory_per_cpu_mib = 0;
  enqueue(job);
}

const Job& PlacementScene::job(JobId id) const {
  HYADES_ASSERT(id > 0 && id <= by_id_.size());
  return *by_id_[static_cast<std::size_t>(id) - 1];
}

}  // namespace hyades
