#include <algorithm>
#include <deque>
#include <string>

#include "core/cluster.hpp"
#include "core/prng.hpp"
#include "measurements.hpp"
#include "policy/adviser_bytes.hpp"
#include "policy/backfill_policy.hpp"
#include "policy/order.hpp"
#include "policy/prompt_adviser.hpp"
#include "telemetry/clocks.hpp"

namespace hyades {

namespace {

constexpr const char* kSection = "A decision";
constexpr WallMs kNow_ms = 1'750'000'000'000;
constexpr WallMs kDay_ms = 86'400'000;
constexpr int kCores = 64;

// Takes no time for its answer: what is left is what asking costs.
class InstantAdviser : public PromptAdviser {
  AdviserReply reply_to(const GlobalQuestion& question) override {
    bytes_ = to_bytes(NumberedQuestion{1, question}).size();
    return {GlobalAdvice{}, ""};
  }

  std::size_t bytes_ = 0;
};

struct SceneKind {
  QueueOrder order = QueueOrder::Fcfs;
  Backfill backfill = Backfill::Easy;
  bool guard = false;
  bool unlike = false;  // every other node is half as fast, so that it matters where jobs go
};

// A busy cluster with a queue: jobs of one to some hundred cores run and wait.
class Scene {
 public:
  Scene(int nodes, int queued, const SceneKind& kind);

  // Microseconds of CPU time of the first pass, which fills what is free, some cores on every node.
  double fill_up();
  // Of a pass after one job has ended, and another one has come.
  double go_on();
  // The same at a time at which advice is asked for.
  double go_on_asking() {
    now_ms_ += GlobalPolicy::epoch_ms;
    return go_on();
  }

 private:
  Job& new_job(WallMs submitted_ms);
  void occupy();
  void run(Job& job, const Plan& plan, WallMs end_ms);
  void enqueue(const Job& job);
  WaitingJob waiting(const Job& job) const;
  double decide();

  Prng random_{1};
  Cluster cluster_;
  std::deque<Job> jobs_;  // by id, from 1
  RunningList running_;
  WaitingList waiting_;
  ClusterConfig config_;
  InstantAdviser adviser_;
  BackfillPolicy policy_{{}, nullptr, {}, &adviser_};
  std::vector<QueueView> queues_;
  WallMs now_ms_ = kNow_ms;
};

Scene::Scene(int nodes, int queued, const SceneKind& kind) {
  config_.queues.front().order = kind.order;
  config_.queues.front().backfill = kind.backfill;
  config_.guard.enabled = kind.guard;
  policy_.configure(config_);
  for (int i = 1; i <= nodes; ++i) {
    Inventory inventory;
    inventory.cores = kCores;
    inventory.memory_mib = 256 * 1024;
    const std::string name = "n" + std::to_string(i);
    cluster_.define(name, inventory);
    cluster_.find(name)->responding = true;
    if (!kind.unlike) continue;
    NodeProfile profile;
    profile.figures[std::string(kDefaultWorkClass)] = i % 2 == 0 ? 0.5 : 1;
    cluster_.set_profile(name, profile);
  }
  occupy();
  for (int i = 0; i < queued; ++i) enqueue(new_job(kNow_ms - random_.between(1000, kDay_ms)));
  queues_.push_back({&config_.queues.front(),
                     &waiting_,
                     std::vector<char>(static_cast<std::size_t>(nodes), 1),
                     kNow_ms - kDay_ms,
                     {}});
}

Job& Scene::new_job(WallMs submitted_ms) {
  jobs_.emplace_back();
  Job& job = jobs_.back();
  job.id = jobs_.size();
  job.submitted_ms = submitted_ms;
  job.spec.queue = config_.queues.front().name;
  job.spec.work_class = kDefaultWorkClass;
  job.spec.tasks = static_cast<int>(random_.chance(400) ? 1 : random_.skewed(2, 4 * kCores));
  job.spec.memory_per_cpu_mib = random_.between(500, 8000);
  job.spec.time_limit_s = static_cast<int>(random_.skewed(60, 86'400));
  return job;
}

// Until no node has room for more than a few cores.
void Scene::occupy() {
  const auto nodes = static_cast<NodeIndex>(cluster_.nodes().size());
  for (NodeIndex node = 0; node < nodes; ++node) {
    const auto keep_free = static_cast<int>(random_.below(6));
    while (cluster_.free().cores(node) > keep_free) {
      Job& job = new_job(kNow_ms - 1000);
      job.spec.memory_per_cpu_mib = 1000;
      job.spec.tasks = std::min(job.spec.tasks, cluster_.free().cores(node) - keep_free);
      run(job, {{node, job.spec.tasks}}, kNow_ms + random_.between(1000, kDay_ms));
    }
  }
}

void Scene::run(Job& job, const Plan& plan, WallMs end_ms) {
  job.phase = JobPhase::Running;
  job.placement = cluster_.choose(job.spec, plan);
  cluster_.take(job.placement);
  RunningJob running{end_ms, job.id, &job, nullptr, job.placement.cores(), 0};
  for (const NodeShare& share : job.placement.shares) running.memory_mib += share.memory_mib;
  running_.insert(running);
}

WaitingJob Scene::waiting(const Job& job) const {
  return waiting_job(job, policy_.rank(config_.queues.front(), job, kNow_ms - kDay_ms));
}

void Scene::enqueue(const Job& job) {
  waiting_.insert(waiting(job));
  policy_.waits(job, now_ms_);
}

double Scene::decide() {
  const ClusterView view{&cluster_, &running_, &cluster_.free()};
  const std::int64_t begin_us = thread_cpu_us();
  const Decision decision = policy_.decide(queues_, view, now_ms_);
  const auto cost = static_cast<double>(thread_cpu_us() - begin_us);
  for (const Start& start : decision.starts) {
    Job& job = jobs_[static_cast<std::size_t>(start.job) - 1];
    waiting_.erase(waiting(job));
    policy_.leaves(job);
    job.started_ms = now_ms_;
    run(job, start.plan, now_ms_ + WallMs{job.spec.time_limit_s} * 1000);
  }
  return cost;
}

double Scene::fill_up() { return decide(); }

double Scene::go_on() {
  now_ms_ += 1000;
  const auto& blocks = running_.blocks();
  const RunningJob ended = random_.pick(random_.pick(blocks).items);
  cluster_.give_back(ended.job->placement);
  running_.erase(ended);
  Job& job = jobs_[static_cast<std::size_t>(ended.id) - 1];
  job.ended_ms = now_ms_;
  policy_.ended(job, now_ms_);
  enqueue(new_job(now_ms_));
  return decide();
}

// What is asked every half hour, or minute, in passes of their own; the bar is on the slowest but
// one in a hundred.
void add_asking(Bench& bench, Scene& scene, const std::string& name, int times, int queued,
                int nodes) {
  SampleSet samples;
  for (int i = 0; i < times; ++i) samples.add(scene.go_on_asking() / 1000);
  bench.report.add(kSection, name + ", asking", samples, "ms");
  Figure slow{.section = kSection,
              .name = name + ", asking, 99th percentile",
              .value = samples.quantile(0.99),
              .unit = "ms"};
  if (queued == nodes && queued >= 1000) {
    slow.bar = Bar::Below;
    slow.limit = queued == 1000 ? 5 : 50;
  }
  bench.report.add(std::move(slow));
}

void measure_size(Bench& bench, int queued, int nodes) {
  const auto row = [&](const SceneKind& kind) {
    const auto [order, backfill, guard, unlike] = kind;
    bench.progress.say("decisions: " + std::string(to_string(order)) + ", " +
                       std::to_string(queued) + " jobs, " + std::to_string(nodes) + " nodes");
    Scene scene(nodes, queued, kind);
    const std::string name = std::to_string(queued) + " queued, " + std::to_string(nodes) +
                             " nodes, " + std::string(to_string(order)) + " " +
                             std::string(to_string(backfill)) + (guard ? ", guarded" : "") +
                             (unlike ? ", unlike nodes" : "");
    bench.report.add({.section = kSection,
                      .name = name + ", filling",
                      .value = scene.fill_up() / 1000,
                      .unit = "ms"});
    const int times = bench.options.smoke || backfill == Backfill::Conservative ? 3 : 101;
    SampleSet samples;
    for (int i = 0; i < times; ++i) samples.add(scene.go_on() / 1000);
    Figure& figure = bench.report.add(kSection, name, samples, "ms");
    if (queued == 1000 && nodes == 1000 && backfill == Backfill::Easy && !unlike) {
      figure.bar = Bar::Below;
      figure.limit = 1;
    }
    if (is_advised(order)) add_asking(bench, scene, name, times, queued, nodes);
  };
  for (const QueueOrder order : all_queue_orders()) row({.order = order});
  row({.order = QueueOrder::Saf, .guard = true});
  for (const QueueOrder order : {QueueOrder::Fcfs, QueueOrder::Saf}) {
    row({.order = order, .unlike = true});
  }
  // It looks for a place for everybody: minutes, on more than this.
  if (queued * nodes <= 10'000) row({.backfill = Backfill::Conservative});
}

}  // namespace

void measure_decisions(Bench& bench) {
  bench.report.explain(
      kSection,
      "CPU time of one pass of each order over a busy cluster of nodes with 64 cores: running jobs "
      "of 1 to 64 cores, waiting jobs of 1 to 256 cores that ask for memory, at the default "
      "backfill_depth, without the guard and once with it. *Filling*: the first pass, with 0 to 5 "
      "cores free on "
      "every node; it starts hundreds of jobs. Else the median of passes each after one job has "
      "ended and another one has come (lowest to highest): who starts now, who is reserved, who "
      "may pass. *Unlike nodes*: every other one is half as fast, so that phase 2 looks for "
      "places, "
      "and jobs wait for the faster ones where that pays. *Asking*: passes that also ask for "
      "advice, which is answered at once here. What "
      "is decided is carried out, which is not counted.");
  const std::vector<int> queues =
      bench.options.smoke ? std::vector{100} : std::vector{100, 1000, 10'000};
  const std::vector<int> clusters =
      bench.options.smoke ? std::vector{10} : std::vector{10, 1000, 10'000};
  for (const int queued : queues) {
    for (const int nodes : clusters) measure_size(bench, queued, nodes);
  }
}

}  // namespace hyades
