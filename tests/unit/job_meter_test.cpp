// What is told of a running job, from what its shepherd wrote and what its processes use.
#include "worker/job_meter.hpp"

#include <grp.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <map>

#include "fixture_tree.hpp"
#include "worker/job_meters.hpp"
#include "worker/spool_layout.hpp"

namespace hyades {
namespace {

namespace fs = std::filesystem;

LivePage page_of(pid_t shepherd) {
  LivePage page;
  page.key = {7, 1, 70};
  page.shepherd_pid = shepherd;
  page.cores = 2;
  page.started_ms = 1000;
  return page;
}

double value_of(const JobMeter& meter, const std::string& name) {
  for (const Figure& figure : meter.figures()) {
    if (figure.name == name) return figure.value;
  }
  return kNoReading;
}

ProcessUse process(double cpu_s, std::int64_t resident_kib) {
  return {.pid = 1, .parent = 1, .cpu_s = cpu_s, .resident_kib = resident_kib, .threads = 3};
}

TEST(JobMeter, AddsUpLivingAndDead) {
  LivePage page = page_of(1);
  JobMeter meter(page, {500'000, 1000});
  meter.look({process(1, 2048), process(0.5, 1024)}, {501'000, 2000});
  EXPECT_TRUE(std::isnan(value_of(meter, "job.cpu")));  // since when, nobody knows yet
  EXPECT_EQ(value_of(meter, "job.cpu_time"), 1.5);
  EXPECT_EQ(value_of(meter, "job.memory"), 3);
  EXPECT_EQ(value_of(meter, "job.threads"), 6);
  // One of them has ended: its time is in the page now.
  page.ended.user_ms = 900;
  page.ended.system_ms = 100;
  meter.update(page);
  meter.look({process(2.5, 1024)}, {502'000, 3000});
  EXPECT_EQ(value_of(meter, "job.cpu_time"), 3.5);
  EXPECT_EQ(value_of(meter, "job.cpu"), 2);
  EXPECT_EQ(value_of(meter, "job.memory"), 1);
  EXPECT_EQ(value_of(meter, "job.memory_peak"), 3);
}

TEST(JobMeter, TellsWhatTheJobSays) {
  LivePage page = page_of(1);
  page.ended.reported = {{"progress", 0.25}};
  JobMeter meter(page, {500'000, 1000});
  meter.look({}, {501'000, 2000});
  EXPECT_EQ(value_of(meter, "app.progress"), 0.25);
  page.ended.reported = {{"progress", 0.5}, {"loss", -1e-9}, {"tokens", 3e15}, {"huge", 1e300}};
  meter.update(page);
  meter.look({}, {502'000, 3000});
  EXPECT_EQ(value_of(meter, "app.progress"), 0.5);
  EXPECT_EQ(value_of(meter, "app.huge"), 1e300);
  EXPECT_TRUE(std::isnan(value_of(meter, "job.refused_reports")));
  page.ended.refused_reports = 5;
  meter.update(page);
  EXPECT_EQ(value_of(meter, "job.refused_reports"), 5);
  std::map<std::string, std::vector<float>> series;
  for (const JobSeries& one : meter.series()) {
    if (one.name.starts_with("app.")) series[one.name] = one.mean;
  }
  ASSERT_EQ(series.size(), 3u);  // a float cannot hold the huge one
  EXPECT_EQ(series["app.progress"].back(), 0.5f);
  EXPECT_EQ(series["app.progress"].at(1), 0.25f);
  EXPECT_EQ(series["app.loss"].back(), -1e-9f);
  EXPECT_EQ(series["app.tokens"].back(), 3e15f);
}

// Between the end of a process and the next page its time is nowhere: time never goes back.
TEST(JobMeter, NeverUsesLessThanBefore) {
  JobMeter meter(page_of(1), {500'000, 1000});
  meter.look({process(5, 1024)}, {501'000, 2000});
  meter.look({}, {502'000, 3000});
  EXPECT_EQ(value_of(meter, "job.cpu_time"), 5);
  EXPECT_EQ(value_of(meter, "job.cpu"), 0);
}

TEST(JobMeter, EnergyIsSharedOutByWhatWasUsedSince) {
  JobMeter meter(page_of(1), {500'000, 1000});
  meter.look({process(5, 1024)}, {501'000, 2000});
  EXPECT_EQ(meter.take_cpu_s(), 5);
  meter.look({process(6, 1024)}, {502'000, 3000});
  EXPECT_EQ(meter.take_cpu_s(), 1);
  EXPECT_TRUE(std::isnan(value_of(meter, "job.energy")));
  meter.add_energy(kNoReading, 1, false, {502'000, 3000});
  EXPECT_TRUE(std::isnan(value_of(meter, "job.energy")));
  meter.add_energy(10, 2, true, {502'000, 3000});
  EXPECT_EQ(value_of(meter, "job.energy"), 10);
  EXPECT_EQ(value_of(meter, "job.power"), 5);
}

TEST(JobMeter, RatesNeedTwoLooks) {
  JobMeter meter(page_of(1), {500'000, 1000});
  meter.look({}, {501'000, 2000});
  EXPECT_TRUE(std::isnan(value_of(meter, "job.read_rate")));
  meter.look_at_io(ProcessIo{.read_bytes = 1000, .write_bytes = 5000}, {501'000, 2000});
  EXPECT_TRUE(std::isnan(value_of(meter, "job.read_rate")));  // since when, nobody knows
  meter.look_at_io(ProcessIo{.read_bytes = 3000, .write_bytes = 5000}, {503'000, 4000});
  EXPECT_EQ(value_of(meter, "job.read_rate"), 1000);
  EXPECT_EQ(value_of(meter, "job.write_rate"), 0);
  // Where it cannot be looked at nobody knows, and 0 would be a lie.
  meter.look_at_io(std::nullopt, {504'000, 5000});
  EXPECT_TRUE(std::isnan(value_of(meter, "job.write_rate")));
  meter.look_at_io(ProcessIo{.read_bytes = 3000, .write_bytes = 9000}, {505'000, 6000});
  EXPECT_TRUE(std::isnan(value_of(meter, "job.write_rate")));
  meter.look_at_io(ProcessIo{.read_bytes = 3000, .write_bytes = 9500}, {506'000, 7000});
  EXPECT_EQ(value_of(meter, "job.write_rate"), 500);
  const std::vector<JobSeries> series = meter.series();
  ASSERT_EQ(series.size(), 3u);  // and of memory
  EXPECT_EQ(series[1].name, "job.read_rate");
  EXPECT_EQ(series[2].name, "job.write_rate");
  EXPECT_EQ(series[2].unit, "bytes/s");
}

// Who has ended is missing until the page tells of it, and then is there as before.
TEST(JobMeter, RatesAreNotNegativeWhenAProcessEnds) {
  LivePage page = page_of(1);
  JobMeter meter(page, {500'000, 1000});
  meter.look_at_io(ProcessIo{.read_bytes = 0, .write_bytes = 9000}, {501'000, 2000});
  meter.look_at_io(ProcessIo{.read_bytes = 0, .write_bytes = 1000}, {502'000, 3000});
  EXPECT_EQ(value_of(meter, "job.write_rate"), 0);
  page.ended.write_bytes = 9000;
  meter.update(page);
  meter.look_at_io(ProcessIo{.read_bytes = 0, .write_bytes = 1000}, {503'000, 4000});
  EXPECT_EQ(value_of(meter, "job.write_rate"), 1000);
}

TEST(JobMeter, SeriesBeginWithTheJob) {
  JobMeter meter(page_of(1), {500'000, 1000});
  meter.look({process(0, 1024)}, {510'000, 11'000});  // found ten seconds after its start
  meter.look({process(1, 2048)}, {511'000, 12'000});
  const std::vector<JobSeries> series = meter.series();
  ASSERT_EQ(series.size(), 2u);
  EXPECT_EQ(series[0].name, "job.cpu");
  EXPECT_EQ(series[0].from_ms, 500'000);
  ASSERT_EQ(series[0].mean.size(), 12u);
  EXPECT_TRUE(std::isnan(series[0].mean[5]));
  EXPECT_EQ(series[0].mean[11], 1);
  EXPECT_EQ(series[1].most[11], 2);
}

class JobMetersTest : public testing::Test {
 protected:
  JobMetersTest() {
    char name[] = "/tmp/hyades-meters-XXXXXX";
    root_ = mkdtemp(name);
  }
  ~JobMetersTest() override { fs::remove_all(root_); }
  fs::path root_;
};

// This process stands for the shepherd: a real child of it is found below it, nothing else is.
TEST_F(JobMetersTest, FindsJobsByTheirPagesAndSeesThemEnd) {
  JobMeters meters(root_);
  meters.look({500'000, 5000});
  EXPECT_TRUE(meters.empty());
  EXPECT_EQ(meters.trouble(), "");
  fs::create_directories(job_file_directory(root_));
  fs::permissions(job_file_directory(root_), fs::perms::owner_all);
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(ready[1]);
    char byte = 0;
    _exit(static_cast<int>(read(ready[0], &byte, 1)));
  }
  LivePageWriter writer;
  writer.write(root_, geteuid(), page_of(getpid()));
  meters.look({500'000, 5000});
  ASSERT_EQ(meters.running().size(), 1u);
  const JobMeter& meter = meters.running().begin()->second;
  EXPECT_EQ(meter.page().cores, 2);
  EXPECT_EQ(value_of(meter, "job.processes"), 1);
  EXPECT_GT(value_of(meter, "job.memory"), 0);
  close(ready[1]);
  waitpid(child, nullptr, 0);
  fs::remove(live_page_path(script_path(root_, page_of(1).key)));
  meters.look({501'000, 6000});
  EXPECT_TRUE(meters.empty());
  const std::vector<JobMeter> ended = meters.take_ended();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(value_of(ended[0], "job.processes"), 1);
  EXPECT_TRUE(meters.take_ended().empty());
}

// As the daemons' user, who may not look into other users' processes: no figure, and why.
TEST_F(JobMetersTest, WhatMayNotBeLookedAtIsNotTold) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  const auto open_to_all = fs::perms::owner_all | fs::perms::others_read | fs::perms::others_exec;
  fs::create_directories(job_file_directory(root_));
  fs::permissions(root_, open_to_all);
  fs::permissions(job_file_directory(root_), open_to_all);
  LivePageWriter writer;
  writer.write(root_, 65534, page_of(getpid()));
  // A process of the job that is root's, and stays so.
  const pid_t others = fork();
  if (others == 0) {
    while (true) pause();
  }
  const pid_t child = fork();
  if (child == 0) {
    JobMeters meters(root_);
    meters.look({500'000, 5000});
    const bool told = meters.words().empty();
    if (setgroups(0, nullptr) != 0 || setgid(65534) != 0 || setuid(65534) != 0) _exit(10);
    meters.look({501'000, 6000});
    meters.look({502'000, 7000});
    if (meters.empty()) _exit(11);
    const JobMeter& meter = meters.running().begin()->second;
    const bool none = std::isnan(value_of(meter, "job.read_rate"));
    const bool says_why = meters.words().find("not told: the kernel shows it") != std::string::npos;
    _exit(told && none && says_why && meters.trouble().empty() ? 0 : 12);
  }
  int status = 0;
  waitpid(child, &status, 0);
  kill(others, SIGKILL);
  waitpid(others, nullptr, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(ProcessUse, ReadsWhatTheKernelWrites) {
  ProcessUse use;
  ASSERT_TRUE(
      parse_process_use("42 (a) b (c) S 7 42 42 0 -1 4194560 100 0 1 0 150 50 30 20 20 0 5 0 "
                        "123 1000000 256 18446744073709551615 1 1",
                        use));
  EXPECT_EQ(use.pid, 42);
  EXPECT_EQ(use.parent, 7);
  EXPECT_EQ(use.cpu_s * static_cast<double>(sysconf(_SC_CLK_TCK)), 250);
  EXPECT_EQ(use.threads, 5);
  EXPECT_EQ(use.resident_kib, 256 * sysconf(_SC_PAGESIZE) / 1024);
  for (const char* bad : {"", "42", "42 (a", "42 (a)", "x (a) S 7", "42 (a) S 7 42"}) {
    EXPECT_FALSE(parse_process_use(bad, use)) << bad;
  }
}

constexpr const char* kIo =
    "rchar: 100\nwchar: 200\nsyscr: 3\nsyscw: 4\nread_bytes: 4096\nwrite_bytes: 8192\n"
    "cancelled_write_bytes: 1\n";

TEST(ProcessIo, ReadsWhatTheKernelWrites) {
  ProcessIo io;
  ASSERT_TRUE(parse_process_io(kIo, io));
  EXPECT_EQ(io, (ProcessIo{4096, 8192}));
  for (const char* bad :
       {"", "read_bytes: 1\n", "write_bytes: 1\n", "read_bytes: 1\nwrite_bytes: 81",
        "read_bytes: -1\nwrite_bytes: 1\n", "read_bytes: x\nwrite_bytes: 1\n",
        "read_bytes: 99999999999999999999\nwrite_bytes: 1\n",
        "read_bytes: 1\ncancelled_write_bytes: 1\n"}) {
    EXPECT_FALSE(parse_process_io(bad, io)) << bad;
  }
  EXPECT_EQ(io, (ProcessIo{4096, 8192}));
}

TEST(ProcessIo, WhoHasGoneIsNotForbidden) {
  FixtureTree tree;
  tree.write("/proc/7/io", kIo);
  EXPECT_FALSE(ProcessIoReader(tree.root()).is_kept());  // no kernel that has it lacks its own
  tree.write("/proc/self/io", kIo);
  const ProcessIoReader reader(tree.root());
  EXPECT_TRUE(reader.is_kept());
  ProcessIo io;
  EXPECT_EQ(reader.read(7, io), ProcessIoReader::Answer::Known);
  EXPECT_EQ(io.write_bytes, 8192);
  EXPECT_EQ(reader.read(8, io), ProcessIoReader::Answer::Gone);
  tree.write("/proc/7/io", "");
  EXPECT_EQ(reader.read(7, io), ProcessIoReader::Answer::Gone);
  EXPECT_FALSE(ProcessIoReader(tree.root() + "/nowhere").is_kept());
}

// This process, as it sees itself, and as somebody else does.
TEST(ProcessIo, IsShownToTheUserAlone) {
  ProcessIo io;
  if (!ProcessIoReader().is_kept()) GTEST_SKIP() << "this kernel keeps no such account";
  EXPECT_EQ(ProcessIoReader().read(getpid(), io), ProcessIoReader::Answer::Known);
  if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  const pid_t child = fork();
  if (child == 0) {
    if (setgroups(0, nullptr) != 0 || setgid(65534) != 0 || setuid(65534) != 0) _exit(100);
    _exit(static_cast<int>(ProcessIoReader().read(getppid(), io)));
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(ProcessIoReader::Answer::Forbidden));
}

}  // namespace
}  // namespace hyades
