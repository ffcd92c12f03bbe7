#include "core/driver.hpp"

#include "core/failpoint.hpp"
#include "core/test_hooks.hpp"

namespace hyades {

namespace {
// With a full disk every turn is one failed commit and a replay: not more often than this.
constexpr BootMs kRetryFullStore_ms = 500;
}  // namespace

Driver::Driver(std::shared_ptr<const ClusterConfig> config, Epoch epoch, Clock& clock, Store& store,
               Link& link, Door& door, Policy& policy, Fence& fence)
    : config_(std::move(config)),
      epoch_(epoch),
      clock_(clock),
      store_(store),
      link_(link),
      door_(door),
      policy_(policy),
      fence_(fence) {
  rebuild();
}

void Driver::rebuild() {
  auto controller = std::make_unique<Controller>(config_, epoch_, store_, policy_);
  StoredState state;
  bool first = true;
  const auto begin = [&] {
    if (first) controller->restore(state);
    first = false;
  };
  store_.load(state, [&](const JobEvent& event) {
    begin();
    controller->restore(event);
  });
  begin();
  controller->restored();
  // Half a queue would be taken for all of it, and the rest of the jobs for strays.
  if (!store_.last_error().empty()) fatal_ = store_.last_error();
  if (controller_) controller->remember_nodes(*controller_);
  controller_ = std::move(controller);
}

Driver::Turn Driver::turn() {
  if (!fatal_.empty()) return Turn::Fatal;
  const Now now = clock_.now();
  if (!degraded_.empty() && now.boot_ms < retry_store_ms_) return Turn::Idle;

  const std::shared_ptr<const ClusterConfig> config = config_;
  Step step;
  deliveries_.clear();
  requests_.clear();
  tokens_this_turn_.clear();
  link_.poll(deliveries_);
  door_.poll(requests_);
  for (const Delivery& delivery : deliveries_) controller_->step(delivery, now, step);
  take_telemetry();
  for (const Request& request : requests_) take_request(request, now, step);
  fence_.poll(fenced_);
  for (const FenceResult& result : fenced_) controller_->step(result, now, step);
  if (step.batch.empty()) fenced_.clear();  // else once it is committed
  controller_->tick(now, step);
  if (controller_->deposed()) return Turn::Deposed;
  controller_->schedule(now, step);

  if (HYADES_DEFECT("reply_before_commit")) {
    for (const Reply& reply : step.replies) door_.reply(reply);
    step.replies.clear();
  }
  if (HYADES_DEFECT("act_before_commit")) {
    for (Outgoing& outgoing : step.outgoing) send(outgoing);
    step.outgoing.clear();
  }
  // Rests on silence, not on what is to be committed: a full disk must not keep it back.
  for (const std::string& node : step.fences) fence_.start(node);
  if (!step.batch.empty()) {
    HYADES_FAILPOINT("driver_before_commit");
    const CommitResult result = store_.commit(step.batch);
    if (result != CommitResult::Committed) {
      config_ = config;  // a reload is refused with the rest of the turn
      return commit_failed(result, step);
    }
    HYADES_FAILPOINT("driver_after_commit");
    degraded_.clear();
    fenced_.clear();
    controller_->committed();
  }
  act(step);
  const bool idle =
      deliveries_.empty() && requests_.empty() && step.batch.empty() && step.outgoing.empty();
  return idle ? Turn::Idle : Turn::Worked;
}

// Only from nodes that the controller has accepted, in this master's time.
void Driver::take_telemetry() {
  if (telemetry_ == nullptr) return;
  for (const Delivery& delivery : deliveries_) {
    const auto* report = std::get_if<TelemetryReport>(&delivery.message.body);
    if (report == nullptr || delivery.message.epoch != epoch_) continue;
    if (const Node* node = controller_->node_of(delivery.from))
      telemetry_->take(node->name, *report);
  }
}

void Driver::take_request(const Request& request, const Now& now, Step& step) {
  const auto* submit = std::get_if<SubmitRequest>(&request.what);
  if (submit == nullptr || submit->token.empty() || HYADES_DEFECT("ignore_token")) {
    controller_->step(request, now, step);
    if (const auto* reload = std::get_if<ReloadRequest>(&request.what)) {
      if (step.replies.back().error == ErrorCode::None) config_ = reload->config;
    }
    return;
  }
  const std::pair<std::uint32_t, std::string> token{request.caller.uid, submit->token};
  std::optional<JobId> job = store_.find_token(token.first, token.second);
  if (const auto found = tokens_this_turn_.find(token); found != tokens_this_turn_.end()) {
    job = found->second;
  }
  if (job) {
    step.replies.push_back({request.id, ErrorCode::None, "", *job});
    return;
  }
  controller_->step(request, now, step);
  if (step.replies.back().job != 0) tokens_this_turn_[token] = step.replies.back().job;
}

// Nothing of the turn is stored. What the controller believes is therefore wrong: it is rebuilt.
// Nodes and clients are told nothing of what did not happen; nodes repeat what matters.
Driver::Turn Driver::commit_failed(CommitResult result, Step& step) {
  if (result == CommitResult::Failed) {
    fatal_ = store_.last_error();
    return Turn::Fatal;
  }
  degraded_ = store_.last_error();
  rebuild();
  if (!fatal_.empty()) return Turn::Fatal;
  retry_store_ms_ = clock_.now().boot_ms + kRetryFullStore_ms;
  for (Reply& reply : step.replies) {
    if (reply.error == ErrorCode::None) {
      reply = {reply.id, ErrorCode::StorageFull, degraded_, 0};
    }
    door_.reply(reply);
  }
  return Turn::Worked;
}

void Driver::act(Step& step) {
  if (!step.batch.empty()) door_.committed(step.batch);
  for (const Reply& reply : step.replies) {
    HYADES_FAILPOINT("driver_before_reply");
    door_.reply(reply);
  }
  for (Outgoing& outgoing : step.outgoing) {
    HYADES_FAILPOINT("driver_before_send");
    send(outgoing);
  }
}

void Driver::send(Outgoing& outgoing) {
  if (auto* order = std::get_if<LaunchOrder>(&outgoing.message.body)) {
    if (!controller_->complete(*order)) return;
    auto payload = store_.load_payload(order->key.job);
    if (!payload) {  // unreadable now; the order is repeated
      trouble_ = store_.last_error();
      return;
    }
    order->payload = std::move(*payload);
    if (order->placement.shares.size() > 1) order->step_key = store_.step_key(order->key);
  }
  link_.send(outgoing.to, outgoing.message);
}

}  // namespace hyades
