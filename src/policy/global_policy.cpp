#include "policy/global_policy.hpp"

#include <algorithm>
#include <cmath>

#include "policy/global_choice.hpp"
#include "policy/order.hpp"
#include "policy/plan_ledger.hpp"

namespace hyades {
namespace {

constexpr WallMs kDay_ms = 86'400'000;
constexpr WallMs kAskAgain_ms = 10'000;
constexpr WallMs kFailures_ms = 60'000;
constexpr std::size_t kFailuresMost = 3;
constexpr WallMs kAnswerHolds_ms = 2 * GlobalPolicy::epoch_ms;
constexpr std::size_t kArrivalsMost = 100'000;

std::optional<Objective> objective_of(QueueOrder order) {
  if (order == QueueOrder::LookaheadWait) return Objective::Wait;
  if (order == QueueOrder::LookaheadSlowdown) return Objective::Slowdown;
  return std::nullopt;
}

// A clock that was set back must not end it for a day.
bool is_over(WallMs due_ms, WallMs period_ms, WallMs now_ms) {
  return due_ms <= now_ms || due_ms - now_ms > period_ms;
}

}  // namespace

void GlobalPolicy::configure(const ClusterConfig& config) {
  guard_settings_ = config.guard;
  gate_ = config.policy_gate;
  std::map<std::string, Queue> queues;
  for (const QueueConfig& queue : config.queues) {
    if (!is_advised(queue.order)) continue;
    Queue& its = queues[queue.name] = std::move(queues_[queue.name]);
    const std::optional<Objective> look_ahead = objective_of(queue.order);
    if (its.only_look_ahead != look_ahead) its.advice.reset();  // somebody else's
    its.only_look_ahead = look_ahead;
  }
  queues_ = std::move(queues);
  for (auto& [name, queue] : queues_) queue.model_due_ms = queue.look_due_ms = 0;
  models_ = {};
  lookahead_ = {};
  adviser_.renew();
}

void GlobalPolicy::take_another_model() {
  for (auto& [name, queue] : queues_) {
    if (queue.only_look_ahead) continue;
    queue.model_due_ms = 0;
    queue.advice.reset();
  }
  models_ = {};
  if (who_ == Asked::Model) asked_.clear();  // the answer is the other one's
}

void GlobalPolicy::waits(const Job& job, WallMs at_ms) {
  const auto queue = queues_.find(job.spec.queue);
  if (queue == queues_.end()) return;
  ++queue->second.waiting;
  if (job.attempts == 0) new_.emplace_back(&job, at_ms);
}

void GlobalPolicy::leaves(const Job& job) {
  std::erase_if(new_, [&](const auto& each) { return each.first == &job; });
  const auto queue = queues_.find(job.spec.queue);
  if (queue != queues_.end() && queue->second.waiting > 0) --queue->second.waiting;
}

void GlobalPolicy::forget() {
  new_.clear();
  for (auto& [name, queue] : queues_) queue = {.only_look_ahead = queue.only_look_ahead};
}

void GlobalPolicy::look(const std::vector<QueueView>& queues, const ClusterView& cluster,
                        WallMs now_ms, const AgeGuard* guard, const RunPredictor& predictor) {
  see_arrivals(now_ms, predictor);
  take_answer(now_ms);
  expire(now_ms);
  for (const QueueView& view : queues) {
    const auto found = queues_.find(view.config->name);
    if (found == queues_.end()) continue;
    Queue& queue = found->second;
    queue.waiting = view.waiting->size();
    const Asked who = due(queue, now_ms);
    if (who == Asked::Nobody) continue;
    if (!adviser_.idle()) return;
    ask(view, who, cluster, now_ms, guard, predictor);
    take_answer(now_ms);
  }
}

bool GlobalPolicy::wakes(WallMs now_ms) {
  if (take_answer(now_ms)) return true;
  return adviser_.idle() && std::any_of(queues_.begin(), queues_.end(), [&](const auto& entry) {
           return entry.second.waiting > 0 && due(entry.second, now_ms) != Asked::Nobody;
         });
}

// Where nobody waits there is nothing to look ahead to; a model sees more than that.
GlobalPolicy::Asked GlobalPolicy::due(const Queue& queue, WallMs now_ms) const {
  if (!queue.only_look_ahead && !models_.health.off &&
      is_over(queue.model_due_ms, epoch_ms, now_ms)) {
    return Asked::Model;
  }
  const bool looks = look_ahead_of(queue) && queue.waiting > 0 && !lookahead_.health.off &&
                     is_over(queue.look_due_ms, lookahead_ms, now_ms);
  return looks ? Asked::LookAhead : Asked::Nobody;
}

std::optional<Objective> GlobalPolicy::look_ahead_of(const Queue& queue) const {
  if (queue.only_look_ahead) return queue.only_look_ahead;
  const bool chosen = queue.advice && !queue.advice->values.empty() &&
                      !(queue.advice->played && queue.advice->played->gated);
  return chosen ? look_ahead_of_choice(queue.advice->choice) : std::nullopt;
}

void GlobalPolicy::ask(const QueueView& view, Asked who, const ClusterView& cluster, WallMs now_ms,
                       const AgeGuard* guard, const RunPredictor& predictor) {
  Queue& queue = queues_.at(view.config->name);
  const RunTimes run_times = run_times_of(*view.config);
  GlobalScene scene;
  scene.queue = &view;
  scene.cluster = &cluster;
  scene.now_ms = now_ms;
  scene.arrivals = &queue.arrivals;
  scene.guard_factor = hyades::guard_factor(guard_settings_, run_times);
  if (guard != nullptr) scene.longest_wait_ms = guard->twin().longest_wait_ms(view.config->name);
  if (queue.advice) scene.action = queue.advice->action;
  scene.read_jobs([&](const Job& job) { return predictor.forecast(job, run_times); },
                  [&](const RunningJob& running) {
                    const WallMs begun_ms = running.expected_end_ms - limit_ms_of(*running.job);
                    return begun_ms + predictor.expected_run_ms(*running.job, run_times, now_ms);
                  });
  asked_ = view.config->name;
  who_ = who;
  GlobalQuestion question{asked_, now_ms, {}, rollout_scene(scene), {}, gate_};
  if (who == Asked::Model) {
    question.state = state_of(queue, scene);
    queue.model_due_ms = now_ms + epoch_ms;
  } else {
    question.look_ahead = look_ahead_of(queue);
    if (queue.only_look_ahead) question.gate = no_gate;
  }
  queue.look_due_ms = now_ms + lookahead_ms;
  adviser_.ask(question);
}

void GlobalPolicy::see_arrivals(WallMs now_ms, const RunPredictor& predictor) {
  for (const auto& [job, at_ms] : new_) {
    const auto queue = queues_.find(job->spec.queue);
    if (queue == queues_.end()) continue;
    queue->second.arrivals.push_back({at_ms, static_cast<double>(procs_of(job->spec)),
                                      predictor.forecast(*job, RunTimes::Learned),
                                      static_cast<double>(job->spec.time_limit_s)});
  }
  new_.clear();
  for (auto& [name, queue] : queues_) {
    while (!queue.arrivals.empty() && (queue.arrivals.front().at_ms < now_ms - kDay_ms ||
                                       queue.arrivals.size() > kArrivalsMost)) {
      queue.arrivals.pop_front();
    }
  }
}

void GlobalPolicy::expire(WallMs now_ms) {
  for (auto& [name, queue] : queues_) {
    if (!queue.advice) continue;
    const WallMs age_ms = std::abs(now_ms - queue.advised_ms);
    const Answerer& its = queue.only_look_ahead ? lookahead_ : models_;
    if (its.health.off || age_ms > kAnswerHolds_ms) {
      queue.advice.reset();
    } else if (!queue.only_look_ahead && look_ahead_of(queue) && lookahead_.health.off) {
      queue.advice->action = {};
      queue.advice->played.reset();
    }
  }
}

// False: there is none. What cannot be carried out is a failure like silence.
bool GlobalPolicy::take_answer(WallMs now_ms) {
  std::optional<AdviserReply> reply = adviser_.answer();
  if (!reply) return false;
  const auto found = queues_.find(asked_);
  if (found == queues_.end()) return true;  // of another configuration
  Queue& queue = found->second;
  if (!reply->advice) {
    fail(queue, reply->failure, now_ms);
  } else if (!legal(reply->advice->action)) {
    fail(queue, "it answered with something that no queue can do", now_ms);
  } else {
    Health& health = asked_answerer().health;
    ++health.answers;
    health.model = reply->advice->model;
    hold(queue, std::move(*reply->advice), now_ms);
  }
  return true;
}

void GlobalPolicy::hold(Queue& queue, GlobalAdvice advice, WallMs now_ms) {
  const bool looked_ahead = who_ == Asked::LookAhead;
  if (looked_ahead == queue.only_look_ahead.has_value()) {
    queue.advice = std::move(advice);
    queue.advised_ms = now_ms;
  } else if (looked_ahead && look_ahead_of(queue)) {
    queue.advice->action = advice.action;  // what the model chose comes down to that now
    queue.advice->played = std::move(advice.played);
  }
}

void GlobalPolicy::fail(Queue& queue, const std::string& why, WallMs now_ms) {
  Answerer& its = asked_answerer();
  ++its.health.failures;
  its.health.failure = why;
  (who_ == Asked::LookAhead ? queue.look_due_ms : queue.model_due_ms) = now_ms + kAskAgain_ms;
  its.failed_ms.push_back(now_ms);
  while (its.failed_ms.front() < now_ms - kFailures_ms) its.failed_ms.pop_front();
  if (its.failed_ms.size() >= kFailuresMost) its.health.off = true;
}

GlobalState GlobalPolicy::state_of(Queue& queue, const GlobalScene& scene) {
  queue.frames.push_back(global_figures(scene));
  if (queue.frames.size() > global_frames_count) queue.frames.pop_front();
  GlobalState state;
  // Before there were any, the first one held.
  const std::size_t missing = global_frames_count - queue.frames.size();
  for (std::size_t i = 0; i < global_frames_count; ++i) {
    state.frames[i] = queue.frames[i < missing ? 0 : i - missing];
  }
  state.occupancy = occupancy(scene);
  return state;
}

const GlobalAdvice* GlobalPolicy::advice(const std::string& queue) const {
  const auto found = queues_.find(queue);
  if (found == queues_.end() || !found->second.advice) return nullptr;
  return &*found->second.advice;
}

}  // namespace hyades
