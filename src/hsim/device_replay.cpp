#include "hsim/device_replay.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <set>

#include "cli/failure.hpp"
#include "hsim/device_choice.hpp"
#include "hsim/device_places.hpp"
#include "policy/backfill_policy.hpp"

namespace hyades {
namespace {

constexpr WallMs kNever = std::numeric_limits<WallMs>::max();
constexpr double kNowhere = std::numeric_limits<double>::infinity();
constexpr double kHourMs = 3600e3;

double hours_of(WallMs ms) { return static_cast<double>(ms) / kHourMs; }

class DeviceReplay {
 public:
  DeviceReplay(const DeviceTrace& trace, const DeviceFleet& fleet, const ThroughputTable& table,
               const DeviceOptions& options)
      : trace_(trace),
        fleet_(fleet),
        table_(table),
        options_(options),
        servers_(servers_of(
            fleet, options.rule == DeviceRule::AsNamed ? NodeOrder::AsNamed : NodeOrder::Mixed)),
        config_(device_config(trace, options.order)),
        cluster_(device_cluster(trace, fleet, servers_, table)),
        prng_(options.seed) {
    config_.placement.patient = options.rule == DeviceRule::Patient;
    policy_.configure(config_);
    outcome_.runs.resize(trace.jobs.size());
  }

  DeviceOutcome run() {
    for (WallMs at_ms = next_ms(); at_ms != kNever; at_ms = next_ms()) {
      now_ms_ = at_ms;
      finish();
      arrive();
      decide();
      if (options_.look) options_.look(cluster_, now_ms_);
    }
    if (!waiting_.empty()) {
      throw Failure(trace_.name + " on " + fleet_.text() + ": " + std::to_string(waiting_.size()) +
                    " jobs never start");
    }
    return std::move(outcome_);
  }

 private:
  WallMs next_ms() const {
    const WallMs arrival =
        jobs_.size() < trace_.jobs.size() ? trace_.jobs[jobs_.size()].arrival_ms : kNever;
    return ends_.empty() ? arrival : std::min(arrival, ends_.begin()->first);
  }

  void finish() {
    while (!ends_.empty() && ends_.begin()->first == now_ms_) {
      Job& job = job_of(ends_.begin()->second);
      ends_.erase(ends_.begin());
      running_.erase(listed(job));
      cluster_.give_back(job.placement);
      job.phase = JobPhase::Ended;
      job.ended_ms = now_ms_;
      policy_.ended(job, now_ms_);
    }
  }

  void arrive() {
    while (jobs_.size() < trace_.jobs.size() && trace_.jobs[jobs_.size()].arrival_ms == now_ms_) {
      const DeviceJob& from = trace_.jobs[jobs_.size()];
      Job& job = jobs_.emplace_back();
      job.id = static_cast<JobId>(jobs_.size());
      job.submitted_ms = now_ms_;
      const std::optional<JobSpec> spec = device_spec(from, fleet_, servers_, table_);
      if (!spec) throw Failure(text_of(from.work) + " does not fit on " + fleet_.text());
      job.spec = *spec;
      waiting_.insert(place_of(job));
      policy_.waits(job, now_ms_);
    }
  }

  void decide() {
    if (waiting_.empty()) return;
    if (options_.rule == DeviceRule::EarliestEnd) {
      allow(by_earliest_end(queue(), fleet_, table_));
    } else if (options_.rule == DeviceRule::PricedChoice) {
      const KindQueue before = queue();
      prices_ = prices_for(before, fleet_, table_);
      allow(by_price(before, prices_, fleet_, table_));
      carry_out();  // those that gain most have their devices first
      if (waiting_.empty()) return;
      allow(by_price_or_patience(queue(), prices_, fleet_, table_));
    }
    carry_out();
  }

  bool places_by_phase_two() const {
    return options_.rule == DeviceRule::PhaseTwo || options_.rule == DeviceRule::Patient ||
           options_.rule == DeviceRule::EarliestEnd || options_.rule == DeviceRule::PricedChoice;
  }

  void carry_out() {
    const std::vector<QueueView> views = {
        {&config_.queues.front(), &waiting_, std::vector<char>(servers_.size(), 1), 0, {}}};
    const ClusterView view{&cluster_, &running_, &cluster_.free()};
    Decision decision = places_by_phase_two() ? policy_.decide(views, view, now_ms_)
                                              : policy_.plan(views, view, now_ms_);
    move(decision, view);
    for (const Start& start : decision.starts) begin(start);
  }

  // The baselines' places. Where theirs do not fit, jobs stay at their first fits.
  void move(Decision& decision, const ClusterView& view) {
    std::vector<PlacedStart> starts;
    const double price_weight = price_weight_of(decision);
    for (const Start& start : decision.starts) {
      starts.push_back({&job_of(start.job), costs_of(job_of(start.job), price_weight)});
    }
    const DevicePlaces places(view, decision, now_ms_,
                              [this](JobId id) -> const Job& { return job_of(id); });
    PlansTogether plans;
    switch (options_.rule) {
      case DeviceRule::Random:
        plans = by_chance(starts, places, now_ms_, prng_);
        break;
      case DeviceRule::FastestFirst:
        plans = cheapest_in_turn(starts, places, now_ms_);
        break;
      case DeviceRule::Matching:
      case DeviceRule::PricedMatching:
        plans = cheapest_together(starts, places, now_ms_);
        break;
      default:
        break;
    }
    if (!plans) return;
    for (std::size_t i = 0; i < plans->size(); ++i) decision.starts[i].plan = (*plans)[i];
  }

  // Run time on each node, with the price of its devices' time.
  std::vector<double> costs_of(const Job& job, double price_weight) const {
    std::vector<double> costs;
    for (const FleetPart& server : servers_) {
      const std::optional<WallMs> run_ms = run_ms_on(server.device, traced(job), fleet_, table_);
      const double price =
          price_weight > 0 ? price_weight * price_of(server.device) * traced(job).work.workers : 0;
      costs.push_back(run_ms ? static_cast<double>(*run_ms) * (1 + price) : kNowhere);
    }
    return costs;
  }

  // Each job that is left waiting loses as much as the fleet's work is held up: a second of all
  // devices, at their prices, is a second of its wait.
  double price_weight_of(const Decision& decision) {
    if (options_.rule != DeviceRule::PricedMatching) return 0;
    const std::size_t left = waiting_.size() - decision.starts.size();
    prices_ = prices_for(queue(), fleet_, table_);
    double all = 0;
    for (std::size_t k = 0; k < fleet_.parts.size(); ++k) all += prices_[k] * fleet_.parts[k].count;
    return all > 0 ? static_cast<double>(left) / all : 0;
  }

  std::size_t part_of(const std::string& device) const {
    const auto found = std::find_if(fleet_.parts.begin(), fleet_.parts.end(),
                                    [&](const FleetPart& part) { return part.device == device; });
    return static_cast<std::size_t>(found - fleet_.parts.begin());
  }
  double price_of(const std::string& device) const { return prices_[part_of(device)]; }

  KindQueue queue() const {
    KindQueue queue;
    waiting_.each(
        [&](const WaitingJob& waiting) { queue.waiting.push_back(&traced(*waiting.job)); });
    for (const FleetPart& part : fleet_.parts) {
      double busy_ms = 0;
      for (const auto& [end_ms, id] : ends_) {
        const auto at = static_cast<std::size_t>(id) - 1;
        if (outcome_.runs[at].device != part.device) continue;
        busy_ms += static_cast<double>(end_ms - now_ms_) * trace_.jobs[at].work.workers;
      }
      queue.busy_ms.push_back(busy_ms);
    }
    return queue;
  }

  // Keeps each waiting job off the kinds that it may not start on. By the order of the queue.
  void allow(const KindChoice& choice) {
    std::size_t at = 0;
    each_waiting([&](Job& job) {
      const std::vector<char>& kinds = choice[at++];
      job.spec.exclude = misfits_of(job);
      std::vector<std::string> exclude = job.spec.exclude;
      std::size_t left = 0;
      for (std::size_t i = 0; i < servers_.size(); ++i) {
        if (!kinds[part_of(servers_[i].device)]) {
          exclude.push_back(device_node_name(i));
        } else if (servers_[i].count >= job.spec.cpus_per_task) {
          ++left;
        }
      }
      if (left >= static_cast<std::size_t>(job.spec.nodes)) job.spec.exclude = std::move(exclude);
    });
  }

  std::vector<std::string> misfits_of(const Job& job) const {
    return device_spec(traced(job), fleet_, servers_, table_)->exclude;
  }

  template <typename Visit>
  void each_waiting(const Visit& visit) {
    waiting_.each([&](const WaitingJob& waiting) { visit(job_of(waiting.id)); });
  }

  void begin(const Start& start) {
    Job& job = job_of(start.job);
    if (!cluster_.fits(job.spec, start.plan)) {
      throw Failure(trace_.name + " on " + fleet_.text() + ": job " + std::to_string(job.id) +
                    " was given devices that are not free");
    }
    if (has_a_choice(job)) ++outcome_.with_a_choice;
    waiting_.erase(place_of(job));
    policy_.leaves(job);
    job.placement = cluster_.choose(job.spec, start.plan);
    cluster_.take(job.placement);
    job.phase = JobPhase::Running;
    job.assigned_ms = job.started_ms = now_ms_;
    policy_.starts(job, now_ms_);
    running_.insert(listed(job));
    note(job, start.plan);
  }

  // Whether another kind of devices had room for it, too.
  bool has_a_choice(const Job& job) const {
    std::map<std::string, int> room;
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      const bool fits = cluster_.free().cores(static_cast<NodeIndex>(i)) >= job.spec.cpus_per_task;
      if (fits && run_ms_on(servers_[i].device, traced(job), fleet_, table_)) {
        ++room[servers_[i].device];
      }
    }
    return std::count_if(room.begin(), room.end(),
                         [&](const auto& kind) { return kind.second >= job.spec.nodes; }) > 1;
  }

  void note(const Job& job, const Plan& plan) {
    DeviceRun& run = outcome_.runs[static_cast<std::size_t>(job.id) - 1];
    run.start_ms = now_ms_;
    for (const PlannedShare& share : plan) {
      const std::string& device = servers_[static_cast<std::size_t>(share.node)].device;
      const WallMs end_ms = now_ms_ + *run_ms_on(device, traced(job), fleet_, table_);
      if (end_ms <= run.end_ms) continue;
      run.end_ms = end_ms;
      run.device = device;
    }
    for (const PlannedShare& share : plan) {
      outcome_.device_hours[servers_[static_cast<std::size_t>(share.node)].device] +=
          job.spec.cpus_per_task * hours_of(run.end_ms - run.start_ms);
    }
    ends_.insert({run.end_ms, job.id});
  }

  WaitingJob place_of(const Job& job) const {
    return waiting_job(job, policy_.rank(config_.queues.front(), job, 0));
  }
  RunningJob listed(const Job& job) const {
    return {.expected_end_ms = job.expected_end_ms(),
            .id = job.id,
            .job = &job,
            .cores = job.placement.cores()};
  }
  Job& job_of(JobId id) { return jobs_[static_cast<std::size_t>(id) - 1]; }
  const DeviceJob& traced(const Job& job) const {
    return trace_.jobs[static_cast<std::size_t>(job.id) - 1];
  }

  const DeviceTrace& trace_;
  const DeviceFleet& fleet_;
  const ThroughputTable& table_;
  const DeviceOptions& options_;
  std::vector<FleetPart> servers_;
  ClusterConfig config_;
  Cluster cluster_;
  BackfillPolicy policy_;
  Prng prng_;
  WallMs now_ms_ = 0;
  std::deque<Job> jobs_;
  WaitingList waiting_;
  RunningList running_;
  std::set<std::pair<WallMs, JobId>> ends_;
  std::vector<double> prices_;  // by the fleet's parts
  DeviceOutcome outcome_;
};

}  // namespace

const char* name_of(DeviceRule rule) {
  switch (rule) {
    case DeviceRule::FirstFit:
      return "first fit";
    case DeviceRule::AsNamed:
      return "first fit, fastest servers first";
    case DeviceRule::Random:
      return "random";
    case DeviceRule::FastestFirst:
      return "fastest first";
    case DeviceRule::Matching:
      return "exact matching";
    case DeviceRule::PhaseTwo:
      return "phase 2 alone";
    case DeviceRule::Patient:
      return "phase 2, patient";
    case DeviceRule::PricedMatching:
      return "exact matching with prices";
    case DeviceRule::EarliestEnd:
      return "earliest end";
    case DeviceRule::PricedChoice:
      return "choice by prices";
  }
  return "";
}

DeviceTrace held_by(const DeviceFleet& fleet, const ThroughputTable& table,
                    const DeviceTrace& trace, std::size_t& too_large) {
  const std::vector<FleetPart> servers = servers_of(fleet, NodeOrder::Mixed);
  DeviceTrace held = trace;
  const std::size_t before = held.jobs.size();
  std::erase_if(held.jobs,
                [&](const DeviceJob& job) { return !device_spec(job, fleet, servers, table); });
  too_large = before - held.jobs.size();
  if (held.jobs.empty())
    throw Failure(trace.name + ": " + fleet.text() + " holds none of its jobs");
  return held;
}

DeviceOutcome replay_devices(const DeviceTrace& trace, const DeviceFleet& fleet,
                             const ThroughputTable& table, const DeviceOptions& options) {
  return DeviceReplay(trace, fleet, table, options).run();
}

DeviceMetrics measure(const DeviceTrace& trace, const DeviceOutcome& outcome) {
  DeviceMetrics metrics;
  metrics.jobs = trace.jobs.size();
  metrics.choice_share =
      static_cast<double>(outcome.with_a_choice) / static_cast<double>(metrics.jobs);
  WallMs last_ms = 0;
  for (std::size_t i = 0; i < trace.jobs.size(); ++i) {
    metrics.completion_h += hours_of(outcome.runs[i].end_ms - trace.jobs[i].arrival_ms) /
                            static_cast<double>(metrics.jobs);
    last_ms = std::max(last_ms, outcome.runs[i].end_ms);
  }
  metrics.makespan_h = hours_of(last_ms - trace.jobs.front().arrival_ms);
  for (const auto& [device, device_hours] : outcome.device_hours) {
    metrics.device_hours += device_hours;
  }
  return metrics;
}

}  // namespace hyades
