#include "policy/backfill_policy.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "policy/conservative_pass.hpp"
#include "policy/easy_pass.hpp"
#include "policy/global_choice.hpp"
#include "policy/order.hpp"
#include "policy/plan_ledger.hpp"

namespace hyades {
namespace {

QueueConfig without_advice(const QueueConfig& queue) {
  QueueConfig rule = queue;
  if (is_advised(rule.order)) rule.order = QueueOrder::Index;
  return rule;
}

// "index+easy, reserve 0.05"
std::string policy_text(const QueueConfig& rule) {
  std::ostringstream text;
  text << to_string(rule.order) << "+" << to_string(rule.backfill);
  // Models come near to 0, and never to it.
  const auto thousandths = [](double value) { return std::round(value * 1000) / 1000; };
  if (thousandths(reserve_of(rule)) > 0) text << ", reserve " << thousandths(reserve_of(rule));
  if (thousandths(rule.ageing) > 0) text << ", ageing " << thousandths(rule.ageing);
  return text.str();
}

}  // namespace

void BackfillPolicy::configure(const ClusterConfig& config) {
  depth_ = config.backfill_depth;
  refiner_.configure(config);
  texts_.clear();
  for (const QueueConfig& queue : config.queues) {
    texts_[queue.name] = policy_text(without_advice(queue));
  }
  const auto some = [&](const auto& is_so) {
    return std::any_of(config.queues.begin(), config.queues.end(), is_so);
  };
  const bool some_are_favoured = some([](const QueueConfig& queue) {
    return queue.order != QueueOrder::Fcfs || reserve_of(queue) > 0;
  });
  if (!config.guard.enabled || !some_are_favoured) {
    guard_.reset();
  } else {
    if (!guard_) guard_.emplace();
    guard_->configure(config.guard, depth_);
  }
  const bool advised = some([](const QueueConfig& queue) { return is_advised(queue.order); });
  const bool predicted =
      some([](const QueueConfig& queue) { return run_times_of(queue) != RunTimes::Request; });
  if (!advised || adviser_ == nullptr) {
    global_.reset();
  } else {
    if (!global_) global_.emplace(*adviser_);
    global_->configure(config);
  }
  if (!advised && !predicted) {
    predictor_.reset();
    return;
  }
  if (!predictor_) predictor_.emplace(trainer_, past_);
  predictor_->configure(
      some([](const QueueConfig& queue) { return run_times_of(queue) == RunTimes::Learned; }));
}

double BackfillPolicy::rank(const QueueConfig& queue, const Job& job, WallMs busy_since_ms) const {
  if (changes_with_time(queue)) return 0;
  return score(queue.order, order_facts(queue, job, busy_since_ms, sources()));
}

void BackfillPolicy::waits(const Job& job, WallMs at_ms) {
  if (guard_) guard_->waits(job, at_ms);
  if (predictor_) predictor_->waits(job);
  if (global_) global_->waits(job, at_ms);
}

void BackfillPolicy::leaves(const Job& job) {
  patient_.erase(job.id);
  if (guard_) guard_->leaves(job);
  if (predictor_) predictor_->leaves(job);
  if (global_) global_->leaves(job);
}

void BackfillPolicy::starts(const Job& job, WallMs at_ms) {
  if (predictor_) predictor_->starts(job, at_ms);
}

void BackfillPolicy::ended(const Job& job, WallMs at_ms) {
  if (guard_) guard_->ended(job, at_ms);
  if (predictor_) predictor_->ended(job);
}

void BackfillPolicy::forget() {
  patient_.clear();
  if (guard_) guard_->forget();
  if (predictor_) predictor_->forget();
  if (global_) global_->forget();
}

void BackfillPolicy::look(const std::vector<QueueView>& queues, const ClusterView& cluster,
                          WallMs now_ms) {
  if (predictor_) predictor_->look(queues, cluster, now_ms);
  if (guard_) {
    guard_->look(queues, cluster, now_ms, [this](const Job& job, RunTimes run_times, WallMs at_ms) {
      return predictor_ ? predictor_->expected_run_ms(job, run_times, at_ms) : limit_ms_of(job);
    });
  }
  if (global_) global_->look(queues, cluster, now_ms, guard(), *predictor_);
}

Decision BackfillPolicy::decide(const std::vector<QueueView>& queues, const ClusterView& cluster,
                                WallMs now_ms) {
  look(queues, cluster, now_ms);
  refiner_.look(*cluster.cluster);
  PlanLedger ledger(cluster, now_ms);
  std::optional<Patience> patience = patience_on(ledger, queues);
  Decision decision = plan_on(ledger, queues, patience ? &*patience : nullptr);
  note_waited(decision);
  note_patient(patience ? patience->waiting() : PatientJobs());
  refiner_.refine(
      decision, queues, ledger, patience ? patience->first_fits() : std::map<JobId, Plan>(),
      [this](const QueueConfig& queue, const Job& job) { return expected_run_s(queue, job); });
  return decision;
}

Decision BackfillPolicy::plan(const std::vector<QueueView>& queues, const ClusterView& cluster,
                              WallMs now_ms) const {
  PlanLedger ledger(cluster, now_ms);
  std::optional<Patience> patience = patience_on(ledger, queues);
  return plan_on(ledger, queues, patience ? &*patience : nullptr);
}

double BackfillPolicy::expected_run_s(const QueueConfig& queue, const Job& job) const {
  return predictor_ ? predictor_->forecast(job, run_times_of(rule_of(queue))).run_s
                    : requested_run(job.spec).run_s;
}

std::optional<Patience> BackfillPolicy::patience_on(const PlanLedger& ledger,
                                                    const std::vector<QueueView>& queues) const {
  const PlacementFacts& facts = refiner_.facts();
  const Cluster& cluster = *ledger.view().cluster;
  const PlacementSettings& settings = facts.settings();
  if (!settings.enabled || !settings.patient || !facts.is_of(cluster)) return std::nullopt;
  if (cluster.nodes().size() < 2 || !facts.profiled()) return std::nullopt;
  const auto queue_of = [&queues](const Job& job) -> const QueueView* {
    const auto its = std::find_if(queues.begin(), queues.end(), [&](const QueueView& queue) {
      return queue.config->name == job.spec.queue;
    });
    return its == queues.end() ? nullptr : &*its;
  };
  return Patience(
      facts, ledger, patient_,
      {[this](const QueueConfig& queue, const Job& job) { return expected_run_s(queue, job); },
       queue_of});
}

// Who asks later why a job started late beside free nodes finds it with the start.
void BackfillPolicy::note_waited(Decision& decision) const {
  for (Start& start : decision.starts) {
    const bool waited = patient_.contains(start.job);  // if only for a while
    if (waited && start.why == StartReason::Immediate) start.why = StartReason::FasterNodes;
  }
}

void BackfillPolicy::note_patient(const PatientJobs& waiting) {
  for (auto& [id, job] : patient_) job.waits = false;
  for (const auto& [id, job] : waiting) patient_[id] = job;
}

bool BackfillPolicy::wakes(WallMs now_ms) {
  bool wakes = global_ && global_->wakes(now_ms);
  for (auto& [id, job] : patient_) {
    if (!job.waits || job.woken || now_ms < job.until_ms) continue;
    wakes = job.woken = true;
  }
  return wakes;
}

Decision BackfillPolicy::plan_on(PlanLedger& ledger, const std::vector<QueueView>& queues,
                                 Patience* patience) const {
  Decision decision;
  Depth depth(depth_);
  for (const QueueView& queue : queues) {
    if (queue.waiting->empty()) continue;
    const GlobalAdvice* const advice = advice_for(queue.config->name);
    const std::size_t before = decision.starts.size();
    if (advice == nullptr) {
      plan_queue(queue, queue.usable, ledger, depth, decision, patience);
    } else {
      const QueueConfig advised = under(*queue.config, advice->action);
      QueueView view = queue;
      view.config = &advised;
      // The ledger remembers the nodes: not those of the copy, which is gone when it looks.
      plan_queue(view, queue.usable, ledger, depth, decision, patience);
    }
    if (decision.starts.size() > before) {
      name_policy(*queue.config, advice, std::span(decision.starts).subspan(before));
    }
  }
  return decision;
}

void BackfillPolicy::name_policy(const QueueConfig& queue, const GlobalAdvice* advice,
                                 std::span<Start> starts) const {
  std::string policy, chooser;
  if (advice != nullptr) {
    policy = policy_text(under(queue, advice->action));
    chooser = advice->model.empty() ? "lookahead" : advice->model;
  } else if (const auto configured = texts_.find(queue.name); configured != texts_.end()) {
    policy = configured->second;
  }
  for (Start& start : starts) {
    start.policy = policy;
    start.chosen_by = chooser;
  }
}

const GlobalAdvice* BackfillPolicy::advice_for(const std::string& queue) const {
  return global_ ? global_->advice(queue) : nullptr;
}

QueueConfig BackfillPolicy::rule_of(const QueueConfig& queue) const {
  if (const GlobalAdvice* const advice = advice_for(queue.name)) {
    return under(queue, advice->action);
  }
  return without_advice(queue);
}

std::optional<Explanation> BackfillPolicy::explain(const std::vector<QueueView>& queues,
                                                   const ClusterView& cluster, const Job& job,
                                                   WallMs now_ms) const {
  const auto its = std::find_if(queues.begin(), queues.end(), [&](const QueueView& queue) {
    return queue.config->name == job.spec.queue;
  });
  if (its == queues.end()) return std::nullopt;
  Explanation why;
  why.rule = rule_of(*its->config);
  if (const GlobalAdvice* const advice = advice_for(job.spec.queue)) {
    why.advised = true;
    why.model = advice->model;
    why.played = advice->played;
    if (!advice->values.empty()) why.choice = global_choice_name(advice->choice);
    for (std::size_t i = 0; i < advice->values.size() && i < global_choices_count; ++i) {
      why.values.emplace_back(global_choice_name(i), static_cast<double>(advice->values[i]));
    }
  }
  QueueView queue = *its;
  queue.config = &why.rule;
  place_in_queue(queue, cluster, job, now_ms, why);
  const RunTimes run_times = run_times_of(why.rule);
  const RunForecast forecast =
      predictor_ ? predictor_->forecast(job, run_times) : requested_run(job.spec);
  why.expected_run_s = forecast.run_s;
  why.run_q10_s = why.run_q90_s = forecast.run_s;
  if (predictor_ && run_times == RunTimes::Learned) {
    why.run_q10_s = predictor_->quantile_s(forecast, 0.1, job.spec.time_limit_s);
    why.run_q90_s = predictor_->quantile_s(forecast, 0.9, job.spec.time_limit_s);
    if (!predictor_->has_model()) why.rule.run_times = RunTimes::LastTwo;  // it stands in
  }
  if (const auto its_wait = patient_.find(job.id);
      its_wait != patient_.end() && its_wait->second.waits) {
    why.faster_nodes = its_wait->second.faster_nodes;
    why.faster_end_ms = its_wait->second.faster_end_ms;
    why.now_end_ms = its_wait->second.now_end_ms;
    why.patient_until_ms = its_wait->second.until_ms;
  }
  if (guard_) {
    why.guarded = true;
    why.over_age_ms = guard_->over_age_ms(queue, job);
    why.first = guard_->urgent(queue, *cluster.cluster, now_ms) == job.id;
  }
  return why;
}

// Where the job comes among those that are not kept back by limits.
void BackfillPolicy::place_in_queue(const QueueView& queue, const ClusterView& cluster,
                                    const Job& job, WallMs now_ms, Explanation& why) const {
  const std::vector<ScoredJob> jobs = scored_jobs(queue, cluster, now_ms, sources());
  why.waiting = jobs.size();
  const auto may_start = [&](const ScoredJob& each) {
    return !queue.within_limits || queue.within_limits(*each.waiting->job);
  };
  const auto its = std::find_if(jobs.begin(), jobs.end(),
                                [&](const ScoredJob& each) { return each.waiting->id == job.id; });
  if (its == jobs.end()) return;
  why.score = its->score;
  if (!may_start(*its)) return;
  why.position = 1 + static_cast<std::size_t>(
                         std::count_if(jobs.begin(), jobs.end(), [&](const ScoredJob& each) {
                           return comes_first(each, *its) && may_start(each);
                         }));
}

void BackfillPolicy::plan_queue(const QueueView& queue, const std::vector<char>& usable,
                                PlanLedger& ledger, Depth& depth, Decision& decision,
                                Patience* patience) const {
  ledger.use(usable);
  const JobId first = guard_ ? guard_->urgent(queue, *ledger.view().cluster, ledger.now_ms()) : 0;
  if (queue.config->backfill == Backfill::Conservative) {
    ConservativePass(queue, sources(), ledger, depth, decision).run(first);
  } else {
    EasyPass(queue, sources(), ledger, depth, decision, patience).run(first);
  }
}

}  // namespace hyades
