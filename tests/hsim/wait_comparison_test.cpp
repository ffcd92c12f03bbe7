// Who would wait longer or shorter.
#include "hsim/wait_comparison.hpp"

#include <gtest/gtest.h>

#include "hsim/metrics.hpp"
#include "hsim/wait_comparison_output.hpp"
#include "report_samples.hpp"

namespace hyades {
namespace {

using namespace samples;

Workload six_jobs() {
  return workload(
      128, {job(1, 0, 60, 1, 5, 0), job(2, 0, 61, 2, 5, 0), job(3, 10, 600, 8, 7, 1),
            job(4, 10, 3600, 9, 7, 1), job(5, 20, 28800, 64, 9, 1), job(6, 20, 28801, 65, -1, -1)});
}

std::vector<ReplayedJob> before() { return started({0, 100, 10, 1010, 20, 620}); }
std::vector<ReplayedJob> after() { return started({0, 40, 70, 1069, 20, 20}); }

const WaitGroup& group(const std::vector<WaitGroup>& groups, const std::string& name) {
  for (const WaitGroup& group : groups) {
    if (group.name == name) return group;
  }
  ADD_FAILURE() << "no group " << name;
  return groups.at(0);
}

TEST(WaitComparison, SaysWhoWaitsHowMuch) {
  const WaitComparison comparison = compare_waits(six_jobs(), before(), after());
  EXPECT_EQ(comparison.all.jobs, 6);
  EXPECT_DOUBLE_EQ(comparison.all.mean_before, (0 + 100 + 0 + 1000 + 0 + 600) / 6.0);
  EXPECT_DOUBLE_EQ(comparison.all.mean_after, (0 + 40 + 60 + 1059 + 0 + 0) / 6.0);
  EXPECT_EQ(comparison.all.max_before, 1000);
  EXPECT_EQ(comparison.all.max_after, 1059);
  EXPECT_EQ(comparison.all.shorter, 2);
  EXPECT_EQ(comparison.all.longer, 1) << "59 s more are not noticed";
  EXPECT_DOUBLE_EQ(group(comparison.by_queue, "queue 0").difference(), -30);
  EXPECT_EQ(group(comparison.by_queue, "not known").jobs, 1);
  EXPECT_EQ(group(comparison.by_user, "user 7").jobs, 2);
}

TEST(WaitComparison, ClassesIncludeTheirUpperEnd) {
  const WaitComparison comparison = compare_waits(six_jobs(), before(), after());
  const auto counts = [](const std::vector<WaitGroup>& groups) {
    std::vector<std::pair<std::string, std::int64_t>> out;
    for (const WaitGroup& group : groups) out.emplace_back(group.name, group.jobs);
    return out;
  };
  using Counts = std::vector<std::pair<std::string, std::int64_t>>;
  EXPECT_EQ(counts(comparison.by_size), (Counts{{"1 processor", 1},
                                                {"2 to 8 processors", 2},
                                                {"9 to 64 processors", 2},
                                                {"more than 64 processors", 1}}));
  EXPECT_EQ(counts(comparison.by_run_time), (Counts{{"runs a minute or less", 1},
                                                    {"runs up to 10 minutes", 2},
                                                    {"runs up to an hour", 1},
                                                    {"runs up to 8 hours", 1},
                                                    {"runs more than 8 hours", 1}}));
}

TEST(WaitComparison, EveryDivisionAddsUpToAll) {
  const Workload log = random_workload(64, 500, 11);
  std::vector<ReplayedJob> later = fcfs(log);
  for (std::size_t i = 0; i < later.size(); i += 3) later[i].start_s += static_cast<long>(i);
  const WaitComparison comparison = compare_waits(log, fcfs(log), later);
  for (const auto* groups :
       {&comparison.by_queue, &comparison.by_user, &comparison.by_size, &comparison.by_run_time}) {
    std::int64_t jobs = 0, longer = 0;
    double after_s = 0;
    for (const WaitGroup& group : *groups) {
      jobs += group.jobs;
      longer += group.longer;
      after_s += group.mean_after * static_cast<double>(group.jobs);
    }
    EXPECT_EQ(jobs, 500);
    EXPECT_EQ(longer, comparison.all.longer);
    EXPECT_NEAR(after_s, comparison.all.mean_after * 500, 1e-3);
  }
  EXPECT_NEAR(comparison.all.mean_before, measure(log, fcfs(log)).avg_wait, 1e-9);
}

TEST(WaitComparison, UsersForWhomMostChangesComeFirst) {
  const WaitComparison comparison = compare_waits(six_jobs(), before(), after());
  std::vector<std::string> names;
  for (const WaitGroup& group : comparison.by_user) names.push_back(group.name);
  EXPECT_EQ(names, (std::vector<std::string>{"not known", "user 7", "user 5", "user 9"}));
  const std::vector<WaitGroup> few = first_groups(comparison.by_user, 1);
  ASSERT_EQ(few.size(), 2u);
  EXPECT_EQ(few[1].name, "3 others");
  EXPECT_EQ(few[1].jobs, 5);
  EXPECT_DOUBLE_EQ(few[1].mean_before, 1100 / 5.0);
  EXPECT_EQ(few[1].max_after, 1059);
  EXPECT_EQ(first_groups(comparison.by_user, 3).size(), 4u) << "one other is named";
}

TEST(WaitComparison, NamesOfTheSiteAreUsed) {
  const WaitComparison comparison =
      compare_waits(six_jobs(), before(), after(),
                    {.queue = [](int queue) { return queue == 1 ? "long" : ""; },
                     .user = [](int user) { return user == 7 ? "ana" : ""; }});
  EXPECT_EQ(group(comparison.by_queue, "long").jobs, 3);
  EXPECT_EQ(group(comparison.by_user, "ana").jobs, 2);
  EXPECT_EQ(group(comparison.by_user, "user 5").jobs, 2);
}

TEST(WaitComparison, TextAndJsonSayTheSame) {
  const WaitComparison comparison = compare_waits(six_jobs(), before(), after());
  const std::string text = wait_comparison_text(comparison, 10, {});
  EXPECT_NE(text.find("user 7"), std::string::npos) << text;
  EXPECT_NE(text.find("-10:00"), std::string::npos) << "job 6 alone:\n" << text;
  const Json json = wait_comparison_json(comparison);
  EXPECT_EQ(json["all"]["jobs"], 6);
  EXPECT_EQ(json["sizes"].size(), 4u);
  EXPECT_EQ(json["users"][0]["difference"], -600.0);
}

TEST(WaitComparison, WhatALogDoesNotSayIsNotShown) {
  const Workload log = workload(4, {job(1, 0, 60, 1), job(2, 0, 60, 1)});
  const std::string text =
      wait_comparison_text(compare_waits(log, started({0, 0}), started({0, 60})), 5, {});
  EXPECT_EQ(text.find("not known"), std::string::npos) << text;
  EXPECT_NE(text.find("1 processor"), std::string::npos) << text;
}

}  // namespace
}  // namespace hyades
