// A controller with its nodes played by the test: build a cluster, do something, and say which
// events, orders and answers must come of it, and that nothing else does.
//
//   TestCluster cluster;
//   cluster.nodes(4, 16);
//   const JobId job = cluster.submit(a_job().cores(8));
//   cluster.expect_event<Assigned>(job);
//   cluster.expect_sent<LaunchOrder>("n1");
//   cluster.expect_nothing_else();
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "core/controller.hpp"
#include "policy/backfill_policy.hpp"
#include "sim/memory_store.hpp"
#include "sim/sim_clock.hpp"

namespace hyades {

// What a well node says now and then. A TestCluster's nodes are in boot-1 unless told otherwise.
inline Heartbeat heartbeat_at(BootMs sent_ms, const std::string& boot_id = "boot-1") {
  return {.sent_ms = sent_ms, .health = "", .health_known = false, .boot_id = boot_id};
}

// A JobSpec, said briefly. One task of one core and an hour unless told otherwise.
class a_job {
 public:
  a_job() {
    spec_.name = "job";
    spec_.time_limit_s = 3600;
  }
  operator JobSpec() const { return spec_; }

  a_job& cores(int count) { return set(spec_.cpus_per_task, count); }
  a_job& tasks(int count) { return set(spec_.tasks, count); }
  a_job& tasks_per_node(int count) { return set(spec_.tasks_per_node, count); }
  a_job& nodes(int count) { return set(spec_.nodes, count); }
  a_job& memory(MiB mib) { return set(spec_.memory_per_node_mib, mib); }
  a_job& memory_per_cpu(MiB mib) { return set(spec_.memory_per_cpu_mib, mib); }
  a_job& limit(int seconds) { return set(spec_.time_limit_s, seconds); }
  a_job& priority(int value) { return set(spec_.priority, value); }
  a_job& begin(WallMs at_ms) { return set(spec_.begin_ms, at_ms); }
  a_job& queue(const std::string& name) { return set(spec_.queue, name); }
  a_job& exclusive() { return set(spec_.exclusive, true); }
  a_job& held() { return set(spec_.hold, true); }
  a_job& lease(int seconds) { return set(spec_.lease_s, seconds); }
  a_job& no_requeue() { return set(spec_.requeue, false); }
  a_job& gpus(int count) {
    spec_.devices_per_node.push_back({"gpu", count});
    return *this;
  }
  a_job& feature(const std::string& name) {
    spec_.features.push_back(name);
    return *this;
  }
  a_job& only_on(const std::string& node) {
    spec_.node_list.push_back(node);
    return *this;
  }
  a_job& not_on(const std::string& node) {
    spec_.exclude.push_back(node);
    return *this;
  }
  a_job& after(DependencyKind kind, JobId job) {
    spec_.dependencies.push_back({kind, job});
    return *this;
  }

 private:
  template <typename T, typename V>
  a_job& set(T& field, const V& value) {
    field = value;
    return *this;
  }
  JobSpec spec_;
};

class TestCluster {
 public:
  static constexpr std::uint32_t alice = 1000;
  static constexpr std::uint32_t bob = 1001;

  explicit TestCluster(ClusterConfig config = patient());
  // Silence means nothing for an hour: most tests are not about it.
  static ClusterConfig patient() {
    ClusterConfig config;
    config.node_timeout_ms = 3'600'000;
    return config;
  }
  // Everything that the controller did was expected, and its tables agree.
  ~TestCluster();

  // ---- the cluster
  // Adds nodes n1, n2, ...: each says hello and is welcomed.
  TestCluster& nodes(int count, int cores, MiB memory_mib = 65536);
  TestCluster& node(const std::string& name, const Inventory& inventory);
  // What the worker on a node says, first of all and after its restart.
  void hello(const std::string& node, std::vector<LaunchReport> launches = {},
             const std::string& boot_id = "boot-1");
  // The node has changed and says so.
  void equip(const std::string& node, const Inventory& inventory);
  void hello_from(PeerId peer, const std::string& node);
  // The master dies; another one starts from the store. Its nodes are still to say hello.
  void restart();
  void advance(std::int64_t by_ms);  // one tick at the end of it
  void set_clock(std::int64_t by_ms) { clock_.step_wall(by_ms); }
  WallMs now_ms() { return clock_.now().wall_ms; }

  // ---- what clients ask for
  JobId submit(const JobSpec& spec, std::uint32_t uid = alice);  // and expects it to be accepted
  void ask(decltype(Request::what) what, std::uint32_t uid = alice, Role role = Role::User);
  void ask_as_operator(decltype(Request::what) what) { ask(std::move(what), 0, Role::Operator); }

  // ---- what nodes report on the job's current attempt
  void reports(JobId job, LaunchState state, const std::string& reason = "");
  void reports(const std::string& node, const LaunchReport& report);
  void node_fails(JobId job, const std::string& reason);  // a fault of the node's
  // Of the job's part on this node.
  void part(const std::string& node, JobId job, LaunchState state, StopReason stopped = {},
            int exit_code = 0);
  void fence_result(const std::string& node, bool ok);
  // Nodes whose power was to be cut since the last call.
  std::vector<std::string> take_fences() { return std::exchange(fences_, {}); }
  void starts(JobId job) { reports(job, LaunchState::Running); }
  void exits(JobId job, int exit_code = 0, StopReason stopped = StopReason::None, int signal = 0);
  LaunchReport report_on(JobId job, LaunchState state) const;
  // A message of a node that is not of this master's epoch.
  void says_in_epoch(const std::string& node, Epoch epoch, const LaunchReport& report);
  // Their answers are taken off what was sent.
  void heartbeat(const std::string& node);  // before its first health check
  void heartbeat(const std::string& node, const std::string& health);
  void says(const std::string& node, decltype(Message::body) body) {
    deliver(peer_of(node), epoch_, std::move(body));
  }

  // ---- what must have come of it, in order
  template <typename Event>
  Event expect_event(JobId job) {
    if (events_.empty()) {
      ADD_FAILURE() << "no event, expected one of job " << job;
      return {};
    }
    const JobEvent event = events_.front();
    events_.pop_front();
    const auto* what = std::get_if<Event>(&event.what);
    EXPECT_EQ(event.job, job) << event_name(event);
    EXPECT_NE(what, nullptr) << "the event is " << event_name(event);
    return what ? *what : Event{};
  }
  template <typename Event>
  Event expect_node_event(const std::string& node) {
    if (node_events_.empty()) {
      ADD_FAILURE() << "no event of node " << node;
      return {};
    }
    const NodeEvent event = node_events_.front();
    node_events_.pop_front();
    const auto* what = std::get_if<Event>(&event.what);
    EXPECT_EQ(event.node, node);
    EXPECT_NE(what, nullptr) << "the event is " << event_name(event);
    return what ? *what : Event{};
  }
  template <typename Body>
  Body expect_sent(const std::string& node) {
    if (sent_.empty()) {
      ADD_FAILURE() << "nothing was sent to " << node;
      return {};
    }
    const Outgoing outgoing = sent_.front();
    sent_.pop_front();
    const auto* body = std::get_if<Body>(&outgoing.message.body);
    EXPECT_EQ(outgoing.to, peer_of(node));
    EXPECT_EQ(outgoing.message.epoch, epoch_);
    EXPECT_NE(body, nullptr) << "another message was sent: " << outgoing.message.body.index();
    return body ? *body : Body{};
  }
  // Returns its text.
  std::string expect_reply(ErrorCode error);
  void expect_nothing_else();
  // For what a test does not care about.
  void forget() {
    events_.clear();
    node_events_.clear();
    sent_.clear();
    replies_.clear();
  }
  bool has_sent() const { return !sent_.empty(); }

  // Submits, starts, and forgets how: for tests about what comes later.
  JobId running(const JobSpec& spec, std::uint32_t uid = alice);
  JobId launching(const JobSpec& spec, std::uint32_t uid = alice);

  const Job& job(JobId id) const;
  const Node& node(const std::string& name) const { return *controller_->cluster().find(name); }
  const Controller& controller() const { return *controller_; }
  const BackfillPolicy& policy() const { return policy_; }
  Now now() { return clock_.now(); }
  MemoryStore& store() { return store_; }
  std::optional<EndedJob> ended(JobId id) const { return store_.find_ended(id); }

 private:
  PeerId peer_of(const std::string& node) const;
  void deliver(PeerId from, Epoch epoch, decltype(Message::body) body);
  void beat(const std::string& node, const Heartbeat& heartbeat);
  void finish(Step& step);  // the rest of a turn

  std::shared_ptr<const ClusterConfig> config_;
  Epoch epoch_ = 1;
  SimClock clock_;
  MemoryStore store_;
  BackfillPolicy policy_;
  std::unique_ptr<Controller> controller_;
  std::vector<std::pair<std::string, Inventory>> nodes_;
  std::deque<JobEvent> events_;
  std::deque<NodeEvent> node_events_;
  std::deque<Outgoing> sent_;
  std::deque<Reply> replies_;
  std::vector<std::string> fences_;
  RequestId last_request_ = 0;
};

}  // namespace hyades
