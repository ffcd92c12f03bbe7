#include "trace/workload_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "core/checksum.hpp"
#include "trace/day_cycle.hpp"
#include "trace/estimates.hpp"
#include "trace/lublin_model.hpp"
#include "trace/random_numbers.hpp"
#include "trace/swf_reader.hpp"
#include "trace/swf_writer.hpp"
#include "workload_contract.hpp"

namespace hyades {
namespace {

using ::testing::HasSubstr;

Workload generate(const WorkloadModel& model) {
  Workload workload = generate_workload(model);
  EXPECT_EQ(broken_promise(workload), "");
  EXPECT_EQ(static_cast<std::int64_t>(workload.jobs.size()), model.jobs);
  return workload;
}

template <typename Property>
double share(const Workload& workload, Property property) {
  double count = 0;
  for (const TraceJob& job : workload.jobs) count += property(job) ? 1 : 0;
  return count / static_cast<double>(workload.jobs.size());
}

TEST(RandomNumbers, LogarithmsAreThoseOfTheLibrary) {
  for (double x = 1e-300; x < 1e300; x *= 1.7) {
    EXPECT_NEAR(natural_log(x), std::log(x), 1e-14 * std::max(1.0, std::fabs(std::log(x)))) << x;
  }
  for (double x = -700; x < 700; x += 0.37) {
    EXPECT_NEAR(natural_exp(x) / std::exp(x), 1, 1e-12) << x;
  }
}

TEST(RandomNumbers, HaveTheMomentsOfTheirDistributions) {
  RandomNumbers random(7);
  constexpr int count = 200'000;
  struct Moments {
    double sum = 0, squares = 0;
    void add(double x) { sum += x, squares += x * x; }
    double mean() const { return sum / count; }
    double variance() const { return squares / count - mean() * mean(); }
  } uniform, normal, gamma;
  for (int i = 0; i < count; ++i) {
    uniform.add(random.uniform());
    normal.add(random.normal());
    gamma.add(random.gamma(4.2, 0.94));
  }
  EXPECT_NEAR(uniform.mean(), 0.5, 0.003);
  EXPECT_NEAR(uniform.variance(), 1.0 / 12, 0.001);
  EXPECT_NEAR(normal.mean(), 0, 0.01);
  EXPECT_NEAR(normal.variance(), 1, 0.015);
  EXPECT_NEAR(gamma.mean(), 4.2 * 0.94, 0.02);
  EXPECT_NEAR(gamma.variance(), 4.2 * 0.94 * 0.94, 0.06);
}

TEST(DayCycle, FewAreSubmittedAtNightAndAllWithinTheDay) {
  const DayCycle cycle;
  std::map<int, int> of_hour;
  double before = -1;
  for (int i = 0; i < 24'000; ++i) {
    const double second = cycle.second_of(i * 3.6);
    EXPECT_GT(second, before);
    EXPECT_NEAR(cycle.second_of(i * 3.6 + 30 * 86'400.0), second + 30 * 86'400.0, 1e-3);
    before = second;
    ++of_hour[static_cast<int>(second / 3600)];
  }
  EXPECT_LT(before, 86'400);
  EXPECT_EQ(of_hour.begin()->first, 0);
  EXPECT_EQ(of_hour.rbegin()->first, 23);
  EXPECT_GT(of_hour[14], 1600);  // 1,000 if all hours were alike
  EXPECT_LT(of_hour[5], 300);
}

TEST(LublinModel, SizesAndRunTimesAreThosePublished) {
  RandomNumbers random(3);
  constexpr int count = 100'000;
  double serial = 0, powers = 0, small = 0, log_small_run = 0, log_large_run = 0, large = 0;
  for (int i = 0; i < count; ++i) {
    const int procs = lublin_procs(random, 128);
    ASSERT_GE(procs, 1);
    ASSERT_LE(procs, 128);
    const auto run_s = lublin_run_s(random, procs);
    ASSERT_GE(run_s, 1);
    ASSERT_LE(run_s, lublin_run_max_s);
    const double log_run = std::log(static_cast<double>(run_s));
    serial += procs == 1;
    powers += (procs & (procs - 1)) == 0;
    if (procs == 1) log_small_run += log_run, ++small;
    if (procs == 128) log_large_run += log_run, ++large;
  }
  EXPECT_NEAR(serial / count, 0.244, 0.005);
  EXPECT_GT(powers / count, 0.244 + 0.576);  // and some that are powers by chance
  EXPECT_LT(powers / count, 0.244 + 0.576 + 0.07);
  // p * 4.2 * 0.94 + (1 - p) * 312 * 0.03, p = 0.78 - 0.0054 n; whole seconds take a little off.
  EXPECT_NEAR(log_small_run / small, 0.7746 * 3.948 + 0.2254 * 9.36, 0.1);
  EXPECT_NEAR(log_large_run / large, 0.0888 * 3.948 + 0.9112 * 9.36, 0.1);
}

TEST(LublinModel, AnyMachineHasJobs) {
  RandomNumbers random(3);
  for (const int machine : {1, 2, 3, 5, 100'000, trace_procs_max}) {
    std::set<int> sizes;
    for (int i = 0; i < 1000; ++i) sizes.insert(lublin_procs(random, machine));
    EXPECT_EQ(*sizes.begin(), 1);
    EXPECT_LE(*sizes.rbegin(), machine);
    EXPECT_GE(*sizes.rbegin(), machine / 4);
  }
}

TEST(Estimates, AreRoundAndCoverTheRunTime) {
  EXPECT_EQ(round_estimate_s(1), 60);
  EXPECT_EQ(round_estimate_s(60), 60);
  EXPECT_EQ(round_estimate_s(61), 300);
  EXPECT_EQ(round_estimate_s(1'000'000), estimate_max_s);
  RandomNumbers random(3);
  for (std::int64_t run_s = 1; run_s < estimate_max_s; run_s += 97) {
    EXPECT_GE(estimate_s(random, run_s), run_s);
  }
}

TEST(WorkloadModel, OffersTheLoadAskedFor) {
  for (const double load : {0.05, 0.4, 0.7, 0.9, 1.2}) {
    for (const int users : {0, 40}) {
      const Workload workload =
          generate({.procs = 256, .jobs = 5000, .load = load, .bursts = 0.2, .users = users});
      EXPECT_NEAR(offered_load(workload), load, 0.02 * load) << users;
    }
  }
}

TEST(WorkloadModel, OfferedLoadIsTheShareOfTheMachineThatIsUsed) {
  Workload workload{"x", 10, 0, {}};
  EXPECT_EQ(offered_load(workload), 0);
  workload.jobs = {{1, 100, 50, 50, 4}, {2, 120, 80, 90, 5}};
  EXPECT_DOUBLE_EQ(offered_load(workload), (50 * 4 + 80 * 5) / (100.0 * 10));
}

TEST(WorkloadModel, RefusesWhatCannotBe) {
  const auto refusal = [](const WorkloadModel& model) -> std::string {
    try {
      generate_workload(model);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal({.procs = 0}), HasSubstr("processors"));
  EXPECT_THAT(refusal({.jobs = 0}), HasSubstr("jobs"));
  EXPECT_THAT(refusal({.load = -1}), HasSubstr("load"));
  EXPECT_THAT(refusal({.load = NAN}), HasSubstr("load"));
  EXPECT_THAT(refusal({.bursts = 1}), HasSubstr("bursts"));
  EXPECT_THAT(refusal({.users = -1}), HasSubstr("users"));
  EXPECT_THAT(refusal({.memory_max_kib = -1}), HasSubstr("memory"));
  // A single job is as long as the span, so that its load is its share of the machine.
  EXPECT_THAT(refusal({.procs = 1024, .jobs = 1, .load = 9}), HasSubstr("ask for more jobs"));
  EXPECT_EQ(refusal({.procs = 1, .jobs = 1}), "");
}

TEST(WorkloadModel, WithoutUsersEachAsksForItsRunTime) {
  const Workload workload = generate({.jobs = 2000});
  EXPECT_EQ(share(workload, [](const TraceJob& job) { return job.request_s == job.run_s; }), 1);
  EXPECT_EQ(share(workload, [](const TraceJob& job) { return job.user == -1; }), 1);
  EXPECT_EQ(share(workload, [](const TraceJob& job) { return job.memory_per_proc_kib == -1; }), 1);
}

TEST(WorkloadModel, OverEstimatesAreRoundAndMuchTooLong) {
  const Workload workload = generate({.jobs = 5000, .over_estimates = true});
  const auto is_round = [](const TraceJob& job) {
    return round_estimate_s(job.request_s) == job.request_s;
  };
  EXPECT_EQ(share(workload, is_round), 1);
  const double most =
      share(workload, [](const TraceJob& job) { return job.request_s == estimate_max_s; });
  EXPECT_GT(most, 0.12);
  EXPECT_LT(most, 0.4);
  const double half =
      share(workload, [](const TraceJob& job) { return job.run_s * 2 < job.request_s; });
  EXPECT_GT(half, 0.5);
  EXPECT_LT(half, 0.9);
}

TEST(WorkloadModel, UsersRepeatThemselves) {
  const Workload workload =
      generate({.jobs = 5000, .users = 30, .over_estimates = true, .memory_max_kib = 4 << 20});
  std::map<int, std::set<std::tuple<int, int, std::int64_t, std::int64_t>>> kinds;
  std::map<int, int> jobs_of;
  int same = 0;
  for (std::size_t i = 0; i < workload.jobs.size(); ++i) {
    const TraceJob& job = workload.jobs[i];
    ++jobs_of[job.user];
    kinds[job.executable].insert({job.user, job.procs, job.request_s, job.memory_per_proc_kib});
    same += i > 0 && job.user == workload.jobs[i - 1].user;
  }
  EXPECT_GT(same, 2500);
  EXPECT_LE(jobs_of.rbegin()->first, 30);
  EXPECT_GE(jobs_of.begin()->first, 1);
  EXPECT_GT(jobs_of.size(), 25u);
  EXPECT_GT(jobs_of[1], jobs_of[20] * 5);
  for (const auto& [executable, of_it] : kinds) EXPECT_EQ(of_it.size(), 1u) << executable;
  const double killed =
      share(workload, [](const TraceJob& job) { return job.run_s == job.request_s; });
  EXPECT_GT(killed, 0);
  EXPECT_LT(killed, 0.3);
}

TEST(WorkloadModel, BurstsAreAsManyJobsAsAskedFor) {
  for (const double bursts : {0.0, 0.3, 0.8}) {
    const Workload workload = generate({.jobs = 50'000, .bursts = bursts, .users = 50});
    int close = 0;  // to the one before, and of its kind
    for (std::size_t i = 1; i < workload.jobs.size(); ++i) {
      const TraceJob& job = workload.jobs[i];
      const TraceJob& before = workload.jobs[i - 1];
      close += job.submit_s - before.submit_s <= 2 && job.executable == before.executable;
    }
    EXPECT_NEAR(close / 50'000.0, bursts, 0.05);
  }
}

TEST(WorkloadModel, IsWrittenAndReadBackEqual) {
  const Workload workload = generate({.procs = 1000,
                                      .jobs = 3000,
                                      .load = 0.8,
                                      .users = 20,
                                      .over_estimates = true,
                                      .memory_max_kib = 1 << 20});
  const SwfLog log = parse_swf("x.swf", swf_text(workload));
  EXPECT_EQ(log.workload.jobs, workload.jobs);
  EXPECT_EQ(log.workload.procs, workload.procs);
  EXPECT_TRUE(log.clean_ups.lines().empty());
}

// What a seed means is a promise: results that name one can be had again.
TEST(WorkloadModel, ASeedMeansTheSameJobsForever) {
  const auto sum = [](const WorkloadModel& model) {
    return Checksum().add_alone(swf_text(generate_workload(model))).value();
  };
  const WorkloadModel plain{.jobs = 2000};
  const WorkloadModel full{.procs = 777,
                           .jobs = 2000,
                           .load = 0.85,
                           .bursts = 0.25,
                           .users = 25,
                           .over_estimates = true,
                           .memory_max_kib = 8 << 20,
                           .seed = 42};
  EXPECT_EQ(sum(plain), 3281726151328087342);
  EXPECT_EQ(sum(full), 5083852796705852840);
  WorkloadModel other = plain;
  other.seed = 2;
  EXPECT_NE(sum(other), sum(plain));
}

}  // namespace
}  // namespace hyades
