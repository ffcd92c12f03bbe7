// Charts, bars, amounts and series: what the commands draw of what was measured.
#include <gtest/gtest.h>

#include <limits>

#include "cli/efficiency_advice.hpp"
#include "cli/efficiency_html.hpp"
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
constexpr float kNaNf = std::numeric_limits<float>::quiet_NaN();

// ---- series ------------------------------------------------------------------------------------

TEST(Series, OfNodesAreSummedAndMemoryIsTheHighest) {
  pb::JobTelemetry telemetry;
  add_series(*telemetry.add_nodes(), "job.cpu", "cores", {1, 2, kNaNf}, {2, 3, 1});
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

// Nobody knows what a job's own figures mean together: the first node's count, the batch script's.
TEST(Series, OfWhatTheJobReportedTheFirstNodeSpeaks) {
  pb::JobTelemetry telemetry;
  add_series(*telemetry.add_nodes(), "app.loss", "", {3, 2});
  add_series(*telemetry.add_nodes(), "app.loss", "", {7, 7});
  add_series(*telemetry.mutable_nodes(1), "app.files", "", {5});
  EXPECT_EQ(merge_series(telemetry, "app.loss").mean, (std::vector<double>{3, 2}));
  EXPECT_EQ(merge_series(telemetry, "app.files").mean, (std::vector<double>{5}));
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
  add_series(*serial.telemetry.mutable_nodes(0), "job.power", "W", {17, kNaNf, 19, 18});
  add_series(*serial.telemetry.mutable_nodes(0), "job.read_rate", "bytes/s", {kNaNf});
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

TEST(Html, LeavesOutWhatWouldBeEmptyOrSaidTwice) {
  Serial serial;
  serial.telemetry.mutable_nodes(0)->clear_series();
  add_series(*serial.telemetry.mutable_nodes(0), "job.cpu", "cores", minutes(9, 0.05f));
  add_series(*serial.telemetry.mutable_nodes(0), "job.read_rate", "bytes/s", minutes(9, 0));
  add_series(*serial.telemetry.mutable_nodes(0), "job.write_rate", "bytes/s", {0, 1});
  pb::ReportedFigure& progress = *serial.job.mutable_usage()->add_reported();
  progress.set_name("progress");
  progress.set_value(0.375);
  const std::string html = html_for(serial.job, &serial.telemetry);
  EXPECT_EQ(count_of(html, "<svg "), 2u);
  EXPECT_EQ(html.find("Read from storage"), std::string::npos);
  EXPECT_NE(html.find("Not measured: Memory, Power."), std::string::npos);
  EXPECT_EQ(count_of(html, ">38 %<"), 1u);
  EXPECT_NE(html.find("(<code>--cpus-per-task=1</code>); or"), std::string::npos) << html;
  // Little of a core looks like little, and what was asked for is not far above a core.
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

TEST(Charts, GoBelowZeroWhereTheValuesDo) {
  EXPECT_EQ(axis_ticks(-3, 1, 4), (std::vector<double>{-3, -2, -1, 0, 1}));
  EXPECT_EQ(axis_ticks(-3, 0, 4), (std::vector<double>{-3, -2, -1, 0}));
  EXPECT_EQ(axis_ticks(0, 4, 4), axis_ticks(4, 4));
  EXPECT_EQ(axis_ticks(2, 4, 4), axis_ticks(4, 4));
  Chart chart{.series = {"x", "", kStart, 60'000, {-3, 0, kNaN}, {-2, 1, kNaN}},
              .label = "",
              .begin_ms = kStart,
              .end_ms = kStart + 120'000,
              .limit = 0,
              .limit_label = ""};
  EXPECT_EQ(chart_bottom(chart), -3);
  const std::string svg = svg_chart(chart);
  EXPECT_NE(svg.find(">-3</text>"), std::string::npos) << svg;
  EXPECT_NE(svg.find("<line class=\"axis\" x1=\"56.0\" y1=\"54.0\""), std::string::npos) << svg;
}

TEST(Charts, StayInTheirFrameWhateverTheValues) {
  for (const double value : {0.0, -5.0, 1e-300, 1e300, -1e300, kNaN}) {
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
  EXPECT_EQ(format_quantity(0.25, "ms"), "0.250 ms");
  EXPECT_EQ(format_quantity(10'000, "ms"), "10.0 s");
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
  EXPECT_EQ(sparkline({-8, 0, 8}, 10, 0, plain), "_+#");
  EXPECT_EQ(sparkline({-8, -4, -2}, 10, 0, plain), "_+%");
  EXPECT_EQ(wrap_text("aa bb cc dd", 5, 2), "aa bb\n  cc\n  dd");
  EXPECT_EQ(wrap_text("aa bb", 0, 2), "aa bb");
}

}  // namespace
}  // namespace hyades
