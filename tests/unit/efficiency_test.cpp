// What heff says: figures, and what of them is not known.
#include <gtest/gtest.h>

#include <limits>

#include "advice_samples.hpp"
#include "cli/efficiency_columns.hpp"
#include "cli/efficiency_json.hpp"
#include "cli/printable.hpp"

namespace hyades {
namespace {

using namespace samples;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr float kNaNf = std::numeric_limits<float>::quiet_NaN();

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

TEST(Efficiency, WhatIsNotTakenIsSaidWhileThereIsTimeToMendIt) {
  pb::JobInfo job = ended_job("RUNNING", 0);
  job.set_end_ms(0);
  pb::JobTelemetry telemetry = telemetry_of(job);
  add_figure(telemetry, "job.refused_reports", "count", 4);
  EXPECT_NE(page_for(job, &telemetry).find("4 words of what it reported were not taken"),
            std::string::npos);
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

}  // namespace
}  // namespace hyades
