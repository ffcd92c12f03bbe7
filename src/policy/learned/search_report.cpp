#include "policy/learned/search_report.hpp"

#include <algorithm>
#include <cstdio>

#include "hsim/line_chart.hpp"

namespace hyades::learned {
namespace {

std::string ratio_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

std::string interval_text(const Interval& value) {
  return ratio_text(value.value) + " [" + ratio_text(value.low) + ", " + ratio_text(value.high) +
         "]";
}

std::vector<double> best_so_far(const std::vector<TriedGenome>& tried) {
  std::vector<double> best;
  for (const TriedGenome& each : tried) {
    best.push_back(best.empty() ? each.score : std::min(best.back(), each.score));
  }
  return best;
}

LineSeries series_of(const std::string& name, const std::vector<TriedGenome>& tried) {
  LineSeries series{name, {}};
  double number = 0;
  for (const double best : best_so_far(tried)) series.points.push_back({++number, best});
  return series;
}

// "after 12 trainings"
std::string when_found(const std::vector<TriedGenome>& tried) {
  const std::vector<double> best = best_so_far(tried);
  const auto found = std::find(best.begin(), best.end(), best.back());
  return "after " + std::to_string(found - best.begin() + 1) + " trainings";
}

std::string curve_table(const SearchPage& page) {
  const std::vector<double> genetic = best_so_far(page.genetic), random = best_so_far(page.random);
  std::string text = "| trainings | genetic | random |\n|--:|--:|--:|\n";
  const std::size_t step = std::max<std::size_t>(1, genetic.size() / 12);
  for (std::size_t i = 0; i < genetic.size(); ++i) {
    if ((i + 1) % step != 0 && i + 1 != genetic.size()) continue;
    text += "| " + std::to_string(i + 1) + " | " + ratio_text(genetic[i]) + " | " +
            ratio_text(random[i]) + " |\n";
  }
  return text;
}

std::string model_table(const SearchPage& page) {
  std::string text =
      "| | on windows to try on | on windows that no search looked at | options |\n"
      "|---|--:|--:|---|\n";
  for (const SearchedModel& model : page.models) {
    text += "| " + model.name + " | " + ratio_text(model.score) + " | " +
            interval_text(model.chosen) + " | `" + options_text(model.genome) + "` |\n";
  }
  return text;
}

}  // namespace

std::string search_verdict(const SearchPage& page) {
  const double genetic = best_of(page.genetic).score, random = best_of(page.random).score;
  const std::string figures = ratio_text(genetic) + " (" + when_found(page.genetic) + ") and " +
                              ratio_text(random) + " (" + when_found(page.random) + ")";
  const std::string budget = std::to_string(page.settings.budget) + " trainings each";
  if (genetic == random) {
    return "Genetic and random search found parameters as good in " + budget + ": " + figures + ".";
  }
  return (genetic < random ? "Genetic search found better parameters than random search in "
                           : "Random search found better parameters than genetic search in ") +
         budget + ": genetic and random " + figures + ".";
}

std::string search_markdown(const SearchPage& page) {
  const int population = std::min(page.settings.population, page.settings.budget);
  return "# A search of hyper-parameters\n\n**" + search_verdict(page) +
         "** It is one search of each, with one seed: luck may have decided it.\n\n" +
         "Learned from: " + page.logs + ". Each training: " + page.how +
         ". The score of a training is the least ratio of its trials: the slowdown over that of "
         "the model's fallback, on windows that it does not learn from. The first " +
         std::to_string(population) +
         " trainings are the same for both; neither tries a set of "
         "parameters twice. Seed " +
         std::to_string(page.settings.seed) + ".\n\n" + "![the best so far](" + page.picture +
         ")\n\n## The best so far\n\n" + curve_table(page) +
         "\n## What it is worth\n\nA score is the best of many tries on few windows, so it looks "
         "better than it is. The third column is of other windows: the ratio there and its 95 % "
         "bootstrap interval, under the margin that was best on the windows to try on.\n\n" +
         model_table(page) + "\n" + page.host + "\n";
}

std::string search_svg(const SearchPage& page) {
  LinePanel panel{.title = "the best ratio so far: slowdown over that of the fallback",
                  .mark_label = "fallback"};
  panel.series = {series_of("genetic", page.genetic), series_of("random", page.random)};
  panel.mark = 1;
  return line_chart_svg({"Genetic and random search", page.logs, "trainings", {panel}});
}

}  // namespace hyades::learned
