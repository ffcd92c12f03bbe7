#include "policy/learned/training_curves.hpp"

#include <cstdio>

#include "hsim/line_chart.hpp"

namespace hyades::learned {
namespace {

std::string margin_name(double margin) {
  char text[32];
  std::snprintf(text, sizeof text, "margin %g", margin);
  return text;
}

}  // namespace

std::string training_curves_svg(const std::vector<Trial>& trials, const std::string& subtitle) {
  LinePanel ratios{.title = "slowdown over that of the fallback, on windows to try on",
                   .mark = 1,
                   .mark_label = "fallback"};
  for (std::size_t i = 0; i < tried_margins.size(); ++i) {
    LineSeries series{margin_name(tried_margins[i]), {}};
    for (const Trial& trial : trials) {
      series.points.push_back({static_cast<double>(trial.round), trial.of_margins[i].value});
    }
    ratios.series.push_back(std::move(series));
  }
  LineSeries errors{"mean of a round's updates", {}};
  for (const Trial& trial : trials) {
    errors.points.push_back({static_cast<double>(trial.round), trial.error});
  }
  const LinePanel wrong{.title = "error of values (temporal difference)", .series = {errors}};
  return line_chart_svg({"Training of a global policy", subtitle, "rounds", {ratios, wrong}});
}

}  // namespace hyades::learned
