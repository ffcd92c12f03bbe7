// A chart of one series as an SVG element: a line of means, a band up to the highest sample, axes
// with round numbers. Colours are classes (grid, band, line, limit, text), left to the page's style
// sheet. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "cli/job_series.hpp"

namespace hyades {

struct Chart {
  Series series;
  std::string label;        // for those who cannot see it
  WallMs begin_ms = 0;      // where the time axis begins: 0:00
  WallMs end_ms = 0;        // and ends
  double limit = 0;         // a dashed line, where it is near enough to be shown; 0: none
  std::string limit_label;  // "asked for: 4"
  double least_top = 0;     // the vertical axis goes up to this at least
};

// What the vertical axis is in: a unit that suits the highest value ("MiB/s" for large "bytes/s"),
// and what to divide by.
struct AxisUnit {
  std::string name;
  double divisor = 1;
};

AxisUnit axis_unit(const std::string& unit, double highest);

// Round numbers from 0 up to `highest` or just beyond, `about` of them at most.
std::vector<double> axis_ticks(double highest, int about);
// The same from `lowest` on, where that is less than 0.
std::vector<double> axis_ticks(double lowest, double highest, int about);

// Round times from 0 to `span_s`, in seconds, not more than `about`.
std::vector<double> time_ticks(double span_s, int about);

// The highest known value of the series, `least_top`, and the limit, if that is shown.
double chart_top(const Chart& chart);

// The lowest one where that is less than 0, else 0.
double chart_bottom(const Chart& chart);

// False when the limit is so far above all values that it would press them to the ground.
bool limit_is_shown(const Chart& chart);

std::string svg_chart(const Chart& chart);

}  // namespace hyades
