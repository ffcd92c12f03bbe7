#include "hsim/prediction_report.hpp"

#include <algorithm>

#include "hsim/study_cells.hpp"

namespace hyades {
namespace {

Rule rule(const char* policy, const char* run_times, int reserve, bool guard = false,
          bool exact = false) {
  return {policy, "easy", guard, exact, run_times, reserve};
}

const Rule kReference = rule("saf", "request", 0);
const Rule kFcfs = rule("fcfs", "request", 0);

// "SAF, gbdt, reserve 5 %"
std::string name_of(const Rule& rule) {
  std::string name = rule.policy + ", " + (rule.exact ? "exact" : rule.run_times);
  if (rule.reserve > 0) name += ", reserve " + std::to_string(rule.reserve) + " %";
  return name;
}

std::string effect_table(const StudyPage& page, const StudyResults& results, bool guarded) {
  Rule reference = kReference;
  reference.guard = guarded;
  std::string out = head({"order, run times", "slowdown", "mean wait", "longest wait",
                          "longest wait / FCFS", "utilization"});
  for (const Rule& each : page.plan.others) {
    if (each.guard != guarded) continue;
    const auto slowdowns = pairs(page.plan, results, each, reference, &Metrics::avg_bsld);
    if (slowdowns.empty()) continue;
    const auto ratio = [&](const Rule& beside, auto member) {
      return interval_text(
          ratio_of_means(pairs(page.plan, results, each, beside, member), page.bootstrap), 2);
    };
    out += row(
        {name_of(each), interval_text(bootstrap_geometric_ratio(slowdowns, page.bootstrap), 2),
         ratio(reference, &Metrics::avg_wait), ratio(reference, &Metrics::max_wait),
         ratio(kFcfs, &Metrics::max_wait), fixed(mean_utilization(page.plan, results, each), 3)});
  }
  return out + "\n";
}

std::string log_table(const StudyPage& page, const StudyResults& results) {
  std::vector<std::string> titles = {"order, run times"};
  for (const StudiedLog& log : page.plan.logs) titles.push_back(short_name(log));
  std::string out = head(titles);
  for (const Rule& each : page.plan.others) {
    std::vector<std::string> cells = {name_of(each) + (each.guard ? ", guarded" : "")};
    for (const StudiedLog& log : page.plan.logs) {
      const std::vector<Metrics> metrics = results.of(log, each);
      cells.push_back(metrics.empty() ? ""
                                      : fixed(mean_of(figures(metrics, &Metrics::avg_bsld)), 1));
    }
    out += row(cells);
  }
  return out + "\n";
}

std::string error_table(const StudyPage& page,
                        const std::map<std::string, std::vector<ForecastSample>>& samples) {
  std::string out = head({"log", "jobs", "by", "100 - WAPE", "factor", "too short"});
  for (const StudiedLog& log : page.plan.logs) {
    const auto found = samples.find(log.name);
    if (found == samples.end()) continue;
    const auto line = [&](const char* name, double ForecastSample::*expected) {
      const ForecastErrors errors = errors_of(found->second, expected);
      out += row({short_name(log), std::to_string(found->second.size()), name,
                  fixed(100 * (1 - errors.wape), 1), fixed(errors.factor, 2),
                  fixed(100 * errors.too_short, 1) + " %"});
    };
    line("request", &ForecastSample::request_s);
    line("last2", &ForecastSample::last_two_s);
    line("gbdt", &ForecastSample::learned_s);
    line("gbdt, its median", &ForecastSample::q50_s);
    line("gbdt, its 90 % quantile", &ForecastSample::q90_s);
  }
  return out + "\n";
}

}  // namespace

std::vector<Rule> prediction_rules() {
  std::vector<Rule> rules = {kFcfs,
                             rule("mf", "request", 0),
                             kReference,
                             rule("saf", "last2", 0),
                             rule("saf", "gbdt", 0),
                             rule("saf", "request", 0, false, true),
                             rule("f2", "request", 0),
                             rule("saf", "request", 5),
                             rule("index", "request", 0),
                             rule("index", "request", 5),
                             rule("index", "last2", 5),
                             rule("index", "gbdt", 0),
                             rule("index", "gbdt", 2),
                             rule("index", "gbdt", 5),
                             rule("index", "gbdt", 10),
                             rule("index", "request", 5, false, true)};
  for (const Rule& each :
       {rule("mf", "request", 0), kReference, rule("saf", "gbdt", 0), rule("f2", "request", 0),
        rule("index", "request", 5), rule("index", "gbdt", 0), rule("index", "gbdt", 5)}) {
    rules.push_back(each);
    rules.back().guard = true;
  }
  return rules;
}

std::string prediction_markdown(const StudyPage& page, const StudyResults& results,
                                const std::map<std::string, std::vector<ForecastSample>>& samples) {
  std::string out = "# Predicted run times, and a reserve for jobs to come\n\n";
  out +=
      "Written by `hsim study predict`; do not edit. Every figure comes from the scheduler that "
      "the "
      "master runs, in virtual time, with EASY backfilling by requests. Predictions begin with the "
      "jobs that the log has before a window and that had ended by then.\n\n";
  out += facts_table(page.facts);
  out +=
      "## What it does to those who wait\n\nBeside SAF by requests, without the guard: the "
      "geometric "
      "mean over windows of the slowdown's ratio, every log counting the same; the ratios of mean "
      "and longest waits, from means over each log's windows. Less than 1 is better. In brackets: "
      "the 95 % bootstrap interval, paired by window. *exact* is what nobody has.\n\n";
  out += effect_table(page, results, false);
  out +=
      "Behind the guard, beside SAF by requests behind the guard; the last but one column beside "
      "FCFS, which has none.\n\n";
  out += effect_table(page, results, true);
  out += "## By log\n\nMean bounded slowdown.\n\n" + log_table(page, results);
  out +=
      "## How wrong predictions are\n\nOf each job when it was submitted. 100 - WAPE: 100 less the "
      "sum of what predictions were off in percent of the sum of run times. Factor: by how much "
      "they were off, either way, as a geometric mean, run times below 10 s counting as 10 s. Too "
      "short: jobs that ran longer than predicted.\n\n";
  out += error_table(page, samples);
  return out;
}

}  // namespace hyades
