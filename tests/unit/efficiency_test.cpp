// What heff says: figures, and advice that a person can follow and that never harms.
#include <gtest/gtest.h>

#include <limits>

#include "cli/efficiency_advice.hpp"
#include "cli/efficiency_columns.hpp"
#include "cli/efficiency_html.hpp"
#include "cli/efficiency_json.hpp"
#include "cli/efficiency_text.hpp"
#include "cli/html_text.hpp"
#include "cli/job_efficiency.hpp"
#include "cli/job_series.hpp"
#include "cli/plot.hpp"
#include "cli/printable.hpp"
#include "cli/quantity.hpp"
#include "cli/request_sizes.hpp"
#include "cli/svg_chart.hpp"
#include "core/units.hpp"
#include "telemetry_samples.hpp"

namespace hyades {
namespace {

using namespace samples;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

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

std::vector<float> minutes(int count, float value) {
  return std::vector<float>(static_cast<std::size_t>(count), value);
}

// 36 minutes on 4 cores, one of them busy all the time, of 16 GiB a thousand MiB used.
struct Serial {
  pb::JobInfo job = ended_job("COMPLETED", 2172);
  pb::JobTelemetry telemetry;

  Serial() {
    use(job, 2150, 22, 990);
    telemetry = telemetry_of(job);
    add_figure(telemetry, "job.memory_peak", "MiB", 1000);
    add_figure(telemetry, "job.read", "bytes", 3e9);
    add_figure(telemetry, "job.write", "bytes", 2e6);
    add_series(*telemetry.mutable_nodes(0), "job.cpu", "cores", minutes(36, 1.01f));
  }
};

// ---- what people come with ---------------------------------------------------------------------

TEST(Advice, AskedFor4CoresAndUsed1) {
  const Serial serial;
  const Advice advice = advice_for(serial.job, &serial.telemetry);
  EXPECT_EQ(directive_line(advice), "--time=0:50:00 --cpus-per-task=1 --mem=1200M");
  EXPECT_EQ(keys_of(advice), (std::vector<std::string>{"memory_unused", "cores_idle"}));
  EXPECT_TRUE(says(advice, "1.0 of 4 cores were busy."));
  EXPECT_TRUE(says(advice, "Ask for fewer cores; or, if the program can use more, tell it to"));
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
  add_series(*telemetry.mutable_nodes(0), "job.cpu", "cores", {std::nanf(""), std::nanf("")});
  const JobEfficiency measured = measure_efficiency(job, &telemetry, 0);
  EXPECT_FALSE(measured.cpu_s || measured.peak_mib || measured.energy_j ||
               measured.peak_cores_node || measured.idle_end_s);
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
  pb::JobCounter& migrations = *usage.add_counters();
  migrations.set_name("perf::CPU-MIGRATIONS");
  migrations.set_value(1'000'000);
  EXPECT_TRUE(says(advice_for(job), "Its threads went from core to core 1.00 M times"));
}

// ---- series ------------------------------------------------------------------------------------

TEST(Series, OfNodesAreSummedAndMemoryIsTheHighest) {
  pb::JobTelemetry telemetry;
  add_series(*telemetry.add_nodes(), "job.cpu", "cores", {1, 2, std::nanf("")}, {2, 3, 1});
  pb::JobTelemetryNode& second = *telemetry.add_nodes();
  add_series(second, "job.cpu", "cores", {4, 8}).set_from_ms(kStart + 60'000);
  add_series(*telemetry.mutable_nodes(0), "job.memory", "MiB", {5, 1});
  add_series(second, "job.memory", "MiB", {3, 3});
  EXPECT_EQ(series_names(telemetry), (std::vector<std::string>{"job.cpu", "job.memory"}));
  const Series cpu = merge_series(telemetry, "job.cpu");
  EXPECT_EQ(cpu.mean, (std::vector<double>{1, 6, 8}));
  EXPECT_EQ(cpu.most, (std::vector<double>{2, 7, 9}));
  EXPECT_EQ(merge_series(telemetry, "job.memory").mean, (std::vector<double>{5, 3}));
  EXPECT_TRUE(merge_series(telemetry, "job.power").empty());
  const Series thin = thin_series(cpu, 2);
  EXPECT_EQ(thin.mean, (std::vector<double>{3.5, 8}));
  EXPECT_EQ(thin.step_ms, 120'000);
}

TEST(Series, ThatMakeNoSenseAreEmpty) {
  pb::JobTelemetry telemetry;
  pb::JobSeries& series = add_series(*telemetry.add_nodes(), "x", "", {1, 2});
  series.set_step_ms(0);
  EXPECT_TRUE(merge_series(telemetry, "x").empty());
  series.set_step_ms(60'000);
  series.add_mean(3);
  EXPECT_TRUE(merge_series(telemetry, "x").empty());
  series.add_most(3);
  EXPECT_EQ(merge_series(telemetry, "x").mean.size(), 3u);
  // Two nodes whose clocks are ages apart do not need memory for all the time between.
  add_series(*telemetry.add_nodes(), "x", "", {1}).set_from_ms(0);
  EXPECT_LE(merge_series(telemetry, "x").mean.size(), 600'001u);
}

// ---- HTML --------------------------------------------------------------------------------------

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

std::string html_for(const pb::JobInfo& job, const pb::JobTelemetry* telemetry) {
  const JobEfficiency measured = measure_efficiency(job, telemetry, kStart + 600'000);
  return efficiency_html(measured, advise(measured), telemetry, kStart + 600'000);
}

TEST(Html, HasTheSuggestionTheTablesAndACurveForEachSeries) {
  Serial serial;
  add_series(*serial.telemetry.mutable_nodes(0), "job.power", "W", {17, std::nanf(""), 19, 18});
  add_series(*serial.telemetry.mutable_nodes(0), "job.read_rate", "bytes/s", {std::nanf("")});
  const std::string html = html_for(serial.job, &serial.telemetry);
  EXPECT_NE(html.find("<pre>#HSUB --time=0:50:00 --cpus-per-task=1 --mem=1200M</pre>"),
            std::string::npos);
  EXPECT_NE(html.find("<b>1.0 of 4 cores were busy.</b>"), std::string::npos);
  EXPECT_EQ(count_of(html, "<svg "), 2u);
  EXPECT_EQ(count_of(html, "<polyline class=\"line\""), 3u);  // what is not known leaves a gap
  EXPECT_NE(html.find("Not measured: Memory, Read from storage, Written to storage."),
            std::string::npos);
  EXPECT_NE(html.find("asked for: 4</text>"), std::string::npos);
}

TEST(Html, NeedsNothingElse) {
  const Serial serial;
  const std::string html = html_for(serial.job, &serial.telemetry);
  for (const char* word :
       {"<script", "<link", "<img", "src=", "href=", "http://", "https://", "@import", "url("}) {
    EXPECT_EQ(html.find(word), std::string::npos) << word;
  }
  EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
  EXPECT_NE(html_for(ended_job("COMPLETED", 100), nullptr).find("Not measured: Cores busy"),
            std::string::npos);
}

TEST(Html, NobodysTextBecomesMarkup) {
  Serial serial;
  const auto tags = [&] { return count_of(html_for(serial.job, &serial.telemetry), "<"); };
  const std::string plain = "plain";
  const auto name_all = [&](const std::string& text) {
    serial.job.set_name(text);
    serial.job.set_user(text);
    serial.job.set_queue(text);
    serial.job.set_node_names(text);
    serial.job.set_reason(text);
    pb::JobTelemetry& telemetry = serial.telemetry;
    telemetry = telemetry_of(serial.job);
    telemetry.mutable_nodes(0)->set_node(text);
    telemetry.add_nodes()->set_node(text);
    add_figure(telemetry, "counter." + text, text, 1);
    add_figure(telemetry, "app." + text, text, 1);
    add_series(*telemetry.mutable_nodes(0), text, text, {1, 2});
  };
  name_all(plain);
  const std::size_t expected = tags();
  for (const char* text :
       {"<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onload='x", "&lt;b&gt;",
        "</title></style></svg><b>", "\x1b[2J\n<i>", "\xff\xfe<"}) {
    name_all(text);
    EXPECT_EQ(tags(), expected) << text;
  }
  EXPECT_EQ(html_text("<a b=\"c\" d='e'>&\n"), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;\\n");
}

TEST(Charts, HaveRoundNumbers) {
  EXPECT_EQ(axis_ticks(4, 4), (std::vector<double>{0, 1, 2, 3, 4}));
  EXPECT_EQ(axis_ticks(21.4, 4), (std::vector<double>{0, 10, 20, 30}));
  EXPECT_EQ(axis_ticks(0, 4), (std::vector<double>{0, 1}));
  EXPECT_EQ(axis_ticks(kNaN, 4), (std::vector<double>{0, 1}));
  for (const double highest : {1e-300, 1e-9, 0.3, 1e300}) {
    EXPECT_GE(axis_ticks(highest, 4).back(), highest * 0.999);
    EXPECT_LE(axis_ticks(highest, 4).size(), 6u);
  }
  EXPECT_EQ(time_ticks(2172, 8), (std::vector<double>{0, 300, 600, 900, 1200, 1500, 1800, 2100}));
  for (const double span : {0.0, 0.5, 59.0, 1e5, 1e9, 1e12}) {
    EXPECT_LE(time_ticks(span, 8).size(), 9u) << span;
  }
  EXPECT_EQ(axis_unit("bytes/s", 5e6).name, "MiB/s");
  EXPECT_EQ(axis_unit("cores", 1e9).name, "cores");
}

TEST(Charts, StayInTheirFrameWhateverTheValues) {
  for (const double value : {0.0, -5.0, 1e-300, 1e300, kNaN}) {
    Chart chart{.series = {"x", "", kStart - 10'000'000, 60'000, {value, value}, {value, value}},
                .label = "",
                .begin_ms = kStart,
                .end_ms = kStart,
                .limit = 4,
                .limit_label = ""};
    const std::string svg = svg_chart(chart);
    for (const char* word : {"nan", "inf"}) EXPECT_EQ(svg.find(word), std::string::npos) << value;
  }
}

// ---- amounts -----------------------------------------------------------------------------------

TEST(Quantities, HaveThreeDigitsAndAUnit) {
  EXPECT_EQ(format_quantity(0, "bytes"), "0 B");
  EXPECT_EQ(format_quantity(1023.9, "bytes"), "1.00 KiB");
  EXPECT_EQ(format_quantity(3e9, "bytes"), "2.79 GiB");
  EXPECT_EQ(format_quantity(1000, "MiB"), "1000 MiB");
  EXPECT_EQ(format_quantity(12'345, "J"), "12.3 kJ");
  EXPECT_EQ(format_quantity(12, "count"), "12");
  EXPECT_EQ(format_quantity(1.23e12, ""), "1.23 T");
  EXPECT_EQ(format_quantity(2150, "s"), "35:50");
  EXPECT_EQ(format_quantity(4.2, "s"), "4.2 s");
  EXPECT_EQ(format_quantity(61.5, "degC"), "61.5 degC");
  EXPECT_EQ(format_quantity(kNaN, "W"), "not measured");
  EXPECT_EQ(format_quantity(std::nullopt, "W"), "not measured");
  EXPECT_EQ(format_share(0.253), "25 %");
  EXPECT_EQ(format_share(0.0001), "0.1 %");
  EXPECT_EQ(format_share(0.0), "0 %");
}

TEST(Quantities, ToAskForAreReadBackByHsub) {
  EXPECT_EQ(time_to_ask_s(1), 300);
  EXPECT_EQ(time_to_ask_s(2715), 3000);
  EXPECT_EQ(time_to_ask_s(3601), 4500);
  EXPECT_EQ(time_to_ask_s(50'000), 50'400);
  EXPECT_EQ(memory_to_ask_mib(1), 100);
  EXPECT_EQ(memory_to_ask_mib(1200), 1200);
  EXPECT_EQ(memory_to_ask_mib(1201), 1300);
  EXPECT_EQ(memory_to_ask_mib(20'000), 20 << 10);
  EXPECT_EQ(time_option(2700), "0:45:00");
  EXPECT_EQ(time_option(100'800), "1-04:00:00");
  for (const double seconds : {-5.0, 0.0, 1e4, 1e6, 1e9, 1e30, kNaN}) {
    int back = 0;
    EXPECT_TRUE(parse_duration_s(time_option(time_to_ask_s(seconds)), back)) << seconds;
    EXPECT_EQ(back, time_to_ask_s(seconds));
    MiB mib = 0;
    EXPECT_TRUE(parse_memory_mib(format_memory(memory_to_ask_mib(seconds)), mib)) << seconds;
    EXPECT_GT(mib, 0);
  }
}

TEST(Plots, AreAsWideAsAsked) {
  const Terminal plain, utf8{.utf8 = true};
  EXPECT_EQ(bar(0.25, 10, plain), "[##......]");
  EXPECT_EQ(bar(0.001, 10, plain), "[#.......]");
  EXPECT_EQ(bar(0, 10, plain), "[........]");
  EXPECT_EQ(bar(9, 10, plain), "[########]");
  EXPECT_EQ(bar(kNaN, 10, plain), "[........]");
  EXPECT_EQ(display_width(bar(0.5, 22, utf8)), 22);
  EXPECT_EQ(sparkline({0, 4, kNaN, 8}, 10, 8, plain), "_+ #");
  EXPECT_EQ(sparkline({1, 2, 3, 4}, 2, 0, plain), "%#");
  EXPECT_EQ(sparkline({0, 8}, 10, 0, utf8), "\u2581\u2588");
  EXPECT_EQ(sparkline({}, 10, 0, utf8), "");
  EXPECT_EQ(wrap_text("aa bb cc dd", 5, 2), "aa bb\n  cc\n  dd");
  EXPECT_EQ(wrap_text("aa bb", 0, 2), "aa bb");
}

}  // namespace
}  // namespace hyades
