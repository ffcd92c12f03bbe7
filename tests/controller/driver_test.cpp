// One turn of the master: commit first, and what happens when that fails.
#include "core/driver.hpp"

#include <gtest/gtest.h>

#include "policy/backfill_policy.hpp"
#include "sim/memory_store.hpp"
#include "sim/sim_clock.hpp"
#include "test_cluster.hpp"

namespace hyades {
namespace {

// What happened at the master's ports, in order.
using Log = std::vector<std::string>;

class LoggedStore : public MemoryStore {
 public:
  explicit LoggedStore(Log& log) : log_(log) {}
  CommitResult result = CommitResult::Committed;

  CommitResult commit(const Batch& batch) override {
    log_.push_back("commit");
    error_ = result == CommitResult::Committed ? "" : "the disk is full";
    return result == CommitResult::Committed ? MemoryStore::commit(batch) : result;
  }
  std::string last_error() const override { return error_; }
  void load(StoredState& state, const std::function<void(const JobEvent&)>& event) override {
    error_ = load_error;
    MemoryStore::load(state, event);
  }
  std::string load_error;

 private:
  Log& log_;
  std::string error_;
};

class LoggedLink : public Link {
 public:
  explicit LoggedLink(Log& log) : log_(log) {}
  std::vector<Delivery> inbox;
  std::vector<Message> sent;

  void send(PeerId, const Message& message) override {
    log_.push_back("send");
    sent.push_back(message);
  }
  void poll(std::vector<Delivery>& out) override { out.swap(inbox); }

 private:
  Log& log_;
};

class LoggedDoor : public Door {
 public:
  explicit LoggedDoor(Log& log) : log_(log) {}
  std::vector<Request> inbox;
  std::vector<Reply> replies;

  void poll(std::vector<Request>& out) override { out.swap(inbox); }
  void reply(const Reply& reply) override {
    log_.push_back("reply");
    replies.push_back(reply);
  }
  void committed(const Batch&) override { log_.push_back("committed"); }

 private:
  Log& log_;
};

class NoFence : public Fence {
 public:
  void start(const std::string& node) override { started.push_back(node); }
  void poll(std::vector<FenceResult>& out) override {
    for (FenceResult& result : results) out.push_back(result);
    results.clear();
  }
  std::vector<std::string> started;
  std::vector<FenceResult> results;
};

class DriverTest : public testing::Test {
 protected:
  Log log_;
  SimClock clock_;
  LoggedStore store_{log_};
  LoggedLink link_{log_};
  LoggedDoor door_{log_};
  BackfillPolicy policy_;
  NoFence fence_;
  std::unique_ptr<Driver> driver_ = new_driver(1);

  std::unique_ptr<Driver> new_driver(Epoch epoch) {
    return std::make_unique<Driver>(std::make_shared<const ClusterConfig>(), epoch, clock_, store_,
                                    link_, door_, policy_, fence_);
  }
  void hello() {
    Hello hello;
    hello.node = "n1";
    hello.boot_id = "boot-1";
    hello.inventory.cores = 4;
    hello.inventory.memory_mib = 1000;
    link_.inbox.push_back({1, {0, hello}});
    driver_->turn();
    log_.clear();
    link_.sent.clear();
  }
  void ask_to_submit(const std::string& token, const std::string& script = "#!/bin/sh\n") {
    SubmitRequest submit;
    submit.spec = a_job();
    submit.token = token;
    auto payload = std::make_shared<JobPayload>();
    payload->script = script;
    payload->working_directory = "/";
    submit.payload = payload;
    Request request;
    request.id = ++last_id_;
    request.caller.uid = 1000;
    request.what = submit;
    door_.inbox.push_back(request);
  }

  RequestId last_id_ = 0;
};

TEST_F(DriverTest, CommitsThenAnswersThenActs) {
  hello();
  ask_to_submit("t1", "#!/bin/sh\necho 42\n");
  EXPECT_EQ(driver_->turn(), Driver::Turn::Worked);
  EXPECT_EQ(log_, (Log{"commit", "committed", "reply", "send"}));
  EXPECT_EQ(door_.replies.back().job, 1u);
  const auto* order = std::get_if<LaunchOrder>(&link_.sent.back().body);
  ASSERT_NE(order, nullptr);
  EXPECT_EQ(order->payload.script, "#!/bin/sh\necho 42\n") << "the driver fills in the payload";
  EXPECT_EQ(driver_->turn(), Driver::Turn::Idle);
}

TEST_F(DriverTest, ATokenIsOneJobWithinATurnAcrossTurnsAndAcrossMasters) {
  hello();
  ask_to_submit("t1");
  ask_to_submit("t1");
  driver_->turn();
  ask_to_submit("t1");
  driver_->turn();
  driver_ = new_driver(2);
  ask_to_submit("t1");
  driver_->turn();
  ASSERT_EQ(door_.replies.size(), 4u);
  for (const Reply& reply : door_.replies) EXPECT_EQ(reply.job, 1u);
  ask_to_submit("t2");
  driver_->turn();
  EXPECT_EQ(door_.replies.back().job, 2u);
}

TEST_F(DriverTest, OnAFullDiskNothingIsAcknowledgedOrSentAndItRecoversByItself) {
  hello();
  store_.result = CommitResult::Full;
  ask_to_submit("t1");
  driver_->turn();
  EXPECT_EQ(log_, (Log{"commit", "reply"}));
  EXPECT_EQ(door_.replies.back().error, ErrorCode::StorageFull);
  EXPECT_EQ(driver_->degraded(), "the disk is full");
  EXPECT_EQ(driver_->controller().jobs().size(), 0u);
  store_.result = CommitResult::Committed;
  clock_.advance(1'000);
  ask_to_submit("t1");
  driver_->turn();
  EXPECT_EQ(door_.replies.back().job, 1u);
  EXPECT_EQ(driver_->degraded(), "");
}

TEST_F(DriverTest, AFullDiskDoesNotMakeNodesSeemDead) {
  hello();
  store_.result = CommitResult::Full;
  ask_to_submit("t1");
  driver_->turn();
  const Node* const node = driver_->controller().cluster().find("n1");
  ASSERT_NE(node, nullptr);
  EXPECT_TRUE(node->responding);
  clock_.advance(1'000);
  link_.inbox.push_back({1, {1, heartbeat_at(0)}});
  driver_->turn();  // all the same it has to say again what runs there
  ASSERT_FALSE(link_.sent.empty());
  EXPECT_TRUE(std::holds_alternative<SayHello>(link_.sent.back().body));
}

TEST_F(DriverTest, AQueueThatCannotBeReadAgainEndsTheMaster) {
  hello();
  store_.result = CommitResult::Full;
  store_.load_error = "input/output error";
  ask_to_submit("t1");
  EXPECT_EQ(driver_->turn(), Driver::Turn::Fatal);
  EXPECT_EQ(driver_->fatal_reason(), "input/output error");
  EXPECT_TRUE(door_.replies.empty());
}

TEST_F(DriverTest, AReloadInATurnThatIsNotStoredIsNotInEffect) {
  hello();
  store_.result = CommitResult::Full;
  ask_to_submit("t1");
  auto config = std::make_shared<ClusterConfig>();
  config->name = "other";
  Request request;
  request.id = ++last_id_;
  request.caller.role = Role::Admin;
  request.what = ReloadRequest{config};
  door_.inbox.push_back(request);
  driver_->turn();
  EXPECT_EQ(door_.replies.back().error, ErrorCode::StorageFull);
  EXPECT_NE(driver_->controller().config().name, "other");
}

TEST_F(DriverTest, AStoreThatFailsEndsTheMasterWithoutAWord) {
  hello();
  store_.result = CommitResult::Failed;
  ask_to_submit("t1");
  EXPECT_EQ(driver_->turn(), Driver::Turn::Fatal);
  EXPECT_EQ(log_, (Log{"commit"}));
  EXPECT_EQ(driver_->fatal_reason(), "the disk is full");
  EXPECT_EQ(driver_->turn(), Driver::Turn::Fatal);
}

TEST_F(DriverTest, ADeposedMasterCommitsAndSendsNothing) {
  hello();
  ask_to_submit("t1");
  link_.inbox.push_back({1, {1, EpochRefused{2}}});
  EXPECT_EQ(driver_->turn(), Driver::Turn::Deposed);
  EXPECT_EQ(log_, Log{});
}

}  // namespace
}  // namespace hyades
