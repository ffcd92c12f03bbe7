#include "hsim/line_chart.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "hsim/svg_page.hpp"

namespace hyades {
namespace {

constexpr double kWidth = 1160, kMargin = 20, kLeft = 76, kRight = 20;
constexpr double kPlot = 220, kHead = 58, kFoot = 30, kBottom = 30;

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void widen(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  // Some room around; what has no width gets one.
  Range with_room() const {
    if (!(low <= high)) return {0, 1};
    const double room = high > low ? (high - low) * 0.06 : std::max(std::abs(low) * 0.05, 0.01);
    return {low - room, high + room};
  }
  double share(double value) const { return std::clamp((value - low) / (high - low), 0.0, 1.0); }
};

// Where a point is in a panel.
struct Scale {
  Range x_range, y_range;
  double top = 0;

  double x(double value) const { return kLeft + x_range.share(value) * (kWidth - kLeft - kRight); }
  double y(double value) const { return top + kPlot * (1 - y_range.share(value)); }
};

Range x_range_of(const LineChart& chart) {
  Range range;
  for (const LinePanel& panel : chart.panels) {
    for (const LineSeries& series : panel.series) {
      for (const LinePoint& point : series.points) range.widen(point.x);
    }
  }
  return range.with_room();
}

Range y_range_of(const LinePanel& panel) {
  Range range;
  for (const LineSeries& series : panel.series) {
    for (const LinePoint& point : series.points) range.widen(point.y);
  }
  if (panel.mark) range.widen(*panel.mark);
  return range.with_room();
}

void draw_frame(SvgPage& page, const LinePanel& panel, const Scale& scale) {
  for (const double tick : round_ticks(scale.y_range.low, scale.y_range.high, 5)) {
    page.line("grid", kLeft, scale.y(tick), kWidth - kRight, scale.y(tick));
    page.text("soft", kLeft - 8, scale.y(tick) + 4, "end", number_text(tick));
  }
  const double bottom = scale.top + kPlot;
  page.line("axis", kLeft, bottom, kWidth - kRight, bottom);
  for (const double tick : round_ticks(scale.x_range.low, scale.x_range.high, 12)) {
    page.line("axis", scale.x(tick), bottom, scale.x(tick), bottom + 4);
    page.text("soft", scale.x(tick), bottom + 18, "middle", number_text(tick));
  }
  if (!panel.mark) return;
  page.line("limit", kLeft, scale.y(*panel.mark), kWidth - kRight, scale.y(*panel.mark));
  page.text("soft", kWidth - kRight - 4, scale.y(*panel.mark) - 5, "end", panel.mark_label);
}

void draw_series(SvgPage& page, const LineSeries& series, const Scale& scale, int colour) {
  const std::string number = std::to_string(colour);
  std::string way;
  for (const LinePoint& point : series.points) {
    if (!std::isfinite(point.y)) continue;
    way += (way.empty() ? "M" : "L") + svg_number(scale.x(point.x)) + " " +
           svg_number(scale.y(point.y));
  }
  if (way.empty()) return;
  page.path("s" + number, way);
  for (const LinePoint& point : series.points) {
    if (!std::isfinite(point.y)) continue;
    page.dot("c" + number, scale.x(point.x), scale.y(point.y), 2.6,
             series.name + ", " + number_text(point.x) + ": " + number_text(point.y));
  }
}

void draw_panel(SvgPage& page, const LinePanel& panel, const Scale& scale) {
  page.text("text strong", kMargin, scale.top - kHead + 20, "start", panel.title);
  const std::size_t drawn = std::min<std::size_t>(panel.series.size(), kSvgColours);
  std::vector<LegendEntry> legend;
  for (std::size_t i = 0; i < drawn; ++i) {
    legend.push_back({"c" + std::to_string(i), panel.series[i].name});
  }
  draw_legend(page, legend, kMargin, scale.top - kHead + 40, kWidth - 2 * kMargin);
  draw_frame(page, panel, scale);
  for (std::size_t i = 0; i < drawn; ++i) {
    draw_series(page, panel.series[i], scale, static_cast<int>(i));
  }
}

}  // namespace

std::vector<double> round_ticks(double low, double high, int about) {
  std::vector<double> ticks;
  const double width = high - low;
  if (!(width > 0) || !std::isfinite(width) || about < 1) return ticks;
  double step = std::pow(10, std::floor(std::log10(width / about)));
  for (const double factor : {2.0, 2.5, 2.0}) {  // 2, 5, 10
    if (width / step <= about) break;
    step *= factor;
  }
  const double first = std::ceil(low / step);
  for (double i = first; i * step <= high; ++i) ticks.push_back(i == 0 ? 0 : i * step);
  return ticks;
}

std::string line_chart_svg(const LineChart& chart) {
  constexpr double kTitle = 56;
  constexpr double kEach = kHead + kPlot + kFoot;
  const double height = kTitle + kEach * static_cast<double>(chart.panels.size()) + kBottom;
  SvgPage page(kWidth, height, chart.title);
  page.text("title", kMargin, 26, "start", chart.title);
  page.text("soft", kMargin, 46, "start", chart.subtitle);
  const Range x_range = x_range_of(chart);
  double top = kTitle + kHead;
  for (const LinePanel& panel : chart.panels) {
    draw_panel(page, panel, {x_range, y_range_of(panel), top});
    top += kEach;
  }
  page.text("soft", (kLeft + kWidth - kRight) / 2, height - 14, "middle", chart.axis);
  return page.finish();
}

}  // namespace hyades
