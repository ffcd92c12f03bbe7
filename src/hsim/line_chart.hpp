// Figures over something that grows (rounds, trainings) as lines with a dot for each figure; one
// panel below the other over the same axis. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace hyades {

struct LinePoint {
  double x = 0;
  double y = 0;  // what is not finite is left out
};

struct LineSeries {
  std::string name;
  std::vector<LinePoint> points;  // by x
};

struct LinePanel {
  std::string title;               // what the lines say
  std::vector<LineSeries> series;  // at most kSvgColours are drawn; the colours are by their order
  std::optional<double> mark;      // a dashed line
  std::string mark_label;
};

struct LineChart {
  std::string title;
  std::string subtitle;
  std::string axis;  // what grows
  std::vector<LinePanel> panels;
};

std::string line_chart_svg(const LineChart& chart);

// Round numbers within low..high, `about` of them: steps of 1, 2 or 5 times a power of ten. Of no
// width, or of what is not finite: none.
std::vector<double> round_ticks(double low, double high, int about);

}  // namespace hyades
