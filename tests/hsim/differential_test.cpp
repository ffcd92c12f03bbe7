// Random small workloads on one pool: the production scheduler against the naive one, start for
// start, over every order and backfill; and what must hold whatever the rule is.
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "core/prng.hpp"
#include "hsim/replay.hpp"
#include "hsim/replay_check.hpp"
#include "naive_scheduler.hpp"
#include "policy/backfill_policy.hpp"
#include "random_cases.hpp"

namespace hyades {
namespace {

struct Rule {
  QueueOrder order = QueueOrder::Fcfs;
  Backfill backfill = Backfill::None;
};

std::string words(const Rule& rule) {
  return std::string(to_string(rule.order)) + " " + std::string(to_string(rule.backfill));
}

std::vector<ReplayedJob> production(const Workload& jobs, const Rule& rule) {
  BackfillPolicy policy(origin_ms(jobs));
  ReplayOptions options;
  options.config = std::make_shared<ClusterConfig>(pool_of(jobs.procs, rule.order, rule.backfill));
  return replay(jobs, policy, options).jobs;
}

// ---- the cases ---------------------------------------------------------------------------------

// What is alike in one case: few different values make many ties.
struct Habits {
  std::int64_t scale_s = 1;
  std::int64_t gap_max = 0;      // between submissions, in scales
  std::int64_t request_max = 1;  // in scales
  bool wide = false;
  bool exact = false;  // requests are the run times
};

Habits habits(Prng& random) {
  Habits habits;
  habits.scale_s = random.pick(std::vector<std::int64_t>{1, 1, 7, 600, 40'000});
  habits.gap_max = random.pick(std::vector<std::int64_t>{0, 1, 3, 10});
  habits.request_max = random.pick(std::vector<std::int64_t>{1, 2, 4, 20, 200});
  habits.wide = random.chance(400);
  habits.exact = random.chance(400);
  return habits;
}

TraceJob random_job(Prng& random, const Habits& habits, int machine) {
  TraceJob job;
  job.request_s = random.between(1, habits.request_max) * habits.scale_s;
  job.run_s = job.request_s;
  if (!habits.exact && random.chance(600)) job.run_s = random.between(1, job.request_s);
  job.procs =
      static_cast<int>(habits.wide ? random.between(1, machine) : random.skewed(1, machine));
  if (random.chance(80)) job.procs = machine;
  return job;
}

Workload random_workload(std::uint64_t seed) {
  Prng random(seed);
  Workload workload;
  workload.procs = random.pick(std::vector<int>{1, 2, 3, 4, 5, 7, 8, 16, 100});
  const Habits habit = habits(random);
  const std::int64_t count = random.skewed(5, 60);
  std::int64_t at_s = random.chance(500) ? 0 : random.between(1, 1'000'000);
  for (std::int64_t i = 0; i < count; ++i) {
    if (!random.chance(300)) at_s += random.between(0, habit.gap_max) * habit.scale_s;
    TraceJob job = i > 0 && random.chance(150) ? workload.jobs.back()
                                               : random_job(random, habit, workload.procs);
    job.id = i + 1;
    job.submit_s = at_s;
    workload.jobs.push_back(job);
  }
  return workload;
}

// ---- comparison --------------------------------------------------------------------------------

std::string difference(const Workload& jobs, const Rule& rule) {
  const std::vector<ReplayedJob> ours = production(jobs, rule);
  const NaiveSchedule naive = naive_schedule(jobs, rule.order, rule.backfill);
  std::ostringstream text;
  for (std::size_t i = 0; i < jobs.jobs.size(); ++i) {
    if (ours[i].start_s == naive.starts[i]) continue;
    text << "job " << jobs.jobs[i].id << " starts at " << ours[i].start_s << ", by the rules at "
         << naive.starts[i];
    return text.str();
  }
  return check_replay(jobs, ours);
}

// The fewest jobs that still show a difference: the shortest prefix, without those of it that do
// not matter.
Workload shrunk(Workload jobs, const Rule& rule) {
  Workload smallest = jobs;
  for (std::size_t count = 1; count <= jobs.jobs.size(); ++count) {
    smallest = cut(jobs, {0, count});
    if (!difference(smallest, rule).empty()) break;
  }
  for (std::size_t i = smallest.jobs.size(); i-- > 0;) {
    Workload without = smallest;
    without.jobs.erase(without.jobs.begin() + static_cast<std::ptrdiff_t>(i));
    if (!without.jobs.empty() && !difference(without, rule).empty()) smallest = without;
  }
  return smallest;
}

std::string describe(const Workload& jobs, const Rule& rule) {
  std::ostringstream text;
  text << words(rule) << " on " << jobs.procs << " processors: " << difference(jobs, rule)
       << "\n  id submit run request procs\n";
  for (const TraceJob& job : jobs.jobs) {
    text << "  " << job.id << " " << job.submit_s << " " << job.run_s << " " << job.request_s << " "
         << job.procs << "\n";
  }
  return text.str();
}

TEST(Differential, EveryRuleStartsEveryJobWhenTheNaiveSchedulerDoes) {
  std::vector<Rule> rules;
  for (const QueueOrder order : orders_by_request()) {
    for (const Backfill backfill : all_backfills()) rules.push_back({order, backfill});
  }
  const CaseRange range = random_cases(11'000);
  std::map<Backfill, int> waited;
  for (std::uint64_t seed = range.first; seed < range.first + range.count; ++seed) {
    const Workload jobs = random_workload(seed);
    const Rule& rule = rules[seed % rules.size()];
    ASSERT_EQ(difference(jobs, rule), "")
        << "HYADES_DIFFERENTIAL_SEED=" << seed << " shows it; the smallest part that does:\n"
        << describe(shrunk(jobs, rule), rule);
    for (const ReplayedJob& job : production(jobs, rule)) {
      if (job.why == StartReason::Backfill) ++waited[rule.backfill];
    }
  }
  if (range.count < rules.size()) return;
  for (const Backfill backfill : all_backfills()) {
    EXPECT_EQ(waited[backfill] > 0, backfill != Backfill::None)
        << "cases in which nothing is backfilled show nothing: " << to_string(backfill);
  }
}

// Lists of hundreds lie in several blocks, of which whole ones are passed by their sums: of what
// waits, and of what runs.
Workload long_queue(std::uint64_t seed) {
  Prng random(seed);
  Workload workload;
  workload.procs = 1000;
  const std::int64_t request_max = random.pick(std::vector<std::int64_t>{5, 100, 10'000});
  const std::int64_t count = random.between(300, 450);
  for (std::int64_t i = 0; i < count; ++i) {
    TraceJob job;
    job.id = i + 1;
    job.submit_s = i / 40;
    job.request_s = random.between(1, request_max);
    job.run_s = random.chance(500) ? job.request_s : random.between(1, job.request_s);
    job.procs = static_cast<int>(random.skewed(1, random.chance(100) ? 1000 : 8));
    workload.jobs.push_back(job);
  }
  return workload;
}

TEST(Differential, LongQueuesAreWalkedAsShortOnesAre) {
  const CaseRange range = random_cases(44);
  const std::vector<Backfill> backfills = {Backfill::None, Backfill::Easy, Backfill::EasyFcfs,
                                           Backfill::EasySjbf};
  for (std::uint64_t seed = range.first; seed < range.first + range.count; ++seed) {
    const Rule rule{orders_by_request()[seed % orders_by_request().size()],
                    backfills[seed % backfills.size()]};
    ASSERT_EQ(difference(long_queue(seed), rule), "")
        << "HYADES_DIFFERENTIAL_SEED=" << seed << ", " << words(rule);
  }
}

// ---- properties --------------------------------------------------------------------------------

// By submission nobody new comes before a reserved job, so its promise is never broken. By another
// fixed order that holds once everybody has come.
TEST(Differential, NobodyStartsLaterThanPromised) {
  const CaseRange range = random_cases(2000);
  std::size_t promises = 0;
  for (std::uint64_t seed = range.first; seed < range.first + range.count; ++seed) {
    const Workload jobs = random_workload(seed);
    for (const QueueOrder order : {QueueOrder::Fcfs, QueueOrder::Saf, QueueOrder::F2}) {
      const Rule rule{order,
                      random_workload(seed).procs % 2 == 0 ? Backfill::Easy : Backfill::EasySjbf};
      const std::vector<ReplayedJob> ours = production(jobs, rule);
      for (const NaivePromise& promise : naive_schedule(jobs, rule.order, rule.backfill).promises) {
        const bool counts =
            order == QueueOrder::Fcfs || promise.made_s >= jobs.jobs.back().submit_s;
        if (!counts) continue;
        ++promises;
        ASSERT_LE(ours[promise.job].start_s, promise.start_s)
            << "HYADES_DIFFERENTIAL_SEED=" << seed << ", " << words(rule) << ": job "
            << jobs.jobs[promise.job].id << " was promised at " << promise.made_s;
      }
    }
  }
  if (range.count >= 100) {
    EXPECT_GE(promises, range.count);
  }
}

TEST(Differential, TheSameReplayTwiceIsTheSame) {
  const CaseRange range = random_cases(500);
  for (std::uint64_t seed = range.first; seed < range.first + range.count; ++seed) {
    const Workload jobs = random_workload(seed);
    const Rule rule{orders_by_request()[seed % orders_by_request().size()],
                    all_backfills()[seed % all_backfills().size()]};
    const std::vector<ReplayedJob> once = production(jobs, rule);
    const std::vector<ReplayedJob> again = production(jobs, rule);
    for (std::size_t i = 0; i < once.size(); ++i) {
      ASSERT_EQ(once[i].start_s, again[i].start_s) << "HYADES_DIFFERENTIAL_SEED=" << seed;
      ASSERT_EQ(once[i].why, again[i].why) << "HYADES_DIFFERENTIAL_SEED=" << seed;
    }
  }
}

}  // namespace
}  // namespace hyades
