// What clients ask for.
#include <algorithm>
#include <functional>

#include "core/controller.hpp"
#include "core/nearest_word.hpp"
#include "core/units.hpp"

namespace hyades {

namespace {

std::string quoted(const std::string& text) { return "'" + text + "'"; }

// Of names that nobody has heard of: which ones there are.
std::string other_classes(const std::string& name, const std::vector<std::string>& names) {
  const std::string nearest = nearest_word(name, names);
  if (!nearest.empty()) return "did you mean " + quoted(nearest) + "?";
  std::string text = "a [[class]] of the configuration makes one; there are:";
  for (const std::string& other : names) text += ' ' + other;
  return text;
}

std::string job_name(JobId job) { return "job " + std::to_string(job); }

// The first thing asked for without which the job would fit, for people; "" when it is several
// things together.
std::string what_is_missing(const JobSpec& spec, const std::function<bool(const JobSpec&)>& holds) {
  JobSpec less = spec;
  const auto would_fit_without = [&](auto forget) {
    less = spec;
    forget(less);
    return holds(less);
  };
  if (would_fit_without([](JobSpec& job) { job.node_list.clear(); })) {
    return ": the nodes that it names are not enough, or not this queue's";
  }
  if (would_fit_without([](JobSpec& job) { job.exclude.clear(); })) {
    return ": the nodes that it excludes would be needed";
  }
  if (would_fit_without([](JobSpec& job) { job.features.clear(); })) {
    std::string names;
    for (const std::string& feature : spec.features) names += ' ' + feature;
    return ": not enough nodes with" + names;
  }
  for (const DeviceCount& device : spec.devices_per_node) {
    if (would_fit_without([&](JobSpec& job) {
          std::erase_if(job.devices_per_node, [&](const auto& d) { return d.kind == device.kind; });
        })) {
      return ": not enough nodes with " + std::to_string(device.count) + ' ' + device.kind;
    }
  }
  if (would_fit_without(
          [](JobSpec& job) { job.memory_per_node_mib = job.memory_per_cpu_mib = 0; })) {
    return ": not enough nodes with the memory that it asks for";
  }
  if (would_fit_without([](JobSpec& job) { job.nodes = 0; })) {
    return ": not " + std::to_string(spec.nodes) + " nodes for it";
  }
  return ": " + std::to_string(spec.tasks) + " task(s) of " + std::to_string(spec.cpus_per_task) +
         " core(s)" + (spec.nodes > 0 ? " on " + std::to_string(spec.nodes) + " node(s)" : "");
}

}  // namespace

void Controller::answer(const Request& request, ErrorCode error, std::string message,
                        Step& out) const {
  out.replies.push_back({request.id, error, std::move(message), 0});
}

// The live job, if the caller may act on it; else the error is answered and nullptr returned.
const Job* Controller::find_for(const Request& request, JobId id, Step& out) const {
  const Job* const job = jobs_.find(id);
  if (job == nullptr || job->phase == JobPhase::Ended) {
    if (job != nullptr || archive_.find_ended(id)) {
      answer(request, ErrorCode::Conflict, job_name(id) + " has already ended", out);
    } else {
      answer(request, ErrorCode::NotFound, "there is no " + job_name(id), out);
    }
    return nullptr;
  }
  if (request.caller.role == Role::User && job->spec.uid != request.caller.uid) {
    answer(request, ErrorCode::Denied,
           job_name(id) + " belongs to " + job->spec.user + ", not to " + request.caller.user, out);
    return nullptr;
  }
  return job;
}

// ---- submission -------------------------------------------------------------------------------

// Fills in what the caller and the queue decide, then checks everything.
Controller::Refusal Controller::complete_and_check(const SubmitRequest& submit,
                                                   const Caller& caller, JobSpec& spec,
                                                   std::vector<Dependency>& met) const {
  spec.uid = caller.uid;
  spec.gid = caller.gid;
  spec.user = caller.user;
  if (spec.queue.empty()) spec.queue = config_->queues.front().name;
  Refusal refusal = check_submission(spec, caller);
  if (refusal.error == ErrorCode::None && submit.payload != nullptr) {
    std::string bad = check_payload(*submit.payload);
    if (!bad.empty()) refusal = {ErrorCode::Invalid, std::move(bad)};
  }
  if (refusal.error == ErrorCode::None) refusal = check_dependencies(spec, met);
  if (refusal.error != ErrorCode::None) return refusal;
  const QueueConfig& queue = find_queue(spec.queue)->config;
  if (spec.time_limit_s == 0) spec.time_limit_s = queue.default_time_s;
  if (spec.lease_s == 0) spec.lease_s = queue.lease_s;
  if (spec.elastic == 0 && queue.elastic) spec.elastic = Limits::count_max;
  if (spec.power_margin == 0) spec.power_margin = queue.power_margin;
  if (spec.work_class.empty()) {
    spec.work_class = queue.work_class;
  } else if (find_work_class(*config_, spec.work_class) == nullptr) {
    return {ErrorCode::Invalid, "there is no class " + quoted(spec.work_class) + "; " +
                                    other_classes(spec.work_class, work_class_names(*config_))};
  }
  return refusal;
}

void Controller::on(const Request& request, const SubmitRequest& what, const Now& now, Step& out) {
  JobSpec spec = what.spec;
  std::vector<Dependency> met;
  Refusal refusal = complete_and_check(what, request.caller, spec, met);
  if (refusal.error != ErrorCode::None) {
    answer(request, refusal.error, std::move(refusal.message), out);
    return;
  }
  const JobId id = next_job_++;
  out.batch.new_jobs.push_back({id, spec.uid, what.token, what.payload});
  record(id, Submitted{std::move(spec)}, now, out);
  for (const Dependency& dependency : met) {
    record(id, DependencySettled{dependency, true}, now, out);
  }
  out.replies.push_back({request.id, ErrorCode::None, "", id});
}

Controller::Trial Controller::try_submission(const SubmitRequest& submit, const Caller& caller,
                                             const Now& now) const {
  Job job{.id = next_job_, .spec = submit.spec};
  std::vector<Dependency> met;
  const Refusal refusal = complete_and_check(submit, caller, job.spec, met);
  if (refusal.error != ErrorCode::None) return {refusal.error, refusal.message, 0};
  if (job.spec.hold) return {ErrorCode::None, "would be held until it is released", 0};
  if (met.size() < job.spec.dependencies.size()) {
    return {ErrorCode::None, "would wait for the jobs it depends on", 0};
  }
  if (job.spec.begin_ms > now.wall_ms) {
    return {ErrorCode::None, "would wait for its begin time", job.spec.begin_ms};
  }
  const Decision decision = decide_with(job, now);
  for (const Start& start : decision.starts) {
    if (start.job == job.id) return {ErrorCode::None, "would start at once", now.wall_ms};
  }
  for (const Reservation& reservation : decision.reservations) {
    if (reservation.job == job.id) {
      return {ErrorCode::None, "would be first in its queue", reservation.start_ms};
    }
  }
  const std::size_t ahead = find_queue(job.spec.queue)->eligible.size();
  return {ErrorCode::None, "would wait behind " + std::to_string(ahead) + " jobs", 0};
}

// As if the job had been submitted last.
Decision Controller::decide_with(Job& job, const Now& now) const {
  job.submitted_ms = now.wall_ms;
  const Queue& its = *find_queue(job.spec.queue);
  WaitingList list = its.eligible;
  list.insert(waiting(its, job));
  return plan_with(its, list, now);
}

// As if these jobs waited in the queue, and nothing else were different.
Decision Controller::plan_with(const Queue& queue, const WaitingList& waiting,
                               const Now& now) const {
  std::vector<QueueView> views;
  for (const auto& each : queues_) {
    views.push_back(view_of(*each, each.get() == &queue ? waiting : each->eligible));
  }
  return policy_.plan(views, cluster_view(), now.wall_ms);
}

Controller::Refusal Controller::check_submission(const JobSpec& spec, const Caller& caller) const {
  if (std::string bad = check_spec(spec); !bad.empty()) return {ErrorCode::Invalid, bad};
  const Queue* const queue = find_queue(spec.queue);
  if (queue == nullptr) {
    std::string names;
    for (const QueueConfig& known : config_->queues) names += ' ' + known.name;
    return {ErrorCode::Invalid, "there is no queue " + quoted(spec.queue) + "; queues:" + names};
  }
  if (!queue->config.enabled) {
    return {ErrorCode::Invalid, "queue " + quoted(spec.queue) + " takes no new jobs"};
  }
  if (spec.priority > 0 && caller.role == Role::User) {
    return {ErrorCode::Denied, "only an operator may raise a job's priority above 0"};
  }
  if (Refusal refusal = check_limits(spec, queue->config); refusal.error != ErrorCode::None) {
    return refusal;
  }
  if (std::string why = never_fits(spec); !why.empty()) return {ErrorCode::Invalid, why};
  return {};
}

Controller::Refusal Controller::check_limits(const JobSpec& spec, const QueueConfig& queue) const {
  const auto refuse = [&](const char* what, const std::string& asked, const std::string& limit) {
    return Refusal{ErrorCode::LimitReached, "queue " + quoted(queue.name) + " allows " + what +
                                                " up to " + limit + "; this would be " + asked};
  };
  const auto over = [&](const char* what, std::int64_t asked, std::int64_t limit) {
    return refuse(what, std::to_string(asked), std::to_string(limit));
  };
  if (queue.max_time_s > 0 && spec.time_limit_s > queue.max_time_s) {
    return refuse("a time limit", format_duration(spec.time_limit_s),
                  format_duration(queue.max_time_s));
  }
  if (queue.max_nodes_per_job > 0 && spec.nodes > queue.max_nodes_per_job) {
    return over("nodes a job", spec.nodes, queue.max_nodes_per_job);
  }
  if (queue.max_cores_per_user > 0 &&
      std::int64_t{spec.tasks} * spec.cpus_per_task > queue.max_cores_per_user) {
    return over("cores a user", std::int64_t{spec.tasks} * spec.cpus_per_task,
                queue.max_cores_per_user);
  }
  const auto& users = find_queue(queue.name)->users;
  const auto user = users.find(spec.uid);
  const int queued = user == users.end() ? 0 : user->second.queued;
  if (queue.max_queued_per_user > 0 && queued >= queue.max_queued_per_user) {
    return over("queued jobs a user", queued + 1, queue.max_queued_per_user);
  }
  return {};
}

// Why the whole queue could not hold the job even if nothing ran; "" when it could, or when not
// all of its nodes are known yet.
std::string Controller::never_fits(const JobSpec& spec) const {
  const Queue& queue = *find_queue(spec.queue);
  const std::vector<char>& members = members_of(queue);
  const auto holds = [&](const JobSpec& part) {
    return !place(part, cluster_.nodes(), cluster_.whole(), members).empty();
  };
  const bool has_nodes = std::find(members.begin(), members.end(), 1) != members.end();
  if (queue.some_are_unknown || !has_nodes || holds(spec)) return "";
  int most_cores = 0;
  MiB most_memory = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Inventory& inventory = cluster_.nodes()[i].inventory;
    if (!members[i]) continue;
    most_cores = std::max(most_cores, inventory.cores);
    most_memory = std::max(most_memory, inventory.memory_mib);
  }
  return "no set of nodes of queue " + quoted(spec.queue) + " can ever hold this job" +
         what_is_missing(spec, holds) + "; its largest node has " + std::to_string(most_cores) +
         " cores and " + format_memory(most_memory) + " (hinfo -N shows them all)";
}

Controller::Refusal Controller::check_dependencies(const JobSpec& spec,
                                                   std::vector<Dependency>& met) const {
  for (const Dependency& dependency : spec.dependencies) {
    const Job* const target = jobs_.find(dependency.job);
    if (target != nullptr && target->phase != JobPhase::Ended) {
      const bool has_started = target->started_ms != 0 || target->restarts > 0;
      if (dependency.kind == DependencyKind::After && has_started) {
        met.push_back(dependency);
      }
      continue;
    }
    const auto ended = target != nullptr ? std::optional<EndedJob>({target->outcome, false})
                                         : archive_.find_ended(dependency.job);
    const std::string name =
        std::string(to_string(dependency.kind)) + ":" + std::to_string(dependency.job);
    if (!ended) {
      return {ErrorCode::NotFound,
              "dependency " + name + ": there is no " + job_name(dependency.job)};
    }
    if (!dependency_met(dependency.kind, ended->outcome)) {
      return {ErrorCode::Conflict, "dependency " + name +
                                       " can never be met: " + job_name(dependency.job) +
                                       " ended " + std::string(to_string(ended->outcome))};
    }
    met.push_back(dependency);
  }
  return {};
}

// ---- actions on jobs --------------------------------------------------------------------------

void Controller::on(const Request& request, const CancelRequest& what, const Now& now, Step& out) {
  const Job* const job = find_for(request, what.job, out);
  if (job == nullptr) return;
  if (!job->cancel_requested) {
    record(what.job, CancelRequested{request.caller.user}, now, out);
    if (job->phase == JobPhase::Pending) {
      end_job(what.job, {.outcome = Outcome::Cancelled, .usage = {}, .reason = job->reason}, now,
              out);
    } else {
      send_orders(*job, now, out);
    }
  }
  answer(request, ErrorCode::None, "", out);
}

void Controller::on(const Request& request, const SignalRequest& what, const Now&, Step& out) {
  const Job* const job = find_for(request, what.job, out);
  if (job == nullptr) return;
  if (what.signal < 1 || what.signal > 64) {
    answer(request, ErrorCode::Invalid,
           "signal " + std::to_string(what.signal) + " does not exist; use 1 to 64", out);
  } else if (job->phase != JobPhase::Running) {
    answer(request, ErrorCode::Conflict, job_name(what.job) + " is not running", out);
  } else if (gangs_.at(job->id).parts[0].over) {
    answer(request, ErrorCode::Conflict, job_name(what.job) + " is ending: its script is over",
           out);
  } else if (fate_unknown(*job)) {
    answer(request, ErrorCode::Unavailable,
           "a node of it does not respond (" + job->placement.node_names() + "); nothing was sent",
           out);
  } else {
    const Node* const node = cluster_.find(job->placement.shares.front().node);
    out.outgoing.push_back(
        {node->peer, {epoch_, SignalOrder{job->key, what.signal, what.batch_only}}});
    answer(request, ErrorCode::None, "", out);
  }
}

void Controller::on(const Request& request, const HoldRequest& what, const Now& now, Step& out) {
  const Job* const job = find_for(request, what.job, out);
  if (job == nullptr) return;
  if (job->phase != JobPhase::Pending) {
    answer(request, ErrorCode::Conflict,
           job_name(what.job) + " has started; only a waiting job can be held", out);
    return;
  }
  const bool by_admin = request.caller.role != Role::User && request.caller.uid != job->spec.uid;
  if (!job->held || by_admin != job->held_by_admin) {
    record(what.job, HoldChanged{true, by_admin || job->held_by_admin, request.caller.user}, now,
           out);
  }
  answer(request, ErrorCode::None, "", out);
}

void Controller::on(const Request& request, const ReleaseRequest& what, const Now& now, Step& out) {
  const Job* const job = find_for(request, what.job, out);
  if (job == nullptr) return;
  if (job->held_by_admin && request.caller.role == Role::User) {
    answer(request, ErrorCode::Denied,
           job_name(what.job) + " was held by an operator, who alone can release it", out);
    return;
  }
  if (job->held) record(what.job, HoldChanged{false, false, request.caller.user}, now, out);
  answer(request, ErrorCode::None, "", out);
}

void Controller::on(const Request& request, const RequeueRequest& what, const Now& now, Step& out) {
  const Job* const job = find_for(request, what.job, out);
  if (job == nullptr) return;
  if (!job->placed()) {
    answer(request, ErrorCode::Conflict, job_name(what.job) + " is waiting already", out);
    return;
  }
  if (!job->spec.requeue) {
    answer(request, ErrorCode::Conflict,
           job_name(what.job) + " was submitted with --no-requeue: it may start only once", out);
    return;
  }
  if (!job->requeue_requested) {
    record(what.job, RequeueRequested{request.caller.user}, now, out);
    send_orders(*job, now, out);
  }
  answer(request, ErrorCode::None, "", out);
}

// ---- actions on nodes and the whole -----------------------------------------------------------

void Controller::on(const Request& request, const DrainRequest& what, const Now& now, Step& out) {
  if (request.caller.role == Role::User) {
    answer(request, ErrorCode::Denied, "only an operator may drain a node", out);
  } else if (cluster_.find(what.node) == nullptr) {
    answer(request, ErrorCode::NotFound, "there is no node " + quoted(what.node), out);
  } else if (!is_printable_utf8(what.reason) || what.reason.empty()) {
    answer(request, ErrorCode::Invalid, "a drained node needs a printable reason", out);
  } else {
    drain_node(what.node, what.reason, request.caller.user, now, out);
    answer(request, ErrorCode::None, "", out);
  }
}

void Controller::on(const Request& request, const ResumeRequest& what, const Now& now, Step& out) {
  const Node* const node = cluster_.find(what.node);
  if (request.caller.role == Role::User) {
    answer(request, ErrorCode::Denied, "only an operator may resume a node", out);
  } else if (node == nullptr) {
    answer(request, ErrorCode::NotFound, "there is no node " + quoted(what.node), out);
  } else {
    if (node->drained) {
      out.batch.node_events.push_back({what.node, now.wall_ms, NodeResumed{request.caller.user}});
      apply(out.batch.node_events.back());
    }
    answer(request, ErrorCode::None, "", out);
  }
}

void Controller::on(const Request& request, const ConfirmDeadRequest& what, const Now& now,
                    Step& out) {
  const Node* const node = cluster_.find(what.node);
  if (request.caller.role == Role::User) {
    answer(request, ErrorCode::Denied, "only an operator may confirm that a node is dead", out);
  } else if (node == nullptr) {
    answer(request, ErrorCode::NotFound, "there is no node " + quoted(what.node), out);
  } else if (node->responding) {
    answer(request, ErrorCode::Conflict,
           "node " + quoted(what.node) + " responds: it is not dead; cancel its jobs, or drain it",
           out);
  } else {
    declare_dead(what.node, next_sequence_, "confirmed by " + request.caller.user, now, out);
    answer(request, ErrorCode::None, "", out);
  }
}

void Controller::on(const Request& request, const ProfileNodeRequest& what, const Now& now,
                    Step& out) {
  const std::string wrong = what.profile ? check_profile(*what.profile) : "";
  if (request.caller.role == Role::User) {
    answer(request, ErrorCode::Denied, "only an operator may say what a node can do", out);
  } else if (cluster_.find(what.node) == nullptr) {
    answer(request, ErrorCode::NotFound, "there is no node " + quoted(what.node), out);
  } else if (!wrong.empty()) {
    answer(request, ErrorCode::Invalid, wrong, out);
  } else {
    out.batch.node_events.push_back(
        {what.node, now.wall_ms, NodeProfiled{what.profile, request.caller.user}});
    apply(out.batch.node_events.back());
    answer(request, ErrorCode::None, "", out);
  }
}

void Controller::on(const Request& request, const ReloadRequest& what, const Now& now, Step& out) {
  if (request.caller.role != Role::Admin) {
    answer(request, ErrorCode::Denied, "only an admin may load a configuration", out);
    return;
  }
  for (const auto& queue : queues_) {
    const auto& names = what.config->queues;
    const bool stays = std::any_of(names.begin(), names.end(), [&](const QueueConfig& config) {
      return config.name == queue->config.name;
    });
    if (!stays && !queue->users.empty()) {
      answer(request, ErrorCode::Conflict,
             "queue " + quoted(queue->config.name) +
                 " still has jobs; set `enabled = false` and take it out when they have ended",
             out);
      return;
    }
  }
  config_ = what.config;
  set_queues(*config_);
  for (Node& node : cluster_.nodes()) {
    if (node.responding && node.peer != 0) welcome(node, node.echo_ms, now, out);
  }
  answer(request, ErrorCode::None, "", out);
}

}  // namespace hyades
