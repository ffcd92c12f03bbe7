// Looking ahead: that what is played is what would happen, what is chosen, and when.
#include "policy/lookahead.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "hsim/knowing_replay.hpp"
#include "hsim/metrics.hpp"
#include "policy/adviser_bytes.hpp"
#include "policy/global_policy.hpp"
#include "policy/prompt_adviser.hpp"
#include "policy/rollout.hpp"
#include "trace/workload_model.hpp"

namespace hyades {
namespace {

Workload workload(std::uint64_t seed, int jobs = 600) {
  WorkloadModel model;
  model.procs = 64;
  model.jobs = jobs;
  model.load = 0.9;
  model.users = 20;
  model.over_estimates = true;
  model.seed = seed;
  return generate_workload(model);
}

// Everybody runs for as long as was asked for.
Workload with_exact_requests(Workload workload) {
  for (TraceJob& job : workload.jobs) job.request_s = job.run_s;
  return workload;
}

SceneJob scene_job(const TraceJob& job, std::int64_t now_s) {
  SceneJob out;
  out.submit_ms = (job.submit_s - now_s) * 1000;
  out.run_s = static_cast<double>(job.run_s);
  out.inverse_s = 1 / std::max(out.run_s, shortest_run_s);
  out.limit_s = static_cast<std::int32_t>(job.request_s);
  out.cores = job.procs;
  return out;
}

// The log as it is foreseen at its first job.
RolloutScene scene_of(const Workload& workload) {
  RolloutScene scene;
  scene.cores = workload.procs;
  for (const TraceJob& job : workload.jobs) {
    scene.jobs.push_back(scene_job(job, workload.jobs.front().submit_s));
  }
  return scene;
}

double replayed_wait_s(const Workload& workload, const GlobalAction& action) {
  ClusterConfig config = pool_of(workload.procs, QueueOrder::Fcfs, Backfill::Easy);
  config.queues.front().run_times = RunTimes::Request;
  config.queues.front() = under(config.queues.front(), action);
  ReplayOptions options;
  options.config = std::make_shared<ClusterConfig>(config);
  const auto jobs = replay_knowing(workload, {}, origin_ms(workload), options).jobs;
  return measure(workload, jobs).avg_wait;
}

TEST(Rollout, PlaysWhatWouldHappen) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const Workload jobs = with_exact_requests(workload(seed));
    const RolloutScene scene = scene_of(jobs);
    const Rollout rollout(scene);
    for (std::size_t rule = 0; rule < global_rules_count; ++rule) {
      for (const double reserve : {0.0, 0.2}) {
        const GlobalAction action{.rule = rule, .reserve = reserve};
        EXPECT_NEAR(rollout.play(action, true).wait_s, replayed_wait_s(jobs, action), 1e-6)
            << global_rules()[rule].name << " " << reserve << " " << seed;
      }
    }
  }
}

// Four cores; one job holds three of them for 100 s.
RolloutScene small_scene() {
  RolloutScene scene;
  scene.cores = 4;
  scene.running = {{100'000, 200'000, 3}};
  SceneJob wide{-50'000, 1'000, 0.001, 1'000, 4};
  SceneJob brief{-10'000, 10, 0.1, 10, 2};
  scene.jobs = {wide, brief};
  return scene;
}

TEST(Rollout, CountsFromNowOnAndRunningJobsInTheWay) {
  const RolloutScene scene = small_scene();
  const Rollout rollout(scene);
  // By submission: the wide one at 100 s, the brief one behind it.
  const RolloutCost fcfs = rollout.play({.rule = global_rules_count - 1, .reserve = 0}, false);
  EXPECT_DOUBLE_EQ(fcfs.wait_s, (100 + 1'100) / 2.0);
  EXPECT_DOUBLE_EQ(fcfs.slowdown, (100 * 0.001 + 1'100 * 0.1) / 2);
  const RolloutCost index = rollout.play({.reserve = 0}, false);
  EXPECT_DOUBLE_EQ(index.wait_s, (100 + 110) / 2.0);
}

TEST(Rollout, JobsToComeTakePartIfTheyMay) {
  RolloutScene scene = small_scene();
  SceneJob late{20'000, 100, 0.01, 100, 1};
  scene.jobs.push_back(late);
  const Rollout rollout(scene);
  EXPECT_DOUBLE_EQ(rollout.play({.reserve = 0}, false).wait_s, (100 + 110) / 2.0);
  // It starts at once on the core that is free, and the wide one waits for it: until 120 s.
  EXPECT_DOUBLE_EQ(rollout.play({.reserve = 0}, true).wait_s, (100 + 120 + 0) / 3.0);
}

TEST(Rollout, AnEmptySceneCostsNothing) {
  EXPECT_EQ(Rollout({}).play({}, true).wait_s, 0);
  RolloutScene scene;
  scene.cores = 4;
  EXPECT_EQ(Rollout(scene).play({}, true).wait_s, 0);
}

TEST(Lookahead, ChoosesWhatCostsLeast) {
  int departures = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    RolloutScene scene = scene_of(cut(workload(seed), {200, 40}));
    for (SceneJob& job : scene.jobs) job.submit_ms = std::min<WallMs>(job.submit_ms - 1'000, 0);
    const GlobalAdvice advice = look_ahead(scene, Objective::Wait);
    ASSERT_TRUE(advice.played);
    const Rollout rollout(scene);
    double least = rollout.play({}, false).wait_s;
    EXPECT_DOUBLE_EQ(advice.played->hand_set, least);
    for (const GlobalAction& action : tried_actions(Objective::Wait)) {
      least = std::min(least, rollout.play(action, false).wait_s);
    }
    EXPECT_DOUBLE_EQ(advice.played->least, least);
    EXPECT_DOUBLE_EQ(advice.played->cost, rollout.play(advice.action, false).wait_s);
    EXPECT_LE(advice.played->cost, least / (1 - least_gain(Objective::Wait)));
    departures += advice.action == GlobalAction{} ? 0 : 1;
  }
  EXPECT_GT(departures, 0);
  EXPECT_LT(departures, 10);
}

TEST(Lookahead, StaysWithTheHandSetActionWhereNothingGains) {
  RolloutScene scene;
  scene.cores = 4;
  scene.jobs.resize(2);
  EXPECT_EQ(look_ahead(scene, Objective::Wait).action, GlobalAction{});
  EXPECT_EQ(look_ahead({}, Objective::Slowdown).action, GlobalAction{});
}

TEST(Gate, StopsWhatCostsTooMuch) {
  const RolloutScene scene = small_scene();
  GlobalAdvice dear{{.rule = global_rules_count - 1, .reserve = 0}, {}, "model", {}};
  play_beside(scene, 0.1, dear);
  EXPECT_EQ(dear.action, GlobalAction{});
  EXPECT_TRUE(dear.played->gated);
  EXPECT_DOUBLE_EQ(dear.played->cost, dear.played->hand_set);
  GlobalAdvice let{{.rule = global_rules_count - 1, .reserve = 0}, {}, "model", {}};
  play_beside(scene, 1'000, let);
  EXPECT_EQ(let.action.rule, global_rules_count - 1);
  EXPECT_FALSE(let.played->gated);
  EXPECT_GT(let.played->cost, let.played->hand_set);
  GlobalAdvice same{{}, {}, "model", {}};
  play_beside(scene, 0, same);
  EXPECT_FALSE(same.played->gated);
}

// ---- as the scheduler does it -------------------------------------------------------------------

// Looks ahead at once, and keeps what it was asked.
class Looking : public PromptAdviser {
 public:
  std::vector<GlobalQuestion> questions;

 private:
  AdviserReply reply_to(const GlobalQuestion& question) override {
    questions.push_back(question);
    return {look_ahead(question.scene, question.look_ahead.value()), ""};
  }
};

Replay replay_ahead(const Workload& jobs, QueueOrder order, Adviser* adviser) {
  ReplayOptions options;
  ClusterConfig config = pool_of(jobs.procs, order, Backfill::Easy);
  config.guard.enabled = true;
  options.config = std::make_shared<ClusterConfig>(config);
  return replay_knowing(jobs, {}, origin_ms(jobs), options, nullptr, adviser);
}

TEST(Lookahead, JobsWaitLess) {
  double ahead = 0, index = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Workload jobs = workload(seed);
    Looking looking;
    ahead += measure(jobs, replay_ahead(jobs, QueueOrder::LookaheadWait, &looking).jobs).avg_wait;
    index += measure(jobs, replay_ahead(jobs, QueueOrder::Index, nullptr).jobs).avg_wait;
  }
  EXPECT_LT(ahead, 0.95 * index);
}

TEST(Lookahead, IsAskedAtMostOnceAMinuteAndOnlyWhereSomebodyWaits) {
  Looking looking;
  replay_ahead(workload(1), QueueOrder::LookaheadSlowdown, &looking);
  ASSERT_GT(looking.questions.size(), 100u);
  bool some_to_come = false;
  WallMs last_ms = 0;
  for (const GlobalQuestion& question : looking.questions) {
    EXPECT_GE(question.at_ms - last_ms, GlobalPolicy::lookahead_ms);
    last_ms = question.at_ms;
    EXPECT_EQ(question.look_ahead, Objective::Slowdown);
    const RolloutScene& scene = question.scene;
    EXPECT_EQ(scene.cores, 64);
    std::int64_t taken = 0, waiting = 0;
    for (const SceneRunning& running : scene.running) taken += running.cores;
    EXPECT_LE(taken, scene.cores);
    for (const SceneJob& job : scene.jobs) {
      waiting += job.submit_ms <= 0 ? 1 : 0;
      some_to_come = some_to_come || job.submit_ms > 0;
      EXPECT_LE(job.submit_ms, RolloutScene::coming_within_ms);
    }
    EXPECT_GE(waiting, 1);
    EXPECT_TRUE(std::is_sorted(
        scene.jobs.begin(), scene.jobs.end(),
        [](const SceneJob& a, const SceneJob& b) { return a.submit_ms < b.submit_ms; }));
  }
  EXPECT_TRUE(some_to_come);
}

// Yesterday's come again: whatever comes later is not known.
TEST(Lookahead, KnowsNothingOfTheFuture) {
  const Workload all = workload(1);
  const Workload known = cut(all, {0, 300});
  Looking whole, half;
  replay_ahead(all, QueueOrder::LookaheadSlowdown, &whole);
  replay_ahead(known, QueueOrder::LookaheadSlowdown, &half);
  const WallMs until_ms =
      origin_ms(all) + (known.jobs.back().submit_s - all.jobs.front().submit_s) * 1000;
  std::size_t compared = 0;
  for (; compared < half.questions.size() && half.questions[compared].at_ms < until_ms;
       ++compared) {
    EXPECT_EQ(half.questions[compared].scene, whole.questions[compared].scene) << compared;
  }
  EXPECT_GT(compared, 50u);
}

TEST(RolloutScene, KeepsTheIndexFirstOfManyAndBundlesWhatRuns) {
  ClusterConfig config = pool_of(10'000, QueueOrder::Fcfs, Backfill::Easy);
  Cluster cluster;
  cluster.define("pool", config.nodes.front().inventory);
  std::vector<Job> jobs(3'000);
  WaitingList waiting;
  RunningList running;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    Job& job = jobs[i];
    job.id = i + 1;
    job.spec.tasks = i < 1'000 ? 3 : 1 + static_cast<int>(i % 7);
    job.spec.time_limit_s = 60 + static_cast<int>(i);
    job.submitted_ms = 1'000'000'000;
    if (i < 1'000) {
      NodeShare share;
      share.node = "pool";
      share.cores = IdSet::first(3);
      job.placement.shares = {share};
      running.insert({1'000'000'000 + WallMs{job.spec.time_limit_s} * 1000, job.id, &job});
    } else {
      waiting.insert(waiting_job(job, 0));
    }
  }
  const QueueView queue{&config.queues.front(), &waiting, {1}, 1'000'000'000, {}};
  const ClusterView view{&cluster, &running, &cluster.free()};
  GlobalScene global;
  global.queue = &queue;
  global.cluster = &view;
  global.now_ms = 1'000'000'000;
  global.read_jobs([](const Job& job) { return requested_run(job.spec); },
                   [](const RunningJob& each) { return each.expected_end_ms; });
  const RolloutScene scene = rollout_scene(global);
  EXPECT_EQ(scene.jobs.size(), RolloutScene::waiting_most);
  EXPECT_EQ(scene.jobs.front().cores, 1);
  EXPECT_LE(scene.running.size(), RolloutScene::running_most);
  std::int64_t taken = 0;
  for (const SceneRunning& each : scene.running) taken += each.cores;
  EXPECT_EQ(taken, 3'000);
  EXPECT_LE(to_bytes(NumberedQuestion{1, {"", 0, {}, scene, {}, 0}}).size(), adviser_message_most);
}

TEST(RolloutScene, WhatCannotBePlayedIsNoScene) {
  RolloutScene scene = small_scene();
  const auto comes_back = [](const RolloutScene& sent) {
    std::string bytes;
    put(bytes, sent);
    Taker taker(bytes);
    RolloutScene back;
    return take(taker, back) && back == sent && taker.is_empty();
  };
  EXPECT_TRUE(comes_back(scene));
  EXPECT_TRUE(comes_back({}));
  const auto refuses = [&](const std::function<void(RolloutScene&)>& change) {
    RolloutScene changed = scene;
    change(changed);
    return !comes_back(changed);
  };
  EXPECT_TRUE(refuses([](RolloutScene& it) { it.jobs[0].cores = 5; }));
  EXPECT_TRUE(refuses([](RolloutScene& it) { it.jobs[0].run_s = NAN; }));
  EXPECT_TRUE(refuses([](RolloutScene& it) { it.jobs[0].inverse_s = 0; }));
  EXPECT_TRUE(refuses([](RolloutScene& it) { it.jobs[0].limit_s = 0; }));
  EXPECT_TRUE(refuses([](RolloutScene& it) { it.running[0].cores = 5; }));
  EXPECT_TRUE(refuses([](RolloutScene& it) { it.running.push_back({1, 1, 3}); }));
  EXPECT_TRUE(refuses([](RolloutScene& it) { it.cores = -1; }));
  EXPECT_TRUE(refuses([](RolloutScene& it) { it.jobs.resize(1'000, it.jobs[0]); }));
}

}  // namespace
}  // namespace hyades
