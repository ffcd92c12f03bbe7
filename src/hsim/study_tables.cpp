#include "hsim/study_tables.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "hsim/study_cells.hpp"

namespace hyades {
namespace {

std::string mean_cell(const std::vector<Metrics>& metrics) {
  return metrics.empty() ? "" : fixed(mean_of(figures(metrics, &Metrics::avg_bsld)), 1);
}

const char* const kReference = "saf";

}  // namespace

std::string overview_table(const StudyPage& page, const StudyResults& results) {
  std::string out = "Mean bounded slowdown, EASY, no guard.\n\n";
  std::vector<std::string> titles = {"log", "FCFS", "mf", "SAF", "best fixed rule", "oracle"};
  if (page.plan.exact) {
    titles.push_back("SAF, exact run times");
    titles.push_back("best rule, exact run times");
  }
  out += head(titles);
  for (const StudiedLog& log : page.plan.logs) {
    const auto cell = [&](const std::string& policy, bool exact) {
      return mean_cell(results.of(log, {policy, "easy", false, exact}));
    };
    const BestRules best = best_rules(page.plan, results, log);
    std::vector<std::string> cells = {
        short_name(log),
        cell("fcfs", false),
        cell("mf", false),
        cell("saf", false),
        best.policy.empty() ? "" : best.policy + " " + fixed(best.slowdown, 1),
        best.policy.empty() ? "" : fixed(mean_of(best.oracle), 1)};
    if (page.plan.exact) {
      cells.push_back(cell("saf", true));
      cells.push_back(cell(best.policy, true));
    }
    out += row(cells);
  }
  return out + "\n";
}

namespace {

// Rules beside SAF with EASY, over all logs.
std::string pooled_row(const StudyPage& page, const StudyResults& results, const Rule& rule,
                       const std::string& name) {
  const Rule reference{kReference, "easy"};
  const auto slowdowns = pairs(page.plan, results, rule, reference, &Metrics::avg_bsld);
  if (slowdowns.empty()) return "";
  const auto ratio = [&](auto member) {
    return interval_text(
        ratio_of_means(pairs(page.plan, results, rule, reference, member), page.bootstrap), 2);
  };
  return row({name, interval_text(bootstrap_geometric_ratio(slowdowns, page.bootstrap), 2),
              ratio(&Metrics::avg_wait), ratio(&Metrics::max_wait),
              fixed(mean_utilization(page.plan, results, rule), 3)});
}

std::string oracle_row(const StudyPage& page, const StudyResults& results) {
  std::vector<PairedWindows> logs;
  for (const StudiedLog& log : page.plan.logs) {
    PairedWindows windows{best_rules(page.plan, results, log).oracle,
                          figures(results.of(log, {kReference, "easy"}), &Metrics::avg_bsld)};
    if (windows.a.size() == windows.b.size() && !windows.a.empty()) logs.push_back(windows);
  }
  if (logs.empty()) return "";
  return row(
      {"oracle", interval_text(bootstrap_geometric_ratio(logs, page.bootstrap), 2), "", "", ""});
}

}  // namespace

std::string pooled_table(const StudyPage& page, const StudyResults& results) {
  std::string out =
      "With EASY, beside SAF with EASY (all without the guard): the geometric mean over windows of "
      "the slowdown's ratio, every log counting the same; the ratios of the mean wait and of the "
      "longest wait, from means over each log's windows. Less than 1 is better than SAF.\n\n";
  out += head({"policy", "slowdown", "mean wait", "longest wait", "utilization"});
  for (const std::string& policy : page.plan.policies) {
    out += pooled_row(page, results, {policy, "easy"}, policy);
  }
  out += oracle_row(page, results);
  if (page.plan.exact) {
    out += pooled_row(page, results, {kReference, "easy", false, true}, "saf, exact run times");
  }
  return out + "\n";
}

std::string guard_table(const StudyPage& page, const StudyResults& results) {
  std::string out =
      "The guard bounds how long anybody waits. The slowdown's ratio is guarded over unguarded, a "
      "geometric mean over windows; the longest wait is beside that of FCFS with EASY, without "
      "guard, the geometric mean over the logs of the ratios of their means.\n\n";
  out += head({"policy", "slowdown, guarded / unguarded", "longest wait / FCFS, unguarded",
               "longest wait / FCFS, guarded", "worst log, guarded"});
  const Rule fcfs{"fcfs", "easy"};
  for (const std::string& policy : page.plan.policies) {
    const Rule plain{policy, "easy"}, guarded{policy, "easy", true};
    const auto slowdowns = pairs(page.plan, results, guarded, plain, &Metrics::avg_bsld);
    const auto waits = pairs(page.plan, results, guarded, fcfs, &Metrics::max_wait);
    if (slowdowns.empty() || waits.empty()) continue;
    double worst = 0;
    for (const PairedWindows& log : waits) {
      if (total(log.b) > 0) worst = std::max(worst, total(log.a) / total(log.b));
    }
    out += row(
        {policy, interval_text(bootstrap_geometric_ratio(slowdowns, page.bootstrap), 2),
         interval_text(ratio_of_means(pairs(page.plan, results, plain, fcfs, &Metrics::max_wait),
                                      page.bootstrap),
                       2),
         interval_text(ratio_of_means(waits, page.bootstrap), 2), fixed(worst, 2)});
  }
  return out + "\n";
}

namespace {

// The logs on which the rule is worse than FCFS with EASY by a figure, with both values.
std::string worse_on(const StudyPage& page, const StudyResults& results, const Rule& rule,
                     const std::function<bool(double ours, double fcfs)>& worse,
                     const std::function<std::string(double)>& text,
                     const std::function<double(const Metrics&)>& figure) {
  std::string out;
  for (const StudiedLog& log : page.plan.logs) {
    double ours = 0, theirs = 0;
    const std::vector<Metrics> metrics = results.of(log, rule);
    const std::vector<Metrics> fcfs = results.of(log, {"fcfs", "easy"});
    if (metrics.empty() || fcfs.empty()) continue;
    for (const Metrics& one : metrics) ours += figure(one);
    for (const Metrics& one : fcfs) theirs += figure(one);
    ours /= static_cast<double>(metrics.size());
    theirs /= static_cast<double>(fcfs.size());
    if (!worse(ours, theirs)) continue;
    out += (out.empty() ? "" : ", ") + short_name(log) + " (" + text(ours) + " against " +
           text(theirs) + ")";
  }
  return out;
}

}  // namespace

std::string losses(const StudyPage& page, const StudyResults& results) {
  const Rule fcfs_easy{"fcfs", "easy"};
  const bool is_known =
      std::any_of(page.plan.logs.begin(), page.plan.logs.end(),
                  [&](const StudiedLog& log) { return !results.of(log, fcfs_easy).empty(); });
  if (!is_known) return "FCFS with EASY was not tried: there is nothing to lose against.\n\n";
  std::string out =
      "Means over each log's windows, beside FCFS with EASY: the logs on which a rule has the "
      "larger "
      "slowdown or mean wait, more than twice the longest wait, or a utilization that is lower by "
      "more than 0.03. Rules that are not here lose nowhere by that.\n\n" +
      row({"rule", "slowdown", "mean wait, h", "longest wait, h", "utilization"}) +
      "|---|---|---|---|---|\n";
  const auto more = [](double ours, double fcfs) { return ours > fcfs; };
  const auto twice = [](double ours, double fcfs) { return ours > 2 * fcfs; };
  const auto idle = [](double ours, double fcfs) { return ours < fcfs - 0.03; };
  const auto short_number = [](double value) { return fixed(value, 1); };
  const auto share = [](double value) { return fixed(value, 3); };
  const auto as_hours = [](double value) { return hours(value, 1); };
  for (const Rule& rule : page.plan.rules()) {
    if (rule.exact) continue;
    const std::vector<std::string> cells = {
        rule_text(rule),
        worse_on(page, results, rule, more, short_number,
                 [](const Metrics& metrics) { return metrics.avg_bsld; }),
        worse_on(page, results, rule, more, as_hours,
                 [](const Metrics& metrics) { return metrics.avg_wait; }),
        worse_on(page, results, rule, twice, as_hours,
                 [](const Metrics& metrics) { return static_cast<double>(metrics.max_wait); }),
        worse_on(page, results, rule, idle, share,
                 [](const Metrics& metrics) { return metrics.utilization; })};
    if (cells[1].empty() && cells[2].empty() && cells[3].empty() && cells[4].empty()) continue;
    out += row(cells);
  }
  return out + "\n";
}

namespace {

std::string easy_row(const StudyPage& page, const StudyResults& results, const StudiedLog& log,
                     const Rule& rule, const std::string& name) {
  const std::vector<Metrics> metrics = results.of(log, rule);
  if (metrics.empty()) return "";
  const std::vector<double> slowdowns = figures(metrics, &Metrics::avg_bsld);
  const std::vector<double> reference =
      figures(results.of(log, {kReference, "easy"}), &Metrics::avg_bsld);
  const std::vector<double> longest = figures(metrics, &Metrics::max_wait);
  return row(
      {name, interval_text(bootstrap_mean(slowdowns, page.bootstrap), 1),
       reference.size() == slowdowns.size()
           ? interval_text(bootstrap_geometric_ratio({{slowdowns, reference}}, page.bootstrap), 2)
           : "",
       fixed(mean_of(figures(metrics, &Metrics::p95_bsld)), 1),
       hours(mean_of(figures(metrics, &Metrics::avg_wait)), 2),
       hours(mean_of(figures(metrics, &Metrics::p99_wait)), 1), hours(mean_of(longest), 1),
       hours(*std::max_element(longest.begin(), longest.end()), 1),
       fixed(mean_of(figures(metrics, &Metrics::utilization)), 3)});
}

std::string easy_table(const StudyPage& page, const StudyResults& results, const StudiedLog& log) {
  std::string out = head({"with EASY", "slowdown", "/ SAF", "p95 slowdown", "mean wait, h",
                          "p99 wait, h", "longest wait, h", "of all windows, h", "utilization"});
  for (const std::string& policy : page.plan.policies) {
    out += easy_row(page, results, log, {policy, "easy"}, policy);
  }
  if (page.plan.guarded) {
    for (const std::string& policy : page.plan.policies) {
      out += easy_row(page, results, log, {policy, "easy", true}, policy + ", guarded");
    }
  }
  if (page.plan.exact) {
    for (const std::string& policy : page.plan.policies) {
      out +=
          easy_row(page, results, log, {policy, "easy", false, true}, policy + ", exact run times");
    }
  }
  return out + "\n";
}

// Slowdown and longest wait of every pair.
std::string backfill_table(const StudyPage& page, const StudyResults& results,
                           const StudiedLog& log) {
  if (page.plan.backfills.size() < 2) return "";
  std::vector<std::string> titles = {"slowdown (longest wait, h)"};
  titles.insert(titles.end(), page.plan.backfills.begin(), page.plan.backfills.end());
  std::string out = head(titles);
  for (const std::string& policy : page.plan.policies) {
    std::vector<std::string> cells = {policy};
    for (const std::string& backfill : page.plan.backfills) {
      const std::vector<Metrics> metrics = results.of(log, {policy, backfill});
      cells.push_back(metrics.empty()
                          ? ""
                          : mean_cell(metrics) + " (" +
                                hours(mean_of(figures(metrics, &Metrics::max_wait)), 1) + ")");
    }
    out += row(cells);
  }
  return out + "\n";
}

}  // namespace

std::string log_tables(const StudyPage& page, const StudyResults& results, const StudiedLog& log) {
  std::string out = std::to_string(log.jobs) + " jobs, " + std::to_string(log.procs) +
                    " processors; " + std::to_string(log.windows.size()) +
                    (log.windows.size() == 1 ? " window" : " windows");
  if (!log.windows.empty()) out += " of " + std::to_string(log.windows.front().count) + " jobs";
  const BestRules best = best_rules(page.plan, results, log);
  out += ".";
  if (!best.policy.empty()) {
    out += " The best fixed rule with EASY is " + best.policy + " (" + fixed(best.slowdown, 1) +
           "); the best one of each window, in hindsight, would give " +
           interval_text(bootstrap_mean(best.oracle, page.bootstrap), 1) + ".";
  }
  out += "\n\n";
  out += easy_table(page, results, log);
  return out + backfill_table(page, results, log);
}

}  // namespace hyades
