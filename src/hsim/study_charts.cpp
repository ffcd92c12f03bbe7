#include <algorithm>

#include "hsim/dot_chart.hpp"
#include "hsim/study_report.hpp"

namespace hyades {
namespace {

std::string windows_text(const StudyPlan& plan) {
  std::size_t windows = 0, jobs = 0;
  for (const StudiedLog& log : plan.logs) {
    windows = std::max(windows, log.windows.size());
    for (const Window& window : log.windows) jobs = std::max(jobs, window.count);
  }
  return std::to_string(windows) + " windows of " + std::to_string(jobs) + " jobs of each log";
}

std::string panel_title(const StudiedLog& log) {
  return short_name(log) + ", " + std::to_string(log.procs) + " processors";
}

std::optional<Interval> mean_slowdown(const StudyPage& page, const StudyResults& results,
                                      const StudiedLog& log, const Rule& rule) {
  const std::vector<Metrics> metrics = results.of(log, rule);
  if (metrics.empty()) return std::nullopt;
  return bootstrap_mean(figures(metrics, &Metrics::avg_bsld), page.bootstrap);
}

// The best on top.
void sort_rows(std::vector<DotRow>& rows) {
  std::stable_sort(rows.begin(), rows.end(), [](const DotRow& a, const DotRow& b) {
    const auto value = [](const DotRow& row) { return row.values[0] ? row.values[0]->value : 0; };
    return value(a) < value(b);
  });
}

StudyChart slowdown_chart(const StudyPage& page, const StudyResults& results) {
  DotChart chart;
  chart.title = "Mean bounded slowdown with EASY backfilling";
  chart.subtitle =
      windows_text(page.plan) + "; the lines are 95 % bootstrap intervals of the mean.";
  chart.axis = "mean bounded slowdown, less is better";
  chart.series = {"as users estimate"};
  if (page.plan.guarded) chart.series.push_back("the same, with the guard");
  if (page.plan.exact) chart.series.push_back("exact run times, which nobody has");
  for (const StudiedLog& log : page.plan.logs) {
    DotPanel panel;
    panel.title = panel_title(log);
    for (const std::string& policy : page.plan.policies) {
      DotRow row{policy, {mean_slowdown(page, results, log, {policy, "easy"})}};
      if (page.plan.guarded) {
        row.values.push_back(mean_slowdown(page, results, log, {policy, "easy", true}));
      }
      if (page.plan.exact) {
        row.values.push_back(mean_slowdown(page, results, log, {policy, "easy", false, true}));
      }
      panel.rows.push_back(std::move(row));
    }
    sort_rows(panel.rows);
    const BestRules best = best_rules(page.plan, results, log);
    if (!best.oracle.empty()) {
      panel.mark = mean_of(best.oracle);
      panel.mark_label = "the best of each window";
    }
    chart.panels.push_back(std::move(panel));
  }
  return {"slowdown", "Mean bounded slowdown of each policy on each log", dot_chart_svg(chart)};
}

// The longest wait of a window as a multiple of first come, first served's.
std::optional<Interval> wait_ratio(const StudyPage& page, const StudyResults& results,
                                   const StudiedLog& log, const Rule& rule) {
  const std::vector<double> fcfs = figures(results.of(log, {"fcfs", "easy"}), &Metrics::max_wait);
  const std::vector<double> ours = figures(results.of(log, rule), &Metrics::max_wait);
  if (fcfs.empty() || ours.empty() || mean_of(fcfs) == 0) return std::nullopt;
  return bootstrap_ratio_of_means({{ours, fcfs}}, page.bootstrap);
}

StudyChart wait_chart(const StudyPage& page, const StudyResults& results) {
  DotChart chart;
  chart.title = "The longest wait, beside that of first come, first served";
  chart.subtitle = "Mean over " + windows_text(page.plan) +
                   " of the longest wait in it, as a multiple of FCFS with EASY; 95 % intervals.";
  chart.axis = "times the longest wait under FCFS with EASY";
  chart.series = {"without a guard"};
  if (page.plan.guarded) chart.series.push_back("with the guard");
  for (const StudiedLog& log : page.plan.logs) {
    DotPanel panel;
    panel.title = panel_title(log);
    for (const std::string& policy : page.plan.policies) {
      if (policy == "fcfs") continue;
      DotRow row{policy, {wait_ratio(page, results, log, {policy, "easy"})}};
      if (page.plan.guarded) {
        row.values.push_back(wait_ratio(page, results, log, {policy, "easy", true}));
      }
      panel.rows.push_back(std::move(row));
    }
    sort_rows(panel.rows);
    panel.mark = 2;
    panel.mark_label = "twice";
    chart.panels.push_back(std::move(panel));
  }
  return {"wait", "The longest wait under each policy, with and without the guard",
          dot_chart_svg(chart)};
}

}  // namespace

std::vector<StudyChart> study_charts(const StudyPage& page, const StudyResults& results) {
  return {slowdown_chart(page, results), wait_chart(page, results)};
}

}  // namespace hyades
