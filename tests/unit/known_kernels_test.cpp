// What Hyades measures of programs whose use of a machine is known: against their own count
// (known_kernels.c), and against the kernel's account of them. Other loads, page-fault storms,
// grandchildren and sleeps, are in job_counters_test.cpp.
//
// Tolerances hold on a machine that is busy with other things, too: nothing here goes by how long
// something took.
#include <gtest/gtest.h>
#include <sys/vfs.h>

#include <map>

#include "core/counter_names.hpp"
#include "e2e/taken_time.hpp"
#include "fixture_tree.hpp"
#include "node_box.hpp"
#include "telemetry/cpu_collector.hpp"
#include "telemetry/papi_probe.hpp"
#include "telemetry/telemetry_engine.hpp"
#include "wire/system_clock.hpp"
#include "worker/job_meters.hpp"

namespace hyades {
namespace {

using Figures = std::map<std::string, double>;

constexpr double kTickMs = 10;
// What comes before the program itself: the shepherd's child until its exec, and the loader.
constexpr double kStartMs = 40;
constexpr double kStartPages = 1500;
constexpr double kStartMib = 16;

class KnownKernels : public testing::Test {
 protected:
  LaunchRecord kernel(const std::string& arguments, const std::string& before = "") {
    LaunchRecord record =
        box_.plain_record("#!/bin/sh\n" + before + "exec " + program_beside_me("known_kernels") +
                          " " + arguments + " >own\n");
    record.counters = CounterCatalogue().resolve(software_counters());
    record.counters_every_ms = 20;
    return record;
  }

  Usage finish(const LaunchRecord& record) {
    const SpoolRecord end = box_.wait_for_end(record.key);
    const ExitRecord exit = end.exit.value_or(ExitRecord{});
    EXPECT_TRUE(end.exit.has_value());
    EXPECT_EQ(exit.launch_error, "");
    EXPECT_EQ(exit.exit_code, 0);
    return exit.usage;
  }
  Usage run(const LaunchRecord& record) {
    box_.start(record);
    return finish(record);
  }
  void let_go() { std::ofstream(box_.root / "go").flush(); }

  // By its own count, as far as it has got.
  Figures own() const {
    Figures all;
    std::istringstream text(box_.output("own"));
    double value = 0;
    for (std::string name; text >> name >> value;) all[name] = value;
    return all;
  }

  static Figures counted(const Usage& usage) {
    Figures all;
    for (const JobCounter& counter : usage.counters) {
      all[counter.name] = static_cast<double>(counter.value);
    }
    return all;
  }
  static double cpu_ms(const Usage& usage) {
    return static_cast<double>(usage.user_ms + usage.system_ms);
  }
  static double faults(const Usage& usage) {
    return static_cast<double>(usage.minor_faults + usage.major_faults);
  }

  // The account within 2 % of its own count (and its start and end); the task clock within 5 % of
  // the account, and not behind its own count either.
  void expect_cpu(const Usage& usage, double least_ms) const {
    const double own_ms = own()["cpu_us"] / 1e3;
    EXPECT_GE(own_ms, least_ms);
    EXPECT_GE(cpu_ms(usage), 0.98 * own_ms - 2);
    EXPECT_LE(cpu_ms(usage), 1.02 * own_ms + kStartMs);
    const double clock_ms = counted(usage)["perf::TASK-CLOCK"] / 1e6;
    EXPECT_GE(clock_ms, 0.95 * cpu_ms(usage) - 5);
    EXPECT_LE(clock_ms, 1.05 * cpu_ms(usage) + 5 + taken_.ms());
  }

  // What it touches it faults on once, and nothing else does: `pages`, and those of any program.
  static void expect_faults(const Usage& usage, double pages) {
    EXPECT_GE(faults(usage), pages);
    EXPECT_LE(faults(usage), 1.01 * pages + kStartPages);
    EXPECT_GE(counted(usage)["perf::PAGE-FAULTS"], pages);
    EXPECT_LE(counted(usage)["perf::PAGE-FAULTS"], 1.01 * pages + kStartPages);
  }

  NodeBox box_;
  test::TakenTime taken_;
  SystemClock clock_;
};

double figure(const JobMeter& meter, const std::string& name) {
  for (const Figure& figure : meter.figures()) {
    if (figure.name == name) return figure.value;
  }
  return kNoReading;
}

TEST_F(KnownKernels, ComputesByTheKernelsAccountAsMuchAsByItsOwn) {
  const Usage usage = run(kernel("gemm 96 400"));
  EXPECT_EQ(own()["sound"], 1);
  expect_cpu(usage, 400);
  EXPECT_LE(static_cast<double>(usage.max_rss_kib) / 1024, kStartMib);
}

// By a processor's own counters, where it has some: two operations for each step of the product.
TEST_F(KnownKernels, DoesAsManyOperationsAsItSays) {
  const PapiFindings papi = ask_papi();
  LaunchRecord record = kernel("gemm 96 400");
  record.counters = papi.catalogue.resolve({"PAPI_TOT_INS", "PAPI_DP_OPS"});
  const Usage usage = run(record);
  Figures counts = counted(usage);
  const double flops = own()["flops"];
  for (const MissingCounter& missing : usage.missing_counters) {
    EXPECT_FALSE(counts.contains(missing.name));
    EXPECT_NE(missing.why, "") << missing.name;
  }
  if (counts.empty()) {
    GTEST_SKIP() << "no hardware counters to compare with here: "
                 << usage.missing_counters.at(0).why;
  }
  // An instruction does eight of them at the most as this is compiled.
  if (counts.contains("PAPI_TOT_INS")) {
    EXPECT_GE(counts["PAPI_TOT_INS"], flops / 8);
  }
  if (counts.contains("PAPI_DP_OPS")) {
    EXPECT_NEAR(counts["PAPI_DP_OPS"], flops, 0.1 * flops);
  }
}

TEST_F(KnownKernels, HoldsItsArraysAndNotMore) {
  constexpr double mib = 3 * 24;
  const LaunchRecord record = kernel("stream 24 200 go");
  box_.start(record);
  ASSERT_TRUE(wait_until([&] { return own().contains("end"); }));
  JobMeters meters(box_.root / "spool");
  ASSERT_TRUE(wait_until([&] {
    meters.look(clock_.now());
    return !meters.empty();
  }));
  const JobMeter& meter = meters.running().begin()->second;
  EXPECT_GE(figure(meter, "job.memory"), mib);
  EXPECT_LE(figure(meter, "job.memory"), mib + kStartMib);
  EXPECT_GE(figure(meter, "job.memory_peak"), mib);
  EXPECT_LE(figure(meter, "job.memory_peak"), mib + kStartMib);
  EXPECT_EQ(figure(meter, "job.processes"), 1);
  let_go();
  const Usage usage = finish(record);
  EXPECT_EQ(own()["sound"], 1);
  EXPECT_GE(static_cast<double>(usage.max_rss_kib) / 1024, mib);
  EXPECT_LE(static_cast<double>(usage.max_rss_kib) / 1024, mib + kStartMib);
  expect_faults(usage, own()["pages"]);
}

TEST_F(KnownKernels, ChasesPointersWithoutFaults) {
  const Usage usage = run(kernel("chase 32 300"));
  const Figures count = own();
  EXPECT_EQ(count.at("sound"), 1);
  EXPECT_GT(count.at("steps"), 0);
  // The kernel may move or unmap a page now and then; a fault for each page would be thousands.
  EXPECT_LE(count.at("faults_while_chasing"), 0.01 * count.at("pages"));
  expect_cpu(usage, 300);
  expect_faults(usage, count.at("pages"));
}

// Written: what became dirty and has to go to a device, so files in memory (tmpfs) and those of
// most network file systems are not counted. Read: what the page cache did not have.
TEST_F(KnownKernels, WritesAndReadsWhatItSays) {
  const Usage usage = run(kernel("file 8 data"));
  const Figures count = own();
  EXPECT_EQ(count.at("written"), 8 << 20);
  EXPECT_EQ(count.at("read"), 8 << 20);
  // The shell, the loader and the output file are in it as well.
  const double other = 4 << 20;
  const auto written = static_cast<double>(usage.write_bytes);
  const auto read = static_cast<double>(usage.read_bytes);
  EXPECT_GE(written, count.at("account_written"));
  EXPECT_LE(written, count.at("account_written") + other);
  EXPECT_GE(read, count.at("account_read") - 512);
  EXPECT_LE(read, count.at("account_read") + 16 * other);  // programs may have to be read, too
  if (count.at("account_written") == 0) {
    GTEST_SKIP() << "the kernel counts no writes of the file system of " << box_.root.path()
                 << " (in memory, or a network's), so that nothing is to compare with";
  }
  EXPECT_GE(written, count.at("written"));
  EXPECT_LE(written, 1.05 * count.at("written") + other);
  EXPECT_LE(count.at("account_read"), 1.05 * count.at("read"));  // less: the cache had kept some
}

// While it runs, by looks at it: what they saw adds up to what it has written.
TEST_F(KnownKernels, WritesAsFastAsItSays) {
  const LaunchRecord record =
      kernel("writes 2 data stop go", "until [ -e start ]; do sleep 0.02; done\n");
  box_.start(record);
  JobMeters meters(box_.root / "spool");
  const auto look = [&] {
    const Now now = clock_.now();
    meters.look(now);
    return now.boot_ms;
  };
  BootMs looked_ms = 0;
  ASSERT_TRUE(wait_until([&] {
    looked_ms = look();
    return !meters.empty() && figure(meters.running().begin()->second, "job.processes") > 0;
  }));
  EXPECT_EQ(meters.words(), "");
  const JobMeter& meter = meters.running().begin()->second;
  std::ofstream(box_.root / "start").flush();
  double written = 0;
  const auto look_again = [&] {
    poll(nullptr, 0, 50);
    const BootMs now_ms = look();
    const double rate = figure(meter, "job.write_rate");
    EXPECT_GE(rate, 0);
    EXPECT_GE(figure(meter, "job.read_rate"), 0);
    written += rate * static_cast<double>(now_ms - looked_ms) / 1e3;
    looked_ms = now_ms;
    return written >= 8 << 20;
  };
  const bool is_counted = wait_until(look_again, 20);
  std::ofstream(box_.root / "stop").flush();
  ASSERT_TRUE(wait_until([&] { return own().contains("end"); }));
  look_again();
  let_go();
  const auto accounted = static_cast<double>(finish(record).write_bytes);
  const double own_written = own()["written"];
  EXPECT_LE(written, accounted + 512);
  if (!is_counted && accounted < own_written) {
    GTEST_SKIP() << "the kernel counts no writes of the file system of " << box_.root.path();
  }
  EXPECT_GE(written, own_written);
  EXPECT_LE(written, 1.05 * own_written + (4 << 20));
}

// ---- bursts ------------------------------------------------------------------------------------

// However the looks fall: over the whole run they add up to what was used, which is half a core
// on a machine with nothing else to do, and less on another.
TEST_F(KnownKernels, BurstsAddUpOverTheLooks) {
  const LaunchRecord record = kernel("bursts 15 go");
  box_.start(record);
  JobMeters meters(box_.root / "spool");
  ASSERT_TRUE(wait_until([&] {
    meters.look(clock_.now());
    return !meters.empty() && figure(meters.running().begin()->second, "job.cpu_time") >= 0;
  }));
  const JobMeter& meter = meters.running().begin()->second;
  const double begin_s = figure(meter, "job.cpu_time");
  BootMs looked_ms = clock_.now().boot_ms;
  double core_s = 0;
  double seconds = 0;
  bool over = false;
  while (!over && seconds < 120) {
    poll(nullptr, 0, 170);
    over = own().contains("end");
    const Now now = clock_.now();
    meters.look(now);
    const double elapsed_s = static_cast<double>(now.boot_ms - looked_ms) / 1e3;
    looked_ms = now.boot_ms;
    core_s += figure(meter, "job.cpu") * elapsed_s;
    seconds += elapsed_s;
  }
  ASSERT_TRUE(over);
  const double own_s = own()["cpu_us"] / 1e6;
  const double cpu_time_s = figure(meter, "job.cpu_time");
  EXPECT_GE(own_s, 1.5);
  EXPECT_GE(cpu_time_s, own_s - 2 * kTickMs / 1e3);  // the kernel cuts two times off to whole ticks
  EXPECT_LE(cpu_time_s, own_s + kStartMs / 1e3);
  EXPECT_NEAR(core_s, cpu_time_s - begin_s, 0.1);  // looks are timed to a millisecond
  // 100 ms of sleep for each 100 ms; the last burst may have no sleep behind it yet.
  EXPECT_LE(core_s, 0.5 * seconds + 0.1 + (kStartMs + taken_.ms()) / 1e3);
  let_go();
  expect_cpu(finish(record), 1500);
}

// A node with two processors on which one computes for 100 ms and sleeps for 100 ms, as the kernel
// shows it, `phase_ms` after the bursts' begin and every `period_ms` from then on.
class BurstyNode {
 public:
  BurstyNode() {
    tree_.write("/proc/loadavg", "0.5 0.5 0.5 1/100 1000\n");
    show(0);
    std::vector<std::unique_ptr<Collector>> collectors;
    collectors.push_back(std::make_unique<CpuCollector>(tree_.root()));
    engine_ = std::make_unique<TelemetryEngine>(std::move(collectors), EngineOptions{});
  }

  // Of the first whole minute.
  Summary run(int period_ms, int phase_ms) {
    for (int ms = phase_ms; ms <= 61'000; ms += period_ms) {
      show(ms);
      engine_->run_class(MetricClass::Compute, {6'000'000 + ms, 1000 + ms});
    }
    for (const MinuteRow& row : engine_->take_minutes({6'062'000, 63'000})) {
      if (engine_->metrics()[row.metric].name == "cpu.busy") return row.summary;
    }
    ADD_FAILURE() << "no minute of cpu.busy";
    return {};
  }

 private:
  void show(int ms) {
    const int busy_ms = ms / 200 * 100 + std::min(ms % 200, 100);
    char line[80];
    // Always as long, and in place: a file that is cut short is slow to write.
    std::snprintf(line, sizeof line, "cpu  %06d 0 0 %06d 0 0 0 0 0 0\nintr 1 2 3\n",
                  busy_ms / static_cast<int>(kTickMs),
                  (2 * ms - busy_ms) / static_cast<int>(kTickMs));
    if (!stat_.is_open()) {
      tree_.write("/proc/stat", line);
      stat_.open(tree_.root() + "/proc/stat");
    }
    stat_.seekp(0) << line << std::flush;
  }

  FixtureTree tree_;
  std::fstream stat_;
  std::unique_ptr<TelemetryEngine> engine_;
};

TEST(KnownBursts, ShowAsHighsOfANodesMinute) {
  constexpr double one_core = 50;  // %, of two
  for (const int phase_ms : {0, 30, 50, 90}) {
    SCOPED_TRACE(phase_ms);
    const Summary fast = BurstyNode().run(10, phase_ms);
    EXPECT_NEAR(fast.mean, one_core / 2, 0.5);
    EXPECT_NEAR(fast.max, one_core, 1e-6);
    EXPECT_NEAR(fast.min, 0, 1e-6);
    // Looks as far apart as the bursts are long see at least half of one, and its whole where they
    // fall together; the mean is the same.
    const Summary usual = BurstyNode().run(100, phase_ms);
    EXPECT_NEAR(usual.mean, one_core / 2, 0.5);
    EXPECT_GE(usual.max, one_core / 2 - 1e-6);
    EXPECT_LE(usual.max, one_core + 1e-6);
  }
  EXPECT_NEAR(BurstyNode().run(100, 0).max, one_core, 1e-6);
}

}  // namespace
}  // namespace hyades
