#include "policy/run_predictor.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "policy/plan_ledger.hpp"

namespace hyades {
namespace {

constexpr std::size_t kErrors = 2'000;
constexpr std::size_t kErrorsAtLeast = 50;
// A model is made when this many jobs have ended since the last one, or a tenth of those that it
// was made from, up to the most; and not within ten minutes of it: on a cluster of short jobs there
// would be no end of it.
constexpr std::size_t kFirstTraining = 200;
constexpr std::size_t kNextTraining = 2'000;
constexpr WallMs kBetweenTrainings_ms = 600'000;
// After so many jobs that were looked at again, the others have time until the next decision.
constexpr std::size_t kAgainAtOnce = 2'000;

RunForecast certain(double run_s) { return {run_s, 1 / std::max(run_s, shortest_run_s)}; }

double request_of(const AskedFacts& asked) {
  return std::max(static_cast<double>(asked.time_limit_s), 1.0);
}

void add_nodes(const QueueView& queue, const ClusterView& cluster, QueueFacts& facts) {
  facts.cores = cores_of_nodes(queue.usable, cluster.cluster->whole());
  facts.free_cores = cores_of_nodes(queue.usable, *cluster.free);
  const std::vector<Node>& nodes = cluster.cluster->nodes();
  for (std::size_t i = 0; i < queue.usable.size(); ++i) {
    if (queue.usable[i]) facts.memory_mib += nodes[i].inventory.memory_mib;
  }
}

}  // namespace

RunForecast requested_run(const JobSpec& spec) {
  return certain(std::max(static_cast<double>(spec.time_limit_s), 1.0));
}

// ---- what it is told ----------------------------------------------------------------------------

void RunPredictor::waits(const Job& job) {
  const auto [entry, is_new] = jobs_.try_emplace(job.id);
  Known& known = entry->second;
  if (is_new) {
    known.asked = asked_by(job.spec);
    known.submit_ms = job.submitted_ms;
    new_.push_back(job.id);
  }
  known.start_ms = 0;
  waiting_[job.spec.uid].insert(job.id);
  tally_.waits(job.id, known.asked, job.submitted_ms);
}

void RunPredictor::leaves(const Job& job) {
  const auto known = jobs_.find(job.id);
  if (known == jobs_.end()) return;
  tally_.leaves(job.id);
  const auto user = waiting_.find(job.spec.uid);
  if (user == waiting_.end()) return;
  user->second.erase(job.id);
  if (user->second.empty()) waiting_.erase(user);
}

void RunPredictor::starts(const Job& job, WallMs at_ms) {
  const auto known = jobs_.find(job.id);
  if (known == jobs_.end()) return;
  known->second.start_ms = at_ms;
  tally_.waits(job.id, known->second.asked, known->second.submit_ms);
  tally_.starts(job.id, at_ms);
}

void RunPredictor::ended(const Job& job) {
  const JobOutcomeFacts facts{.job = job.id,
                              .asked = asked_by(job.spec),
                              .cores = job.placement.cores(),
                              .submit_ms = job.submitted_ms,
                              .start_ms = job.started_ms,
                              .end_ms = job.ended_ms,
                              .outcome = job.outcome,
                              .usage = job.usage};
  tally_.leaves(job.id);
  const auto past = remember(facts);
  const auto known = jobs_.find(job.id);
  if (past) {
    history_.add(facts);
    stale_.insert(facts.asked.uid);
  }
  if (known == jobs_.end()) return;
  if (past && known->second.seen) {
    const double run_s = static_cast<double>(past->run_s);
    if (known->second.row) learn(*known->second.row, run_s, request_of(facts.asked));
    note_error(run_s / known->second.first_run_s);
  }
  jobs_.erase(known);
}

void RunPredictor::forget() {
  tally_.forget();
  jobs_.clear();
  waiting_.clear();
  new_.clear();
  stale_.clear();
  begun_ = false;
}

// Plays what happened in the order in which it did.
void RunPredictor::learn_past(const std::vector<JobOutcomeFacts>& past, std::int64_t cores) {
  enum class What { Ends, Comes, Starts };  // at one time, in this order
  std::vector<std::tuple<WallMs, What, std::size_t>> events;
  for (std::size_t i = 0; i < past.size(); ++i) {
    if (!remember(past[i])) continue;
    events.emplace_back(past[i].submit_ms, What::Comes, i);
    events.emplace_back(past[i].start_ms, What::Starts, i);
    events.emplace_back(std::max(past[i].end_ms, past[i].start_ms + 1), What::Ends, i);
  }
  std::sort(events.begin(), events.end());
  std::unordered_map<std::size_t, ModelRow> rows;
  QueueTally tally;
  for (const auto& [at_ms, what, i] : events) {
    const JobOutcomeFacts& facts = past[i];
    if (what == What::Comes) {
      tally.waits(facts.job, facts.asked, at_ms);
      QueueFacts queue = tally.facts(facts.job, facts.asked);
      queue.cores = cores;
      if (learns_) {
        rows[i] = model_row(observe({facts.asked, at_ms, 0}, at_ms, history_, queue));
      }
    } else if (what == What::Starts) {
      tally.starts(facts.job, at_ms);
    } else {
      tally.leaves(facts.job);
      history_.add(facts);
      const double run_s = static_cast<double>(facts.end_ms - facts.start_ms) / 1000;
      if (learns_) learn(rows[i], run_s, request_of(facts.asked));
      rows.erase(i);
    }
  }
}

// ---- what it makes of it ------------------------------------------------------------------------

void RunPredictor::look(const std::vector<QueueView>& queues, const ClusterView& cluster,
                        WallMs now_ms) {
  if (!begun_) begin(queues, cluster, now_ms);
  if (learns_) tend_model(now_ms);
  see_again(now_ms);
  see_new(queues, cluster, now_ms);
}

// Jobs that were there before it was told of any.
void RunPredictor::begin(const std::vector<QueueView>& queues, const ClusterView& cluster,
                         WallMs now_ms) {
  begun_ = true;
  if (past_) {
    const FreeTable& whole = cluster.cluster->whole();
    std::int64_t cores = 0;
    for (std::size_t i = 0; i < cluster.cluster->nodes().size(); ++i) {
      cores += whole.cores(static_cast<NodeIndex>(i));
    }
    learn_past(std::exchange(past_, {})(), cores);
  }
  cluster.running->each([&](const RunningJob& running) {
    if (jobs_.contains(running.id)) return;
    waits(*running.job);
    leaves(*running.job);
    starts(*running.job, running.job->started_ms > 0 ? running.job->started_ms : now_ms);
  });
  for (const QueueView& queue : queues) {
    queue.waiting->each([&](const WaitingJob& waiting) {
      if (!jobs_.contains(waiting.id)) waits(*waiting.job);
    });
  }
}

void RunPredictor::see_new(const std::vector<QueueView>& queues, const ClusterView& cluster,
                           WallMs now_ms) {
  if (new_.empty()) return;
  std::map<std::string, QueueFacts> nodes;
  for (const QueueView& queue : queues) add_nodes(queue, cluster, nodes[queue.config->name]);
  for (const JobId id : new_) {
    const auto found = jobs_.find(id);
    if (found == jobs_.end() || found->second.seen) continue;
    Known& known = found->second;
    if (learns_) {
      QueueFacts facts = tally_.facts(id, known.asked);
      const QueueFacts& its = nodes[known.asked.queue];
      facts.cores = its.cores;
      facts.free_cores = its.free_cores;
      facts.memory_mib = its.memory_mib;
      known.row = std::make_unique<ModelRow>(
          model_row(observe({known.asked, known.submit_ms, 0}, now_ms, history_, facts)));
    }
    predict(known, now_ms, true);
  }
  new_.clear();
}

// Jobs of users of whom more has become known.
void RunPredictor::see_again(WallMs now_ms) {
  std::size_t seen = 0;
  while (!stale_.empty() && seen < kAgainAtOnce) {
    const auto waiting = waiting_.find(*stale_.begin());
    stale_.erase(stale_.begin());
    if (waiting == waiting_.end()) continue;
    for (const JobId id : waiting->second) {
      Known& known = jobs_.at(id);
      if (known.seen) predict(known, now_ms, false);
      ++seen;
    }
  }
}

void RunPredictor::predict(Known& known, WallMs now_ms, bool is_new) {
  known.last_two = last_two(known.asked, now_ms);
  known.learned = known.last_two;
  if (model_ && known.row) {
    ModelRow row = *known.row;
    if (!is_new) {
      Observation past{};
      observe_past({known.asked, known.submit_ms, 0}, now_ms, history_, past);
      std::copy(past.begin() + observation_scene_size, past.end(),
                row.begin() + observation_scene_size);
    }
    known.learned = model_->forecast(row, request_of(known.asked));
  }
  known.seen = true;
  if (is_new) known.first_run_s = known.learned.run_s;
}

RunForecast RunPredictor::last_two(const AskedFacts& asked, WallMs now_ms) const {
  const RecentSummary past = history_.by_user(asked, now_ms);
  const double request = request_of(asked);
  if (past.jobs == 0) return certain(request);
  const double mean =
      (static_cast<double>(past.last.run_s) + static_cast<double>(past.before.run_s)) / 2;
  return certain(std::clamp(mean, 1.0, request));
}

void RunPredictor::learn(const ModelRow& row, double run_s, double request_s) {
  examples_.push_back(run_example(row, run_s, request_s));
  if (examples_.size() > RunModelTrainer::examples_most) examples_.pop_front();
  ++since_training_;
}

void RunPredictor::tend_model(WallMs now_ms) {
  if (auto model = trainer_->finished()) {
    model_ = std::move(model);
    for (const auto& [uid, jobs] : waiting_) stale_.insert(uid);
  }
  const std::size_t enough = model_ ? std::clamp(static_cast<std::size_t>(model_->jobs) / 10,
                                                 kFirstTraining, kNextTraining)
                                    : kFirstTraining;
  // A clock that was set back must not end it for good.
  const bool just_now = training_ms_ != 0 && std::abs(now_ms - training_ms_) < kBetweenTrainings_ms;
  if (since_training_ < enough || just_now || !trainer_->idle()) return;
  since_training_ = 0;
  training_ms_ = now_ms;
  trainer_->begin({examples_.begin(), examples_.end()});
}

// ---- what it answers ----------------------------------------------------------------------------

const RunPredictor::Known* RunPredictor::known(const Job& job) const {
  const auto found = jobs_.find(job.id);
  return found == jobs_.end() ? nullptr : &found->second;
}

RunForecast RunPredictor::forecast_of(const Known* known, const Job& job, RunTimes run_times) {
  if (run_times == RunTimes::Request || known == nullptr || !known->seen) {
    return requested_run(job.spec);
  }
  return run_times == RunTimes::LastTwo ? known->last_two : known->learned;
}

RunForecast RunPredictor::forecast(const Job& job, RunTimes run_times) const {
  return forecast_of(known(job), job, run_times);
}

WallMs RunPredictor::expected_run_ms(const Job& job, RunTimes run_times, WallMs now_ms) const {
  const WallMs limit_ms = limit_ms_of(job);
  if (run_times == RunTimes::Request) return limit_ms;
  const Known* const its = known(job);
  const RunForecast expected = forecast_of(its, job, run_times);
  double run_s = expected.run_s;
  if (its != nullptr && its->start_ms != 0) {
    const double elapsed_s = static_cast<double>(now_ms - its->start_ms) / 1000;
    for (const double q : {0.5, 0.75, 0.9, 0.95, 0.99}) {
      if (run_s > elapsed_s) break;
      run_s = std::max(run_s, quantile_s(expected, q, job.spec.time_limit_s));
    }
    if (run_s <= elapsed_s) run_s = 2 * elapsed_s;
  }
  return std::min(static_cast<WallMs>(run_s * 1000), limit_ms);
}

void RunPredictor::note_error(double ratio) {
  errors_.push_back(static_cast<float>(ratio));
  if (errors_.size() > kErrors) errors_.pop_front();
  if (++errors_since_sorted_ < std::min(kErrorsAtLeast, errors_.size() / 4 + 1)) return;
  errors_since_sorted_ = 0;
  sorted_errors_.assign(errors_.begin(), errors_.end());
  std::sort(sorted_errors_.begin(), sorted_errors_.end());
}

double RunPredictor::quantile_s(const RunForecast& forecast, double q, double request_s) const {
  if (sorted_errors_.size() < kErrorsAtLeast) return forecast.run_s;
  const double place = std::clamp(q, 0.0, 1.0) * static_cast<double>(sorted_errors_.size() - 1);
  const double ratio = static_cast<double>(sorted_errors_[static_cast<std::size_t>(place)]);
  return std::clamp(forecast.run_s * ratio, 1.0, std::max(request_s, 1.0));
}

}  // namespace hyades
