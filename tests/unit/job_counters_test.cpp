// What shepherds count of real jobs, against known loads and the kernel's own account.
#include "worker/job_counters.hpp"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <linux/perf_event.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <cmath>
#include <cstring>
#include <map>

#include "core/counter_names.hpp"
#include "e2e/taken_time.hpp"
#include "node_box.hpp"
#include "telemetry/counter_catalogue.hpp"
#include "worker/live_page.hpp"

namespace hyades {
namespace {

constexpr const char* kTaskClock = "perf::TASK-CLOCK";
constexpr const char* kFaults = "perf::PAGE-FAULTS";
constexpr const char* kSwitches = "perf::CONTEXT-SWITCHES";
constexpr uid_t kNobody = 65534;

using Figures = std::map<std::string, std::int64_t>;

Figures figures(const Usage& usage) {
  Figures all;
  for (const JobCounter& counter : usage.counters) {
    EXPECT_EQ(counter.running_share, 1) << counter.name;  // these share nothing with anybody
    all[counter.name] = counter.value;
  }
  return all;
}

std::map<std::string, std::string> reasons(const Usage& usage) {
  std::map<std::string, std::string> all;
  for (const MissingCounter& missing : usage.missing_counters) all[missing.name] = missing.why;
  return all;
}

// The processor has no such event, whatever processor it is.
PlannedCounter impossible(const std::string& name) {
  PerfTerm term;
  term.type = PERF_TYPE_HARDWARE;
  term.config = 999;
  return {name, CounterSide::User, {term}};
}

int paranoia() { return std::atoi(read_text("/proc/sys/kernel/perf_event_paranoid").c_str()); }

bool may_count_the_kernel() { return geteuid() == 0 || paranoia() < 2; }

class JobCountersTest : public testing::Test {
 protected:
  LaunchRecord counting(const std::string& script) {
    LaunchRecord record = box_.plain_record("#!/bin/sh\n" + script);
    record.environment.push_back("LOAD=" + program_beside_me("known_load"));
    record.counters = CounterCatalogue().resolve(software_counters());
    return record;
  }

  Usage run(const LaunchRecord& record) {
    box_.start(record);
    const SpoolRecord end = box_.wait_for_end(record.key);
    EXPECT_TRUE(end.exit.has_value());
    const ExitRecord exit = end.exit.value_or(ExitRecord{});
    EXPECT_EQ(exit.launch_error, "");
    EXPECT_EQ(exit.exit_code, 0);
    return exit.usage;
  }

  std::optional<LivePage> live(const LaunchRecord& record) {
    return read_live_page(box_.root / "spool", record.key);
  }

  // Within 5 % of what the kernel accounts; that has whole milliseconds, and the time before the
  // exec.
  void expect_time(const Usage& usage, std::int64_t least_ms) const {
    const double accounted = static_cast<double>(usage.user_ms + usage.system_ms);
    const double counted = static_cast<double>(figures(usage)[kTaskClock]) / 1e6;
    EXPECT_GE(counted, static_cast<double>(least_ms));
    EXPECT_GE(counted, 0.95 * accounted - 5);
    EXPECT_LE(counted, 1.05 * accounted + 5 + taken_.ms());
  }

  NodeBox box_;
  test::TakenTime taken_;
};

TEST_F(JobCountersTest, GrandchildrenAreCounted) {
  expect_time(run(counting("( ( $LOAD cpu 300 ) & wait ) & wait\n")), 300);
}

TEST_F(JobCountersTest, WhatOutlivesItsParentIsCounted) {
  expect_time(run(counting("( ( $LOAD cpu 200; touch done ) & )\n"
                           "while [ ! -e done ]; do sleep 0.02; done\n")),
              200);
}

TEST_F(JobCountersTest, WhatIsKilledIsCounted) {
  // What is left behind has to have done its work before the script ends.
  expect_time(run(counting("( $LOAD cpu 200; touch done; sleep 1000 ) &\n"
                           "while [ ! -e done ]; do sleep 0.02; done\n")),
              200);
}

TEST_F(JobCountersTest, EveryPageIsOneFault) {
  constexpr std::int64_t pages = 20000;
  const Usage usage = run(counting("exec $LOAD pages " + std::to_string(pages) + "\n"));
  const std::int64_t counted = figures(usage)[kFaults];
  EXPECT_GE(counted, pages);
  EXPECT_LE(counted, pages + 1000);
  // The account begins at the fork: the shepherd's copy of itself is in it.
  EXPECT_NEAR(static_cast<double>(counted),
              static_cast<double>(usage.minor_faults + usage.major_faults), 500);
  EXPECT_EQ(figures(usage)["perf::MAJOR-FAULTS"] + figures(usage)["perf::MINOR-FAULTS"], counted);
}

TEST_F(JobCountersTest, EverySleepIsOneSwitch) {
  if (!may_count_the_kernel()) GTEST_SKIP() << "the kernel shows its switches to root alone here";
  constexpr std::int64_t sleeps = 500;
  const Usage usage = run(counting("exec $LOAD sleeps " + std::to_string(sleeps) + "\n"));
  const std::int64_t counted = figures(usage)[kSwitches];
  const std::int64_t least = sleeps - sleeps / 20;  // a nap may be over before it has begun
  EXPECT_GE(counted, least);
  EXPECT_GE(usage.voluntary_switches, least);
  // The account begins at the fork: on a busy machine much can come between it and the program.
  EXPECT_NEAR(static_cast<double>(counted),
              static_cast<double>(usage.voluntary_switches + usage.involuntary_switches), 150);
}

// By the account that the job's own shell has of itself and what it waited for.
TEST_F(JobCountersTest, BytesAreThoseOfTheKernelsAccount) {
  const Usage usage =
      run(counting("dd if=/dev/zero of=data bs=1M count=4 conv=fsync 2>/dev/null\n"
                   "cat /proc/$$/io >account\n"));
  std::istringstream account(box_.output("account"));
  Figures own;
  for (std::string name; account >> name;) account >> own[name];
  ASSERT_TRUE(own.contains("write_bytes:")) << box_.output("account");
  EXPECT_GE(usage.write_bytes, own["write_bytes:"]);  // the account itself was written afterwards
  EXPECT_LE(usage.write_bytes, own["write_bytes:"] + 65536);
  EXPECT_GE(usage.read_bytes, own["read_bytes:"] / 512 * 512);
  if (own["write_bytes:"] > 0) {
    EXPECT_GE(usage.write_bytes, 4 << 20);  // not all kept in memory
  }
}

TEST_F(JobCountersTest, WhatCannotBeCountedIsNotThere) {
  LaunchRecord record = counting("exec $LOAD cpu 10\n");
  record.counters.counters.push_back(impossible("PAPI_TOT_INS"));
  record.counters.missing = {{"PAPI_L3_TCM", "for a reason"}};
  const Usage usage = run(record);
  EXPECT_TRUE(figures(usage).contains(kTaskClock));
  EXPECT_FALSE(figures(usage).contains("PAPI_TOT_INS"));
  EXPECT_FALSE(figures(usage).contains("PAPI_L3_TCM"));
  EXPECT_NE(reasons(usage)["PAPI_TOT_INS"], "");
  EXPECT_EQ(reasons(usage)["PAPI_L3_TCM"], "for a reason");
}

TEST_F(JobCountersTest, WhoDidNotAskIsNotTold) {
  LaunchRecord record = counting("exec $LOAD cpu 10\n");
  record.counters.counters.push_back(impossible("PAPI_TOT_INS"));
  record.counters.asked = false;
  const Usage usage = run(record);
  EXPECT_TRUE(figures(usage).contains(kTaskClock));
  EXPECT_FALSE(figures(usage).contains("PAPI_TOT_INS"));
  EXPECT_TRUE(usage.missing_counters.empty());
}

TEST_F(JobCountersTest, OfSeveralTermsAllAreNeeded) {
  LaunchRecord record = counting("exec $LOAD cpu 10\n");
  PlannedCounter half = record.counters.counters.at(0);
  half.name = "PAPI_FP_OPS";
  half.terms.push_back(impossible("").terms[0]);
  PlannedCounter nothing = record.counters.counters.at(0);
  nothing.name = "PAPI_DP_OPS";
  nothing.terms.push_back(nothing.terms[0]);
  nothing.terms[1].subtract = true;
  record.counters.counters = {half, nothing};
  const Usage usage = run(record);
  EXPECT_FALSE(figures(usage).contains("PAPI_FP_OPS"));
  EXPECT_NE(reasons(usage)["PAPI_FP_OPS"], "");
  // Two clocks of one process: they are read and switched one after the other.
  EXPECT_LE(figures(usage)["PAPI_DP_OPS"], 1'000'000);
}

TEST_F(JobCountersTest, NothingIsCountedUnasked) {
  LaunchRecord record = counting("exec $LOAD cpu 10\n");
  record.counters = {};
  record.counters_every_ms = 1;
  const Usage usage = run(record);
  EXPECT_TRUE(usage.counters.empty());
  EXPECT_TRUE(usage.missing_counters.empty());
  EXPECT_GT(usage.minor_faults, 0);
}

TEST_F(JobCountersTest, OutliveLauncherAndWorker) {
  const LaunchRecord record = counting(
      "$LOAD cpu 100\ntouch begun\nwhile [ ! -e go ]; do sleep 0.02; done\n$LOAD cpu 100\n");
  box_.start(record);
  box_.wait_for_file("begun");
  kill(box_.launcher->pid(), SIGKILL);
  box_.launcher.reset();
  box_.spawner.reset();
  box_.spool.reset();
  box_.start_launcher();
  box_.start_worker();
  std::ofstream(box_.root / "go").flush();
  const SpoolRecord end = box_.wait_for_end(record.key);
  ASSERT_TRUE(end.exit.has_value());
  expect_time(end.exit->usage, 200);
}

// ---- while it runs -----------------------------------------------------------------------------

TEST_F(JobCountersTest, AreShownWhileTheJobRuns) {
  LaunchRecord record = counting("$LOAD cpu 100 &\nwait\nwhile [ ! -e go ]; do sleep 0.02; done\n");
  record.counters_every_ms = 10;
  box_.start(record);
  std::optional<LivePage> page;
  EXPECT_TRUE(wait_until([&] {
    page = live(record);
    return page && figures(page->ended)[kTaskClock] >= 100'000'000;
  }));
  ASSERT_TRUE(page);
  EXPECT_GT(page->started_ms, 0);
  EXPECT_GT(page->at_ms, page->started_ms);
  const BootMs at = page->at_ms;
  EXPECT_TRUE(wait_until([&] { return live(record) && live(record)->at_ms > at; }));
  std::ofstream(box_.root / "go").flush();
  const SpoolRecord end = box_.wait_for_end(record.key);
  ASSERT_TRUE(end.exit.has_value());
  EXPECT_GE(figures(end.exit->usage)[kTaskClock], figures(page->ended)[kTaskClock]);
  EXPECT_FALSE(std::filesystem::exists(
      live_page_path(box_.root / "spool/scripts/" + to_string(record.key))));
}

TEST_F(JobCountersTest, AreNotShownWhenNobodyWantsThat) {
  LaunchRecord record = counting("touch begun\nwhile [ ! -e go ]; do sleep 0.02; done\n");
  record.counters_every_ms = 0;
  box_.start(record);
  box_.wait_for_file("begun");
  EXPECT_FALSE(live(record));
  std::ofstream(box_.root / "go").flush();
  EXPECT_TRUE(box_.wait_for_end(record.key).exit.has_value());
}

TEST_F(JobCountersTest, AStopDoesNotEndTheLooking) {
  LaunchRecord record = counting(
      "trap 'touch stopping' TERM\ntouch begun\n"
      "while [ ! -e go ]; do sleep 0.02; done\n");
  record.counters_every_ms = 10;
  record.kill_grace_s = 600;
  box_.start(record);
  box_.wait_for_file("begun");
  box_.spawner->stop(record.key, StopReason::Cancelled, 600);
  box_.wait_for_file("stopping");
  EXPECT_TRUE(wait_until([&] { return live(record).has_value(); }));
  const BootMs at = live(record)->at_ms;
  EXPECT_TRUE(wait_until([&] { return live(record) && live(record)->at_ms > at; }));
  std::ofstream(box_.root / "go").flush();
  EXPECT_TRUE(box_.wait_for_end(record.key).exit.has_value());
}

// ---- the page ----------------------------------------------------------------------------------

LivePage sample_page() {
  return {{42, 1, 77},
          4711,
          8,
          1000,
          2000,
          {1,
           2,
           3,
           4,
           5,
           6,
           7,
           8,
           INT64_MAX,
           {{"a", INT64_MAX, 0.1, true}},
           {{"b", "why"}},
           {{"loss", -0.1}},
           9}};
}

TEST(LivePageCodec, KeepsEveryField) {
  LivePage copy;
  ASSERT_TRUE(decode(encode(sample_page()), copy));
  EXPECT_EQ(copy, sample_page());
  // What an earlier, longer page has left behind it does not matter.
  ASSERT_TRUE(decode(encode(sample_page()) + std::string(100, '\xff'), copy));
  EXPECT_EQ(copy, sample_page());
}

TEST(LivePageCodec, TheLongestFits) {
  LivePage page = sample_page();
  page.ended.reported.assign(reported_figures_max, {std::string(reported_name_bytes_max, 'n'), 1});
  const std::string name(counter_name_bytes_max, 'n');
  page.ended.counters.assign(job_counters_max, {name, INT64_MAX, 0.5, true});
  EXPECT_LE(encode(page).size(), live_page_bytes_max);
  page.ended.counters.clear();
  page.ended.missing_counters.assign(job_counters_max,
                                     {name, std::string(counter_reason_bytes_max, '%')});
  EXPECT_LE(encode(page).size(), live_page_bytes_max);
}

TEST(LivePageCodec, ReportsThatCannotBeMakeItDamaged) {
  LivePage copy;
  for (const ReportedFigure& wrong :
       {ReportedFigure{"Loss", 1}, ReportedFigure{"loss", std::nan("")}, ReportedFigure{"", 1},
        ReportedFigure{std::string(33, 'a'), 1}}) {
    LivePage page = sample_page();
    page.ended.reported = {wrong};
    EXPECT_FALSE(decode(encode(page), copy)) << wrong.name;
  }
  LivePage page = sample_page();
  page.ended.reported.assign(reported_figures_max + 1, {"loss", 1});
  EXPECT_FALSE(decode(encode(page), copy));
}

// A shepherd that was there before the programs were replaced goes on writing its pages.
TEST(LivePageCodec, AnEarlierShepherdsPageIsRead) {
  LivePage page = sample_page();
  page.ended.reported.clear();
  page.ended.refused_reports = 0;
  std::string bytes = encode(page);
  // Magic, version, checksum, size of what follows; two numbers less behind it.
  const std::string body = bytes.substr(32, bytes.size() - 32 - 16);
  std::uint64_t sum = 14695981039346656037u;
  for (const unsigned char c : body) sum = (sum ^ c) * 1099511628211u;
  const auto put = [&](std::size_t at, std::uint64_t value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
  };
  bytes.resize(bytes.size() - 16);
  put(8, 1);
  put(16, sum);
  put(24, body.size());
  LivePage copy;
  ASSERT_TRUE(decode(bytes, copy));
  EXPECT_EQ(copy, page);
}

TEST(LivePageCodec, HalfOfItIsNone) {
  const std::string bytes = encode(sample_page());
  LivePage copy;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode(std::string_view(bytes).substr(0, size), copy)) << size;
  }
  LivePage later = sample_page();
  later.at_ms += 1;
  later.ended.counters[0].value -= 1;
  const std::string next = encode(later);
  ASSERT_EQ(next.size(), bytes.size());
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    const std::string mixed = next.substr(0, size) + bytes.substr(size);
    if (mixed != next && mixed != bytes) {
      EXPECT_FALSE(decode(mixed, copy)) << size;
    }
  }
}

TEST(LivePageCodec, NoiseIsHarmless) {
  const std::string bytes = encode(sample_page());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      LivePage copy;
      EXPECT_FALSE(decode(damaged, copy)) << at;
    }
  }
}

TEST(LivePageFile, IsReadOnlyAsWhatItIs) {
  TemporaryDirectory spool;
  std::filesystem::create_directory(spool / "scripts");
  const LivePage page = sample_page();
  const std::string path = live_page_path(spool / "scripts/" + to_string(page.key));
  EXPECT_FALSE(read_live_page(spool.path(), page.key));
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(read_live_page(spool.path(), page.key));  // and does not wait for a writer
  std::filesystem::remove(path);
  std::filesystem::create_symlink("/proc/self/io", path);
  EXPECT_FALSE(read_live_page(spool.path(), page.key));
  std::filesystem::remove(path);
  LivePage other = page;
  other.key.sequence += 1;
  std::ofstream(path) << encode(other);
  EXPECT_FALSE(read_live_page(spool.path(), page.key));
  std::ofstream(path) << encode(page);
  EXPECT_EQ(read_live_page(spool.path(), page.key), page);
}

// ---- whose process it is -----------------------------------------------------------------------

// What somebody who is not root counts of a child that touches pages and sleeps. `dumpable`: of the
// child.
Usage counted_as_nobody(bool dumpable) {
  int ends[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const std::string load = program_beside_me("known_load");
  const pid_t counter = fork();
  if (counter == 0) {
    const bool is_nobody = geteuid() != 0 || (setgroups(0, nullptr) == 0 && setgid(kNobody) == 0 &&
                                              setuid(kNobody) == 0);
    if (!is_nobody) _exit(1);
    prctl(PR_SET_DUMPABLE, 0);
    int go[2];
    if (pipe2(go, O_CLOEXEC) != 0) _exit(1);
    const pid_t child = fork();
    if (child == 0) {
      prctl(PR_SET_DUMPABLE, dumpable ? 1 : 0);
      if (write(ends[1], "r", 1) != 1) _exit(1);
      char byte = 0;
      if (read(go[0], &byte, 1) != 1) _exit(1);
      execl("/bin/true", "true", nullptr);
      _exit(1);
    }
    char ready = 0;
    if (read(ends[0], &ready, 1) != 1) _exit(1);
    JobCounters counters;
    counters.open(CounterCatalogue().resolve(software_counters()), child);
    if (write(go[1], "g", 1) != 1) _exit(1);
    waitpid(child, nullptr, 0);
    LivePage page;
    counters.report(page.ended);
    const std::string bytes = encode(page);
    _exit(write(ends[1], bytes.data(), bytes.size()) < 0 ? 1 : 0);
  }
  int status = 0;
  waitpid(counter, &status, 0);
  EXPECT_EQ(status, 0);
  std::string bytes(live_page_bytes_max, '\0');
  const ssize_t size = recv(ends[0], bytes.data(), bytes.size(), MSG_DONTWAIT);
  LivePage page;
  EXPECT_TRUE(size > 0 && decode(bytes.substr(0, static_cast<std::size_t>(size)), page));
  close(ends[0]);
  close(ends[1]);
  return page.ended;
}

TEST(SomebodyWhoIsNotRoot, CountsWhatTheKernelAllows) {
  if (paranoia() > 2) GTEST_SKIP() << "the kernel shows nothing to anybody but root here";
  const Usage usage = counted_as_nobody(true);
  Figures counted = figures(usage);
  EXPECT_GT(counted[kTaskClock], 0);
  EXPECT_GT(counted[kFaults], 0);
  const bool all = paranoia() < 2;
  for (const JobCounter& counter : usage.counters) {
    if (counter.name == kFaults) {
      EXPECT_EQ(counter.user_only, !all);
    } else if (counter.name == kTaskClock) {
      EXPECT_FALSE(counter.user_only);
    }
  }
  EXPECT_EQ(counted.contains(kSwitches), all);
  if (!all) {
    EXPECT_EQ(reasons(usage)[kSwitches],
              "the kernel forbids it (perf_event_paranoid is " + std::to_string(paranoia()) + ")");
  }
}

TEST(SomebodyWhoIsNotRoot, ReportsNothingOfAChildThatMayNotBeLookedAt) {
  const Usage usage = counted_as_nobody(false);
  EXPECT_TRUE(usage.counters.empty());  // no 0, and nothing of whoever asked
  EXPECT_EQ(usage.missing_counters.size(), software_counters().size());
}

}  // namespace
}  // namespace hyades
