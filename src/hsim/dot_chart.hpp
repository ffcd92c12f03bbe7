// Figures with their intervals as dots on logarithmic axes, a row for each rule, a panel for each
// log: what a study draws. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hsim/bootstrap.hpp"

namespace hyades {

struct DotRow {
  std::string label;
  std::vector<std::optional<Interval>> values;  // one for each series; > 0
};

struct DotPanel {
  std::string title;
  std::vector<DotRow> rows;    // from the top
  std::optional<double> mark;  // a dashed line
  std::string mark_label;
};

struct DotChart {
  std::string title;
  std::string subtitle;
  std::string axis;                 // what the dots say
  std::vector<std::string> series;  // names; the colours are by their order
  std::vector<DotPanel> panels;     // two beside each other
};

std::string dot_chart_svg(const DotChart& chart);

// Round numbers from `low` to `high`: powers of ten, and some between where there is room.
std::vector<double> log_ticks(double low, double high);

}  // namespace hyades
