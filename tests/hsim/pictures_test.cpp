// Pictures of replays: that they are well formed, hide nothing and show what happened.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <regex>

#include "hsim/gantt_cells.hpp"
#include "hsim/gantt_svg.hpp"
#include "hsim/line_chart.hpp"
#include "hsim/metrics.hpp"
#include "hsim/processor_layout.hpp"
#include "hsim/queue_svg.hpp"
#include "hsim/svg_page.hpp"
#include "report_samples.hpp"

namespace hyades {
namespace {

using namespace samples;

// The tags that are open at the end, or the first that closes another: "" when all is well.
std::string unbalanced(const std::string& svg) {
  std::vector<std::string> open;
  const std::regex tag("<(/?)([a-z]+)([^<>]*?)(/?)>");
  for (auto at = std::sregex_iterator(svg.begin(), svg.end(), tag); at != std::sregex_iterator();
       ++at) {
    if ((*at)[1].length() > 0) {
      if (open.empty() || open.back() != (*at)[2]) return "</" + (*at)[2].str() + ">";
      open.pop_back();
    } else if ((*at)[4].length() == 0) {
      open.push_back((*at)[2]);
    }
  }
  // No '<' that begins no tag.
  const std::string rest = std::regex_replace(svg, tag, "");
  if (rest.find('<') != std::string::npos) return "a '<' in a text";
  return open.empty() ? "" : open.back();
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// ---- processors --------------------------------------------------------------------------------

TEST(ProcessorLayout, GivesEveryJobItsProcessorsAndNoneTwice) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const Workload log = random_workload(37, 200, seed);
    const std::vector<ReplayedJob> jobs = fcfs(log);
    const auto layout = lay_out_processors(log, jobs);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      int count = 0;
      for (const ProcessorRange& range : layout[i]) {
        EXPECT_GE(range.first, 0);
        EXPECT_LE(range.first + range.count, log.procs);
        count += range.count;
      }
      EXPECT_EQ(count, log.jobs[i].procs);
      for (std::size_t k = 0; k < i; ++k) {
        if (jobs[k].start_s + log.jobs[k].run_s <= jobs[i].start_s) continue;
        if (jobs[i].start_s + log.jobs[i].run_s <= jobs[k].start_s) continue;
        for (const ProcessorRange& a : layout[i]) {
          for (const ProcessorRange& b : layout[k]) {
            ASSERT_TRUE(a.first + a.count <= b.first || b.first + b.count <= a.first)
                << "seed " << seed << ", jobs " << i << " and " << k;
          }
        }
      }
    }
  }
}

TEST(ProcessorLayout, TakesTheLowestGapThatFitsElsePieces) {
  const Workload log = workload(8, {job(1, 0, 10, 2), job(2, 0, 30, 2), job(3, 0, 10, 2),
                                    job(4, 0, 30, 1), job(5, 10, 5, 3), job(6, 10, 5, 2)});
  const auto layout = lay_out_processors(log, started({0, 0, 0, 0, 10, 10}));
  using Ranges = std::vector<ProcessorRange>;
  EXPECT_EQ(layout[1], (Ranges{{2, 2}}));
  EXPECT_EQ(layout[3], (Ranges{{6, 1}}));
  EXPECT_EQ(layout[4], (Ranges{{0, 2}, {4, 1}})) << "0-1, 4-5 and 7 are free";
  EXPECT_EQ(layout[5], (Ranges{{5, 1}, {7, 1}}));
}

TEST(ProcessorLayout, DrawsWhatCannotBeAsFarAsItGoes) {
  const Workload log = workload(2, {job(1, 0, 10, 2), job(2, 0, 10, 2), job(3, 0, 10, 1)});
  const auto layout = lay_out_processors(log, started({0, 5, -1}));
  EXPECT_TRUE(layout[1].empty());
  EXPECT_TRUE(layout[2].empty());
}

// ---- the chart of processors -------------------------------------------------------------------

TEST(GanttSvg, HasABoxForEveryPieceAndAHintForEveryJob) {
  const Workload log = random_workload(32, 60, 4);
  const std::vector<ReplayedJob> jobs = fcfs(log);
  std::size_t pieces = 0;
  for (const auto& ranges : lay_out_processors(log, jobs)) pieces += ranges.size();
  const std::string svg = gantt_svg(log, jobs, {.title = "sixty jobs"});
  EXPECT_EQ(unbalanced(svg), "");
  EXPECT_EQ(count_of(svg, "<title>"), pieces);
  EXPECT_NE(svg.find("job 100, "), std::string::npos);
  EXPECT_NE(svg.find("job 159, "), std::string::npos);
  EXPECT_NE(svg.find("sixty jobs"), std::string::npos);
}

TEST(GanttSvg, ManyJobsBecomeCellsAndStaySmall) {
  const Workload log = random_workload(512, 20000, 8);
  const std::string svg = gantt_svg(log, fcfs(log));
  EXPECT_EQ(unbalanced(svg), "");
  EXPECT_EQ(count_of(svg, "<title>"), 0u);
  EXPECT_LT(svg.size(), 1'000'000u);
  EXPECT_NE(svg.find("20000 jobs"), std::string::npos);
}

TEST(GanttSvg, NothingAndOneJobAreDrawn) {
  EXPECT_EQ(unbalanced(gantt_svg(workload(4, {}), {})), "");
  EXPECT_EQ(unbalanced(gantt_svg(workload(1, {job(1, 5, 1, 1)}), started({5}))), "");
}

TEST(GanttSvg, NamesCannotBecomeMarkup) {
  Workload log = workload(4, {job(1, 0, 100, 4, 1)});
  log.name = "</text><script>alert(1)</script>\"'&";
  const std::string svg = gantt_svg(
      log, started({0}), {.user_name = [](int) { return std::string("<b onload=\"x\">"); }});
  EXPECT_EQ(unbalanced(svg), "");
  EXPECT_EQ(svg.find("<script"), std::string::npos);
  EXPECT_EQ(svg.find("<b "), std::string::npos);
}

TEST(JobColours, GoToThoseWhoUsedMost) {
  std::vector<TraceJob> jobs;
  for (int user = 0; user < 12; ++user) jobs.push_back(job(user, 0, 10 * (user + 1), 1, user));
  const Workload log = workload(12, jobs);
  const JobColours colours = job_colours(log, started(std::vector<std::int64_t>(12, 0)), {});
  EXPECT_EQ(colours.of[11], 0);
  EXPECT_EQ(colours.of[4], 7);
  EXPECT_EQ(colours.of[3], kSvgColours);
  ASSERT_EQ(colours.legend.size(), 9u);
  EXPECT_EQ(colours.legend[0].text, "user 11");
  EXPECT_EQ(colours.legend[8].text, "4 others");
}

TEST(JobColours, SayTheReasonWhereNoUserIsKnown) {
  const Workload log = workload(2, {job(1, 0, 10, 1), job(2, 0, 10, 1)});
  std::vector<ReplayedJob> jobs = started({0, 0});
  jobs[1].why = StartReason::Backfill;
  const JobColours colours = job_colours(log, jobs, {});
  EXPECT_EQ(colours.of, (std::vector<int>{0, 1}));
  EXPECT_EQ(colours.legend[1].text, "backfilled (1)");
}

TEST(GanttCells, AddUpToTheWorkThatWasDone) {
  GanttCells cells({.columns = 10, .rows = 4, .groups = 2}, 0, 100, 8);
  cells.add(0, 0, 100, {0, 2});   // a whole row
  cells.add(1, 0, 50, {2, 2});    // half of the next
  cells.add(0, 50, 100, {2, 1});  // half as busy
  cells.add(1, 99, 100, {7, 1});  // too little to be seen
  const std::vector<CellLayer> layers = cells.layers();
  ASSERT_EQ(layers.size(), 3u);
  EXPECT_EQ(layers[0].group, 0);
  EXPECT_EQ(layers[0].busy, 0.5);
  ASSERT_EQ(layers[0].runs.size(), 1u);
  EXPECT_EQ(layers[0].runs[0].column, 5);
  EXPECT_EQ(layers[0].runs[0].count, 5);
  EXPECT_EQ(layers[1].busy, 1);
  EXPECT_EQ(layers[1].runs[0].count, 10);
  EXPECT_EQ(layers[2].group, 1);
  EXPECT_EQ(layers[2].runs[0].row, 1);
}

// ---- the queue ---------------------------------------------------------------------------------

TEST(QueueOverTime, AddsUpToWaitsAndWork) {
  const Workload log = random_workload(32, 400, 21);
  const std::vector<ReplayedJob> jobs = fcfs(log);
  const std::vector<QueueSample> samples = queue_over_time(log, jobs);
  double waited = 0, busy = 0;
  for (std::size_t i = 0; i + 1 < samples.size(); ++i) {
    const auto span = static_cast<double>(samples[i + 1].at_s - samples[i].at_s);
    EXPECT_GT(span, 0);
    waited += span * samples[i].waiting_jobs;
    busy += span * static_cast<double>(samples[i].busy_procs);
    EXPECT_LE(samples[i].busy_procs, log.procs);
  }
  const Metrics metrics = measure(log, jobs);
  EXPECT_NEAR(waited, metrics.avg_wait * 400, 1e-3);
  EXPECT_NEAR(busy, metrics.utilization * static_cast<double>(metrics.makespan) * 32, 1e-3);
  EXPECT_EQ(samples.back().waiting_jobs, 0);
  EXPECT_EQ(samples.back().busy_procs, 0);
}

TEST(QueueSvg, IsWellFormedForFewManyAndNoSamples) {
  for (const int count : {0, 1, 40, 3000}) {
    const Workload log = random_workload(16, count, 3);
    const std::string svg =
        queue_svg(queue_picture(log, {{"fcfs <&>", queue_over_time(log, fcfs(log))}}));
    EXPECT_EQ(unbalanced(svg), "") << count << " jobs";
    EXPECT_LT(svg.size(), 200'000u);
    EXPECT_NE(svg.find("fcfs &lt;&amp;&gt;"), std::string::npos);
  }
}

TEST(QueueSvg, SeveralCurvesHideNothing) {
  const Workload log = random_workload(16, 100, 3);
  const auto samples = queue_over_time(log, fcfs(log));
  const std::string svg = queue_svg(queue_picture(log, {{"one", samples}, {"two", samples}}));
  EXPECT_EQ(count_of(svg, "class=\"s0\""), 2u);
  EXPECT_EQ(count_of(svg, "class=\"s1\""), 2u);
  EXPECT_EQ(count_of(svg, "<path class=\"c"), 0u) << "no areas";
}

TEST(TimeAxis, IsInUnitsThatSuitIt) {
  const auto labels = [](double span_s) {
    const TimeAxis axis = time_axis(span_s, 8);
    std::string out = axis.unit;
    for (const double tick : axis.ticks) out += " " + tick_label(axis, tick);
    return out;
  };
  EXPECT_EQ(labels(90), "seconds 0 15 30 45 60 75 90");
  EXPECT_EQ(labels(3600), "minutes 0 10 20 30 40 50 60");
  EXPECT_EQ(labels(86400), "hours 0 3 6 9 12 15 18 21 24");
  EXPECT_EQ(labels(5 * 86400), "days 0 1 2 3 4 5");
  EXPECT_EQ(axis_title(time_axis(90000, 8), 1027839600), "hours since 2002-07-28 07:00 UTC");
  EXPECT_EQ(axis_title(time_axis(90000, 8), 0), "hours since the first submission");
}

TEST(SvgNumber, IsShortAndNeverNoNumber) {
  EXPECT_EQ(svg_number(3), "3");
  EXPECT_EQ(svg_number(2.25), "2.2");
  EXPECT_EQ(svg_number(-0.01), "0");
  EXPECT_EQ(svg_number(std::nan("")), "0");
}

// ---- lines --------------------------------------------------------------------------------------

TEST(LineChart, TicksAreRoundAndWithin) {
  EXPECT_EQ(round_ticks(0, 40, 12), (std::vector<double>{0, 5, 10, 15, 20, 25, 30, 35, 40}));
  EXPECT_EQ(round_ticks(-0.5, 1.2, 4), (std::vector<double>{-0.5, 0, 0.5, 1}));
  for (const double width : {1e-6, 0.003, 0.7, 9.0, 12345.0}) {
    const std::vector<double> ticks = round_ticks(3, 3 + width, 5);
    EXPECT_GE(ticks.size(), 2u) << width;
    EXPECT_LE(ticks.size(), 6u) << width;
  }
  EXPECT_TRUE(round_ticks(1, 1, 5).empty());
  EXPECT_TRUE(round_ticks(0, INFINITY, 5).empty());
}

TEST(LineChart, DrawsEveryFigureThatIsOneWhereItBelongs) {
  LinePanel panel{.title = "a & b", .mark = 1, .mark_label = "<here>"};
  panel.series = {{"up", {{10, 1}, {20, 2}, {30, 3}}}, {"down", {{10, 3}, {20, NAN}, {30, 1}}}};
  const std::string svg = line_chart_svg({"title", "", "rounds", {panel, panel}});
  EXPECT_EQ(unbalanced(svg), "");
  EXPECT_EQ(count_of(svg, "<circle class=\"c0\""), 6u);
  EXPECT_EQ(count_of(svg, "<circle class=\"c1\""), 4u) << "what is no number is left out";
  EXPECT_EQ(count_of(svg, "&lt;here&gt;"), 2u);
  EXPECT_NE(svg.find("up, 20: 2"), std::string::npos);
  // Higher figures are further up, later ones further right.
  const std::regex dot("<circle class=\"c0\" cx=\"([0-9.]+)\" cy=\"([0-9.]+)\"");
  std::vector<std::pair<double, double>> dots;
  for (auto at = std::sregex_iterator(svg.begin(), svg.end(), dot); at != std::sregex_iterator();
       ++at) {
    dots.emplace_back(std::stod((*at)[1]), std::stod((*at)[2]));
  }
  ASSERT_EQ(dots.size(), 6u);
  EXPECT_LT(dots[0].first, dots[1].first);
  EXPECT_GT(dots[0].second, dots[1].second);
  EXPECT_NEAR(dots[1].second - dots[2].second, dots[0].second - dots[1].second, 0.2);
}

TEST(LineChart, OfNothingIsAPicture) {
  EXPECT_EQ(unbalanced(line_chart_svg({"title", "", "rounds", {{.title = "none"}}})), "");
  const LinePanel one{.title = "one", .series = {{"s", {{1, 2}}}}};
  EXPECT_EQ(count_of(line_chart_svg({"title", "", "rounds", {one}}), "nan"), 0u);
}

}  // namespace
}  // namespace hyades
