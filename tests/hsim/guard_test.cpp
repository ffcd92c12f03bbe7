// The guard: nobody waits much longer than under first come, first served, whatever is preferred.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/prng.hpp"
#include "hsim/metrics.hpp"
#include "hsim/replay.hpp"
#include "hsim/replay_check.hpp"
#include "policy/backfill_policy.hpp"
#include "policy/prompt_adviser.hpp"

namespace hyades {
namespace {

constexpr std::int64_t kHour_s = 3600;

struct Guarded {
  std::vector<ReplayedJob> jobs;
  WallMs twin_ms = 0;  // the longest wait in the twin

  std::int64_t longest_wait_s(const Workload& workload) const {
    std::int64_t longest = 0;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      longest = std::max(longest, jobs[i].start_s - workload.jobs[i].submit_s);
    }
    return longest;
  }
};

Guarded run(const Workload& workload, QueueOrder order, bool guard, int after_s = kHour_s,
            Backfill backfill = Backfill::Easy, Adviser* adviser = nullptr) {
  ClusterConfig config = pool_of(workload.procs, order, backfill);
  config.guard.enabled = guard;
  config.guard.after_s = after_s;
  ReplayOptions options;
  options.config = std::make_shared<ClusterConfig>(std::move(config));
  BackfillPolicy policy(origin_ms(workload), nullptr, {}, adviser);
  Guarded result{replay(workload, policy, options).jobs};
  if (policy.guard() != nullptr) result.twin_ms = policy.guard()->twin().longest_wait_ms("batch");
  return result;
}

// More work than the machine can do at times, and a last job when all is long over.
Workload random_workload(std::uint64_t seed, bool exact) {
  Prng random(seed);
  Workload workload{"random", 16, 0, {}};
  std::int64_t now_s = 0;
  for (int i = 0; i < 150; ++i) {
    now_s += random.skewed(0, 600);
    TraceJob job;
    job.id = i + 1;
    job.submit_s = now_s;
    job.procs = static_cast<int>(random.between(1, random.chance(200) ? 16 : 4));
    job.run_s = random.skewed(30, 7200);
    job.request_s = exact ? job.run_s : job.run_s * random.between(1, 5);
    workload.jobs.push_back(job);
  }
  TraceJob last;
  last.id = 1000;
  last.submit_s = now_s + 10'000'000;
  workload.jobs.push_back(last);
  return workload;
}

// A job that needs the whole machine, and ever more small ones: each of them goes first.
Workload starving() {
  Workload workload{"starving", 4, 0, {}};
  for (int i = 0; i < 200; ++i) {
    workload.jobs.push_back(
        {.id = i + 1, .submit_s = i * 500, .run_s = 1000, .request_s = 1000, .procs = 2});
  }
  TraceJob large{.id = 900, .submit_s = 600, .run_s = 2000, .request_s = 2000, .procs = 4};
  workload.jobs.insert(workload.jobs.begin() + 2, large);
  return workload;
}

TEST(Guard, TheTwinIsFirstComeFirstServedWhereRequestsAreExact) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const Workload workload = random_workload(seed, true);
    const Guarded fair = run(workload, QueueOrder::Fcfs, false);
    for (const QueueOrder order : {QueueOrder::Saf, QueueOrder::Wfp3}) {
      const Guarded guarded = run(workload, order, true);
      EXPECT_EQ(guarded.twin_ms, fair.longest_wait_s(workload) * 1000) << "seed " << seed;
    }
  }
}

TEST(Guard, WithoutItALargeJobStarvesAndWithItItDoesNot) {
  const Workload workload = starving();
  for (const Backfill backfill : {Backfill::Easy, Backfill::None, Backfill::Conservative}) {
    const Guarded fair = run(workload, QueueOrder::Fcfs, false);
    const Guarded starved = run(workload, QueueOrder::Saf, false, kHour_s, backfill);
    const Guarded guarded = run(workload, QueueOrder::Saf, true, kHour_s, backfill);
    EXPECT_GT(starved.longest_wait_s(workload), 90'000);
    EXPECT_LE(guarded.longest_wait_s(workload),
              2 * std::max(kHour_s, fair.longest_wait_s(workload)));
  }
}

// The bound is on when a job goes to the head: then it waits for its place, which running jobs and
// others over age before it may hold.
TEST(Guard, NobodyWaitsMuchLongerThanUnderFirstComeFirstServed) {
  double worst = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const Workload workload = random_workload(seed, false);
    const auto fair =
        static_cast<double>(run(workload, QueueOrder::Fcfs, false).longest_wait_s(workload));
    for (const QueueOrder order : {QueueOrder::Saf, QueueOrder::F2, QueueOrder::Sjf}) {
      const auto guarded = static_cast<double>(run(workload, order, true).longest_wait_s(workload));
      worst = std::max(worst, guarded / std::max<double>(fair, 2 * kHour_s));
    }
  }
  EXPECT_LT(worst, 3);
  EXPECT_GT(worst, 0.5) << "these workloads say nothing";
}

// A model that is wrong on purpose: always the same, whatever by chance, or the worst it can say.
class BadAdviser : public PromptAdviser {
 public:
  BadAdviser(int kind, std::uint64_t seed) : kind_(kind), random_(seed) {}

 private:
  AdviserReply reply_to(const GlobalQuestion&) override {
    GlobalAction action{.rule = 8, .reserve = 0.3, .reserve_after_s = 600};  // fcfs
    if (kind_ == 1) action = {random_.below(global_rules_count), 0.3, 600, 1};
    if (kind_ == 2) action = {asked_++ % 2 == 0 ? 1u : 3u, 0, 21'600, 0};
    return {GlobalAdvice{action, {}, ""}, ""};
  }

  int kind_;
  Prng random_;
  std::size_t asked_ = 0;
};

TEST(Guard, NoModelCanBreakIt) {
  double worst = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Workload workload = random_workload(seed, false);
    const auto fair =
        static_cast<double>(run(workload, QueueOrder::Fcfs, false).longest_wait_s(workload));
    for (int kind = 0; kind < 3; ++kind) {
      BadAdviser adviser(kind, seed);
      const Guarded guarded =
          run(workload, QueueOrder::Learned, true, kHour_s, Backfill::Easy, &adviser);
      EXPECT_EQ(check_replay(workload, guarded.jobs), "");
      const auto longest = static_cast<double>(guarded.longest_wait_s(workload));
      worst = std::max(worst, longest / std::max<double>(fair, 2 * kHour_s));
    }
  }
  EXPECT_LT(worst, 3);
  EXPECT_GT(worst, 0.5) << "these workloads say nothing";
}

TEST(Guard, NobodyIsOverAgeBeforeTheLeastTime) {
  const Workload workload = starving();
  const Guarded free = run(workload, QueueOrder::Saf, false);
  const Guarded lax = run(workload, QueueOrder::Saf, true, 10'000'000);
  for (std::size_t i = 0; i < free.jobs.size(); ++i) {
    EXPECT_EQ(free.jobs[i].start_s, lax.jobs[i].start_s);
  }
}

TEST(Guard, ThereIsNoneWhereNobodyIsFavoured) {
  const Workload workload = random_workload(1, false);
  ClusterConfig config = pool_of(16, QueueOrder::Fcfs, Backfill::Easy);
  config.guard.enabled = true;
  BackfillPolicy policy;
  policy.configure(config);
  EXPECT_EQ(policy.guard(), nullptr);
  config.queues.front().order = QueueOrder::Saf;
  policy.configure(config);
  EXPECT_NE(policy.guard(), nullptr);
}

}  // namespace
}  // namespace hyades
