#include "hsim/study_report.hpp"

#include <algorithm>
#include <cstdio>

#include "hsim/study_cells.hpp"
#include "hsim/study_tables.hpp"

namespace hyades {
namespace {

std::string all_facts(const StudyPage& page) {
  auto facts = page.facts;
  facts.emplace_back("seed of the intervals", std::to_string(page.bootstrap.seed) + ", " +
                                                  std::to_string(page.bootstrap.resamples) +
                                                  " resamples");
  return facts_table(facts);
}

std::string chart_lines(const StudyPage& page, const StudyResults& results) {
  std::string out;
  for (const StudyChart& chart : study_charts(page, results)) {
    out += "![" + chart.about + "](" + page.charts + "-" + chart.name + ".svg)\n\n";
  }
  return out;
}

constexpr const char* kTerms =
    "Bounded slowdown is max(1, (wait + run) / max(run, 10 s)), its mean over the jobs of a "
    "window. "
    "A window is consecutive jobs of a log on an empty machine; windows begin in the middle of "
    "equal "
    "parts of the log, so that none was chosen. Values are means over a log's windows; what stands "
    "in brackets is the 95 % bootstrap interval over them, paired where two rules are compared. "
    "Utilization is over the makespan. *Exact run times* is what nobody has: it shows what better "
    "predictions could be worth, and is the same where a log has no estimates. *Oracle* takes for "
    "each window the rule that was the best one, in "
    "hindsight; it is no scheduler either. Where two intervals overlap widely, nothing is known "
    "about "
    "which rule is better.\n\n";

}  // namespace

std::string study_markdown(const StudyPage& page, const StudyResults& results) {
  std::string out = "# Scheduling rules, replayed\n\n";
  out +=
      "Written by `hsim study`; do not edit. Every figure comes from the scheduler that the master "
      "runs, in virtual time.\n\n";
  out += all_facts(page) + kTerms;
  out += "## The logs in one line each\n\n" + overview_table(page, results);
  out += chart_lines(page, results);
  out += "## All logs together\n\n" + pooled_table(page, results);
  if (page.plan.guarded)
    out += "## What the guard costs and gives\n\n" + guard_table(page, results);
  out += "## What is worse than first come, first served\n\n" + losses(page, results);
  for (const StudiedLog& log : page.plan.logs) {
    out += "## " + log.name + "\n\n" + log_tables(page, results, log);
  }
  return out;
}

}  // namespace hyades
