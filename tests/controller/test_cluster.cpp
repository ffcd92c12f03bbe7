#include "test_cluster.hpp"

#include <algorithm>

namespace hyades {

TestCluster::TestCluster(ClusterConfig config)
    : config_(std::make_shared<const ClusterConfig>(std::move(config))),
      controller_(std::make_unique<Controller>(config_, epoch_, store_, policy_)) {
  StoredState state;
  controller_->restore(state);
  controller_->restored();
}

TestCluster::~TestCluster() {
  if (!testing::Test::HasFatalFailure()) expect_nothing_else();
}

// ---- the cluster -------------------------------------------------------------------------------

TestCluster& TestCluster::nodes(int count, int cores, MiB memory_mib) {
  for (int i = 0; i < count; ++i) {
    Inventory inventory;
    inventory.cores = cores;
    inventory.memory_mib = memory_mib;
    node("n" + std::to_string(nodes_.size() + 1), inventory);
  }
  return *this;
}

TestCluster& TestCluster::node(const std::string& name, const Inventory& inventory) {
  nodes_.emplace_back(name, inventory);
  hello(name);
  expect_node_event<NodeDefined>(name);
  EXPECT_TRUE(expect_sent<Welcome>(name).accepted);
  return *this;
}

PeerId TestCluster::peer_of(const std::string& node) const {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].first == node) return static_cast<PeerId>(i + 1);
  }
  return -1;
}

void TestCluster::hello(const std::string& node, std::vector<LaunchReport> launches,
                        const std::string& boot_id) {
  const PeerId peer = peer_of(node);
  Hello hello;
  hello.node = node;
  hello.boot_id = boot_id;
  hello.inventory = nodes_[static_cast<std::size_t>(peer - 1)].second;
  hello.pid = 4711;
  hello.launches = std::move(launches);
  deliver(peer, 0, std::move(hello));
}

void TestCluster::equip(const std::string& node, const Inventory& inventory) {
  nodes_[static_cast<std::size_t>(peer_of(node) - 1)].second = inventory;
  hello(node);
  expect_node_event<NodeDefined>(node);
  EXPECT_TRUE(expect_sent<Welcome>(node).accepted);
}

void TestCluster::hello_from(PeerId peer, const std::string& node) {
  Hello hello;
  hello.node = node;
  hello.inventory.cores = 1;
  hello.inventory.memory_mib = 1;
  deliver(peer, 0, std::move(hello));
}

void TestCluster::restart() {
  controller_ = std::make_unique<Controller>(config_, ++epoch_, store_, policy_);
  StoredState state;
  std::vector<JobEvent> events;
  store_.load(state, [&](const JobEvent& event) { events.push_back(event); });
  controller_->restore(state);
  for (const JobEvent& event : events) controller_->restore(event);
  controller_->restored();
}

void TestCluster::advance(std::int64_t by_ms) {
  clock_.advance(by_ms);
  Step step;
  finish(step);
}

// ---- what clients ask for ----------------------------------------------------------------------

JobId TestCluster::submit(const JobSpec& spec, std::uint32_t uid) {
  SubmitRequest request;
  request.spec = spec;
  auto payload = std::make_shared<JobPayload>();
  payload->script = "#!/bin/sh\n";
  payload->working_directory = "/";
  request.payload = payload;
  ask(std::move(request), uid);
  if (replies_.empty() || replies_.back().job == 0) {
    ADD_FAILURE() << "refused: " << (replies_.empty() ? "no answer" : replies_.back().message);
    return 0;
  }
  const JobId job = replies_.back().job;
  replies_.pop_back();
  expect_event<Submitted>(job);
  return job;
}

void TestCluster::ask(decltype(Request::what) what, std::uint32_t uid, Role role) {
  Request request;
  request.id = ++last_request_;
  request.caller = {uid, uid, uid == alice ? "alice" : uid == bob ? "bob" : "operator", role};
  request.what = std::move(what);
  Step step;
  controller_->step(request, clock_.now(), step);
  finish(step);
}

// ---- what nodes report -------------------------------------------------------------------------

LaunchReport TestCluster::report_on(JobId id, LaunchState state) const {
  LaunchReport report;
  report.key = job(id).key;
  report.state = state;
  if (state == LaunchState::Running) report.started_ms = SimClock::wall_start_ms + 5;
  return report;
}

void TestCluster::reports(const std::string& node, const LaunchReport& report) {
  deliver(peer_of(node), epoch_, report);
}

void TestCluster::reports(JobId id, LaunchState state, const std::string& reason) {
  LaunchReport report = report_on(id, state);
  report.reason = reason;
  reports(job(id).placement.shares.front().node, report);
}

void TestCluster::node_fails(JobId id, const std::string& reason) {
  LaunchReport report = report_on(id, LaunchState::Absent);
  report.reason = reason;
  report.node_fault = true;
  reports(job(id).placement.shares.front().node, report);
}

void TestCluster::exits(JobId id, int exit_code, StopReason stopped, int signal) {
  LaunchReport report = report_on(id, LaunchState::Exited);
  report.exit.exit_code = exit_code;
  report.exit.signal = signal;
  report.exit.stopped = stopped;
  report.exit.started_ms = SimClock::wall_start_ms + 5;
  report.exit.ended_ms = SimClock::wall_start_ms + 10;
  reports(job(id).placement.shares.front().node, report);
}

void TestCluster::part(const std::string& node, JobId id, LaunchState state, StopReason stopped,
                       int exit_code) {
  LaunchReport report = report_on(id, state);
  if (state == LaunchState::Running) report.step_port = 5000 + peer_of(node);
  if (state == LaunchState::Exited) {
    report.exit.stopped = stopped;
    report.exit.exit_code = exit_code;
    report.exit.started_ms = SimClock::wall_start_ms + 5;
    report.exit.ended_ms = SimClock::wall_start_ms + 10;
  }
  reports(node, report);
}

void TestCluster::fence_result(const std::string& node, bool ok) {
  Step step;
  controller_->step(FenceResult{node, ok, "/sbin/fence"}, clock_.now(), step);
  finish(step);
}

void TestCluster::says_in_epoch(const std::string& node, Epoch epoch, const LaunchReport& report) {
  deliver(peer_of(node), epoch, report);
}

void TestCluster::heartbeat(const std::string& node) { beat(node, heartbeat_at(0)); }

void TestCluster::heartbeat(const std::string& node, const std::string& health) {
  Heartbeat heartbeat = heartbeat_at(0);
  heartbeat.health = health;
  heartbeat.health_known = true;
  beat(node, heartbeat);
}

void TestCluster::beat(const std::string& node, const Heartbeat& heartbeat) {
  deliver(peer_of(node), epoch_, heartbeat);
  const auto renewal = std::find_if(sent_.begin(), sent_.end(), [](const Outgoing& outgoing) {
    return std::holds_alternative<Renewal>(outgoing.message.body);
  });
  ASSERT_NE(renewal, sent_.end());
  sent_.erase(renewal);
}

void TestCluster::deliver(PeerId from, Epoch epoch, decltype(Message::body) body) {
  Step step;
  controller_->step(Delivery{from, {epoch, std::move(body)}}, clock_.now(), step);
  finish(step);
}

void TestCluster::finish(Step& step) {
  const Now now = clock_.now();
  controller_->tick(now, step);
  controller_->schedule(now, step);
  controller_->check();
  ASSERT_EQ(store_.commit(step.batch), CommitResult::Committed) << store_.last_error();
  controller_->committed();
  events_.insert(events_.end(), step.batch.job_events.begin(), step.batch.job_events.end());
  node_events_.insert(node_events_.end(), step.batch.node_events.begin(),
                      step.batch.node_events.end());
  for (Outgoing& outgoing : step.outgoing) {
    auto* const order = std::get_if<LaunchOrder>(&outgoing.message.body);
    if (order == nullptr || controller_->complete(*order)) sent_.push_back(outgoing);
  }
  replies_.insert(replies_.end(), step.replies.begin(), step.replies.end());
  fences_.insert(fences_.end(), step.fences.begin(), step.fences.end());
}

// ---- what must have come of it -----------------------------------------------------------------

std::string TestCluster::expect_reply(ErrorCode error) {
  if (replies_.empty()) {
    ADD_FAILURE() << "no answer";
    return "";
  }
  const Reply reply = replies_.front();
  replies_.pop_front();
  EXPECT_EQ(to_string(reply.error), to_string(error)) << reply.message;
  return reply.message;
}

void TestCluster::expect_nothing_else() {
  for (const JobEvent& event : events_) {
    ADD_FAILURE() << "unexpected event: " << event_name(event) << " of job " << event.job;
  }
  for (const NodeEvent& event : node_events_) {
    ADD_FAILURE() << "unexpected event: " << event_name(event) << " of node " << event.node;
  }
  for (const Outgoing& outgoing : sent_) {
    ADD_FAILURE() << "unexpected message " << outgoing.message.body.index() << " to peer "
                  << outgoing.to;
  }
  for (const Reply& reply : replies_) ADD_FAILURE() << "unexpected answer: " << reply.message;
  forget();
}

JobId TestCluster::launching(const JobSpec& spec, std::uint32_t uid) {
  expect_nothing_else();
  const JobId id = submit(spec, uid);
  EXPECT_EQ(job(id).phase, JobPhase::Launching) << "it did not fit";
  forget();
  return id;
}

JobId TestCluster::running(const JobSpec& spec, std::uint32_t uid) {
  const JobId id = launching(spec, uid);
  starts(id);
  forget();
  return id;
}

const Job& TestCluster::job(JobId id) const {
  static const Job none;
  const Job* const found = controller_->jobs().find(id);
  if (!found) ADD_FAILURE() << "there is no live job " << id;
  return found ? *found : none;
}

}  // namespace hyades
