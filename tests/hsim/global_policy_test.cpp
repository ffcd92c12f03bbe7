// The learned global policy as the scheduler sees it: what it is told, what it may do, and that
// nothing depends on its answers.
#include "policy/global_policy.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "hsim/knowing_replay.hpp"
#include "policy/adviser_bytes.hpp"
#include "policy/global_choice.hpp"
#include "policy/prompt_adviser.hpp"
#include "trace/workload_model.hpp"

namespace hyades {
namespace {

Workload workload(int procs = 64) {
  WorkloadModel model;
  model.procs = procs;
  model.jobs = 600;
  model.load = 0.9;
  model.users = 20;
  model.over_estimates = true;
  return generate_workload(model);
}

// Says what it is told to say, and keeps what it was asked.
class FakeAdviser : public Adviser {
 public:
  explicit FakeAdviser(AdviserReply its) : reply(std::move(its)) {}

  void ask(const GlobalQuestion& question) override {
    questions.push_back(question);
    asked_ = true;
  }
  bool idle() const override { return !asked_; }
  std::optional<AdviserReply> answer() override {
    if (!asked_ || silent) return std::nullopt;
    asked_ = false;
    return reply;
  }

  void renew() override { ++renewed; }

  AdviserReply reply;
  std::vector<GlobalQuestion> questions;
  int renewed = 0;
  bool silent = false;

 private:
  bool asked_ = false;
};

AdviserReply advised(const GlobalAction& action) {
  return {GlobalAdvice{action, std::vector<float>(global_choices_count), "model", {}}, ""};
}

std::vector<ReplayedJob> replay_with(QueueConfig queue, Adviser* adviser, bool guard = true) {
  ClusterConfig config = pool_of(64, queue.order, queue.backfill);
  queue.name = config.queues.front().name;
  config.queues.front() = queue;
  config.guard.enabled = guard;
  ReplayOptions options;
  options.config = std::make_shared<ClusterConfig>(config);
  const Workload jobs = workload();
  return replay_knowing(jobs, {}, origin_ms(jobs), options, nullptr, adviser).jobs;
}

bool same_starts(const std::vector<ReplayedJob>& a, const std::vector<ReplayedJob>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
    return one.start_s == other.start_s;
  });
}

QueueConfig ordered_by(QueueOrder order) {
  QueueConfig queue;
  queue.order = order;
  return queue;
}

std::size_t rule_named(std::string_view name) {
  for (std::size_t i = 0; i < global_rules_count; ++i) {
    if (global_rules()[i].name == name) return i;
  }
  ADD_FAILURE() << name;
  return 0;
}

TEST(GlobalPolicy, WithoutAnAdviserTheQueueGoesByTheIndex) {
  const auto index = replay_with(ordered_by(QueueOrder::Index), nullptr);
  EXPECT_TRUE(same_starts(replay_with(ordered_by(QueueOrder::Learned), nullptr), index));
  FakeAdviser broken({std::nullopt, "it broke"});
  EXPECT_TRUE(same_starts(replay_with(ordered_by(QueueOrder::Learned), &broken), index));
  FakeAdviser silent({std::nullopt, "never said"});
  silent.silent = true;
  EXPECT_TRUE(same_starts(replay_with(ordered_by(QueueOrder::Learned), &silent), index));
  EXPECT_EQ(silent.questions.size(), 1u);
}

TEST(GlobalPolicy, WhatItIsAdvisedHolds) {
  GlobalAction action;
  action.rule = rule_named("saf");
  action.reserve = 0;
  FakeAdviser adviser(advised(action));
  const auto learned = replay_with(ordered_by(QueueOrder::Learned), &adviser, false);
  QueueConfig saf = ordered_by(QueueOrder::Saf);
  saf.run_times = RunTimes::Learned;
  EXPECT_TRUE(same_starts(learned, replay_with(saf, nullptr, false)));
  EXPECT_FALSE(same_starts(learned, replay_with(ordered_by(QueueOrder::Index), nullptr, false)));
  saf.reserve = 0.3;
  saf.reserve_after_s = 600;
  saf.ageing = 1;
  FakeAdviser other(advised({rule_named("saf"), 0.3, 600, 1}));
  EXPECT_TRUE(same_starts(replay_with(ordered_by(QueueOrder::Learned), &other, false),
                          replay_with(saf, nullptr, false)));
}

TEST(GlobalPolicy, IsAskedEveryHalfHourAndSeesFiniteFigures) {
  FakeAdviser adviser(advised({}));
  replay_with(ordered_by(QueueOrder::Learned), &adviser);
  ASSERT_GT(adviser.questions.size(), 20u);
  bool some_waited = false, some_ran = false;
  for (std::size_t i = 0; i < adviser.questions.size(); ++i) {
    const GlobalQuestion& question = adviser.questions[i];
    if (i > 0) {
      EXPECT_GE(question.at_ms - adviser.questions[i - 1].at_ms, GlobalPolicy::epoch_ms);
    }
    for (const GlobalFigures& frame : question.state.frames) {
      for (const float figure : frame) EXPECT_TRUE(std::isfinite(figure));
    }
    const GlobalFigures& now = question.state.frames.back();
    const auto figure = [&](const std::string& name) {
      const auto& names = global_figure_names();
      return now[static_cast<std::size_t>(std::find(names.begin(), names.end(), name) -
                                          names.begin())];
    };
    some_waited |= figure("waiting.jobs") > 0;
    some_ran |= figure("running.cores") > 0;
    double taken = 0;
    for (const float bin : question.state.occupancy[0]) {
      EXPECT_GE(bin, 0);
      EXPECT_LE(bin, 1.0001f);
      taken += static_cast<double>(bin);
    }
    EXPECT_NEAR(taken / occupancy_bins, static_cast<double>(figure("running.cores")), 1e-3);
  }
  EXPECT_TRUE(some_waited);
  EXPECT_TRUE(some_ran);
}

TEST(GlobalPolicy, FiguresHaveNamesOfTheirOwn) {
  std::vector<std::string> names = global_figure_names();
  EXPECT_EQ(names.size(), global_figures_count);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
}

// What it knows must not change with what happens later.
TEST(GlobalPolicy, KnowsNothingOfTheFuture) {
  const Workload all = workload();
  const auto questions_of = [](const Workload& jobs) {
    FakeAdviser adviser(advised({}));
    ReplayOptions options;
    ClusterConfig config = pool_of(64, QueueOrder::Learned, Backfill::Easy);
    config.guard.enabled = true;
    options.config = std::make_shared<ClusterConfig>(config);
    replay_knowing(jobs, {}, origin_ms(jobs), options, nullptr, &adviser);
    return adviser.questions;
  };
  const auto whole = questions_of(all);
  Workload known = cut(all, {0, 300});
  const auto half = questions_of(known);
  const WallMs until_ms =
      origin_ms(all) + (known.jobs.back().submit_s - all.jobs[0].submit_s) * 1000;
  std::size_t compared = 0;
  for (; compared < half.size() && half[compared].at_ms < until_ms; ++compared) {
    EXPECT_EQ(half[compared].at_ms, whole[compared].at_ms);
    EXPECT_EQ(half[compared].state, whole[compared].state) << compared;
  }
  EXPECT_GT(compared, 10u);
}

TEST(GlobalAction, NumbersGoThereAndBack) {
  for (const GlobalAction& action :
       {GlobalAction{}, GlobalAction{3, 0.3, 600, 1}, GlobalAction{8, 0, 21'600, 0}}) {
    const GlobalAction back = global_action(action.rule, unit_numbers(action));
    EXPECT_TRUE(legal(back));
    EXPECT_EQ(back.rule, action.rule);
    EXPECT_NEAR(back.reserve, action.reserve, 1e-6);
    EXPECT_NEAR(back.reserve_after_s, action.reserve_after_s, 0.1);
    EXPECT_NEAR(back.ageing, action.ageing, 1e-6);
  }
  EXPECT_FALSE(legal({global_rules_count, 0.05, 3600, 0}));
  EXPECT_FALSE(legal({0, 0.5, 3600, 0}));
  EXPECT_FALSE(legal({0, NAN, 3600, 0}));
  EXPECT_FALSE(legal({0, 0.05, INFINITY, 0}));
  EXPECT_FALSE(legal({0, 0.05, 3600, -1}));
}

TEST(GlobalChoice, HasANameOfItsOwn) {
  for (std::size_t i = 0; i < global_choices_count; ++i) {
    EXPECT_EQ(global_choice_named(global_choice_name(i)), i);
    EXPECT_EQ(look_ahead_of_choice(i).has_value(), i >= global_rules_count);
  }
  EXPECT_EQ(choices_from(choices_text(every_choice())), every_choice());
  EXPECT_EQ(look_ahead_of_choice(expert_choice), Objective::Slowdown);
  EXPECT_EQ(choices_text(choices_from("saf,lookahead-wait").value()), "index,saf,lookahead-wait");
  EXPECT_EQ(choices_from("")->count(), 1u);
  EXPECT_FALSE(choices_from("saf,nothing"));
  EXPECT_FALSE(choices_from("saf,,f1"));
}

// ---- a bad adviser ------------------------------------------------------------------------------

class Asked : public testing::Test {
 protected:
  Asked() {
    config_ = pool_of(8, QueueOrder::Learned, Backfill::Easy);
    cluster_.define("pool", config_.nodes.front().inventory);
    queue_.config = &config_.queues.front();
    queue_.waiting = &waiting_;
    queue_.usable = {1};
    view_ = {&cluster_, &running_, &cluster_.free()};
  }
  void look(GlobalPolicy& policy, WallMs now_ms) {
    policy.look({queue_}, view_, now_ms, nullptr, predictor_);
  }

  void waits_in(const std::string& queue, GlobalPolicy& policy) {
    job_.id = 1;
    job_.spec.queue = queue;
    policy.waits(job_, 1'000'000'000);
    waiting_.insert(waiting_job(job_, 0));
  }

  Job job_;
  ClusterConfig config_;
  Cluster cluster_;
  RunningList running_;
  WaitingList waiting_;
  QueueView queue_;
  ClusterView view_;
  RunPredictor predictor_;
};

TEST_F(Asked, ThreeFailuresWithinAMinuteTurnItOff) {
  FakeAdviser adviser({std::nullopt, "it broke"});
  GlobalPolicy policy(adviser);
  policy.configure(config_);
  WallMs now_ms = 1'000'000'000;
  for (int i = 0; i < 3; ++i, now_ms += 10'000) {
    EXPECT_FALSE(policy.health().off);
    look(policy, now_ms);
  }
  EXPECT_TRUE(policy.health().off);
  EXPECT_EQ(policy.health().failure, "it broke");
  EXPECT_EQ(adviser.questions.size(), 3u);
  look(policy, now_ms + GlobalPolicy::epoch_ms);
  EXPECT_EQ(adviser.questions.size(), 3u);
  policy.configure(config_);
  EXPECT_FALSE(policy.health().off);
}

TEST_F(Asked, FailuresNowAndThenDoNot) {
  FakeAdviser adviser({std::nullopt, "it broke"});
  GlobalPolicy policy(adviser);
  policy.configure(config_);
  for (WallMs i = 0; i < 10; ++i) look(policy, 1'000'000'000 + i * 40'000);
  EXPECT_EQ(adviser.questions.size(), 10u);
  EXPECT_FALSE(policy.health().off);
}

TEST_F(Asked, AnotherModelIsAskedAtOnceWhateverTheOneBeforeDid) {
  FakeAdviser failing({std::nullopt, "it broke"});
  GlobalPolicy off(failing);
  off.configure(config_);
  for (WallMs i = 0; i < 3; ++i) look(off, 1'000'000'000 + i * 10'000);
  ASSERT_TRUE(off.health().off);
  off.take_another_model();
  EXPECT_FALSE(off.health().off);
  EXPECT_EQ(off.health().failures, 0u);
  look(off, 1'000'000'000 + 30'000);
  EXPECT_EQ(failing.questions.size(), 4u);

  FakeAdviser adviser(advised({}));
  GlobalPolicy policy(adviser);
  policy.configure(config_);
  look(policy, 1'000'000'000);
  ASSERT_NE(policy.advice("batch"), nullptr);
  policy.take_another_model();
  EXPECT_EQ(policy.advice("batch"), nullptr);  // the one before may be why there is another
  adviser.silent = true;
  look(policy, 1'000'000'001);
  EXPECT_EQ(adviser.questions.size(), 2u);
  policy.take_another_model();
  adviser.silent = false;
  policy.wakes(1'000'000'002);
  EXPECT_EQ(policy.advice("batch"), nullptr);  // the one before said that
  look(policy, 1'000'000'003);
  EXPECT_NE(policy.advice("batch"), nullptr);
}

TEST_F(Asked, AConfigurationThatIsLoadedAgainAsksAnewAndKeepsWhatHolds) {
  FakeAdviser adviser(advised({}));
  GlobalPolicy policy(adviser);
  policy.configure(config_);
  look(policy, 1'000'000'000);
  const int renewed = adviser.renewed;
  policy.configure(config_);
  EXPECT_EQ(adviser.renewed, renewed + 1);
  EXPECT_NE(policy.advice("batch"), nullptr);
  look(policy, 1'000'000'001);
  EXPECT_EQ(adviser.questions.size(), 2u);
}

TEST_F(Asked, WhatNoQueueCanDoIsAFailure) {
  FakeAdviser adviser(advised({0, 0.9, 3600, 0}));
  GlobalPolicy policy(adviser);
  policy.configure(config_);
  look(policy, 1'000'000'000);
  EXPECT_EQ(policy.advice("batch"), nullptr);
  EXPECT_EQ(policy.health().failures, 1u);
}

TEST_F(Asked, AnAnswerHoldsForAnHour) {
  FakeAdviser adviser(advised({}));
  GlobalPolicy policy(adviser);
  policy.configure(config_);
  const WallMs begin_ms = 1'000'000'000;
  look(policy, begin_ms);
  EXPECT_NE(policy.advice("batch"), nullptr);
  adviser.silent = true;
  look(policy, begin_ms + 2 * GlobalPolicy::epoch_ms);
  EXPECT_NE(policy.advice("batch"), nullptr);
  look(policy, begin_ms + 2 * GlobalPolicy::epoch_ms + 1);
  EXPECT_EQ(policy.advice("batch"), nullptr);
  adviser.silent = false;
  look(policy, begin_ms + 2 * GlobalPolicy::epoch_ms + 2);
  EXPECT_NE(policy.advice("batch"), nullptr);
}

TEST_F(Asked, AnAnswerOrADueQuestionWakesTheScheduler) {
  FakeAdviser adviser(advised({}));
  GlobalPolicy policy(adviser);
  policy.configure(config_);
  waits_in("batch", policy);
  adviser.silent = true;
  const WallMs begin_ms = 1'000'000'000;
  EXPECT_TRUE(policy.wakes(begin_ms));  // it was never asked
  look(policy, begin_ms);
  EXPECT_FALSE(policy.wakes(begin_ms + 1));
  adviser.silent = false;
  EXPECT_TRUE(policy.wakes(begin_ms + 2));
  EXPECT_NE(policy.advice("batch"), nullptr);
  EXPECT_FALSE(policy.wakes(begin_ms + 3));
  EXPECT_TRUE(policy.wakes(begin_ms + GlobalPolicy::epoch_ms));
  policy.leaves(job_);
  EXPECT_FALSE(policy.wakes(begin_ms + GlobalPolicy::epoch_ms));
}

// Fails as models do; looking ahead needs none.
class ModelFails : public PromptAdviser {
  AdviserReply reply_to(const GlobalQuestion& question) override {
    return question.look_ahead ? advised({}) : AdviserReply{std::nullopt, "no model"};
  }
};

// Until the model answers again, every minute; it stays the model's choice.
TEST_F(Asked, AModelMayChooseToLookAhead) {
  AdviserReply chosen = advised({.rule = rule_named("saf")});
  chosen.advice->choice = expert_choice;
  FakeAdviser adviser(chosen);
  GlobalPolicy policy(adviser);
  policy.configure(config_);
  waits_in("batch", policy);
  const WallMs begin_ms = 1'000'000'000;
  const auto at = [&](int minute) { return begin_ms + minute * GlobalPolicy::lookahead_ms; };
  look(policy, at(0));
  EXPECT_FALSE(policy.wakes(at(1) - 1));
  EXPECT_TRUE(policy.wakes(at(1)));
  adviser.reply = {GlobalAdvice{.action = {.rule = rule_named("sjf")}}, ""};
  look(policy, at(1));
  ASSERT_EQ(adviser.questions.size(), 2u);
  EXPECT_EQ(adviser.questions[1].look_ahead, Objective::Slowdown);
  EXPECT_EQ(adviser.questions[1].gate, config_.policy_gate);
  ASSERT_NE(policy.advice("batch"), nullptr);
  EXPECT_EQ(policy.advice("batch")->action.rule, rule_named("sjf"));
  EXPECT_EQ(policy.advice("batch")->model, "model");
  EXPECT_EQ(policy.advice("batch")->choice, expert_choice);
  // What looked good costs too much after all: the hand-set action, until the model says more.
  adviser.reply.advice->action = {};
  adviser.reply.advice->played = PlayedCosts{.gated = true};
  look(policy, at(2));
  EXPECT_EQ(policy.advice("batch")->action.rule, 0u);
  look(policy, at(3));
  EXPECT_EQ(adviser.questions.size(), 3u);
  adviser.reply = advised({.rule = rule_named("saf")});
  look(policy, at(30));
  ASSERT_EQ(adviser.questions.size(), 4u);
  EXPECT_FALSE(adviser.questions[3].look_ahead);
  look(policy, at(31));
  EXPECT_EQ(adviser.questions.size(), 4u);  // it chose a rule
}

// Else the queue would go for half an hour by what once looked best.
TEST_F(Asked, WhereLookingAheadFailsItsChoiceIsTheHandSetAction) {
  AdviserReply chosen = advised({.rule = rule_named("saf")});
  chosen.advice->choice = expert_choice;
  FakeAdviser adviser(chosen);
  GlobalPolicy policy(adviser);
  policy.configure(config_);
  waits_in("batch", policy);
  WallMs now_ms = 1'000'000'000;
  look(policy, now_ms);
  ASSERT_EQ(policy.advice("batch")->action.rule, rule_named("saf"));
  adviser.reply = {std::nullopt, "it broke"};
  now_ms += GlobalPolicy::lookahead_ms;
  for (int i = 0; i < 3; ++i, now_ms += 10'000) look(policy, now_ms);
  EXPECT_TRUE(policy.lookahead_health().off);
  EXPECT_FALSE(policy.health().off);
  look(policy, now_ms);
  ASSERT_NE(policy.advice("batch"), nullptr);
  EXPECT_EQ(policy.advice("batch")->action, GlobalAction{});
  EXPECT_EQ(policy.advice("batch")->choice, expert_choice);
}

TEST_F(Asked, AModelThatFailsLeavesLookingAheadAlone) {
  QueueConfig ahead = config_.queues.front();
  ahead.name = "ahead";
  ahead.order = QueueOrder::LookaheadWait;
  config_.queues.push_back(ahead);
  ModelFails adviser;
  GlobalPolicy policy(adviser);
  policy.configure(config_);
  waits_in("ahead", policy);
  queue_.config = &config_.queues.front();
  QueueView other = queue_;
  other.config = &config_.queues.back();
  for (WallMs i = 0; i < 5; ++i) {
    policy.look({queue_, other}, view_, 1'000'000'000 + i * 10'000, nullptr, predictor_);
  }
  EXPECT_TRUE(policy.health().off);
  EXPECT_FALSE(policy.lookahead_health().off);
  EXPECT_EQ(policy.advice("batch"), nullptr);
  EXPECT_NE(policy.advice("ahead"), nullptr);
}

TEST(AdviserBytes, OnlyWholeMessagesAreAny) {
  NumberedQuestion question{7, {}};
  question.question.state.frames[3][5] = 0.5f;
  question.question.look_ahead = Objective::Slowdown;
  question.question.gate = 0.25;
  question.question.scene.cores = 4;
  question.question.scene.jobs.push_back({-5, 100, 0.01, 120, 2});
  const std::string asked = to_bytes(question);
  EXPECT_LE(asked.size(), adviser_message_most);
  ASSERT_TRUE(question_from(asked));
  const GlobalQuestion back = question_from(asked)->question;
  EXPECT_EQ(back.state, question.question.state);
  EXPECT_EQ(back.scene, question.question.scene);
  EXPECT_EQ(back.look_ahead, Objective::Slowdown);
  EXPECT_EQ(back.gate, 0.25);
  EXPECT_FALSE(question_from(to_bytes(NumberedQuestion{1, {}}))->question.look_ahead);
  AdviserReply full = advised({2, 0.1, 1800, 0.5});
  full.advice->choice = 5;
  full.advice->played = PlayedCosts{Objective::Slowdown, 3, 4, 2, "sjf", 0.1, true};
  const std::string said = to_bytes(NumberedReply{7, full});
  ASSERT_TRUE(reply_from(said));
  EXPECT_EQ(reply_from(said)->reply.advice->action, (GlobalAction{2, 0.1, 1800, 0.5}));
  EXPECT_EQ(reply_from(said)->reply.advice->choice, 5u);
  EXPECT_EQ(reply_from(said)->reply.advice->played->best_rule, "sjf");
  EXPECT_TRUE(reply_from(said)->reply.advice->played->gated);
  EXPECT_FALSE(reply_from(to_bytes(NumberedReply{7, advised({})}))->reply.advice->played);
  EXPECT_EQ(reply_from(to_bytes(NumberedReply{0, {std::nullopt, "no"}}))->reply.failure, "no");
  for (std::size_t size = 0; size < said.size(); ++size) {
    EXPECT_FALSE(reply_from(said.substr(0, size))) << size;
  }
  for (std::size_t size = 0; size < asked.size(); size += 7) {
    EXPECT_FALSE(question_from(asked.substr(0, size))) << size;
  }
  EXPECT_FALSE(reply_from(said + "x"));
}

}  // namespace
}  // namespace hyades
