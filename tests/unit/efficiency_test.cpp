// What heff says: figures, and advice that a person can follow and that never harms.
#include <gtest/gtest.h>

#include <limits>

#include "cli/efficiency_advice.hpp"
#include "cli/efficiency_columns.hpp"
#include "cli/efficiency_json.hpp"
#include "cli/efficiency_text.hpp"
#include "cli/job_efficiency.hpp"
#include "cli/printable.hpp"
#include "telemetry_samples.hpp"

namespace hyades {
namespace {

using namespace samples;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr float kNaNf = std::numeric_limits<float>::quiet_NaN();

std::vector<std::string> keys_of(const Advice& advice) {
  std::vector<std::string> keys;
  for (const Finding& finding : advice.findings) keys.push_back(finding.key);
  return keys;
}

bool says(const Advice& advice, const std::string& words) {
  for (const Finding& finding : advice.findings) {
    if ((finding.what + " " + finding.change).find(words) != std::string::npos) return true;
  }
  return false;
}

Advice advice_for(const pb::JobInfo& job, const pb::JobTelemetry* telemetry = nullptr) {
  return advise(measure_efficiency(job, telemetry, kStart + 600'000));
}

std::string page_for(const pb::JobInfo& job, const pb::JobTelemetry* telemetry = nullptr) {
  const JobEfficiency measured = measure_efficiency(job, telemetry, kStart + 600'000);
  return efficiency_text(measured, advise(measured), {});
}

// ---- what people come with ---------------------------------------------------------------------

TEST(Advice, AskedFor4CoresAndUsed1) {
  const Serial serial;
  const Advice advice = advice_for(serial.job, &serial.telemetry);
  EXPECT_EQ(directive_line(advice), "--time=0:50:00 --cpus-per-task=1 --mem=1200M");
  EXPECT_EQ(keys_of(advice), (std::vector<std::string>{"memory_unused", "cores_idle"}));
  EXPECT_TRUE(says(advice, "1.0 of 4 cores were busy."));
  EXPECT_TRUE(says(advice,
                   "Ask for fewer cores (--cpus-per-task=1); or, if the program can use more, "
                   "tell it to"));
  const std::string page = page_for(serial.job, &serial.telemetry);
  EXPECT_NE(page.find("cores         4                      1.0 busy 25 %"), std::string::npos)
      << page;
  EXPECT_NE(page.find("memory      16G              1000 MiB at peak  6 %"), std::string::npos)
      << page;
  EXPECT_NE(page.find("\n  --time=0:50:00 --cpus-per-task=1 --mem=1200M\n"), std::string::npos);
}

TEST(Advice, KilledForMemory) {
  pb::JobInfo job = ended_job("OUT_OF_MEMORY", 900);
  job.set_memory_mib(2048);
  job.set_exit_signal(9);
  use(job, 3500, 10, 2047);
  const Advice advice = advice_for(job);
  EXPECT_EQ(directive_line(advice), "--mem=4G");
  EXPECT_TRUE(says(advice, "It was killed because it needed more than the 2G of memory"));
  EXPECT_TRUE(says(advice, "the peak was the limit"));
  job.set_end_ms(kStart + 2'000);  // certain after two seconds, too, and all that is certain
  EXPECT_EQ(directive_line(advice_for(job)), "--mem=4G");
  EXPECT_EQ(keys_of(advice_for(job)), std::vector<std::string>{"out_of_memory"});
  job.set_memory_mib(0);
  EXPECT_EQ(directive_line(advice_for(job)), "--mem=4100M");
  EXPECT_TRUE(says(advice_for(job), "it had asked for none"));
}

TEST(Advice, BoundByIo) {
  pb::JobInfo job = ended_job("COMPLETED", 3000);
  use(job, 200, 122, 700);
  pb::JobTelemetry telemetry = telemetry_of(job);
  add_figure(telemetry, "job.memory_peak", "MiB", 700);
  add_figure(telemetry, "job.read", "bytes", 50e9);
  add_figure(telemetry, "job.write", "bytes", 2e6);
  const Advice advice = advice_for(job, &telemetry);
  EXPECT_TRUE(says(advice,
                   "It was I/O-bound: for 89 % of the time it waited, while it read 46.6 "
                   "GiB and wrote 1.91 MiB (15.9 MiB/s). More cores do not make it "
                   "faster."));
  EXPECT_TRUE(says(advice, "Copy the input to a disk of the node first"));
  EXPECT_EQ(directive_line(advice), "--cpus-per-task=1 --mem=900M");
  telemetry.clear_figures();
  add_figure(telemetry, "job.write", "bytes", 50e9);
  EXPECT_TRUE(says(advice_for(job, &telemetry), "save checkpoints less often"));
}

// ---- what the suggestions must not do ----------------------------------------------------------

TEST(Advice, NothingOfShortRunsAndOfFailures) {
  Serial serial;
  for (const char* state : {"FAILED", "CANCELLED", "NODE_FAIL", "LAUNCH_FAILED", "ODD_STATE"}) {
    serial.job.set_state(state);
    const Advice advice = advice_for(serial.job, &serial.telemetry);
    EXPECT_EQ(directive_line(advice), "") << state;
    EXPECT_NE(advice.no_directives, "") << state;
  }
  serial.job.set_state("FAILED");
  serial.job.set_end_ms(kStart + 70'000);
  EXPECT_EQ(keys_of(advice_for(serial.job)), std::vector<std::string>{});
  serial.job.set_state("COMPLETED");
  serial.job.set_end_ms(kStart + 59'000);
  EXPECT_EQ(directive_line(advice_for(serial.job, &serial.telemetry)), "");
  EXPECT_EQ(advice_for(serial.job).no_directives,
            "it ran for less than a minute: too short to judge");
}

TEST(Advice, NothingOfJobsThatRun) {
  Serial serial;
  serial.job.set_state("RUNNING");
  serial.job.set_end_ms(0);
  serial.job.clear_usage();
  add_figure(serial.telemetry, "job.cpu_time", "s", 600);
  add_figure(serial.telemetry, "job.cpu", "cores", 0.98);
  const Advice advice = advice_for(serial.job, &serial.telemetry);
  EXPECT_EQ(directive_line(advice), "");
  EXPECT_TRUE(says(advice, "1.0 of 4 cores are busy so far."));
  EXPECT_NE(page_for(serial.job, &serial.telemetry).find(", so far\n"), std::string::npos);
}

TEST(Advice, WhoWillNotBeReadyInTimeIsTold) {
  Serial serial;
  serial.job.set_state("RUNNING");
  serial.job.set_end_ms(0);
  serial.job.clear_usage();
  serial.telemetry.set_at_ms(0);
  const auto late = [&](double progress) {
    pb::JobTelemetry telemetry = serial.telemetry;
    add_figure(telemetry, "app.progress", "", progress);
    const Advice advice = advice_for(serial.job, &telemetry);
    return std::any_of(advice.findings.begin(), advice.findings.end(),
                       [](const Finding& finding) { return finding.key == "progress_late"; });
  };
  EXPECT_TRUE(late(0.01));
  EXPECT_FALSE(late(0.99));
  EXPECT_FALSE(late(0));
  EXPECT_FALSE(late(7));
  serial.job.set_time_limit_s(0);
  EXPECT_FALSE(late(0.01));
}

TEST(Advice, BurstsKeepTheirCores) {
  Serial serial;
  std::vector<float> most = minutes(36, 1.0f);
  for (std::size_t i = 0; i < 9; ++i) most[i] = 3.9f;
  serial.telemetry.mutable_nodes(0)->clear_series();
  add_series(*serial.telemetry.mutable_nodes(0), "job.cpu", "cores", minutes(36, 1.0f), most);
  const Advice advice = advice_for(serial.job, &serial.telemetry);
  EXPECT_EQ(directive_line(advice), "--time=0:50:00 --mem=1200M");
  EXPECT_TRUE(says(advice, "1.0 of 4 cores were busy on average, at times 3.9."));
  // Nobody saw whether there were bursts: then not less time as well.
  serial.telemetry.mutable_nodes(0)->clear_series();
  EXPECT_EQ(directive_line(advice_for(serial.job, &serial.telemetry)),
            "--cpus-per-task=1 --mem=1200M");
}

TEST(Advice, NoLessMemoryWhenThePeakMayBeOfOneProcess) {
  Serial serial;
  EXPECT_EQ(directive_line(advice_for(serial.job)), "--cpus-per-task=1");
  EXPECT_TRUE(says(advice_for(serial.job), "may be of its largest process alone"));
}

TEST(Advice, LimitsThatWereNearGoUp) {
  Serial serial;
  serial.job.set_time_limit_s(2200);
  EXPECT_EQ(directive_line(advice_for(serial.job, &serial.telemetry)).find("--time=0:50:00"), 0u);
  EXPECT_TRUE(says(advice_for(serial.job), "It ended only 0:28 before its time limit."));
  serial.job.set_time_limit_s(0);
  EXPECT_EQ(directive_line(advice_for(serial.job, &serial.telemetry)).find("--time=0:50:00"), 0u);
  serial.job.set_time_limit_s(3600);  // 50 minutes are not worth a change
  EXPECT_EQ(directive_line(advice_for(serial.job, &serial.telemetry)).find("--time"),
            std::string::npos);
}

TEST(Advice, TimeoutsGetMoreUnlessTheyHung) {
  Serial serial;
  serial.job.set_state("TIMEOUT");
  serial.job.set_time_limit_s(2172);
  Advice advice = advice_for(serial.job, &serial.telemetry);
  EXPECT_EQ(directive_line(advice), "--time=0:55:00");
  EXPECT_TRUE(says(advice, "--signal=B:USR1@120"));
  std::vector<float> mean = minutes(36, 1.0f);
  std::fill(mean.begin() + 20, mean.end(), 0.001f);
  serial.telemetry.mutable_nodes(0)->clear_series();
  add_series(*serial.telemetry.mutable_nodes(0), "job.cpu", "cores", mean);
  advice = advice_for(serial.job, &serial.telemetry);
  EXPECT_EQ(directive_line(advice), "");
  EXPECT_TRUE(says(advice, "for the last 16:00 it did next to nothing"));
}

TEST(Advice, TasksAreNotCores) {
  Serial serial;
  serial.job.set_tasks(4);
  serial.job.set_cpus_per_task(1);
  const Advice advice = advice_for(serial.job, &serial.telemetry);
  EXPECT_NE(directive_line(advice).find("--ntasks=1"), std::string::npos);
  EXPECT_TRUE(says(advice, "Were all 4 tasks started?"));
  serial.job.set_cores(16);  // it holds the whole node: no number of its own would change that
  EXPECT_EQ(directive_line(advice_for(serial.job, &serial.telemetry)).find("--ntasks"),
            std::string::npos);
}

TEST(Advice, TooFewCoresAreNamed) {
  Serial serial;
  serial.job.set_cpus_per_task(1);
  serial.job.set_cores(1);
  use(serial.job, 6000, 20, 990);
  const Advice advice = advice_for(serial.job);
  EXPECT_NE(directive_line(advice).find("--cpus-per-task=3"), std::string::npos);
  EXPECT_TRUE(says(advice, "2.8 of 1 cores were busy: it took more than its own"));
}

TEST(Advice, IdleGpusAndNodes) {
  Serial serial;
  pb::DeviceCount& gpus = *serial.job.add_devices_per_node();
  gpus.set_kind("gpu");
  gpus.set_count(2);
  pb::Figure& use_of_gpus = add_figure(serial.telemetry, "job.gpu.utilization", "%", 0.2);
  EXPECT_TRUE(says(advice_for(serial.job, &serial.telemetry), "The 2 GPUs did nothing."));
  use_of_gpus.set_value(12);
  EXPECT_TRUE(says(advice_for(serial.job, &serial.telemetry), "The 2 GPUs were 12 % busy"));
  use_of_gpus.set_value(80);
  EXPECT_FALSE(says(advice_for(serial.job, &serial.telemetry), "GPU"));
  // One of the two was kept busy, and the other was not used at all.
  add_figure(serial.telemetry, "job.gpu.busy_mean", "count", 0.5);
  EXPECT_TRUE(says(advice_for(serial.job, &serial.telemetry), "The 2 GPUs were 25 % busy"));
  add_figure(serial.telemetry, "job.gpu.memory_peak", "MiB", 2048);
  const JobEfficiency measured = measure_efficiency(serial.job, &serial.telemetry, 0);
  EXPECT_EQ(measured.gpus_busy, 0.5);
  EXPECT_EQ(measured.gpu_share, 0.25);
  EXPECT_EQ(measured.gpu_memory_peak_mib, 2048);
  EXPECT_NE(efficiency_text(measured, advise(measured), {.columns = 100}).find("0.5 busy"),
            std::string::npos);
  serial.telemetry.clear_figures();
  EXPECT_FALSE(says(advice_for(serial.job, &serial.telemetry), "GPU"));  // not measured
  add_figure(*serial.telemetry.mutable_nodes(0), "job.cpu_time", "s", 2172);
  add_figure(*serial.telemetry.add_nodes(), "job.cpu_time", "s", 0.5);
  serial.telemetry.mutable_nodes(1)->set_node("n2");
  EXPECT_TRUE(says(advice_for(serial.job, &serial.telemetry), "Hardly anything ran on n2."));
}

TEST(Advice, WaitingForSomethingElse) {
  pb::JobInfo job = ended_job("COMPLETED", 3000);
  use(job, 20, 2, 700);
  EXPECT_TRUE(says(advice_for(job), "was not measured, so it is not known for what"));
  pb::JobTelemetry telemetry = telemetry_of(job);
  add_figure(telemetry, "job.read", "bytes", 1000);
  EXPECT_TRUE(says(advice_for(job, &telemetry), "and hardly for a disk of its node"));
}

// Four cores asked for, and hardly a third of one got: 67 times a second it had to give way.
TEST(Advice, WhoWasCrowdedOutIsNotToldThatItWaits) {
  pb::JobInfo job = ended_job("COMPLETED", 70);
  use(job, 20, 1, 700);
  pb::Usage& usage = *job.mutable_usage();
  usage.set_minor_faults(1000);
  usage.set_voluntary_switches(60);
  usage.set_involuntary_switches(4721);
  const Advice advice = advice_for(job);
  EXPECT_EQ(keys_of(advice),
            (std::vector<std::string>{"memory_unused", "cores_idle", "cores_shared"}));
  EXPECT_EQ(directive_line(advice).find("--cpus-per-task"), std::string::npos);
  EXPECT_TRUE(says(advice, "as many as it has threads that compute"));
  EXPECT_NE(page_for(job).find("  waiting for a core, or idle  "), std::string::npos)
      << page_for(job);
  usage.set_involuntary_switches(300);  // the kernel's own need that many
  EXPECT_EQ(keys_of(advice_for(job))[1], "waiting");
  usage.set_involuntary_switches(4721);
  usage.set_voluntary_switches(4000);
  EXPECT_EQ(keys_of(advice_for(job))[1], "waiting");
  // One whose core was its own all the time lost nothing.
  use(job, 69, 1, 700);
  usage.set_voluntary_switches(60);
  EXPECT_FALSE(says(advice_for(job), "Others ran on its cores"));
  EXPECT_NE(directive_line(advice_for(job)).find("--cpus-per-task=1"), std::string::npos);
}

TEST(Advice, IdleCoresOfThoseThatWaitAreTakenAway) {
  pb::JobInfo job = ended_job("COMPLETED", 3000);
  use(job, 800, 100, 700);
  const Advice advice = advice_for(job);
  EXPECT_TRUE(says(advice, "0.3 of 4 cores were busy. Ask for fewer cores: --cpus-per-task=1."));
}

TEST(Advice, WhoReportedItsProgressGetsTheTimeThatItNeeds) {
  pb::JobInfo job = ended_job("TIMEOUT", 600);
  job.set_time_limit_s(600);
  use(job, 590, 1, 700);
  pb::ReportedFigure& progress = *job.mutable_usage()->add_reported();
  progress.set_name("progress");
  progress.set_value(0.25);
  EXPECT_EQ(directive_line(advice_for(job)), "--time=0:50:00");
  EXPECT_TRUE(says(advice_for(job), "with 25 % done; extrapolated from that it takes 40:00"));
  for (const double none : {0.0, 1.0, 25.0}) {
    progress.set_value(none);
    EXPECT_EQ(directive_line(advice_for(job)), "--time=0:15:00") << none;
  }
}

TEST(Advice, OfProgressInTheFirstMinuteAndOutOfRange) {
  pb::JobInfo job = ended_job("RUNNING", 0);
  job.set_end_ms(0);
  job.set_time_limit_s(60);
  pb::JobTelemetry telemetry = telemetry_of(job);
  pb::Figure& progress = add_figure(telemetry, "app.progress", "", 0.1);
  const auto keys = [&](int seconds) {
    return keys_of(advise(measure_efficiency(job, &telemetry, kStart + seconds * 1000)));
  };
  EXPECT_EQ(keys(20), std::vector<std::string>{"progress_late"});
  EXPECT_EQ(keys(9), std::vector<std::string>{});
  progress.set_value(25);
  EXPECT_EQ(keys(20), std::vector<std::string>{"progress_range"});
  EXPECT_TRUE(says(advise(measure_efficiency(job, &telemetry, kStart + 20'000)),
                   "Its progress is 25: it must be from 0 to 1."));
  progress.set_value(1);
  EXPECT_EQ(keys(20), std::vector<std::string>{});
}

TEST(Advice, LessMemoryIsOnlySpokenOfWhenThereIsASmallerStep) {
  Serial serial;
  serial.job.set_memory_mib(100);
  use(serial.job, 2150, 22, 20);
  serial.telemetry.mutable_figures(0)->set_value(21);
  const Advice advice = advice_for(serial.job, &serial.telemetry);
  EXPECT_EQ(keys_of(advice), std::vector<std::string>{"cores_idle"});
  EXPECT_EQ(directive_line(advice).find("--mem"), std::string::npos);
}

// ---- what is not known -------------------------------------------------------------------------

TEST(Efficiency, WhatIsNotMeasuredIsNotZero) {
  const pb::JobInfo job = ended_job("COMPLETED", 3600);
  const std::string page = page_for(job);
  EXPECT_NE(page.find("cores         4 not measured"), std::string::npos) << page;
  EXPECT_NE(page.find("memory      16G not measured"), std::string::npos) << page;
  EXPECT_NE(page.find("Its node sent no measurements"), std::string::npos) << page;
  EXPECT_NE(page.find("\n  --time=1:15:00\n"), std::string::npos) << page;  // that is known
  EXPECT_EQ(page.find(" 0 %"), std::string::npos) << page;
  const JobEfficiency measured = measure_efficiency(job, nullptr, 0);
  const Json json = efficiency_json(measured, advise(measured));
  for (const char* key : {"cpu_s", "cpu_share", "memory_peak_mib", "memory_peak_source",
                          "gpu_share", "read_bytes", "energy_j", "energy_modelled"}) {
    ASSERT_TRUE(json.contains(key)) << key;
    EXPECT_TRUE(json[key].is_null()) << key;
  }
  EXPECT_NE(efficiency_table({measured}).render({}).find(" 50 %      -      -      -      -"),
            std::string::npos);
}

TEST(Efficiency, FiguresThatAreNoneAreNotUsed) {
  pb::JobInfo job = ended_job("COMPLETED", 3600);
  pb::JobTelemetry telemetry = telemetry_of(job);
  add_figure(telemetry, "job.cpu_time", "s", kNaN);
  add_figure(telemetry, "job.memory_peak", "MiB", -1);
  add_figure(telemetry, "job.energy", "J", std::numeric_limits<double>::infinity());
  add_series(*telemetry.mutable_nodes(0), "job.cpu", "cores", {kNaNf, kNaNf});
  const JobEfficiency measured = measure_efficiency(job, &telemetry, 0);
  EXPECT_FALSE(measured.cpu_s || measured.peak_mib || measured.energy_j ||
               measured.peak_cores_node || measured.idle_end_s);
}

TEST(Efficiency, APeakThatWasSampledIsCalledSoAndNeverAboveTheLimit) {
  Serial serial;
  const auto page = [&] { return page_for(serial.job, &serial.telemetry); };
  EXPECT_NE(page().find("1000 MiB at peak  6 % [#...................] sampled"), std::string::npos)
      << page();
  use(serial.job, 2150, 22, 1000);
  EXPECT_EQ(page().find("sampled"), std::string::npos) << page();
  serial.job.set_state("OUT_OF_MEMORY");
  serial.job.set_memory_mib(990);
  use(serial.job, 2150, 22, 980);
  EXPECT_NE(page().find("990 MiB at peak 100 %"), std::string::npos) << page();
}

TEST(Efficiency, OfAJobThatRunsStorageIsHowFastItReads) {
  Serial serial;
  serial.job.set_state("RUNNING");
  serial.job.set_end_ms(0);
  serial.telemetry.clear_figures();
  const auto page = [&] { return page_for(serial.job, &serial.telemetry); };
  EXPECT_NE(page().find("known at the end"), std::string::npos) << page();
  add_figure(serial.telemetry, "job.read_rate", "bytes/s", 2 << 20);
  add_figure(serial.telemetry, "job.write_rate", "bytes/s", 0);
  EXPECT_NE(page().find("reads 2.00 MiB/s, writes 0 B/s"), std::string::npos) << page();
}

TEST(Efficiency, OfAJobThatPendsWhatItAsksForIsShown) {
  pb::JobInfo job = ended_job("PENDING", 0);
  job.set_start_ms(0);
  job.set_end_ms(0);
  job.set_cores(0);
  job.set_tasks(2);
  const std::string page = page_for(job);
  EXPECT_NE(page.find("\ncores        8 "), std::string::npos) << page;
  EXPECT_NE(page.find("\nmemory     16G "), std::string::npos) << page;
}

TEST(Efficiency, WhatIsOldIsCalledSo) {
  pb::JobInfo job = ended_job("RUNNING", 0);
  job.set_end_ms(0);
  pb::JobTelemetry telemetry = telemetry_of(job);
  telemetry.set_live(true);
  telemetry.set_at_ms(kStart + 100'000);
  add_figure(telemetry, "job.cpu", "cores", 1);
  const auto page_at = [&](WallMs now_ms) {
    const JobEfficiency measured = measure_efficiency(job, &telemetry, now_ms);
    return efficiency_text(measured, advise(measured), {});
  };
  EXPECT_EQ(page_at(kStart + 105'000).find("has sent nothing since"), std::string::npos);
  EXPECT_NE(page_at(kStart + 119'000).find("is of 0:19 ago"), std::string::npos)
      << page_at(kStart + 119'000);
}

TEST(Efficiency, WhatIsNotForUsToSeeIsCalledSo) {
  JobEfficiency measured = measure_efficiency(ended_job("COMPLETED", 3600), nullptr, 0);
  measured.hidden = true;
  const std::string page = efficiency_text(measured, advise(measured), {});
  EXPECT_NE(page.find("for its owner and operators to see"), std::string::npos) << page;
  EXPECT_EQ(page.find("sent no measurements"), std::string::npos) << page;
}

TEST(Efficiency, OfAnEarlierAttemptNothingIsUsed) {
  Serial serial;
  serial.job.set_attempts(2);
  const JobEfficiency measured = measure_efficiency(serial.job, &serial.telemetry, 0);
  EXPECT_TRUE(measured.estranged);
  EXPECT_FALSE(measured.read_bytes);
  EXPECT_NE(page_for(serial.job, &serial.telemetry).find("earlier attempt"), std::string::npos);
}

TEST(Efficiency, JobsThatNeverRan) {
  pb::JobInfo job = ended_job("PENDING", 0);
  job.set_start_ms(0);
  job.set_end_ms(0);
  job.set_cores(0);
  EXPECT_NE(page_for(job).find("no suggestion: it has not started"), std::string::npos);
  job.set_state("CANCELLED");
  EXPECT_NE(page_for(job).find("no suggestion: it never started"), std::string::npos);
  job.set_state("COMPLETED");
  job.set_start_ms(kStart);
  job.set_end_ms(kStart);  // no time at all, and one that ended before it began
  use(job, 1, 1, 10);
  EXPECT_FALSE(measure_efficiency(job, nullptr, 0).busy_cores);
  EXPECT_NE(page_for(job), "");
  job.set_end_ms(kStart - 5'000);
  EXPECT_EQ(measure_efficiency(job, nullptr, 0).elapsed_ms, 0);
}

TEST(Efficiency, HugeNumbersAndHostileNamesStayOnTheirLines) {
  const std::string hostile =
      "\x1b[2J<script>alert(1)</script>\n|\xff\u202e" + std::string(300, 'w');
  for (const double value : {0.0, 1e-300, 1e18, 1e300}) {
    pb::JobInfo job = ended_job("COMPLETED", 1'000'000'000);
    job.set_name(hostile);
    job.set_user(hostile);
    job.set_reason(hostile);
    job.set_cores(1'000'000);
    use(job, 1e9, 1e9, 1 << 30);
    pb::JobTelemetry telemetry = telemetry_of(job);
    for (const char* name : {"job.read", "job.write", "job.energy", "job.gpu.utilization",
                             "job.memory_peak", "job.gpu.memory"}) {
      add_figure(telemetry, name, "bytes", value);
    }
    add_figure(telemetry, "counter." + hostile, hostile, value);
    add_figure(telemetry, "app." + hostile, hostile, value);
    const JobEfficiency measured = measure_efficiency(job, &telemetry, 0);
    for (const int columns : {0, 40, 80, 200}) {
      const std::string page =
          efficiency_text(measured, advise(measured), {.columns = columns, .utf8 = true});
      std::size_t begin = 0;
      while (begin < page.size()) {
        const std::size_t end = page.find('\n', begin);
        const std::string line = page.substr(begin, end - begin);
        EXPECT_EQ(escape_text(line), line);
        begin = end + 1;
      }
    }
    EXPECT_FALSE(Json::parse(json_text(efficiency_json(measured, advise(measured))), nullptr, false)
                     .is_discarded());
    EXPECT_EQ(efficiency_table({measured}).lines(false).find('\n'),
              efficiency_table({measured}).lines(false).size() - 1);
  }
}

// Its last words are in the record of its end; what was sampled before is older.
TEST(Efficiency, WhatTheJobReportedIsShownAsItsWord) {
  pb::JobInfo job = ended_job("COMPLETED", 600);
  pb::ReportedFigure& progress = *job.mutable_usage()->add_reported();
  progress.set_name("progress");
  progress.set_value(1);
  pb::ReportedFigure& loss = *job.mutable_usage()->add_reported();
  loss.set_name("loss");
  loss.set_value(-0.125);
  job.mutable_usage()->set_refused_reports(3);
  pb::JobTelemetry telemetry = telemetry_of(job);
  add_figure(telemetry, "app.loss", "", 7);
  add_figure(telemetry, "app.files", "", 12);
  const std::string page = page_for(job, &telemetry);
  EXPECT_NE(page.find("\nReported by the job\n"), std::string::npos) << page;
  EXPECT_NE(page.find("  progress  100 % [####################]\n"), std::string::npos) << page;
  EXPECT_NE(page.find("  loss     -0.125\n"), std::string::npos) << page;
  EXPECT_NE(page.find("  files        12\n"), std::string::npos) << page;
  EXPECT_NE(page.find("3 words of what it reported were not taken"), std::string::npos) << page;
  EXPECT_EQ(page.find("expected end"), std::string::npos) << page;  // it has ended
  const JobEfficiency measured = measure_efficiency(job, &telemetry, kStart);
  const Json json = efficiency_json(measured, advise(measured));
  ASSERT_EQ(json["reported"].size(), 3u);
  EXPECT_EQ(json["reported"][1]["value"], -0.125);
  EXPECT_EQ(json["progress"]["done"], 1);
  EXPECT_EQ(json["refused_reports"], 3);
  EXPECT_EQ(json["job"]["usage"]["reported"].size(), 2u);
}

TEST(Efficiency, CountersSayHowMuchIsAnEstimate) {
  pb::JobInfo job = ended_job("COMPLETED", 600);
  use(job, 2000, 100, 900);
  EXPECT_EQ(page_for(job).find("page faults"), std::string::npos);  // nobody has looked
  pb::Usage& usage = *job.mutable_usage();
  usage.set_minor_faults(12'345);
  usage.set_read_bytes(2 << 20);
  pb::JobCounter& cycles = *usage.add_counters();
  cycles.set_name("PAPI_TOT_CYC");
  cycles.set_value(6'000'000'000);
  cycles.set_running_share(0.63);
  cycles.set_user_only(true);
  pb::JobCounter& clock = *usage.add_counters();
  clock.set_name("perf::TASK-CLOCK");
  clock.set_value(2'100'000'000'000);
  clock.set_running_share(1);
  pb::MissingCounter& missing = *usage.add_missing_counters();
  missing.set_name("PAPI_L3_TCM");
  missing.set_why("this node has no such counter");
  pb::JobTelemetry telemetry = telemetry_of(job);
  add_figure(telemetry, "counter.PAPI_TOT_CYC", "count", 5e9);  // an earlier look
  const std::string page = page_for(job, &telemetry);
  EXPECT_NE(page.find("PAPI_TOT_CYC     6.00 G counted 63 % of the time, scaled\n"),
            std::string::npos)
      << page;
  EXPECT_EQ(page.find("5.00 G"), std::string::npos) << page;
  EXPECT_NE(page.find("perf::TASK-CLOCK  35:00\n"), std::string::npos) << page;
  EXPECT_NE(page.find("PAPI_L3_TCM           - this node has no such counter\n"), std::string::npos)
      << page;
  EXPECT_NE(page.find("12.3 k page faults"), std::string::npos) << page;
  EXPECT_NE(page.find("read 2.00 MiB, wrote 0 B"), std::string::npos) << page;
}

TEST(Advice, TheKernelsPartAndCrowds) {
  pb::JobInfo job = ended_job("COMPLETED", 600);
  use(job, 1000, 1200, 900);
  pb::Usage& usage = *job.mutable_usage();
  usage.set_minor_faults(100'000'000);
  usage.set_involuntary_switches(600 * 4 * 200);
  EXPECT_TRUE(says(advice_for(job), "The kernel took 55 % of its CPU time."));
  EXPECT_TRUE(says(advice_for(job), "keep buffers and use them again"));
  EXPECT_TRUE(says(advice_for(job), "It runs more threads than it has cores"));
  usage.set_minor_faults(1000);
  EXPECT_TRUE(says(advice_for(job), "very many small reads and writes"));
  use(job, 1200, 10, 900);  // half of its cores
  EXPECT_TRUE(says(advice_for(job), "Others ran on its cores: 480 k times it had to give way"));
  usage.set_voluntary_switches(100'000);
  EXPECT_FALSE(says(advice_for(job), "Others ran on its cores"));
  use(job, 1000, 1200, 900);
  pb::JobCounter& migrations = *usage.add_counters();
  migrations.set_name("perf::CPU-MIGRATIONS");
  migrations.set_value(1'000'000);
  EXPECT_TRUE(says(advice_for(job), "Its threads went from core to core 1.00 M times"));
}

}  // namespace
}  // namespace hyades
