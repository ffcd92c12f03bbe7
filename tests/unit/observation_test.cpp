// What the past says about a job: nothing of the future, nothing that is not finite, never more
// memory than agreed; and what schema/observation.md says it is.
#include "policy/observation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>

namespace hyades {
namespace {

constexpr WallMs kMonday = 1'767'571'200'000;  // 2026-01-05T00:00Z
constexpr WallMs kMinute = 60'000;
constexpr WallMs kHour = 60 * kMinute;
constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

std::size_t index_of(const std::string& name) {
  const auto fields = observation_fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) return i;
  }
  ADD_FAILURE() << "no component " << name;
  return 0;
}

double value(const Observation& row, const std::string& name) { return row[index_of(name)]; }

AskedFacts asked(const std::string& name = "train", std::uint32_t uid = 1000) {
  return {.uid = uid,
          .name = name,
          .queue = "batch",
          .time_limit_s = 3600,
          .cores = 4,
          .nodes = 1,
          .memory_per_node_mib = 1024};
}

// Asked for an hour, 4 cores and 1 GiB; ran on 4 cores until `end_ms`.
JobOutcomeFacts ended(JobId id, WallMs end_ms, WallMs run_ms, AskedFacts request = asked()) {
  return {.job = id,
          .asked = std::move(request),
          .cores = 4,
          .submit_ms = end_ms - run_ms - kMinute,
          .start_ms = end_ms - run_ms,
          .end_ms = end_ms,
          .outcome = Outcome::Completed,
          .usage = {}};
}

Observation look(const UsageHistory& history, WallMs now_ms, AskedFacts request = asked()) {
  return observe({.asked = std::move(request), .submit_ms = now_ms, .start_ms = 0, .live = {}},
                 now_ms, history, {});
}

// Every component by its name, where they differ.
std::string difference(const Observation& a, const Observation& b) {
  std::string text;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) text += observation_fields()[i].name + " ";
  }
  return text;
}

// Names and values out of their ranges, or no numbers at all.
std::string out_of_range(const Observation& row) {
  std::string text;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const ObservationField& field = observation_fields()[i];
    if (std::isfinite(row[i]) && row[i] >= field.least && row[i] <= field.most) continue;
    text += field.name + "=" + std::to_string(row[i]) + " ";
  }
  return text;
}

// ---- what it says -------------------------------------------------------------------------------

TEST(Observation, OfNoPastIsNeutral) {
  const Observation row = look(UsageHistory{}, kMonday);
  for (std::size_t i = index_of("user.known"); i < row.size(); ++i) {
    EXPECT_EQ(row[i], observation_fields()[i].neutral) << observation_fields()[i].name;
  }
  EXPECT_EQ(value(row, "queue.known"), 0);
  EXPECT_EQ(value(row, "own.since_submit"), 9);
  EXPECT_EQ(value(row, "user.ratio_mean"), 1);
  EXPECT_EQ(value(row, "user.known"), 0);
}

TEST(Observation, NewerJobsWeighMore) {
  UsageHistory history;
  history.add(ended(1, kMonday, 36 * kMinute));          // 0.6
  history.add(ended(2, kMonday + kHour, 12 * kMinute));  // 0.2
  const Observation row = look(history, kMonday + 2 * kHour);
  EXPECT_EQ(value(row, "user.known"), 1);
  EXPECT_NEAR(value(row, "user.jobs"), 2.0 / 8, 1e-9);
  const double mean = (0.2 + 0.7 * 0.6) / 1.7;
  EXPECT_NEAR(value(row, "user.ratio_mean"), mean, 1e-6);
  const double variance = (std::pow(0.2 - mean, 2) + 0.7 * std::pow(0.6 - mean, 2)) / 1.7;
  EXPECT_NEAR(value(row, "user.ratio_spread"), std::sqrt(variance), 1e-6);
  EXPECT_NEAR(value(row, "user.ratio_last"), 0.2, 1e-6);
  EXPECT_NEAR(value(row, "user.ratio_before"), 0.6, 1e-6);
  EXPECT_NEAR(value(row, "user.age"), std::log10(3601), 1e-6);
}

// Tsafrir's prediction is the mean of the last two run times, whatever they had asked for.
TEST(Observation, LastTwoRunsAreMeasuredByThisRequest) {
  UsageHistory history;
  history.add(ended(1, kMonday, 30 * kMinute));
  history.add(ended(2, kMonday + kHour, 6 * kMinute));
  AskedFacts longer = asked();
  longer.time_limit_s = 7200;
  const Observation row = look(history, kMonday + 2 * kHour, longer);
  const double last_s = 7200 * std::pow(10, value(row, "name.run_last"));
  const double before_s = 7200 * std::pow(10, value(row, "name.run_before"));
  EXPECT_NEAR((last_s + before_s) / 2, 18 * 60, 0.1);
}

TEST(Observation, KeepsUsersNamesAndRequestsApart) {
  UsageHistory history;
  history.add(ended(1, kMonday, 30 * kMinute, asked("train-17")));
  const auto known = [&](const AskedFacts& request) {
    const Observation row = look(history, kMonday + kHour, request);
    return std::to_string(static_cast<int>(value(row, "user.known"))) +
           std::to_string(static_cast<int>(value(row, "name.known"))) +
           std::to_string(static_cast<int>(value(row, "request.known")));
  };
  EXPECT_EQ(known(asked("train-17")), "111");
  EXPECT_EQ(known(asked("train-18")), "111") << "numbers in names are alike";
  EXPECT_EQ(known(asked("train-")), "101");
  EXPECT_EQ(known(asked("train-17b")), "101");
  EXPECT_EQ(known(asked("train-17", 1001)), "000") << "another's jobs say nothing";
  AskedFacts larger = asked("train-17");
  larger.cores = 8;
  EXPECT_EQ(known(larger), "110");
}

TEST(Observation, ShowsWhatJobsUsed) {
  JobOutcomeFacts facts = ended(1, kMonday, 10 * kMinute);
  facts.usage.user_ms = 500'000;
  facts.usage.system_ms = 100'000;          // 600 s of 4 x 600 s
  facts.usage.max_rss_kib = 256 * 1024;     // of 1 GiB
  facts.usage.read_bytes = 2400LL << 20;    // 1 MiB/s a core
  facts.usage.voluntary_switches = 21'600;  // 9 a second, a core
  facts.usage.counters = {{"PAPI_TOT_INS", 3'000, 1, false}, {"PAPI_TOT_CYC", 2'000, 1, false}};
  UsageHistory history;
  history.add(facts);
  const Observation row = look(history, kMonday + kHour);
  EXPECT_EQ(value(row, "user.measured"), 1);
  EXPECT_NEAR(value(row, "user.cpu_efficiency"), 0.25, 1e-6);
  EXPECT_NEAR(value(row, "user.memory_share"), 0.25, 1e-6);
  EXPECT_NEAR(value(row, "user.io_rate"), std::log10(2), 1e-6);
  EXPECT_NEAR(value(row, "user.switch_rate"), 1, 1e-6);
  EXPECT_EQ(value(row, "user.counted"), 1);
  EXPECT_NEAR(value(row, "user.ipc"), 1.5, 1e-6);
}

// Zeros of a job of which nothing is known are no measurement.
TEST(Observation, UnmeasuredJobsDoNotLookIdle) {
  UsageHistory history;
  JobOutcomeFacts busy = ended(1, kMonday, 10 * kMinute);
  busy.usage.max_rss_kib = 1024;
  busy.usage.user_ms = 4 * 600'000;
  history.add(busy);
  history.add(ended(2, kMonday + kHour, 10 * kMinute));
  const Observation row = look(history, kMonday + 2 * kHour);
  EXPECT_NEAR(value(row, "user.cpu_efficiency"), 1, 1e-6);
  EXPECT_NEAR(value(row, "user.measured"), 0.7 / 1.7, 1e-6);
  EXPECT_EQ(value(row, "user.ipc"), 1);
}

TEST(Observation, TellsFailuresApart) {
  const auto shares = [](Outcome outcome) {
    JobOutcomeFacts facts = ended(1, kMonday, kMinute);
    facts.outcome = outcome;
    UsageHistory history;
    history.add(facts);
    const Observation row = look(history, kMonday + kHour);
    return std::array<double, 3>{value(row, "user.known"), value(row, "user.failed"),
                                 value(row, "user.timed_out")};
  };
  using Row = std::array<double, 3>;
  EXPECT_EQ(shares(Outcome::Completed), (Row{1, 0, 0}));
  EXPECT_EQ(shares(Outcome::Cancelled), (Row{1, 0, 0}));
  EXPECT_EQ(shares(Outcome::Failed), (Row{1, 1, 0}));
  EXPECT_EQ(shares(Outcome::OutOfMemory), (Row{1, 1, 0}));
  EXPECT_EQ(shares(Outcome::TimedOut), (Row{1, 0, 1}));
  // How long it would have run, nobody knows.
  EXPECT_EQ(shares(Outcome::NodeFailed), (Row{0, 0, 0}));
  EXPECT_EQ(shares(Outcome::LaunchFailed), (Row{0, 0, 0}));
}

TEST(Observation, ShowsTheJobAndItsQueue) {
  const WallMs now_ms = kMonday + 6 * kHour;
  const ObservedJob job{.asked = asked(),
                        .submit_ms = now_ms - 1099 * 1000,
                        .start_ms = now_ms - 1000 * 1000,
                        .live = LiveUse{.cpu_s = 1000, .peak_mib = 512}};
  const QueueFacts queue{.cores = 16,
                         .free_cores = 4,
                         .memory_mib = 16 * 2560,
                         .pending_jobs = 9,
                         .pending_cores = 144,
                         .running_jobs = 0,
                         .own_pending_jobs = 99,
                         .own_running_jobs = 1,
                         .own_running_cores = 8,
                         .own_oldest_start_ms = now_ms - 99'000,
                         .own_last_submit_ms = now_ms - 999'000};
  const Observation row = observe(job, now_ms, UsageHistory{}, queue);
  const std::pair<const char*, double> expected[] = {{"job.limit", std::log10(3600)},
                                                     {"job.cores", std::log10(4)},
                                                     {"job.cores_share", 0.25},
                                                     {"job.memory_asked", 1},
                                                     {"job.memory", -1},
                                                     {"job.wait", 2},
                                                     {"job.running", 1},
                                                     {"job.elapsed", 1000.0 / 3600},
                                                     {"job.live_cpu_efficiency", 0.25},
                                                     {"job.live_memory_share", 0.5},
                                                     {"time.day_sin", 1},
                                                     {"time.day_cos", 0},
                                                     {"time.week_sin", std::sin(M_PI / 14)},
                                                     {"queue.free_share", 0.25},
                                                     {"queue.pending_load", 1},
                                                     {"queue.pending", 1},
                                                     {"own.pending", 2},
                                                     {"own.running_share", 0.5},
                                                     {"own.longest_run", 2},
                                                     {"own.since_submit", 3}};
  for (const auto& [name, number] : expected) EXPECT_NEAR(value(row, name), number, 1e-6) << name;
}

// The same load on a cluster a thousand times as large gives the same shares.
TEST(Observation, MeansTheSameOnAnySizeOfCluster) {
  const QueueFacts small{.cores = 16, .free_cores = 4, .memory_mib = 32'768, .pending_cores = 8};
  QueueFacts large = small;
  for (std::int64_t* number :
       {&large.cores, &large.free_cores, &large.memory_mib, &large.pending_cores}) {
    *number *= 1000;
  }
  AskedFacts larger = asked();
  larger.cores *= 1000;
  larger.nodes *= 1000;
  const Observation a = observe({.asked = asked()}, kMonday, UsageHistory{}, small);
  const Observation b = observe({.asked = larger}, kMonday, UsageHistory{}, large);
  EXPECT_EQ(difference(a, b), "job.cores job.nodes ");
}

TEST(Observation, KnowsWhatMemoryACoreMeansOnANode) {
  JobSpec spec;
  spec.nodes = 2;
  spec.tasks = 8;
  spec.memory_per_cpu_mib = 100;
  EXPECT_EQ(asked_by(spec).memory_per_node_mib, 400);
  spec.tasks_per_node = 6;
  EXPECT_EQ(asked_by(spec).memory_per_node_mib, 600);
  spec.memory_per_cpu_mib = kHighest;
  EXPECT_GT(asked_by(spec).memory_per_node_mib, 0);
}

// ---- the future
// -----------------------------------------------------------------------------------

// Jobs of a few users, names and sizes that overlap in time.
std::vector<JobOutcomeFacts> some_jobs(std::mt19937& dice, int count) {
  const auto throw_dice = [&](int most) {
    return std::uniform_int_distribution<int>(0, most)(dice);
  };
  std::vector<JobOutcomeFacts> jobs;
  for (int i = 0; i < count; ++i) {
    AskedFacts request = asked(throw_dice(1) == 0 ? "train" : "prepare",
                               1000 + static_cast<std::uint32_t>(throw_dice(2)));
    request.cores = 1 << throw_dice(2);
    JobOutcomeFacts facts = ended(static_cast<JobId>(i + 1), kMonday + throw_dice(1'000) * kMinute,
                                  (1 + throw_dice(100)) * kMinute, request);
    facts.outcome = throw_dice(3) == 0 ? Outcome::Failed : Outcome::Completed;
    facts.usage.max_rss_kib = throw_dice(2) * 100'000;
    facts.usage.user_ms = throw_dice(1'000'000);
    jobs.push_back(std::move(facts));
  }
  return jobs;
}

// Whoever adds what has ended as time goes by sees exactly what somebody sees who has been told of
// jobs that end only later, too; in whatever order.
TEST(Observation, NeverKnowsTheFuture) {
  std::mt19937 dice(7);
  int compared = 0;
  for (int round = 0; round < 50; ++round) {
    const std::vector<JobOutcomeFacts> jobs = some_jobs(dice, 60);
    const WallMs now_ms = kMonday + std::uniform_int_distribution<int>(100, 1'000)(dice) * kMinute;
    UsageHistory truncated;
    UsageHistory all;
    std::vector<JobOutcomeFacts> past, future;
    for (const JobOutcomeFacts& job : jobs) {
      (job.end_ms < now_ms ? past : future).push_back(job);
    }
    for (const JobOutcomeFacts& job : past) truncated.add(job);
    // As many as a question may be late for.
    future.resize(std::min<std::size_t>(future.size(), RecentJobs::kept - RecentJobs::used));
    past.insert(past.end(), future.begin(), future.end());
    std::shuffle(past.begin(), past.end(), dice);
    for (const JobOutcomeFacts& job : past) all.add(job);
    for (const JobOutcomeFacts& job : jobs) {
      const Observation row = look(truncated, now_ms, job.asked);
      EXPECT_EQ(difference(row, look(all, now_ms, job.asked)), "");
      compared += value(row, "user.known") > 0 && !future.empty() ? 1 : 0;
    }
  }
  EXPECT_GT(compared, 1'000);
}

// However much of the future is told: of none of it anything is seen.
TEST(Observation, SeesNothingOfAnyNumberOfLaterJobs) {
  UsageHistory history;
  for (JobId id = 1; id <= 100; ++id) {
    history.add(ended(id, kMonday + kHour + static_cast<WallMs>(id), kMinute));
  }
  EXPECT_EQ(difference(look(history, kMonday), look(UsageHistory{}, kMonday)), "");
}

TEST(Observation, WhatEndsNowHasNotEndedBefore) {
  UsageHistory history;
  history.add(ended(1, kMonday, kMinute));
  EXPECT_EQ(value(look(history, kMonday), "user.known"), 0);
  EXPECT_EQ(value(look(history, kMonday + 1), "user.known"), 1);
}

TEST(Observation, AJobThatIsToldTwiceIsOne) {
  UsageHistory history;
  for (int i = 0; i < 3; ++i) history.add(ended(1, kMonday, kMinute));
  EXPECT_EQ(value(look(history, kMonday + 1), "user.jobs"), 1.0 / 8);
}

// ---- hostile numbers
// ------------------------------------------------------------------------------

TEST(Observation, StaysFiniteWhateverItIsTold) {
  const std::int64_t numbers[] = {kLowest, -1, 0, 1, 1000, kHighest};
  std::mt19937 dice(3);
  const auto any = [&] { return numbers[std::uniform_int_distribution<int>(0, 5)(dice)]; };
  const double reals[] = {-1e308, 0, 1e308, std::numeric_limits<double>::infinity(),
                          std::numeric_limits<double>::quiet_NaN()};
  const auto real = [&] { return reals[std::uniform_int_distribution<int>(0, 4)(dice)]; };
  int known = 0;
  for (int round = 0; round < 20'000; ++round) {
    const AskedFacts request{1000, "x", "q", any(), any(), any(), any(), any(), false};
    UsageHistory history;
    for (JobId id = 1; id <= 3; ++id) {
      Usage usage{any(), any(), any(), any(), any(), any(), any(), any(), any(), {}, {}};
      usage.counters = {{"PAPI_TOT_INS", any(), 1, false}, {"PAPI_TOT_CYC", any(), 1, false}};
      history.add({id, request, any(), any(), any(), any(), Outcome::Completed, usage});
    }
    const ObservedJob job{request, any(), any(), LiveUse{real(), real()}};
    const QueueFacts queue{any(), any(), any(), any(), any(), any(),
                           any(), any(), any(), any(), any()};
    const Observation row = observe(job, any(), history, queue);
    ASSERT_EQ(out_of_range(row), "");
    known += value(row, "user.known") > 0 ? 1 : 0;
  }
  EXPECT_GT(known, 1'000) << "nothing was tried";
}

TEST(Observation, WithoutALimitTheRatioIsNotKnown) {
  AskedFacts request = asked();
  request.time_limit_s = 0;
  UsageHistory history;
  history.add(ended(1, kMonday, kMinute, request));
  const Observation row = look(history, kMonday + kHour, request);
  EXPECT_EQ(value(row, "user.known"), 1);
  EXPECT_EQ(value(row, "user.ratio_mean"), 1);
  EXPECT_EQ(value(row, "user.run_last"), 0);
}

TEST(Observation, JobsThatNeverRanSayNothing) {
  UsageHistory history;
  JobOutcomeFacts never = ended(1, kMonday, kMinute);
  never.start_ms = 0;
  never.outcome = Outcome::Cancelled;
  history.add(never);
  JobOutcomeFacts backwards = ended(2, kMonday, kMinute);
  backwards.start_ms = backwards.end_ms + 1;
  history.add(backwards);
  EXPECT_EQ(history.added(), 0u);
  EXPECT_EQ(value(look(history, kMonday + kHour), "user.known"), 0);
}

// ---- memory
// ---------------------------------------------------------------------------------------

TEST(UsageHistory, ForgetsWhoseLastJobEndedLongestAgo) {
  UsageHistory history({.users = 3, .names = 3, .requests = 3, .sizes = 3, .limits = 3});
  for (std::uint32_t uid = 1; uid <= 3; ++uid) {
    history.add(ended(uid, kMonday + uid, 1, asked("train", uid)));
  }
  history.add(ended(4, kMonday + 10, 1, asked("train", 1)));  // so 2 is the oldest
  history.add(ended(5, kMonday + 11, 1, asked("train", 4)));
  const auto known = [&](std::uint32_t uid) {
    return value(look(history, kMonday + kHour, asked("train", uid)), "user.known");
  };
  EXPECT_EQ(known(1), 1);
  EXPECT_EQ(known(2), 0);
  EXPECT_EQ(known(3), 1);
  EXPECT_EQ(known(4), 1);
  EXPECT_EQ(history.size(), 15u);
}

TEST(UsageHistory, DoesNotGrowWithoutEnd) {
  UsageHistory history({.users = 10, .names = 20, .requests = 30, .sizes = 40, .limits = 50});
  for (JobId id = 1; id <= 5'000; ++id) {
    AskedFacts request = asked("job", static_cast<std::uint32_t>(id % 100));
    request.name += std::string(1 + id % 7, 'x');
    request.time_limit_s = 60 + static_cast<std::int64_t>(id % 11);
    history.add(ended(id, kMonday + static_cast<WallMs>(id), 1, request));
  }
  EXPECT_EQ(history.size(), 150u);
  EXPECT_EQ(history.added(), 5'000u);
}

// Of one kind, too: what is used does not depend on how many there were.
TEST(UsageHistory, UsesTheLastOnesOnly) {
  UsageHistory long_one;
  UsageHistory short_one;
  for (JobId id = 1; id <= 1'000; ++id) {
    const WallMs run_ms = kMinute * (1 + static_cast<WallMs>(id * id % 50));
    const JobOutcomeFacts facts = ended(id, kMonday + static_cast<WallMs>(id), run_ms);
    long_one.add(facts);
    if (id > 1'000 - RecentJobs::used) short_one.add(facts);
  }
  EXPECT_EQ(difference(look(long_one, kMonday + kHour), look(short_one, kMonday + kHour)), "");
}

// ---- the document
// ---------------------------------------------------------------------------------

// As schema/observation.md writes it.
std::string row_of(std::size_t index) {
  const ObservationField& field = observation_fields()[index];
  std::ostringstream text;
  text << "| " << index << " | `" << field.name << "` | " << field.unit << " | " << field.least
       << " .. " << field.most << " | " << field.neutral << " | " << field.meaning << " |";
  return text.str();
}

TEST(Observation, IsWhatTheDocumentSays) {
  std::ifstream file(HYADES_SCHEMA_DIRECTORY "/observation.md");
  std::vector<std::string> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("| ", 0) == 0 && line.size() > 2 && std::isdigit(line[2])) rows.push_back(line);
  }
  ASSERT_EQ(rows.size(), observation_size);
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i], row_of(i));
}

TEST(Observation, NamesAreDistinctAndNeutralValuesInRange) {
  std::vector<std::string> names;
  for (const ObservationField& field : observation_fields()) {
    names.push_back(field.name);
    EXPECT_LE(field.least, field.neutral) << field.name;
    EXPECT_GE(field.most, field.neutral) << field.name;
    EXPECT_FALSE(field.meaning.empty() || field.unit.empty()) << field.name;
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

}  // namespace
}  // namespace hyades
