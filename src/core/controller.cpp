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

void Controller::restore(const JobEvent& event) { apply(event); }

void Controller::restored() {
  jobs_.forget_ended();
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
    for (const JobId id : std::vector<JobId>(placed_.begin(), placed_.end())) {
      const auto& parts = gangs_.at(id).parts;
      const bool some =
          std::any_of(parts.begin(), parts.end(), [](const Part& p) { return p.over; });
      if (some) advance(*jobs_.find(id), now, out);
    }
  }
  while (!begins_.empty() && begins_.begin()->first <= now.wall_ms) {
    const Job& job = *jobs_.find(begins_.begin()->second);
    begins_.erase(begins_.begin());
    queue_of(job.spec).eligible.insert({job.spec.priority, job.id});
    dirty_ = true;
  }
  check_silence(now, out);
  if (HYADES_DEFECT("requeue_without_proof")) {
    for (const JobId id : std::vector<JobId>(placed_.begin(), placed_.end())) {
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
  out.batch.job_events.push_back({job, now.wall_ms, std::move(what)});
  apply(out.batch.job_events.back());
  if (HYADES_DEFECT("cancel_not_durable") && jobs_.find(job)->placed() &&
      std::holds_alternative<CancelRequested>(out.batch.job_events.back().what)) {
    out.batch.job_events.pop_back();
  }
  return *jobs_.find(job);
}

void Controller::apply(const JobEvent& event) {
  if (const Job* const before = jobs_.find(event.job)) {
    unindex(*before);
    const bool leaks = HYADES_DEFECT("leaked_cores") && std::holds_alternative<Ended>(event.what);
    if (leaks && before->placed()) cluster_.take(before->placement);
  }
  index(jobs_.replay(event));
  // Orders that leave for a node, and their first answer, change nothing that a policy looks at.
  dirty_ = dirty_ || !(std::holds_alternative<Assigned>(event.what) ||
                       std::holds_alternative<Started>(event.what) ||
                       std::holds_alternative<ScriptEnded>(event.what) ||
                       std::holds_alternative<CancelRequested>(event.what) ||
                       std::holds_alternative<RequeueRequested>(event.what));
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

void Controller::index(const Job& job) {
  index_gang(job);
  if (job.phase == JobPhase::Ended) return;
  Queue& queue = queue_of(job.spec);
  UserCounts& user = queue.users[job.spec.uid];
  ++user.queued;
  for (const Dependency& dependency : job.unmet) dependents_.insert({dependency.job, job.id});
  if (job.placed()) {
    if (!HYADES_DEFECT("early_give_back") || !job.cancel_requested) cluster_.take(job.placement);
    placed_.insert(job.id);
    if (job.spec.lease_s > 0) {
      for (const NodeShare& share : job.placement.shares) leased_[share.node].insert(job.id);
    }
    ++user.running;
    user.cores += job.placement.cores();
  } else if (!job.held && job.unmet.empty()) {
    if (job.not_before_ms > 0) {
      begins_.insert({job.not_before_ms, job.id});
    } else {
      queue.eligible.insert({job.spec.priority, job.id});
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
    placed_.erase(job.id);
    if (job.spec.lease_s > 0) {
      for (const NodeShare& share : job.placement.shares) leased_[share.node].erase(job.id);
    }
    --user.running;
    user.cores -= job.placement.cores();
  } else {
    queue.eligible.erase({job.spec.priority, job.id});
    begins_.erase({job.not_before_ms, job.id});
    reservations_.erase(job.id);
    limited_.erase(job.id);
  }
  if (--user.queued == 0) queue.users.erase(found);
}

void Controller::set_queues(const ClusterConfig& config) {
  std::vector<std::unique_ptr<Queue>> queues;
  for (const QueueConfig& queue : config.queues) {
    const auto old = std::find_if(queues_.begin(), queues_.end(), [&](const auto& candidate) {
      return candidate && candidate->config.name == queue.name;
    });
    queues.push_back(old == queues_.end() ? std::make_unique<Queue>() : std::move(*old));
    queues.back()->config = queue;
  }
  queues_ = std::move(queues);
  std::stable_sort(queues_.begin(), queues_.end(), [](const auto& a, const auto& b) {
    return a->config.priority > b->config.priority;
  });
  dirty_ = true;
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
    HYADES_ASSERT(placed_.contains(id) == job.placed());
    HYADES_ASSERT(gangs_.contains(id) == job.placed());
    const Queue* const queue = find_queue(job.spec.queue);
    HYADES_ASSERT(job.phase == JobPhase::Ended || queue != nullptr);
    if (job.phase != JobPhase::Pending) continue;
    const bool waits = job.held || !job.unmet.empty();
    const bool listed = queue->eligible.contains({job.spec.priority, id}) ||
                        begins_.contains({job.not_before_ms, id});
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
