#include "hsim/study_cells.hpp"

#include <cstdio>

namespace hyades {

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string interval_text(const Interval& interval, int digits) {
  return fixed(interval.value, digits) + " [" + fixed(interval.low, digits) + ", " +
         fixed(interval.high, digits) + "]";
}

std::string hours(double seconds, int digits) { return fixed(seconds / 3600, digits); }

std::string row(const std::vector<std::string>& cells) {
  std::string out = "|";
  for (const std::string& cell : cells) out += " " + cell + " |";
  return out + "\n";
}

std::string head(const std::vector<std::string>& titles) {
  std::string out = row(titles) + "|---|";
  for (std::size_t i = 1; i < titles.size(); ++i) out += "---:|";
  return out + "\n";
}

std::string facts_table(const std::vector<std::pair<std::string, std::string>>& facts) {
  std::string out = "| | |\n|---|---|\n";
  for (const auto& [name, value] : facts) out += row({name, value});
  return out + "\n";
}

double total(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

Interval ratio_of_means(std::vector<PairedWindows> pairs, const BootstrapOptions& options) {
  std::erase_if(pairs,
                [](const PairedWindows& log) { return total(log.b) <= 0 || total(log.a) <= 0; });
  return bootstrap_ratio_of_means(pairs, options);
}

double mean_utilization(const StudyPlan& plan, const StudyResults& results, const Rule& rule) {
  std::vector<double> logs;
  for (const StudiedLog& log : plan.logs) {
    const std::vector<Metrics> metrics = results.of(log, rule);
    if (!metrics.empty()) logs.push_back(mean_of(figures(metrics, &Metrics::utilization)));
  }
  return mean_of(logs);
}

}  // namespace hyades
