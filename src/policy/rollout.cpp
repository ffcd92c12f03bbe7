#include "policy/rollout.hpp"

#include <algorithm>
#include <queue>

#include "policy/easy_pass.hpp"
#include "policy/plan_ledger.hpp"

namespace hyades {
namespace {

// Any moment does; not 0, which stands for "never".
constexpr WallMs kNow_ms = 1'000'000'000'000;

class SceneForecasts : public RunForecasts {
 public:
  explicit SceneForecasts(const RolloutScene& scene) : scene_(scene) {}
  RunForecast forecast(const Job& job, RunTimes) const override {
    const SceneJob& its = scene_.jobs[static_cast<std::size_t>(job.id) - 1];
    return {its.run_s, its.inverse_s};
  }

 private:
  const RolloutScene& scene_;
};

Job pool_job(std::size_t index, std::int64_t cores, std::int64_t limit_s) {
  Job job;
  job.id = static_cast<JobId>(index) + 1;
  job.spec.tasks = static_cast<int>(cores);
  job.spec.time_limit_s = static_cast<int>(limit_s);
  return job;
}

WallMs ms(double seconds) { return static_cast<WallMs>(seconds * 1000); }

// One play.
class Play {
 public:
  Play(const RolloutScene& scene, const Cluster& pool, const std::vector<Job>& jobs,
       const std::vector<WaitingJob>& waiting, QueueConfig rule, const CostBound& bound)
      : scene_(scene),
        pool_(pool),
        jobs_(jobs),
        places_(waiting),
        rule_(std::move(rule)),
        bound_(bound),
        forecasts_(scene),
        free_(pool.whole()),
        queue_{&rule_, &waiting_, {1}, kNow_ms + scene.busy_since_ms, {}} {
    if (!changes_with_time(rule_, true)) rank();
  }

  void runs(std::size_t job, const Plan& plan, WallMs end_ms, WallMs limit_ms);
  RolloutCost run(std::size_t jobs);

 private:
  struct End {
    WallMs at_ms = 0;
    RunningJob running;
    bool operator<(const End& other) const { return at_ms > other.at_ms; }
  };
  void rank();
  bool costs_too_much() const;
  void take_ends(WallMs now_ms);
  void decide(WallMs now_ms);
  void start(const Start& start, WallMs now_ms);

  const RolloutScene& scene_;
  const Cluster& pool_;
  const std::vector<Job>& jobs_;
  std::vector<WaitingJob> places_;
  QueueConfig rule_;
  CostBound bound_;
  SceneForecasts forecasts_;
  WaitingList waiting_;
  RunningList running_;
  FreeTable free_;
  QueueView queue_;
  std::priority_queue<End> ends_;
  std::vector<Plan> plans_;  // of jobs that have started
  RolloutCost cost_;         // sums of those
};

// What never changes need not be found anew at each pass.
void Play::rank() {
  for (WaitingJob& place : places_) {
    const OrderFacts facts = order_facts(rule_, *place.job, queue_.busy_since_ms, {&forecasts_});
    place.rank = score(rule_.order, facts);
  }
}

// Costs only grow.
bool Play::costs_too_much() const {
  const double sum = bound_.objective == Objective::Wait ? cost_.wait_s : cost_.slowdown;
  return sum / static_cast<double>(plans_.size()) > bound_.most;
}

void Play::runs(std::size_t job, const Plan& plan, WallMs end_ms, WallMs limit_ms) {
  const Job& its = jobs_[job];
  const RunningJob running{limit_ms, its.id, &its, &plan, its.spec.tasks, 0};
  running_.insert(running);
  free_.take(0, pool_.nodes()[0], its.spec, its.spec.tasks);
  ends_.push({end_ms, running});
}

void Play::take_ends(WallMs now_ms) {
  while (!ends_.empty() && ends_.top().at_ms <= now_ms) {
    const RunningJob& running = ends_.top().running;
    running_.erase(running);
    free_.give(0, pool_.nodes()[0], running.job->spec, running.job->spec.tasks);
    ends_.pop();
  }
}

RolloutCost Play::run(std::size_t jobs) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  constexpr RolloutCost never{infinite, infinite};
  plans_.resize(jobs);
  std::size_t next = 0;
  WallMs now_ms = kNow_ms;
  while (true) {
    take_ends(now_ms);
    for (; next < jobs && kNow_ms + scene_.jobs[next].submit_ms <= now_ms; ++next) {
      waiting_.insert(places_[next]);
    }
    decide(now_ms);
    if (costs_too_much()) return never;
    if (next == jobs && waiting_.empty()) break;
    const bool comes_next =
        next < jobs && (ends_.empty() || kNow_ms + scene_.jobs[next].submit_ms < ends_.top().at_ms);
    if (!comes_next && ends_.empty()) break;  // nothing ever ends: what waits fits nowhere
    now_ms = comes_next ? kNow_ms + scene_.jobs[next].submit_ms : ends_.top().at_ms;
  }
  if (jobs > 0) {
    cost_.wait_s /= static_cast<double>(jobs);
    cost_.slowdown /= static_cast<double>(jobs);
  }
  return cost_;
}

void Play::decide(WallMs now_ms) {
  if (waiting_.empty() || free_.cores(0) == 0) return;
  const ClusterView view{&pool_, &running_, &free_};
  PlanLedger ledger(view, now_ms);
  ledger.use(queue_.usable);
  Depth depth(0);
  Decision decision;
  EasyPass(queue_, {&forecasts_, {}, true}, ledger, depth, decision).run();
  for (const Start& each : decision.starts) start(each, now_ms);
}

void Play::start(const Start& start, WallMs now_ms) {
  const std::size_t job = static_cast<std::size_t>(start.job) - 1;
  const SceneJob& its = scene_.jobs[job];
  waiting_.erase(places_[job]);
  const double waited_s =
      static_cast<double>(now_ms - kNow_ms - std::max<WallMs>(its.submit_ms, 0)) / 1000;
  cost_.wait_s += waited_s;
  cost_.slowdown += waited_s * its.inverse_s;
  plans_[job] = start.plan;
  runs(job, plans_[job], now_ms + std::max<WallMs>(ms(its.run_s), 1),
       now_ms + WallMs{its.limit_s} * 1000);
}

}  // namespace

Rollout::Rollout(const RolloutScene& scene) : scene_(scene) {
  Inventory inventory;
  inventory.cores = static_cast<int>(std::max<std::int64_t>(scene.cores, 1));
  inventory.memory_mib = 1;
  pool_.define("pool", inventory);
  jobs_.reserve(scene.jobs.size() + scene.running.size());
  for (const SceneJob& each : scene.jobs) {
    Job job = pool_job(jobs_.size(), each.cores, each.limit_s);
    job.spec.priority = each.priority;
    job.submitted_ms = kNow_ms + each.submit_ms;
    jobs_.push_back(std::move(job));
    waiting_.push_back(waiting_job(jobs_.back(), 0));
  }
  for (const SceneRunning& each : scene.running) {
    jobs_.push_back(pool_job(jobs_.size(), each.cores, each.limit_ms / 1000));
    plans_.push_back({{0, static_cast<int>(each.cores)}});
  }
}

RolloutCost Rollout::play(const GlobalAction& action, bool with_coming,
                          const CostBound& bound) const {
  if (scene_.cores == 0) return {};
  QueueConfig rule;
  rule.run_times = RunTimes::Learned;
  Play play(scene_, pool_, jobs_, waiting_, under(rule, action), bound);
  for (std::size_t i = 0; i < scene_.running.size(); ++i) {
    const SceneRunning& running = scene_.running[i];
    play.runs(scene_.jobs.size() + i, plans_[i], kNow_ms + running.end_ms,
              kNow_ms + running.limit_ms);
  }
  const auto coming = std::find_if(scene_.jobs.begin(), scene_.jobs.end(),
                                   [](const SceneJob& job) { return job.submit_ms > 0; });
  return play.run(with_coming ? scene_.jobs.size()
                              : static_cast<std::size_t>(coming - scene_.jobs.begin()));
}

}  // namespace hyades
