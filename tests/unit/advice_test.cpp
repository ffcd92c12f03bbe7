// The advice of heff: what a person can follow, and what never harms.
#include <gtest/gtest.h>

#include "advice_samples.hpp"

namespace hyades {
namespace {

using namespace samples;

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
