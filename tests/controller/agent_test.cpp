// A node's side: the recovery table row by row, and what each order leads to.
#include "core/agent.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace hyades {
namespace {

class FakeSpool : public Spool {
 public:
  std::map<LaunchKey, SpoolRecord> records_;
  LaunchSequence sequence_ = 0;
  Epoch epoch_ = 0;
  std::map<LaunchKey, BootMs> leases_;
  ClaimResult claim_result_ = ClaimResult::Claimed;

  ClaimResult claim(const LaunchKey& key) override {
    if (claim_result_ != ClaimResult::Claimed) return claim_result_;
    if (records_.count(key)) return ClaimResult::Exists;
    raise_sequence(key.sequence);
    records_[key] = {.key = key, .held = true, .exit = {}};
    return ClaimResult::Claimed;
  }
  void release(const LaunchKey& key) override { records_.at(key).held = false; }
  std::optional<SpoolRecord> look(const LaunchKey& key) override {
    const auto found = records_.find(key);
    if (found == records_.end()) return std::nullopt;
    return found->second;
  }
  std::vector<SpoolRecord> records() override {
    std::vector<SpoolRecord> all;
    for (const auto& [key, record] : records_) all.push_back(record);
    return all;
  }
  void remove(const LaunchKey& key) override { records_.erase(key); }
  LaunchSequence high_sequence() const override { return sequence_; }
  void raise_sequence(LaunchSequence to) override { sequence_ = std::max(sequence_, to); }
  Epoch high_epoch() const override { return epoch_; }
  void raise_epoch(Epoch to) override { epoch_ = std::max(epoch_, to); }
  void renew_lease(const LaunchKey& key, BootMs from_ms) override { leases_[key] = from_ms; }
  std::string last_error() const override { return "no space left on device"; }
};

class FakeSpawner : public Spawner {
 public:
  bool starts_ = true;
  bool swept_ = true;
  std::string fixed_cores_;
  std::vector<std::string> calls_;

  bool start(const LaunchOrder& order) override {
    calls_.push_back("start " + to_string(order.key));
    return starts_;
  }
  void stop(const LaunchKey& key, StopReason reason, int grace_s) override {
    calls_.push_back("stop " + to_string(key) + " " + std::string(to_string(reason)) + " " +
                     std::to_string(grace_s));
  }
  void signal(const LaunchKey& key, int signal, bool) override {
    calls_.push_back("signal " + to_string(key) + " " + std::to_string(signal));
  }
  void set_cores(const LaunchKey& key, const IdSet& cores) override {
    calls_.push_back("cores " + to_string(key) + " " + cores.to_string());
  }
  std::string fixed_cores() const override { return fixed_cores_; }
  bool sweep(const LaunchKey& key) override {
    calls_.push_back("sweep " + to_string(key));
    return swept_;
  }
};

class FakePower : public PowerCaps {
 public:
  std::vector<PowerZone> zones_{{0, IdSet::first(4)}};
  int percent_ = 100;
  std::string fixed_;
  std::string withheld_;

  const std::vector<PowerZone>& zones() const override { return zones_; }
  void set(std::size_t, int percent) override { percent_ = percent; }
  std::string fixed() const override { return fixed_; }
  std::string withheld() const override { return withheld_; }
};

const LaunchKey key{42, 1, 77};
constexpr Epoch epoch = 3;

class AgentTest : public testing::Test {
 protected:
  FakeSpool spool_;
  FakeSpawner spawner_;
  FakePower power_;
  std::unique_ptr<Agent> agent_;
  Now now_{1'000'000, 1'000};
  std::deque<Message> said_;

  // The worker starts, says hello and is welcomed.
  void start_worker() {
    Agent::Identity identity;
    identity.node = "n1";
    identity.boot_id = "boot-1";
    identity.inventory.cores = 4;
    agent_ = std::make_unique<Agent>(identity, spool_, spawner_, &power_);
    tick();
    hello_ = expect_said<Hello>();
    receive(Welcome{true, ""});
    said_.clear();
  }
  void receive(decltype(Message::body) body, Epoch from = epoch) {
    agent_->receive({from, std::move(body)}, now_);
    collect();
  }
  void tick(BootMs by_ms = 0) {
    now_.boot_ms += by_ms;
    agent_->tick(now_);
    collect();
  }
  void changed() {
    agent_->record_changed(key, now_);
    collect();
  }
  void collect() {
    for (Message& message : agent_->take_outbox()) said_.push_back(std::move(message));
  }

  template <typename Body>
  Body expect_said() {
    if (said_.empty()) {
      ADD_FAILURE() << "it said nothing";
      return {};
    }
    const Message message = said_.front();
    said_.pop_front();
    const auto* body = std::get_if<Body>(&message.body);
    EXPECT_NE(body, nullptr) << "it said something else: " << message.body.index();
    return body ? *body : Body{};
  }
  LaunchReport expect_report(LaunchState state) {
    const auto report = expect_said<LaunchReport>();
    EXPECT_EQ(to_string(report.state), to_string(state)) << report.reason;
    EXPECT_EQ(report.key, key);
    return report;
  }
  // What it says of a part of its own beside those of the sampler.
  ComponentState component(const std::string& name) {
    TelemetryReport report;
    report.components.emplace_back();
    agent_->pass_on(report, now_);
    collect();
    for (const ComponentState& part : expect_said<TelemetryReport>().components) {
      if (part.name == name) return part;
    }
    ADD_FAILURE() << "no " << name;
    return {};
  }
  static double figure(const ComponentState& component, const std::string& name) {
    for (const Figure& figure : component.figures) {
      if (figure.name == name) return figure.value;
    }
    return -1;
  }
  void expect_calls(std::vector<std::string> calls) {
    EXPECT_EQ(spawner_.calls_, calls);
    spawner_.calls_.clear();
  }
  void TearDown() override { EXPECT_TRUE(said_.empty()) << said_.front().body.index(); }

  LaunchOrder order() {
    LaunchOrder order;
    order.key = key;
    order.placement.shares = {{.node = "n1", .boot_id = "boot-1"}};
    return order;
  }
  SpoolRecord& record() { return spool_.records_[key]; }

  Hello hello_;
};

// ---- the recovery table ------------------------------------------------------------------------

struct Row {
  const char* name;
  bool held;
  bool started;
  bool same_boot;
  bool exited;
  LaunchState expected;
};

class RecoveryTable : public AgentTest, public testing::WithParamInterface<Row> {};

TEST_P(RecoveryTable, SaysWhatARecordMeans) {
  const Row& row = GetParam();
  record() = {.key = key,
              .held = row.held,
              .same_boot = row.same_boot,
              .started_ms = row.started ? 5'000 : 0,
              .exit = {}};
  if (row.exited) {
    record().exit = ExitRecord{};
    record().exit->exit_code = 9;
  }
  start_worker();
  ASSERT_EQ(hello_.launches.size(), 1u);
  const LaunchReport& report = hello_.launches.front();
  EXPECT_EQ(to_string(report.state), to_string(row.expected));
  EXPECT_EQ(report.key, key);
  EXPECT_EQ(report.started_ms, row.started ? 5'000 : 0);
  EXPECT_EQ(report.exit.exit_code, row.exited ? 9 : 0);
  const bool swept = row.started && !row.held && row.same_boot && !row.exited;
  EXPECT_EQ(!spawner_.calls_.empty(), swept) << "only what an orphaned job left is swept away";
}

INSTANTIATE_TEST_SUITE_P(
    Row, RecoveryTable,
    testing::Values(Row{"on_its_way", true, false, true, false, LaunchState::Starting},
                    Row{"died_before_start", false, false, true, false, LaunchState::NeverStarted},
                    Row{"running", true, true, true, false, LaunchState::Running},
                    Row{"shepherd_killed", false, true, true, false, LaunchState::Lost},
                    Row{"exited", false, true, true, true, LaunchState::Exited},
                    Row{"exited_in_an_earlier_boot", false, true, false, true, LaunchState::Exited},
                    Row{"rebooted_after_start", false, true, false, false, LaunchState::Lost},
                    // Its line "started" may have been lost in a power cut.
                    Row{"rebooted_after_claim", false, false, false, false, LaunchState::Lost}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(AgentTest, WhatIsLeftOfALostJobIsSweptAwayBeforeItIsCalledLost) {
  record() = {.key = key, .held = true, .started_ms = 5, .exit = {}};
  start_worker();
  spawner_.swept_ = false;
  record().held = false;
  changed();
  EXPECT_TRUE(said_.empty()) << "something of it still runs";
  spawner_.swept_ = true;
  tick(5'000);
  expect_said<Heartbeat>();
  expect_report(LaunchState::Lost);
}

// ---- launching ---------------------------------------------------------------------------------

TEST_F(AgentTest, AnOrderIsClaimedStartedAndReported) {
  start_worker();
  receive(order());
  expect_calls({"start 42.1.77"});
  expect_report(LaunchState::Starting);
  record().started_ms = 5'000;
  changed();
  EXPECT_EQ(expect_report(LaunchState::Running).started_ms, 5'000);
  EXPECT_EQ(agent_->running(), 1);
  changed();  // nothing new
  record().exit = ExitRecord{};
  changed();
  expect_report(LaunchState::Exited);
  EXPECT_EQ(agent_->running(), 0);
}

TEST_F(AgentTest, ARepeatedOrderStartsNothingAndIsAnswered) {
  start_worker();
  receive(order());
  receive(order());
  expect_calls({"start 42.1.77"});
  expect_report(LaunchState::Starting);
  expect_report(LaunchState::Starting);
}

// ---- lending -----------------------------------------------------------------------------------

class LendingTest : public AgentTest {
 protected:
  static constexpr LaunchKey other{43, 1, 78};

  void SetUp() override {
    start_worker();
    receive(Welcome{true, "", {}, 4});
  }
  // Starts it, and it runs.
  void launch(const LaunchKey& which, const char* cores, int elastic) {
    LaunchOrder its = order();
    its.key = which;
    its.spec.elastic = elastic;
    EXPECT_TRUE(IdSet::parse(cores, its.placement.shares[0].cores));
    receive(its);
    SpoolRecord& record = spool_.records_[which];
    record.started_ms = 5;
    record.elastic = elastic;
    EXPECT_TRUE(IdSet::parse(cores, record.cores));
    agent_->record_changed(which, now_);
    collect();
  }
  // Seconds go by in which it keeps so many cores busy.
  void busy(const LaunchKey& which, double cores) {
    TelemetryReport report;
    report.jobs.push_back({which, {{kCoresBusyFigure, "cores", cores}}});
    agent_->pass_on(report, now_);
    tick(10'000);
    std::erase_if(said_, [](const Message& message) {
      return !std::holds_alternative<LaunchReport>(message.body);
    });
  }
};

TEST_F(LendingTest, AJobIsLentIdleCoresUntilAnotherOneGetsThem) {
  launch(key, "0", 8);
  expect_calls({"start 42.1.77"});
  said_.clear();
  busy(key, 1);
  expect_calls({"cores 42.1.77 0,3"});
  const LaunchReport report = expect_report(LaunchState::Running);
  EXPECT_EQ(report.loan.cores.to_string(), "3");
  EXPECT_NE(report.loan.why, "");
  busy(key, 2);
  expect_calls({"cores 42.1.77 0-3"});
  EXPECT_EQ(expect_report(LaunchState::Running).loan.cores.to_string(), "1-3");
  launch(other, "1-2", 0);
  expect_calls({"cores 42.1.77 0,3", "start 43.1.78"});  // in this order
  EXPECT_EQ(expect_report(LaunchState::Running).loan.cores.to_string(), "3");
  said_.clear();
  EXPECT_EQ(figure(component("lending"), "changes"), 3);
}

TEST_F(LendingTest, TheMasterHearsOfItAgainWhenItAsks) {
  launch(key, "0", 8);
  busy(key, 1);
  said_.clear();
  spawner_.calls_.clear();
  receive(SayHello{});
  EXPECT_EQ(expect_said<Hello>().launches.at(0).loan.cores.to_string(), "3");
  receive(QueryOrder{key});
  EXPECT_EQ(expect_report(LaunchState::Running).loan.cores.to_string(), "3");
}

TEST_F(LendingTest, TheCoresOfAJobThatHasEndedAreIdle) {
  launch(key, "0", 8);
  launch(other, "1-3", 0);
  busy(key, 1);
  spawner_.calls_.clear();
  spool_.records_[other].exit = ExitRecord{};
  spool_.records_[other].held = false;
  agent_->record_changed(other, now_);
  collect();
  said_.clear();
  busy(key, 1);
  expect_calls({"cores 42.1.77 0,3"});
  said_.clear();
}

TEST_F(LendingTest, ANewWorkerTakesBackWhatTheLastOneLent) {
  launch(key, "0", 8);
  busy(key, 1);
  spawner_.calls_.clear();
  said_.clear();
  start_worker();
  expect_calls({"cores 42.1.77 0"});
  EXPECT_TRUE(hello_.launches.at(0).loan.cores.empty());
  receive(Welcome{true, "", {}, 4});
  said_.clear();
  busy(key, 1);
  expect_calls({"cores 42.1.77 0,3"});
  said_.clear();
}

TEST_F(LendingTest, NothingIsLentBesideAJobOfWhichNobodyKnowsItsCores) {
  launch(key, "0", 8);
  spool_.records_[other] = {.key = other, .held = true, .started_ms = 5, .exit = {}};
  said_.clear();
  start_worker();
  spawner_.calls_.clear();
  receive(Welcome{true, "", {}, 4});
  said_.clear();
  busy(key, 1);
  expect_calls({});
  said_.clear();
}

TEST_F(LendingTest, WhereJobsAreNotBoundNothingIsLent) {
  spawner_.fixed_cores_ = "no groups";
  launch(key, "0", 8);
  spawner_.calls_.clear();
  said_.clear();
  busy(key, 1);
  expect_calls({});
  const ComponentState lending = component("lending");
  EXPECT_EQ(lending.layer, "optimisation");
  EXPECT_FALSE(lending.running);
  EXPECT_EQ(lending.text, "no groups");
}

// ---- power -------------------------------------------------------------------------------------

class PowerTest : public AgentTest {
 protected:
  static constexpr LaunchKey other{43, 1, 78};
  double done_ = 0;

  void SetUp() override { begin(); }
  void begin() {
    start_worker();
    NodeSettings settings;
    settings.cap_power = true;
    settings.cap_every_s = 10;
    receive(Welcome{true, "", settings, 4});
    said_.clear();
  }
  void launch(const LaunchKey& which, int margin, std::size_t nodes = 1) {
    LaunchOrder its = order();
    its.key = which;
    its.spec.power_margin = margin;
    its.placement.shares.resize(nodes, {.node = "n2", .boot_id = "boot-2"});
    its.placement.shares[0].cores.insert(which == key ? 0 : 1);
    receive(its);
    SpoolRecord& record = spool_.records_[which];
    record.started_ms = 5;
    record.cores = its.placement.shares[0].cores;
    agent_->record_changed(which, now_);
    collect();
    said_.clear();
  }
  // It works at full speed for as long as a look takes.
  void go_on(const char* figure = kInstructionsFigure) {
    for (int second = 0; second < 14; ++second) {
      TelemetryReport report;
      report.jobs.push_back({key, {{figure, "", done_ += 10}}});
      agent_->pass_on(report, now_);
      tick(1000);
    }
    std::erase_if(said_, [](const Message& message) {
      return !std::holds_alternative<LaunchReport>(message.body);
    });
  }
};

TEST_F(PowerTest, IsCappedForWhoAgreesAndTheMasterHearsOfIt) {
  launch(key, 10);
  go_on();
  EXPECT_EQ(power_.percent_, 95);
  const LaunchReport report = expect_report(LaunchState::Running);
  EXPECT_EQ(report.cap.percent, 95);
  EXPECT_NE(report.cap.why, "");
  said_.clear();
  receive(SayHello{});
  EXPECT_EQ(expect_said<Hello>().launches.at(0).cap.percent, 95);
}

// Neighbours come and go all the time.
TEST_F(PowerTest, TheMasterIsNotToldOfEveryNeighbour) {
  launch(key, 10);
  int told = 0;
  for (int second = 0; second < 60; ++second) {
    launch(other, 0);
    receive(RetireOrder{other});
    spool_.records_.erase(other);
    tick(1000);
    collect();
    told += static_cast<int>(std::count_if(said_.begin(), said_.end(), [](const Message& message) {
      const auto* report = std::get_if<LaunchReport>(&message.body);
      return report != nullptr && report->key == key;
    }));
    said_.clear();
  }
  EXPECT_GE(told, 1);
  EXPECT_LE(told, 7);
}

TEST_F(PowerTest, TheMasterHearsWhyItIsNot) {
  launch(key, 10, 2);
  launch(other, 10);
  go_on();
  said_.clear();
  receive(SayHello{});
  const Hello hello = expect_said<Hello>();
  ASSERT_EQ(hello.launches.size(), 2u);
  for (const LaunchReport& report : hello.launches) {
    EXPECT_EQ(report.cap.obstacle, "job 42 runs on several nodes");
  }
}

TEST_F(PowerTest, WhatAJobSaysOfItsProgressCountsToo) {
  launch(key, 10);
  go_on(kProgressFigure);
  EXPECT_EQ(power_.percent_, 95);
  said_.clear();
}

TEST_F(PowerTest, WhoStartsHasAllOfIt) {
  launch(key, 10);
  go_on();
  ASSERT_EQ(power_.percent_, 95);
  said_.clear();
  LaunchOrder its = order();
  its.key = other;
  its.placement.shares[0].cores.insert(1);
  receive(its);
  EXPECT_EQ(power_.percent_, 100);
  EXPECT_EQ(expect_report(LaunchState::Running).cap.percent, 100);
  said_.clear();
}

TEST_F(PowerTest, NotForJobsOfSeveralNodes) {
  launch(key, 10, 2);
  go_on();
  EXPECT_EQ(power_.percent_, 100);
}

TEST_F(PowerTest, NotForWhomAnEarlierWorkerStarted) {
  launch(key, 10);
  begin();
  go_on();
  EXPECT_EQ(power_.percent_, 100);
  said_.clear();
}

TEST_F(PowerTest, ComesBackWithTheEnd) {
  launch(key, 10);
  go_on();
  said_.clear();
  EXPECT_EQ(figure(component("power_caps"), "changes"), 1);
  record().exit = ExitRecord{};
  changed();
  tick();
  EXPECT_EQ(power_.percent_, 100);
  EXPECT_EQ(expect_report(LaunchState::Exited).cap, PowerCap{});
  EXPECT_EQ(figure(component("power_caps"), "changes"), 2);
}

TEST_F(PowerTest, SaysWhyItIsNot) {
  power_.fixed_ = "no limit";
  launch(key, 10);
  go_on();
  EXPECT_EQ(power_.percent_, 100);
  const ComponentState caps = component("power_caps");
  EXPECT_FALSE(caps.running);
  EXPECT_EQ(caps.text, "no limit");
}

// ---- what comes too late -----------------------------------------------------------------------

TEST_F(AgentTest, AnOrderThatComesAfterItsRecordIsGoneIsRefused) {
  start_worker();
  spool_.sequence_ = 77;
  receive(order());
  expect_report(LaunchState::Absent);
  expect_calls({});
}

TEST_F(AgentTest, AFullOrBrokenSpoolIsTheNodesFault) {
  for (const ClaimResult result : {ClaimResult::Full, ClaimResult::Failed}) {
    spool_ = FakeSpool();
    start_worker();
    spool_.claim_result_ = result;
    receive(order());
    const LaunchReport report = expect_report(LaunchState::Absent);
    EXPECT_TRUE(report.node_fault);
    EXPECT_NE(report.reason.find("no space"), std::string::npos);
    spool_.claim_result_ = ClaimResult::Claimed;
    receive(order());  // late: it was said that it will never start
    expect_report(LaunchState::Absent);
    expect_calls({});
  }
}

TEST_F(AgentTest, ALauncherThatRefusesIsAProofThatNothingStarted) {
  start_worker();
  spawner_.starts_ = false;
  receive(order());
  expect_calls({"start 42.1.77"});
  EXPECT_TRUE(expect_report(LaunchState::NeverStarted).node_fault);
  EXPECT_FALSE(record().held);
}

TEST_F(AgentTest, AnOrderForAnEarlierBootIsNotObeyedButMadeKnown) {
  start_worker();
  LaunchOrder late = order();
  late.placement.shares.front().boot_id = "boot-0";
  receive(late);
  expect_calls({});
  EXPECT_FALSE(spool_.look(key));
  EXPECT_TRUE(said_.empty()) << "the Hello that it said just now may be on its way";
  tick(500);
  receive(late);
  EXPECT_EQ(expect_said<Hello>().boot_id, "boot-1");
  receive(late);
}

// ---- stopping ----------------------------------------------------------------------------------

TEST_F(AgentTest, AStopBeforeTheOrderKeepsItFromEverStarting) {
  start_worker();
  receive(StopOrder{key, StopReason::Cancelled, 5});
  expect_report(LaunchState::Absent);
  receive(order());
  expect_report(LaunchState::Absent);
  expect_calls({"sweep 42.1.77"});
}

TEST_F(AgentTest, AStopDuringTheStartIsPassedOnWhenItHasStarted) {
  start_worker();
  receive(order());
  receive(StopOrder{key, StopReason::Requeue, 5});
  expect_calls({"start 42.1.77"});
  record().started_ms = 5'000;
  changed();
  expect_calls({"stop 42.1.77 requeue 5"});
  said_.clear();
}

TEST_F(AgentTest, AStopOfARunningJobIsPassedOnAtOnce) {
  record() = {.key = key, .held = true, .started_ms = 5, .exit = {}};
  start_worker();
  receive(StopOrder{key, StopReason::Cancelled, 30});
  expect_calls({"stop 42.1.77 cancelled 30"});
  expect_report(LaunchState::Running);
}

TEST_F(AgentTest, ASignalGoesOnlyToWhatRuns) {
  start_worker();
  receive(SignalOrder{key, 10, false});
  expect_calls({});
  record() = {.key = key, .held = true, .started_ms = 5, .exit = {}};
  changed();
  receive(SignalOrder{key, 10, false});
  expect_calls({"signal 42.1.77 10"});
  said_.clear();
}

// ---- results -----------------------------------------------------------------------------------

TEST_F(AgentTest, AResultIsRepeatedUntilItIsRetired) {
  record() = {.key = key, .held = false, .started_ms = 5, .exit = ExitRecord{}};
  start_worker();
  tick(2'000);
  expect_said<Heartbeat>();
  expect_report(LaunchState::Exited);
  receive(RetireOrder{key});
  EXPECT_TRUE(spool_.records_.empty());
  receive(RetireOrder{key});  // not having it is fine
  tick(2'000);
  expect_said<Heartbeat>();
}

TEST_F(AgentTest, WhatIsNotOverIsNotForgotten) {
  record() = {.key = key, .held = true, .started_ms = 5, .exit = {}};
  start_worker();
  receive(RetireOrder{key});
  EXPECT_EQ(spool_.records_.count(key), 1u);
}

TEST_F(AgentTest, AQuestionAboutWhatIsNotThereIsAnsweredWithAProof) {
  start_worker();
  spawner_.swept_ = false;
  receive(QueryOrder{key});
  EXPECT_TRUE(said_.empty()) << "something of it is left";
  spawner_.swept_ = true;
  receive(QueryOrder{key});
  expect_report(LaunchState::Absent);
  receive(order());
  expect_report(LaunchState::Absent);
  spawner_.calls_.clear();
}

// ---- greetings and epochs ----------------------------------------------------------------------

TEST_F(AgentTest, SaysHelloUntilItIsWelcomedAndThenThatItLives) {
  Agent::Identity identity;
  identity.node = "n1";
  agent_ = std::make_unique<Agent>(identity, spool_, spawner_);
  tick();
  EXPECT_EQ(expect_said<Hello>().node, "n1");
  tick(499);
  tick(1);
  expect_said<Hello>();
  receive(Welcome{true, ""});
  EXPECT_TRUE(agent_->welcomed());
  tick(999);
  tick(1);
  expect_said<Heartbeat>();
  receive(SayHello{});
  expect_said<Hello>();
}

TEST_F(AgentTest, SaysThatItLivesAsOftenAsTheMasterWants) {
  start_worker();
  NodeSettings settings;
  settings.heartbeat_ms = 3'000;
  receive(Welcome{true, "", settings});
  tick(2'999);
  EXPECT_TRUE(said_.empty());
  tick(1);
  expect_said<Heartbeat>();
  settings.heartbeat_ms = 200;  // the configuration was loaded again
  receive(Welcome{true, "", settings});
  tick(200);
  expect_said<Heartbeat>();
}

TEST_F(AgentTest, SaysNothingOfItsHealthBeforeItIsKnown) {
  start_worker();
  tick(1'000);
  EXPECT_FALSE(expect_said<Heartbeat>().health_known);
  agent_->set_health("no space in /tmp");
  tick(1'000);
  const auto unwell = expect_said<Heartbeat>();
  EXPECT_TRUE(unwell.health_known);
  EXPECT_EQ(unwell.health, "no space in /tmp");
  agent_->set_health("");
  tick(1'000);
  const auto well = expect_said<Heartbeat>();
  EXPECT_TRUE(well.health_known);
  EXPECT_EQ(well.health, "");
}

TEST_F(AgentTest, TheTimeThatMessagesTakeIsNoFaultOfItsClock) {
  start_worker();
  EXPECT_EQ(agent_->clock_off_ms(), 0);
  const auto answered_after = [&](BootMs round_trip_ms, WallMs behind_ms) {
    const Renewal renewal{.echo_ms = now_.boot_ms - round_trip_ms,
                          .leases = {},
                          .master_ms = now_.wall_ms + behind_ms};
    receive(renewal);
    return agent_->clock_off_ms();
  };
  EXPECT_EQ(answered_after(0, 0), 0);
  EXPECT_EQ(answered_after(0, 7'000), -7'000);
  EXPECT_EQ(answered_after(0, -7'000), 7'000);
  EXPECT_EQ(answered_after(2'000, -2'000), 0) << "it may have been on its way for that long";
  EXPECT_EQ(answered_after(2'000, -9'000), 7'000);
  EXPECT_EQ(answered_after(2'000, 1'000), -1'000);
}

TEST_F(AgentTest, AWorkerThatIsNotWantedSaysWhy) {
  start_worker();
  receive(Welcome{false, "another worker is there"});
  EXPECT_EQ(agent_->refusal(), "another worker is there");
}

TEST_F(AgentTest, AMasterThatHasBeenReplacedIsToldAndNotObeyed) {
  start_worker();
  receive(order(), epoch - 1);
  EXPECT_EQ(expect_said<EpochRefused>().highest, epoch);
  expect_calls({});
  EXPECT_TRUE(spool_.records_.empty());
  EXPECT_EQ(spool_.epoch_, epoch);
  start_worker();  // the disk remembers it
  receive(order(), epoch - 1);
  EXPECT_EQ(expect_said<EpochRefused>().highest, epoch);
}

}  // namespace
}  // namespace hyades
