#include "master/front_door.hpp"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_map>

#include "core/controller.hpp"
#include "master/config_render.hpp"
#include "master/job_info.hpp"
#include "wire/codec.hpp"

namespace hyades {

namespace {

constexpr std::size_t kJobsAtMost = 10'000;
constexpr int kFilterWordsAtMost = 1'000;  // every job is compared with each

template <typename List, typename Value>
bool holds(const List& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

template <typename List, typename Value>
bool admits(const List& list, const Value& value) {
  return list.empty() || holds(list, value);
}

bool is_on(const Job& job, const pb::ListJobs& filter) {
  const auto& shares = job.placement.shares;
  return filter.nodes().empty() ||
         std::any_of(shares.begin(), shares.end(),
                     [&](const auto& share) { return holds(filter.nodes(), share.node); });
}

// By everything but its id: who asks for ids gets those looked up.
bool wanted(const pb::ListJobs& filter, const Job& job, std::string_view state) {
  return admits(filter.users(), job.spec.user) && admits(filter.queues(), job.spec.queue) &&
         admits(filter.names(), job.spec.name) && admits(filter.states(), std::string(state)) &&
         is_on(job, filter);
}

}  // namespace

FrontDoor::FrontDoor(ClientServer& server, SqliteStore& store, Clock& clock, MasterFacts facts,
                     LoadConfig load_config)
    : server_(server),
      store_(store),
      clock_(clock),
      facts_(std::move(facts)),
      load_config_(std::move(load_config)),
      history_(store) {}

// ---- Door -------------------------------------------------------------------------------------

void FrontDoor::poll(std::vector<Request>& out) {
  const Now now = clock_.now();
  arrived_.clear();
  server_.poll(arrived_, now.boot_ms);
  for (const RequestId id : server_.take_closed()) waiters_.erase(id);
  for (const ClientRequest& request : arrived_) take(request, out);
  answer_about_models(now.wall_ms);
  expire_waiters(now.boot_ms);
}

void FrontDoor::reply(const Reply& reply) {
  pb::ClientReply message;
  message.set_error(std::string(to_string(reply.error)));
  message.set_message(reply.message);
  message.set_job(reply.job);
  add_note(reply.id, reply.error, message);
  server_.reply(reply.id, message);
}

void FrontDoor::committed(const Batch& batch) {
  ++commits_;
  history_.note(batch);
  job_counts_.note(batch);
  if (waiters_.empty()) return;
  for (const JobEvent& event : batch.job_events) {
    if (!std::holds_alternative<Ended>(event.what)) continue;
    for (auto at = waiters_.begin(); at != waiters_.end();) {
      Waiter& waiter = at->second;
      const bool done = waiter.open.erase(event.job) > 0 && waiter.open.empty();
      if (done) answer_waiter(at->first, waiter);
      at = done ? waiters_.erase(at) : std::next(at);
    }
  }
}

// ---- dispatch ---------------------------------------------------------------------------------

void FrontDoor::take(const ClientRequest& request, std::vector<Request>& out) {
  if (uses_a_role(request)) server_.note(request.id);
  switch (request.what.what_case()) {
    case pb::ClientRequest::kSubmit:
      return submit(request, out);
    case pb::ClientRequest::kActOnJob:
      return act_on_job(request, out);
    case pb::ClientRequest::kActOnNode:
      return act_on_node(request, out);
    case pb::ClientRequest::kReload:
      return reload(request, out);
    case pb::ClientRequest::kListJobs:
      return list_jobs(request);
    case pb::ClientRequest::kShowEvents:
      return show_events(request);
    case pb::ClientRequest::kShowScript:
      return show_script(request);
    case pb::ClientRequest::kListNodes:
      return list_nodes(request);
    case pb::ClientRequest::kListQueues:
      return list_queues(request);
    case pb::ClientRequest::kShowStatus:
      return show_status(request);
    case pb::ClientRequest::kShowConfig:
      return show_config(request);
    case pb::ClientRequest::kShowJobTelemetry:
      return show_job_telemetry(request);
    case pb::ClientRequest::kShowNodeTelemetry:
      return show_node_telemetry(request);
    case pb::ClientRequest::kShowLayers:
      return show_layers(request);
    case pb::ClientRequest::kShowFeatures:
      return show_features(request);
    case pb::ClientRequest::kExplainJobs:
      return explain_jobs(request);
    case pb::ClientRequest::kShowDecisions:
      return show_decisions(request);
    case pb::ClientRequest::kShowModels:
      return show_models(request);
    case pb::ClientRequest::kActOnModel:
      return act_on_model(request);
    case pb::ClientRequest::kWaitJobs:
      return wait_jobs(request);
    default:
      return refuse(request.id, ErrorCode::Invalid, "this master does not know that request");
  }
}

void FrontDoor::refuse(RequestId id, ErrorCode code, const std::string& message) {
  server_.reply(id, error_reply(code, message));
}

// ---- changes ----------------------------------------------------------------------------------

void FrontDoor::submit(const ClientRequest& request, std::vector<Request>& out) {
  const pb::Submit& message = request.what.submit();
  SubmitRequest submit{.spec = {}, .payload = nullptr, .token = message.token()};
  auto payload = std::make_shared<JobPayload>();
  std::string error;
  if (!from_pb(message.spec(), submit.spec, error) ||
      !from_pb(message.payload(), *payload, error)) {
    return refuse(request.id, ErrorCode::Invalid, error);
  }
  if (submit.token.size() > 64) {
    return refuse(request.id, ErrorCode::Invalid, "the submission token is longer than 64 bytes");
  }
  // No node would start anything for them: it wants to know the name, too.
  if (request.uid != geteuid() && account_of(request.uid).empty()) {
    const std::string uid = std::to_string(request.uid);
    return refuse(request.id, ErrorCode::Denied,
                  "the master's host has no user with the uid " + uid +
                      ": ask for an account there and on the nodes");
  }
  submit.payload = std::move(payload);
  if (message.test_only()) return test_submission(request, submit);
  out.push_back({request.id, caller_of(request), std::move(submit)});
}

void FrontDoor::test_submission(const ClientRequest& request, const SubmitRequest& submit) {
  const Controller::Trial trial =
      driver_->controller().try_submission(submit, caller_of(request), clock_.now());
  if (trial.error != ErrorCode::None) return refuse(request.id, trial.error, trial.message);
  pb::ClientReply reply;
  reply.set_message(trial.message);
  reply.add_jobs()->set_expected_start_ms(trial.start_ms);
  server_.reply(request.id, reply);
}

void FrontDoor::act_on_job(const ClientRequest& request, std::vector<Request>& out) {
  const pb::ActOnJob& act = request.what.act_on_job();
  Request forward{request.id, caller_of(request), CancelRequest{act.job()}};
  switch (act.action()) {
    case pb::JOB_CANCEL:
      notes_[request.id] = {about_cancel(act.job()), std::nullopt};
      break;
    case pb::JOB_HOLD:
      forward.what = HoldRequest{act.job()};
      break;
    case pb::JOB_RELEASE:
      forward.what = ReleaseRequest{act.job()};
      break;
    case pb::JOB_REQUEUE:
      forward.what = RequeueRequest{act.job()};
      break;
    case pb::JOB_SIGNAL:
      forward.what = SignalRequest{act.job(), act.signal(), act.batch_only()};
      break;
    default:
      return refuse(request.id, ErrorCode::Invalid, "unknown action on a job");
  }
  out.push_back(std::move(forward));
}

void FrontDoor::act_on_node(const ClientRequest& request, std::vector<Request>& out) {
  const pb::ActOnNode& act = request.what.act_on_node();
  notes_[request.id] = {about_node(act), std::nullopt};
  if (act.action() == pb::NODE_DRAIN) {
    out.push_back({request.id, caller_of(request), DrainRequest{act.node(), act.reason()}});
  } else if (act.action() == pb::NODE_RESUME) {
    out.push_back({request.id, caller_of(request), ResumeRequest{act.node()}});
  } else if (act.action() == pb::NODE_CONFIRM_DEAD) {
    out.push_back({request.id, caller_of(request), ConfirmDeadRequest{act.node()}});
  } else if (act.action() == pb::NODE_PROFILE) {
    NodeProfile profile;
    std::string error;
    if (!from_pb(act.profile(), profile, error)) {
      notes_.erase(request.id);
      return refuse(request.id, ErrorCode::Invalid, error);
    }
    out.push_back({request.id, caller_of(request), ProfileNodeRequest{act.node(), profile}});
  } else if (act.action() == pb::NODE_FORGET_PROFILE) {
    out.push_back({request.id, caller_of(request), ProfileNodeRequest{act.node(), {}}});
  } else {
    notes_.erase(request.id);
    refuse(request.id, ErrorCode::Invalid, "unknown action on a node");
  }
}

// ---- questions --------------------------------------------------------------------------------

void FrontDoor::list_jobs(const ClientRequest& request) {
  pb::ClientReply reply;
  const pb::ListJobs& filter = request.what.list_jobs();
  if (filter.users_size() + filter.queues_size() + filter.names_size() + filter.states_size() +
          filter.nodes_size() >
      kFilterWordsAtMost) {
    return refuse(request.id, ErrorCode::Invalid,
                  "a list may be narrowed by " + std::to_string(kFilterWordsAtMost) +
                      " users, queues, names, states and nodes at most");
  }
  if (filter.live()) add_live_jobs(request, reply);
  if (filter.ended()) add_stored_jobs(request, reply);
  server_.reply(request.id, reply);
}

void FrontDoor::add_live_jobs(const ClientRequest& request, pb::ClientReply& reply) {
  const pb::ListJobs& filter = request.what.list_jobs();
  const Controller& controller = driver_->controller();
  std::vector<const Job*> chosen;
  const auto consider = [&](const Job& job) {
    if (wanted(filter, job, state_words(controller, job).name)) chosen.push_back(&job);
  };
  if (filter.ids_size() > 0) {
    for (const JobId id : std::set<JobId>(filter.ids().begin(), filter.ids().end())) {
      if (const Job* const job = controller.jobs().find(id)) consider(*job);
    }
  } else {
    for (const auto& [id, job] : controller.jobs().all()) consider(job);
  }
  const std::size_t limit = filter.limit() == 0 ? kJobsAtMost : filter.limit();
  const std::size_t skipped = chosen.size() - std::min(chosen.size(), limit);
  reply.set_truncated(skipped > 0);
  const Now now = clock_.now();
  const Caller caller = caller_of(request);
  for (auto job = chosen.begin() + static_cast<std::ptrdiff_t>(skipped); job != chosen.end();
       ++job) {
    pb::JobInfo& info = *reply.add_jobs();
    fill_job_info(controller, **job, now, info);
    hide_reason(caller, info);
    if (filter.ids_size() > 0 && may_see_details(request, (*job)->spec.uid)) add_details(info);
  }
}

// Paths and the command line are in the store only.
void FrontDoor::add_details(pb::JobInfo& info) {
  const auto stored = store_.list_jobs({.ids = {info.id()}, .details = true});
  if (stored.empty()) return;
  info.set_working_directory(stored.front().working_directory);
  info.set_stdout_path(stored.front().stdout_path);
  info.set_command_line(stored.front().command_line);
  info.set_comment(stored.front().comment);
}

void FrontDoor::add_stored_jobs(const ClientRequest& request, pb::ClientReply& reply) {
  const pb::ListJobs& filter = request.what.list_jobs();
  JobQuery query{
      .ids = {filter.ids().begin(), filter.ids().end()},
      .users = {filter.users().begin(), filter.users().end()},
      .queues = {filter.queues().begin(), filter.queues().end()},
      .states = {filter.states().begin(), filter.states().end()},
      .names = {filter.names().begin(), filter.names().end()},
      .nodes = {filter.nodes().begin(), filter.nodes().end()},
      .ended_only = true,
      .since_ms = filter.since_ms(),
      .until_ms = filter.until_ms(),
      .limit = std::min<std::size_t>(filter.limit() == 0 ? kJobsAtMost : filter.limit(), 100'000),
      .details = filter.ids_size() > 0,
      .full_usage = filter.full_usage()};
  std::vector<StoredJob> jobs = store_.list_jobs(query);
  reply.set_truncated(reply.truncated() || jobs.size() == query.limit);
  std::reverse(jobs.begin(), jobs.end());  // people read downwards in time
  const Caller caller = caller_of(request);
  for (const StoredJob& job : jobs) {
    pb::JobInfo& info = *reply.add_jobs();
    fill_job_info(job, info);
    hide_reason(caller, info);
    if (!query.details || !may_see_details(request, job.spec.uid)) continue;
    info.set_working_directory(job.working_directory);
    info.set_stdout_path(job.stdout_path);
    info.set_command_line(job.command_line);
    info.set_comment(job.comment);
  }
}

void FrontDoor::show_events(const ClientRequest& request) {
  const JobId job = request.what.show_events().job();
  const auto owner = store_.owner(job);
  if (!owner) {
    return refuse(request.id, ErrorCode::NotFound, "there is no job " + std::to_string(job));
  }
  if (!may_see_reasons(caller_of(request), *owner)) {
    return refuse(request.id, ErrorCode::Denied,
                  "only its owner may see the history of job " + std::to_string(job));
  }
  const std::vector<StoredEvent> events = store_.events(job);
  pb::ClientReply reply;
  for (const StoredEvent& event : events) {
    pb::EventInfo& info = *reply.add_events();
    info.set_job(event.job);
    info.set_at_ms(event.at_ms);
    info.set_kind(event.kind);
    info.set_detail(event.detail);
  }
  server_.reply(request.id, reply);
}

void FrontDoor::show_script(const ClientRequest& request) {
  const JobId job = request.what.show_script().job();
  const auto owner = store_.owner(job);
  if (!owner) {
    return refuse(request.id, ErrorCode::NotFound, "there is no job " + std::to_string(job));
  }
  if (!may_see_details(request, *owner)) {
    return refuse(request.id, ErrorCode::Denied,
                  "only its owner may see the script of job " + std::to_string(job));
  }
  const auto payload = store_.load_payload(job);
  if (!payload) return refuse(request.id, ErrorCode::Unavailable, store_.last_error());
  pb::ClientReply reply;
  reply.set_script(payload->script);
  server_.reply(request.id, reply);
}

void FrontDoor::list_nodes(const ClientRequest& request) {
  pb::ClientReply reply;
  const Now now = clock_.now();
  const Controller& controller = driver_->controller();
  std::unordered_map<std::string_view, std::string_view> groups;
  for (const NodeConfig& node : controller.config().nodes) {
    if (!node.group.empty()) groups[node.name] = node.group;
  }
  for (const Node& node : controller.cluster().nodes()) {
    pb::NodeInfo& info = *reply.add_nodes();
    fill_node_info(controller, node, now, info);
    const auto its = groups.find(node.name);
    if (its != groups.end()) info.set_group(std::string(its->second));
  }
  server_.reply(request.id, reply);
}

void FrontDoor::list_queues(const ClientRequest& request) {
  pb::ClientReply reply;
  const Controller& controller = driver_->controller();
  const auto& queues = controller.config().queues;
  for (const QueueConfig& queue : queues) {
    fill_queue_info(controller, queue, &queue == &queues.front(), *reply.add_queues());
  }
  server_.reply(request.id, reply);
}

void FrontDoor::show_status(const ClientRequest& request) {
  pb::ClientReply reply;
  const Controller& controller = driver_->controller();
  pb::StatusInfo& status = *reply.mutable_status();
  status.set_cluster(controller.config().name);
  status.set_version(facts_.version);
  status.set_epoch(controller.epoch());
  status.set_master_pid(getpid());
  status.set_started_ms(facts_.started_ms);
  status.set_degraded(driver_->degraded());
  status.set_state_directory(facts_.state_directory);
  status.set_commits(commits_);
  status.set_turns(turns_);
  int running = 0;
  for (const auto& [id, job] : controller.jobs().all()) {
    running += job.placed() ? 1 : 0;
    if (controller.fate_unknown(job)) status.add_unknown_jobs(id);
  }
  status.set_running(running);
  status.set_pending(static_cast<int>(controller.jobs().size()) - running);
  status.set_nodes(static_cast<int>(controller.cluster().nodes().size()));
  int responding = 0;
  for (const Node& node : controller.cluster().nodes()) {
    responding += node.responding ? 1 : 0;
    if (!node.responding && !node.drained) status.add_silent_nodes(node.name);
  }
  status.set_nodes_responding(responding);
  add_learned(status);
  server_.reply(request.id, reply);
}

void FrontDoor::show_config(const ClientRequest& request) {
  pb::ClientReply reply;
  reply.set_config(render_config(driver_->controller().config()) + render_late(facts_.next_start));
  server_.reply(request.id, reply);
}

// ---- waiting ----------------------------------------------------------------------------------

void FrontDoor::wait_jobs(const ClientRequest& request) {
  const pb::WaitJobs& wait = request.what.wait_jobs();
  Waiter waiter{.caller = caller_of(request)};
  waiter.jobs.assign(wait.ids().begin(), wait.ids().end());
  for (const JobId id : waiter.jobs) {
    if (driver_->controller().jobs().find(id) != nullptr) {
      waiter.open.insert(id);
    } else if (!store_.find_ended(id)) {
      return refuse(request.id, ErrorCode::NotFound, "there is no job " + std::to_string(id));
    }
  }
  if (waiter.open.empty()) return answer_waiter(request.id, waiter);
  if (wait.timeout_ms() > 0) waiter.give_up_ms = clock_.now().boot_ms + wait.timeout_ms();
  waiters_[request.id] = std::move(waiter);
}

void FrontDoor::answer_waiter(RequestId id, const Waiter& waiter) {
  pb::ClientReply reply;
  const Controller& controller = driver_->controller();
  const Now now = clock_.now();
  for (const JobId job : waiter.jobs) {
    if (waiter.open.contains(job)) {
      if (const Job* const live = controller.jobs().find(job)) {
        fill_job_info(controller, *live, now, *reply.add_jobs());
        hide_reason(waiter.caller, *reply.mutable_jobs()->rbegin());
      }
      continue;
    }
    for (const StoredJob& stored : store_.list_jobs({.ids = {job}})) {
      fill_job_info(stored, *reply.add_jobs());
      hide_reason(waiter.caller, *reply.mutable_jobs()->rbegin());
    }
  }
  server_.reply(id, reply);
}

void FrontDoor::expire_waiters(BootMs now) {
  for (auto at = waiters_.begin(); at != waiters_.end();) {
    const bool expired = at->second.give_up_ms != 0 && at->second.give_up_ms <= now;
    if (expired) answer_waiter(at->first, at->second);
    at = expired ? waiters_.erase(at) : std::next(at);
  }
}

}  // namespace hyades
