#include "core/controller.hpp"

#include <algorithm>

#include "core/assert.hpp"
#include "core/test_hooks.hpp"

namespace hyades {

bool dependency_met(DependencyKind kind, Outcome outcome) {
  switch (kind) {
    case DependencyKind::AfterOk:
      return outcome == Outcome::Completed;
    case DependencyKind::AfterNotOk:
      return outcome != Outcome::Completed;
    case DependencyKind::After:
    case DependencyKind::AfterAny:
      return true;
  }
  return false;
}

Controller::Controller(std::shared_ptr<const ClusterConfig> config, Epoch epoch,
                       const Archive& archive, Policy& policy)
    : config_(std::move(config)), epoch_(epoch), archive_(archive), policy_(policy) {
  set_queues(*config_);
}

// ---- restart ----------------------------------------------------------------------------------

void Controller::restore(const StoredState& state) {
  next_job_ = HYADES_DEFECT("id_reuse") ? 1 : state.next_job;
  next_sequence_ = state.next_sequence;
  for (const NodeEvent& event : state.node_events) apply(event);
}

// What is stored knows no numbers of nodes. Without them the jobs that run would cost every pass a
// search by name until they end.
void Controller::restore(const JobEvent& event) {
  if (!std::holds_alternative<Assigned>(event.what)) return apply(event);
  JobEvent numbered = event;
  cluster_.number(std::get<Assigned>(numbered.what).placement);
  apply(numbered);
}

void Controller::restored() {
  jobs_.forget_ended();
  policy_.forget();
  dirty_ = true;
}

// ---- a turn -----------------------------------------------------------------------------------

void Controller::step(const Request& request, const Now& now, Step& out) {
  std::visit([&](const auto& what) { on(request, what, now, out); }, request.what);
}

void Controller::step(const Delivery& delivery, const Now& now, Step& out) {
  const Message& message = delivery.message;
  if (const auto* refused = std::get_if<EpochRefused>(&message.body)) {
    // A master that was told so by the node's disk must not act again, whatever else it believes.
    if (refused->highest > epoch_) deposed_ = true;
    return;
  }
  if (const auto* hello = std::get_if<Hello>(&message.body)) {
    on(delivery.from, *hello, now, out);
    return;
  }
  const auto peer = peers_.find(delivery.from);
  if (peer == peers_.end() || message.epoch != epoch_) {
    ask_for_hello(delivery.from, now, out);
    return;
  }
  Node* const node = cluster_.find(peer->second);
  node->last_heard_ms = now.boot_ms;
  if (!node->responding) {
    node->responding = true;
    dirty_ = true;
  }
  if (const auto* report = std::get_if<LaunchReport>(&message.body)) {
    on(delivery.from, *report, now, out);
  } else if (const auto* heartbeat = std::get_if<Heartbeat>(&message.body)) {
    on(delivery.from, *heartbeat, now, out);
  }
}

const Node* Controller::node_of(PeerId peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? nullptr : cluster_.find(found->second);
}

// Once in a while: a greeting is long, and leads to more messages of the one who greets.
void Controller::ask_for_hello(PeerId peer, const Now& now, Step& out) {
  const auto [asked, first] = hello_asked_ms_.emplace(peer, now.boot_ms);
  if (!first && now.boot_ms - asked->second < config_->resend_ms) return;
  asked->second = now.boot_ms;
  out.outgoing.push_back({peer, {epoch_, SayHello{}}});
}

void Controller::tick(const Now& now, Step& out) {
  if (first_tick_ms_ < 0) first_tick_ms_ = now.boot_ms;
  if (!settled_) {  // what was proven dead to an earlier master
    settled_ = true;
    for (const JobId id : placed_jobs()) {
      const auto& parts = gangs_.at(id).parts;
      const bool some =
          std::any_of(parts.begin(), parts.end(), [](const Part& p) { return p.over; });
      if (some) advance(*jobs_.find(id), now, out);
    }
  }
  while (!begins_.empty() && begins_.begin()->first <= now.wall_ms) {
    const Job& job = *jobs_.find(begins_.begin()->second);
    begins_.erase(begins_.begin());
    enqueue(queue_of(job.spec), job, now.wall_ms);
    dirty_ = true;
  }
  check_silence(now, out);
  if (HYADES_DEFECT("requeue_without_proof")) {
    for (const JobId id : placed_jobs()) {
      const Job& job = *jobs_.find(id);
      if (now.boot_ms - first_tick_ms_ < config_->node_timeout_ms || !fate_unknown(job)) continue;
      record(id, Requeued{job.key, "silence", job.started_ms != 0, 0, ""}, now, out);
    }
  }
  repeat_orders(now, out);
  stop_strays(now, out);
}

void Controller::committed() { jobs_.forget_ended(); }

// ---- facts ------------------------------------------------------------------------------------

const Job& Controller::record(JobId job, decltype(JobEvent::what) what, const Now& now, Step& out) {
  JobEvent& event = out.batch.job_events.emplace_back();
  event.job = job;
  event.at_ms = now.wall_ms;
  event.what = std::move(what);
  apply(event);
  if (HYADES_DEFECT("cancel_not_durable") && jobs_.find(job)->placed() &&
      std::holds_alternative<CancelRequested>(out.batch.job_events.back().what)) {
    out.batch.job_events.pop_back();
  }
  return *jobs_.find(job);
}

namespace {

// Orders that leave for a node, and their first answer: the job keeps its place in the queue or on
// its nodes, and a policy sees no difference.
bool changes_no_place(const JobEvent& event) {
  return std::holds_alternative<Started>(event.what) ||
         std::holds_alternative<ScriptEnded>(event.what) ||
         std::holds_alternative<CoresLent>(event.what) ||
         std::holds_alternative<PowerCapped>(event.what) ||
         std::holds_alternative<CancelRequested>(event.what) ||
         std::holds_alternative<RequeueRequested>(event.what);
}

RunningJob running(const Job& job) {
  MiB memory_mib = 0;
  for (const NodeShare& share : job.placement.shares) memory_mib += share.memory_mib;
  return {.expected_end_ms = job.expected_end_ms(),
          .id = job.id,
          .job = &job,
          .plan = nullptr,
          .cores = job.placement.cores(),
          .memory_mib = memory_mib};
}

}  // namespace

void Controller::apply(const JobEvent& event) {
  if (changes_no_place(event)) {
    apply_in_place(event);
    return;
  }
  if (const Job* const before = jobs_.find(event.job)) {
    unindex(*before);
    const bool leaks = HYADES_DEFECT("leaked_cores") && std::holds_alternative<Ended>(event.what);
    if (leaks && before->placed()) cluster_.take(before->placement);
  }
  const Job& job = jobs_.replay(event);
  if (std::holds_alternative<Submitted>(event.what)) {
    Queue& queue = queue_of(job.spec);
    if (queue.users.empty()) queue.busy_since_ms = job.submitted_ms;
  }
  index(job, event.at_ms);
  if (std::holds_alternative<Assigned>(event.what)) policy_.starts(job, event.at_ms);
  if (job.phase == JobPhase::Ended) policy_.ended(job, event.at_ms);
  // An order that leaves for a node changes nothing that a policy has not decided itself.
  dirty_ = dirty_ || !std::holds_alternative<Assigned>(event.what);
}

// Only the time at which it will have ended may be another now.
void Controller::apply_in_place(const JobEvent& event) {
  const Job* const before = jobs_.find(event.job);
  HYADES_ASSERT(before != nullptr);
  const WallMs end_ms = before->expected_end_ms();
  const Job& job = jobs_.replay(event);
  if (job.placed() && job.expected_end_ms() != end_ms) {
    RunningJob place = running(job);
    running_.insert(place);
    place.expected_end_ms = end_ms;
    running_.erase(place);
  }
  const bool asked_to_stop = std::holds_alternative<CancelRequested>(event.what);
  if (HYADES_DEFECT("early_give_back") && asked_to_stop && job.placed()) {
    cluster_.give_back(job.placement);
  }
}

std::vector<JobId> Controller::placed_jobs() const {
  std::vector<JobId> ids;
  for (const auto& [id, gang] : gangs_) ids.push_back(id);
  return ids;
}

void Controller::apply(const NodeEvent& event) {
  if (const auto* defined = std::get_if<NodeDefined>(&event.what)) {
    if (cluster_.find(event.node) == nullptr) reservations_.clear();  // they hold indices
    cluster_.define(event.node, defined->inventory);
    cluster_.find(event.node)->boot_id = defined->boot_id;
  } else if (const auto* drained = std::get_if<NodeDrained>(&event.what)) {
    cluster_.drain(event.node, drained->reason, drained->by, event.at_ms);
  } else if (const auto* dead = std::get_if<NodeDeclaredDead>(&event.what)) {
    cluster_.declare_dead(event.node, dead->below, dead->proof);
  } else if (const auto* profiled = std::get_if<NodeProfiled>(&event.what)) {
    cluster_.set_profile(event.node, profiled->profile);
  } else {
    cluster_.resume(event.node);
    bad_ends_.erase(event.node);  // who resumed it has looked at what they point at
  }
  dirty_ = true;
}

void Controller::end_job(JobId job, Ended ended, const Now& now, Step& out) {
  if (ended.ended_ms == 0) ended.ended_ms = now.wall_ms;
  const Outcome outcome = ended.outcome;
  record(job, std::move(ended), now, out);
  settle_dependents({job, true, outcome}, now, out);
}

// A job that can never start ends, too, and so may those behind it: a list instead of recursion,
// because chains can be long.
void Controller::settle_dependents(DependencyNews first, const Now& now, Step& out) {
  if (dependents_.empty()) return;
  std::vector<DependencyNews> news{first};
  while (!news.empty()) {
    const DependencyNews item = news.back();
    news.pop_back();
    std::vector<JobId> waiting;
    for (auto at = dependents_.lower_bound({item.target, 0});
         at != dependents_.end() && at->first == item.target; ++at) {
      waiting.push_back(at->second);
    }
    for (const JobId id : waiting) {
      const std::vector<Dependency> unmet = jobs_.find(id)->unmet;
      for (const Dependency& dependency : unmet) {
        if (dependency.job != item.target) continue;
        if (!item.ended && dependency.kind != DependencyKind::After) continue;
        const bool met = dependency_met(dependency.kind, item.outcome);
        record(id, DependencySettled{dependency, met}, now, out);
        if (met) continue;
        Ended ended{
            .outcome = Outcome::Cancelled,
            .ended_ms = now.wall_ms,
            .usage = {},
            .reason = "DependencyNeverSatisfied: " + std::string(to_string(dependency.kind)) + ":" +
                      std::to_string(dependency.job) + ", which ended " +
                      std::string(to_string(item.outcome))};
        record(id, std::move(ended), now, out);
        news.push_back({id, true, Outcome::Cancelled});
        break;
      }
    }
  }
}

// ---- indices ----------------------------------------------------------------------------------

void Controller::index_gang(const Job& job) {
  if (!job.placed()) {
    gangs_.erase(job.id);
    forget_orders(job.id);
  } else if (Gang& gang = gangs_[job.id]; gang.key != job.key) {
    gang = new_gang(job);
  }
}

void Controller::index(const Job& job, WallMs at_ms) {
  index_gang(job);
  if (job.phase == JobPhase::Ended) return;
  Queue& queue = queue_of(job.spec);
  UserCounts& user = queue.users[job.spec.uid];
  ++user.queued;
  for (const Dependency& dependency : job.unmet) dependents_.insert({dependency.job, job.id});
  if (job.placed()) {
    if (!HYADES_DEFECT("early_give_back") || !job.cancel_requested) cluster_.take(job.placement);
    running_.insert(running(job));
    if (job.spec.lease_s > 0) {
      for (const NodeShare& share : job.placement.shares) leased_[share.node].insert(job.id);
    }
    ++user.running;
    user.cores += job.placement.cores();
  } else if (!job.held && job.unmet.empty()) {
    if (job.not_before_ms > 0) {
      begins_.insert({job.not_before_ms, job.id});
    } else {
      enqueue(queue, job, at_ms);
    }
  }
}

void Controller::unindex(const Job& job) {
  if (job.phase == JobPhase::Ended) return;
  Queue& queue = queue_of(job.spec);
  const auto found = queue.users.find(job.spec.uid);
  UserCounts& user = found->second;
  for (const Dependency& dependency : job.unmet) dependents_.erase({dependency.job, job.id});
  if (job.placed()) {
    if (!HYADES_DEFECT("early_give_back") || !job.cancel_requested) {
      cluster_.give_back(job.placement);
    }
    running_.erase(running(job));
    if (job.spec.lease_s > 0) {
      for (const NodeShare& share : job.placement.shares) leased_[share.node].erase(job.id);
    }
    --user.running;
    user.cores -= job.placement.cores();
  } else {
    dequeue(queue, job);
    begins_.erase({job.not_before_ms, job.id});
    reservations_.erase(job.id);
    limited_.erase(job.id);
    kept_back_.erase(job.id);
    patient_.erase(job.id);
  }
  if (--user.queued == 0) queue.users.erase(found);
}

void Controller::set_queues(const ClusterConfig& config) {
  policy_.configure(config);
  std::vector<std::unique_ptr<Queue>> queues;
  for (const QueueConfig& queue : config.queues) {
    const auto old = std::find_if(queues_.begin(), queues_.end(), [&](const auto& candidate) {
      return candidate && candidate->config.name == queue.name;
    });
    queues.push_back(old == queues_.end() ? std::make_unique<Queue>() : std::move(*old));
    queues.back()->config = queue;
    queues.back()->members.clear();
    rank_again(*queues.back());
  }
  queues_ = std::move(queues);
  std::stable_sort(queues_.begin(), queues_.end(), [](const auto& a, const auto& b) {
    return a->config.priority > b->config.priority;
  });
  dirty_ = true;
}

// At which place in its queue the job waits.
WaitingJob Controller::waiting(const Queue& queue, const Job& job) const {
  return waiting_job(job, policy_.rank(queue.config, job, queue.busy_since_ms));
}

void Controller::enqueue(Queue& queue, const Job& job, WallMs at_ms) {
  queue.eligible.insert(waiting(queue, job));
  policy_.waits(job, at_ms);
}

bool Controller::dequeue(Queue& queue, const Job& job) {
  const WaitingJob place = waiting(queue, job);
  if (!queue.eligible.contains(place)) return false;
  queue.eligible.erase(place);
  policy_.leaves(job);
  return true;
}

// The queue's order may be another now.
void Controller::rank_again(Queue& queue) {
  std::vector<const Job*> jobs;
  queue.eligible.each([&](const WaitingJob& place) { jobs.push_back(place.job); });
  queue.eligible.clear();
  for (const Job* job : jobs) queue.eligible.insert(waiting(queue, *job));
}

const Controller::Queue* Controller::find_queue(const std::string& name) const {
  for (const auto& queue : queues_) {
    if (queue->config.name == name) return queue.get();
  }
  return nullptr;
}

// Jobs of a queue that was taken out of the configuration while the master was down go on under
// its name and the defaults; it accepts no new ones.
Controller::Queue& Controller::queue_of(const JobSpec& spec) {
  for (const auto& queue : queues_) {
    if (queue->config.name == spec.queue) return *queue;
  }
  queues_.push_back(std::make_unique<Queue>());
  queues_.back()->config.name = spec.queue;
  queues_.back()->config.enabled = false;
  return *queues_.back();
}

void Controller::check() const {
  std::vector<const Placement*> placements;
  for (const auto& [id, job] : jobs_.all()) {
    if (job.placed()) placements.push_back(&job.placement);
    HYADES_ASSERT(gangs_.contains(id) == job.placed());
    HYADES_ASSERT(!job.placed() || running_.contains(running(job)));
    const Queue* const queue = find_queue(job.spec.queue);
    HYADES_ASSERT(job.phase == JobPhase::Ended || queue != nullptr);
    if (job.phase != JobPhase::Pending) continue;
    const bool waits = job.held || !job.unmet.empty();
    const bool listed =
        queue->eligible.contains(waiting(*queue, job)) || begins_.contains({job.not_before_ms, id});
    HYADES_ASSERT(waits != listed);
    for (const Dependency& dependency : job.unmet) {
      HYADES_ASSERT(dependents_.contains({dependency.job, id}));
    }
  }
  if (!HYADES_DEFECT("leaked_cores") && !HYADES_DEFECT("early_give_back")) {
    cluster_.check(placements);
  }
}

}  // namespace hyades
