#include "scenario_run.hpp"

#include <algorithm>
#include <limits>

#include "policy/order.hpp"

namespace hyades {
namespace {

// Since when all queues have been busy: before the first submission.
constexpr WallMs kBusySince = 999'000;
constexpr WallMs kNever = std::numeric_limits<WallMs>::max();

}  // namespace

ScenarioRun::ScenarioRun(const Scenario& scenario) : scenario_(scenario) {
  for (const Inventory& inventory : scenario.nodes) {
    const std::string name = "n" + std::to_string(cluster_.nodes().size() + 1);
    cluster_.define(name, inventory);
    cluster_.find(name)->responding = true;
  }
  for (const QueueConfig& config : scenario.queues) {
    std::vector<char> members;
    for (const Node& node : cluster_.nodes()) {
      const auto& names = config.nodes;
      members.push_back(names.empty() ||
                        std::find(names.begin(), names.end(), node.name) != names.end());
    }
    queues_.push_back({config, members, {}});
  }
  for (std::size_t i = 0; i < scenario.profiles.size(); ++i) {
    cluster_.set_profile("n" + std::to_string(i + 1), scenario.profiles[i]);
  }
  if (!scenario.profiles.empty()) policy_.configure(scenario.config);
  outcome_.starts.assign(scenario.jobs.size(), -1);
}

ScenarioOutcome ScenarioRun::run() {
  for (WallMs at_ms = next_ms(); at_ms != kNever; at_ms = next_ms()) {
    turn(at_ms);
    if (!outcome_.difference.empty()) break;
  }
  return outcome_;
}

WallMs ScenarioRun::next_ms() const {
  WallMs next = kNever;
  if (jobs_.size() < scenario_.jobs.size()) next = scenario_.jobs[jobs_.size()].submit_ms;
  if (drained_ < scenario_.drains.size()) next = std::min(next, scenario_.drains[drained_].at_ms);
  for (const auto& [id, run] : runs_) next = std::min(next, run.end_ms);
  return next;
}

void ScenarioRun::turn(WallMs at_ms) {
  now_ms_ = at_ms;
  finish(at_ms);
  arrive(at_ms);
  while (drained_ < scenario_.drains.size() && scenario_.drains[drained_].at_ms == at_ms) {
    const std::size_t node = scenario_.drains[drained_++].node;
    cluster_.drain("n" + std::to_string(node + 1), "a test", "root", at_ms);
  }
  decide();
}

void ScenarioRun::finish(WallMs at_ms) {
  for (auto run = runs_.begin(); run != runs_.end();) {
    if (run->second.end_ms != at_ms) {
      ++run;
      continue;
    }
    cluster_.give_back(run->second.listed.job->placement);
    running_.erase(run->second.listed);
    run = runs_.erase(run);
  }
}

void ScenarioRun::arrive(WallMs at_ms) {
  while (jobs_.size() < scenario_.jobs.size() && scenario_.jobs[jobs_.size()].submit_ms == at_ms) {
    const ScenarioJob& from = scenario_.jobs[jobs_.size()];
    Job& job = jobs_.emplace_back();
    job.id = static_cast<JobId>(jobs_.size());
    job.spec = from.spec;
    job.spec.queue = queues_[from.queue].config.name;
    job.submitted_ms = at_ms;
    job.avoid_node = from.avoid_node;
    Waiting& queue = queues_[from.queue];
    queue.jobs.insert(place_of(queue, job));
  }
}

WaitingJob ScenarioRun::place_of(const Waiting& queue, const Job& job) const {
  return waiting_job(job, policy_.rank(queue.config, job, kBusySince));
}

bool ScenarioRun::limited(JobId job) const {
  return job_of(job).limited && jobs_.size() * 2 < scenario_.jobs.size();
}

std::vector<char> ScenarioRun::usable(const Waiting& queue) const {
  std::vector<char> usable = queue.members;
  for (std::size_t i = 0; i < usable.size(); ++i) {
    usable[i] = usable[i] && cluster_.nodes()[i].schedulable();
  }
  return usable;
}

Decision ScenarioRun::production() {
  return policy_.decide(views(), {&cluster_, &running_, &cluster_.free()}, now_ms_);
}

Decision ScenarioRun::first_fit() const {
  return policy_.plan(views(), {&cluster_, &running_, &cluster_.free()}, now_ms_);
}

std::vector<QueueView> ScenarioRun::views() const {
  std::vector<QueueView> views;
  for (const Waiting& queue : queues_) {
    QueueView view{&queue.config, &queue.jobs, usable(queue), kBusySince, {}};
    const bool has_limits = std::any_of(scenario_.jobs.begin(), scenario_.jobs.end(),
                                        [](const ScenarioJob& job) { return job.limited; });
    if (has_limits) view.within_limits = [this](const Job& job) { return !limited(job.id); };
    views.push_back(std::move(view));
  }
  return views;
}

Decision ScenarioRun::naive() const {
  std::vector<NaiveQueue> queues;
  for (const Waiting& waiting : queues_) {
    NaiveQueue queue{
        waiting.config.order, waiting.config.backfill, {}, usable(waiting), {}, kBusySince};
    waiting.jobs.each([&](const WaitingJob& place) {
      queue.jobs.push_back(place.job);
      if (limited(place.id)) queue.limited.insert(place.id);
    });
    queues.push_back(std::move(queue));
  }
  std::vector<NaiveClaim> claims;
  for (const auto& [id, run] : runs_) {
    const Job& job = *std::next(jobs_.begin(), static_cast<std::ptrdiff_t>(id) - 1);
    claims.push_back({&job, run.plan, now_ms_, run.listed.expected_end_ms});
  }
  return NaivePlanner(cluster_.nodes(), std::move(claims), now_ms_).decide(queues);
}

// "2@n1:3,n2:1 b; 4 in 300 ms@n1:2": job 2 starts with 3 tasks on n1 and one on n2, backfilled; job
// 4 is promised n1.
std::string ScenarioRun::words(const Decision& decision, bool with_nodes) const {
  const auto plan_words = [&](const Plan& plan) {
    std::string text;
    if (!with_nodes) return text;
    for (const PlannedShare& share : plan) {
      text += (text.empty() ? "@n" : ",n") + std::to_string(share.node + 1) + ":" +
              std::to_string(share.tasks);
    }
    return text;
  };
  std::string text;
  for (const Start& start : decision.starts) {
    text += std::to_string(start.job) + plan_words(start.plan) +
            (start.why == StartReason::Backfill ? " b " : " ");
  }
  for (const Reservation& promise : decision.reservations) {
    text += "; " + std::to_string(promise.job) + " in " +
            std::to_string(promise.start_ms - now_ms_) + " ms" + plan_words(promise.plan);
  }
  return text;
}

void ScenarioRun::decide() {
  const Decision decision = production();
  const bool moves = !scenario_.profiles.empty();
  const std::string ours = words(decision, !moves);
  const std::string naive_words = words(naive(), !moves);
  const std::string when = "at " + std::to_string(now_ms_ - 1'000'000) + " ms: ";
  if (ours != naive_words) {
    outcome_.difference =
        when + "it decides \"" + ours + "\", by the rules \"" + naive_words + "\"";
    return;
  }
  if (words(production()) != words(decision)) {
    outcome_.difference = when + "asked again it decides otherwise";
    return;
  }
  const std::string broken = broken_promise(decision);
  if (!broken.empty() && broken_promise(first_fit()).empty()) {
    outcome_.difference = when + "it decides \"" + words(decision) + "\", and " + broken;
    return;
  }
  for (const Reservation& promise : decision.reservations) {
    outcome_.promises.push_back({promise.job, now_ms_, promise.start_ms});
  }
  apply(decision);
}

// By the numbers of each node alone: whether each promised placement is there when it is due, when
// everything that runs and starts ends at its limit, and those promised before have theirs.
std::string ScenarioRun::broken_promise(const Decision& decision) const {
  const auto job = [&](JobId id) -> const Job& {
    return *std::next(jobs_.begin(), static_cast<std::ptrdiff_t>(id) - 1);
  };
  const auto limit_ms = [&](JobId id) { return WallMs{job(id).spec.time_limit_s} * 1000; };
  for (const Reservation& promise : decision.reservations) {
    FreeTable free = cluster_.free();
    const auto change = [&](JobId id, const Plan& plan, bool take) {
      for (const PlannedShare& share : plan) {
        const Node& node = cluster_.nodes()[static_cast<std::size_t>(share.node)];
        take ? free.take(share.node, node, job(id).spec, share.tasks)
             : free.give(share.node, node, job(id).spec, share.tasks);
      }
    };
    for (const auto& [id, run] : runs_) {
      const WallMs end_ms = std::max(run.listed.expected_end_ms, now_ms_ + 1);
      if (end_ms <= promise.start_ms) change(id, run.plan, false);
    }
    for (const Start& start : decision.starts) {
      if (now_ms_ + limit_ms(start.job) > promise.start_ms) change(start.job, start.plan, true);
    }
    for (const Reservation& other : decision.reservations) {
      const WallMs end_ms = other.start_ms + limit_ms(other.job);
      const bool runs = other.start_ms < promise.start_ms && end_ms > promise.start_ms;
      if (other.job != promise.job && runs) change(other.job, other.plan, true);
    }
    const JobSpec& spec = job(promise.job).spec;
    for (const PlannedShare& share : promise.plan) {
      const Node& node = cluster_.nodes()[static_cast<std::size_t>(share.node)];
      if (free.capacity(share.node, node, spec, free.needs_of(spec)) >= share.tasks) continue;
      return "what job " + std::to_string(promise.job) + " is promised on " + node.name +
             " will not be free then";
    }
  }
  return "";
}

void ScenarioRun::apply(const Decision& decision) {
  for (const Start& start : decision.starts) {
    Job& job = *std::next(jobs_.begin(), static_cast<std::ptrdiff_t>(start.job) - 1);
    if (!cluster_.fits(job.spec, start.plan)) {
      outcome_.difference = "job " + std::to_string(job.id) + " does not fit where it starts";
      return;
    }
    job.placement = cluster_.choose(job.spec, start.plan);
    cluster_.take(job.placement);
    Waiting& queue = queues_[job_of(job.id).queue];
    queue.jobs.erase(place_of(queue, job));
    MiB memory_mib = 0;
    for (const NodeShare& share : job.placement.shares) memory_mib += share.memory_mib;
    const RunningJob listed{now_ms_ + WallMs{job.spec.time_limit_s} * 1000,
                            job.id,
                            &job,
                            nullptr,
                            job.placement.cores(),
                            memory_mib};
    running_.insert(listed);
    runs_[job.id] = {start.plan, now_ms_ + job_of(job.id).run_ms, listed};
    outcome_.starts[static_cast<std::size_t>(job.id) - 1] = now_ms_;
    outcome_.moved += !start.place_why.first_fit.empty();
    outcome_.backfilled += start.why == StartReason::Backfill;
    outcome_.on_several_nodes += start.plan.size() > 1;
  }
}

}  // namespace hyades
