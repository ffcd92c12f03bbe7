// What the tables of studies are made of. Pure functions; any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "hsim/bootstrap.hpp"
#include "hsim/study.hpp"

namespace hyades {

std::string fixed(double value, int digits);
// "0.75 [0.69, 0.82]"
std::string interval_text(const Interval& interval, int digits);
std::string hours(double seconds, int digits);

// Lines of a Markdown table. The first column holds words, the others numbers.
std::string row(const std::vector<std::string>& cells);
std::string head(const std::vector<std::string>& titles);

// One figure of both rules on all logs, where both were tried.
template <typename Member>
std::vector<PairedWindows> pairs(const StudyPlan& plan, const StudyResults& results, const Rule& a,
                                 const Rule& b, Member Metrics::*member) {
  std::vector<PairedWindows> out;
  for (const StudiedLog& log : plan.logs) {
    PairedWindows windows{figures(results.of(log, a), member), figures(results.of(log, b), member)};
    if (windows.a.size() == windows.b.size() && !windows.a.empty()) out.push_back(windows);
  }
  return out;
}

// A table without a head, of names and what they are.
std::string facts_table(const std::vector<std::pair<std::string, std::string>>& facts);

double total(const std::vector<double>& values);

// A log on which nobody waits under the rule that is compared with has no ratio.
Interval ratio_of_means(std::vector<PairedWindows> pairs, const BootstrapOptions& options);

// Of the means of the logs.
double mean_utilization(const StudyPlan& plan, const StudyResults& results, const Rule& rule);

}  // namespace hyades
