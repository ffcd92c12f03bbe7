#include "sim/sim_clients.hpp"

#include <algorithm>

#include "sim/sim_clock.hpp"

namespace hyades {

SimClients::SimClients(SimContext& context, std::function<bool(const Request&)> knock)
    : context_(context), knock_(std::move(knock)), random_(context.random.split()) {}

Caller SimClients::user(std::uint32_t uid) const {
  Caller caller;
  caller.uid = caller.gid = uid;
  caller.user = "user" + std::to_string(uid);
  return caller;
}

Caller SimClients::operator_caller() const {
  Caller caller;
  caller.user = "operator";
  caller.role = Role::Operator;
  return caller;
}

WallMs SimClients::wall_ms() const { return SimClock::wall_start_ms + context_.events.now_ms(); }

void SimClients::start() {
  const SimOptions& options = context_.options;
  for (int i = 0; i < options.jobs; ++i) {
    context_.events.after(random_.between(0, options.load_ms), [this] { submit(); });
  }
  for (int i = 0; i < 4; ++i) {
    if (!random_.chance(options.meddling)) continue;
    context_.events.after(random_.between(0, options.load_ms), [this] { drain_some_node(); });
  }
}

// ---- what is asked for -------------------------------------------------------------------------

void SimClients::submit() {
  ++submissions_;
  SubmitRequest request;
  request.spec = random_spec();
  request.token = "token-" + std::to_string(submissions_);
  auto payload = std::make_shared<JobPayload>();
  payload->script = random_plan(request.spec).to_script();
  payload->environment = {"TOKEN=" + request.token};
  payload->working_directory = "/home";
  request.payload = payload;
  const Caller caller = user(1000 + static_cast<std::uint32_t>(random_.below(3)));
  context_.oracle.submit_sent(caller.uid, request.token, request.spec, *payload);
  ask_for(caller, std::move(request), 0);
}

JobSpec SimClients::random_spec() {
  const SimOptions& options = context_.options;
  JobSpec spec;
  spec.name = "job";
  ask_for_resources(spec);
  ask_for_nodes(spec);
  if (options.plain) return spec;
  if (random_.chance(100)) spec.priority = static_cast<int>(random_.between(-2, 0));
  spec.hold = random_.chance(30);
  spec.requeue = !random_.chance(options.no_requeue);
  if (random_.chance(options.leased)) spec.lease_s = static_cast<int>(random_.skewed(10, 600));
  if (random_.chance(50)) spec.begin_ms = wall_ms() + random_.between(1'000, 1'800'000);
  if (random_.chance(options.dependent)) add_dependencies(spec);
  if (random_.chance(300)) spec.queue = random_.pick(options.config->queues).name;
  if (random_.chance(options.infeasible)) spec.cpus_per_task = 100'000;
  return spec;
}

void SimClients::ask_for_resources(JobSpec& spec) {
  const SimOptions& options = context_.options;
  int most_cores = 0;
  for (const auto& node : options.nodes) {
    most_cores = std::max(most_cores, node.inventory.cores);
  }
  if (random_.chance(500)) {
    spec.cpus_per_task = static_cast<int>(random_.between(1, 2));
  } else if (random_.chance(options.large)) {
    spec.cpus_per_task = static_cast<int>(random_.between(1, most_cores));
  } else {
    spec.tasks = static_cast<int>(random_.skewed(1, most_cores));
  }
  if (random_.chance(200)) spec.memory_per_node_mib = random_.skewed(100, 20'000);
  if (spec.memory_per_node_mib == 0 && random_.chance(200)) {
    spec.memory_per_cpu_mib = random_.skewed(50, 2'000);
  }
  if (random_.chance(150)) {
    spec.devices_per_node.push_back({"gpu", static_cast<int>(random_.between(1, 2))});
  }
  spec.exclusive = random_.chance(60);
  if (random_.chance(300)) spec.elastic = static_cast<int>(random_.between(-1, most_cores));
  if (random_.chance(600)) spec.power_margin = static_cast<int>(random_.between(-1, 20));
}

void SimClients::ask_for_nodes(JobSpec& spec) {
  const auto& nodes = context_.options.nodes;
  if (random_.chance(200)) {
    spec.nodes = static_cast<int>(random_.between(1, static_cast<int>(nodes.size())));
    spec.tasks = std::max(spec.tasks, spec.nodes);
  } else if (random_.chance(100)) {
    spec.tasks = static_cast<int>(random_.between(2, 12));
    spec.tasks_per_node = static_cast<int>(random_.between(1, 3));
  }
  if (random_.chance(60)) spec.features.push_back("fast");
  if (random_.chance(40)) spec.exclude.push_back(random_.pick(nodes).name);
  if (random_.chance(40)) {
    for (const auto& node : nodes) {
      if (random_.chance(700)) spec.node_list.push_back(node.name);
    }
  }
}

void SimClients::add_dependencies(JobSpec& spec) {
  for (int i = static_cast<int>(random_.between(1, 2)); i > 0 && !acked_.empty(); --i) {
    const std::size_t back = random_.below(std::min<std::size_t>(acked_.size(), 12));
    const Dependency dependency{static_cast<DependencyKind>(random_.below(4)),
                                acked_[acked_.size() - 1 - back]};
    const auto& others = spec.dependencies;
    if (std::find(others.begin(), others.end(), dependency) == others.end()) {
      spec.dependencies.push_back(dependency);
    }
  }
}

SimJobPlan SimClients::random_plan(JobSpec& spec) {
  SimJobPlan plan;
  plan.run_ms = random_.skewed(100, context_.options.runtime_ms_max);
  if (random_.chance(200)) plan.exit_code = static_cast<int>(random_.between(1, 255));
  if (plan.exit_code == 0 && random_.chance(60)) {
    plan.signal = static_cast<int>(random_.between(1, 15));
  }
  if (!context_.options.plain && random_.chance(400))
    plan.on_term = static_cast<int>(random_.between(1, 2));
  const int run_s = static_cast<int>(plan.run_ms / 1000);
  if (random_.chance(700))
    spec.time_limit_s = 60 + run_s + static_cast<int>(random_.below(900));
  else if (random_.chance(400))
    spec.time_limit_s = 1 + run_s / 2;
  return plan;
}

void SimClients::meddle_with(JobId job, const Caller& owner) {
  const Caller who = random_.chance(300) ? operator_caller() : owner;
  const auto soon = [&](std::int64_t from_ms, decltype(Request::what) what) {
    const std::int64_t delay_ms = from_ms + random_.skewed(20, 1'200'000);
    context_.events.after(delay_ms, [this, who, what, job] { ask_for(who, what, job); });
    return delay_ms;
  };
  switch (random_.below(6)) {
    case 0:
    case 1:
      soon(0, CancelRequest{job});
      break;
    case 2:
      soon(soon(0, HoldRequest{job}), ReleaseRequest{job});
      break;
    case 3:
      soon(0, RequeueRequest{job});
      break;
    case 4:
      soon(soon(0, RequeueRequest{job}), CancelRequest{job});
      break;
    case 5:
      soon(0, SignalRequest{job, 10, random_.chance(500)});
      break;
  }
}

void SimClients::drain_some_node() {
  const std::string node = random_.pick(context_.options.nodes).name;
  ask_for(operator_caller(), DrainRequest{node, "maintenance"}, 0);
  context_.events.after(random_.skewed(10'000, 3'600'000),
                        [this, node] { ask_for(operator_caller(), ResumeRequest{node}, 0); });
}

void SimClients::confirm_dead(const std::string& node) {
  ask_for(operator_caller(), ConfirmDeadRequest{node}, 0);
}

void SimClients::rush() {
  for (const JobId job : context_.oracle.living_jobs()) {
    if (random_.chance(600))
      ask_for(operator_caller(), CancelRequest{job}, job);
    else if (random_.chance(500))
      ask_for(operator_caller(), RequeueRequest{job}, job);
  }
}

void SimClients::clean_up() {
  for (const std::string& node : context_.oracle.drained()) {
    ask_for(operator_caller(), ResumeRequest{node}, 0);
  }
  for (const JobId job : context_.oracle.held_jobs()) {
    ask_for(operator_caller(), ReleaseRequest{job}, job);
  }
  for (const JobId job : context_.oracle.misfits()) {
    ask_for(operator_caller(), CancelRequest{job}, job);
  }
}

// ---- asking, and asking again ------------------------------------------------------------------

void SimClients::ask_for(Caller caller, decltype(Request::what) what, JobId job) {
  const auto operation = std::make_shared<Operation>();
  operation->request = {0, std::move(caller), std::move(what)};
  operation->job = job;
  if (std::holds_alternative<CancelRequest>(operation->request.what)) {
    context_.oracle.cancel_sent(job);
  }
  if (std::holds_alternative<RequeueRequest>(operation->request.what)) {
    context_.oracle.requeue_sent(job);
  }
  ++waiting_;
  ask(operation);
}

void SimClients::ask(const OperationPtr& operation) {
  // Whoever has seen that a node is off says so once: later it may be on again.
  const bool once = std::holds_alternative<ConfirmDeadRequest>(operation->request.what);
  if (once && operation->tries > 0) return over(*operation);
  operation->request.id = operation->asked_as = ++last_request_;
  if (!knock_(operation->request)) {
    if (once) return over(*operation);
    return ask_again_later(operation, context_.random.between(500, 3'000));
  }
  const bool submits = std::holds_alternative<SubmitRequest>(operation->request.what);
  if (operation->tries++ > 0 && submits) context_.marks.hit(Mark::token_retried);
  asked_[operation->asked_as] = operation;
  context_.events.after(
      context_.random.skewed(3'000, 40'000), [this, operation, id = operation->asked_as] {
        if (operation->over || operation->asked_as != id) return;
        if (context_.strikes(context_.options.client_gives_up, Mark::client_gave_up)) {
          return over(*operation);
        }
        ask(operation);
      });
}

void SimClients::ask_again_later(const OperationPtr& operation, std::int64_t delay_ms) {
  context_.events.after(delay_ms, [this, operation, id = operation->asked_as] {
    if (!operation->over && operation->asked_as == id) ask(operation);
  });
}

void SimClients::over(Operation& operation) {
  if (!operation.over) --waiting_;
  operation.over = true;
}

void SimClients::answered(const Reply& reply) {
  const auto found = asked_.find(reply.id);
  if (found == asked_.end()) throw Violation("replies", "an answer to a question nobody asked");
  const OperationPtr operation = found->second;
  asked_.erase(found);
  if (context_.strikes(context_.options.reply_lost, Mark::reply_lost)) return;
  if (reply.error == ErrorCode::None) return succeeded(*operation, reply);
  if (operation->over) return;
  if (reply.error == ErrorCode::StorageFull || reply.error == ErrorCode::Unavailable) {
    context_.marks.hit(Mark::refused_storage_full);
    return ask_again_later(operation, context_.random.between(1'000, 10'000));
  }
  refused(*operation, reply);
}

void SimClients::refused(Operation& operation, const Reply& reply) {
  over(operation);
  const auto* submit = std::get_if<SubmitRequest>(&operation.request.what);
  if (!submit) return;
  if (reply.error == ErrorCode::Invalid && context_.oracle.can_ever_fit(submit->spec)) {
    throw Violation("refusal", "a job that fits was refused: " + reply.message);
  }
  context_.trace.print(context_.events.now_ms(), "refused: " + reply.message);
  if (reply.error == ErrorCode::LimitReached) context_.marks.hit(Mark::refused_limit);
  if (reply.error == ErrorCode::Invalid) context_.marks.hit(Mark::refused_infeasible);
}

void SimClients::succeeded(Operation& operation, const Reply& reply) {
  const bool first = !operation.answered;
  operation.answered = true;
  over(operation);
  const auto& what = operation.request.what;
  Marks& marks = context_.marks;
  if (const auto* submit = std::get_if<SubmitRequest>(&what)) {
    const Caller& caller = operation.request.caller;
    context_.log("acked " + submit->token + " as job " + std::to_string(reply.job));
    context_.oracle.submit_acked(caller.uid, submit->token, reply.job);
    if (!first) return marks.hit(Mark::token_answered_twice);
    acked_.push_back(reply.job);
    if (random_.chance(context_.options.meddling)) meddle_with(reply.job, caller);
    return;
  }
  if (std::holds_alternative<CancelRequest>(what)) {
    context_.log("acked cancel of job " + std::to_string(operation.job));
    context_.oracle.cancel_acked(operation.job);
  }
  if (std::holds_alternative<HoldRequest>(what)) marks.hit(Mark::hold_acked);
  if (std::holds_alternative<ReleaseRequest>(what)) marks.hit(Mark::release_acked);
  if (std::holds_alternative<RequeueRequest>(what)) {
    context_.oracle.requeue_acked(operation.job);
    marks.hit(Mark::requeue_acked);
  }
  if (std::holds_alternative<SignalRequest>(what)) marks.hit(Mark::signal_acked);
  if (std::holds_alternative<DrainRequest>(what)) marks.hit(Mark::drain_acked);
  if (std::holds_alternative<ResumeRequest>(what)) marks.hit(Mark::resume_acked);
}

}  // namespace hyades
