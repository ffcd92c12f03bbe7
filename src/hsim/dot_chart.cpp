#include "hsim/dot_chart.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/quantity.hpp"
#include "hsim/svg_page.hpp"

namespace hyades {
namespace {

constexpr double kWidth = 1160, kMargin = 20, kLabels = 76, kGap = 36;
constexpr double kStep = 6, kPanelHead = 42, kPanelFoot = 52;
constexpr double kPanel = (kWidth - 2 * kMargin - kGap) / 2;

std::string tick_text(double tick) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", tick);
  return text;
}

// Where a value is in a panel whose left upper corner is (left, top).
struct Scale {
  double left = 0, right = 1;
  double low = 1, high = 10;

  double x(double value) const {
    const double share = std::log(value / low) / std::log(high / low);
    return left + std::clamp(share, 0.0, 1.0) * (right - left);
  }
};

void widen(Scale& scale, double value, bool& any) {
  if (!(value > 0) || !std::isfinite(value)) return;
  scale.low = any ? std::min(scale.low, value) : value;
  scale.high = any ? std::max(scale.high, value) : value;
  any = true;
}

Scale scale_of(const DotPanel& panel, double left) {
  Scale scale{.left = left + kLabels, .right = left + kPanel - 8};
  bool any = false;
  for (const DotRow& row : panel.rows) {
    for (const auto& value : row.values) {
      if (!value) continue;
      widen(scale, value->low, any);
      widen(scale, value->high, any);
    }
  }
  if (panel.mark) widen(scale, *panel.mark, any);
  scale.low /= 1.08;
  scale.high *= 1.08;
  return scale;
}

void draw_row(SvgPage& page, const DotRow& row, const Scale& scale, double y) {
  page.text("text", scale.left - 10, y + 4, "end", row.label);
  double at = y - kStep * (static_cast<double>(row.values.size()) - 1) / 2;
  for (std::size_t i = 0; i < row.values.size(); ++i, at += kStep) {
    if (!row.values[i]) continue;
    const Interval& value = *row.values[i];
    const std::string number = std::to_string(i);
    page.line("s" + number, scale.x(value.low), at, scale.x(value.high), at);
    page.dot("c" + number, scale.x(value.value), at, 3.2,
             row.label + ": " + format_number(value.value) + " (" + format_number(value.low) +
                 " to " + format_number(value.high) + ")");
  }
}

// Rows stand apart from each other more than the series of one row do.
double row_height(const DotPanel& panel) {
  const std::size_t series = panel.rows.empty() ? 0 : panel.rows[0].values.size();
  return 14 + kStep * static_cast<double>(series);
}

double panel_height(const DotPanel& panel) {
  return kPanelHead + row_height(panel) * static_cast<double>(panel.rows.size()) + kPanelFoot;
}

void draw_panel(SvgPage& page, const DotPanel& panel, const std::string& axis, double left,
                double top) {
  const Scale scale = scale_of(panel, left);
  const double begin = top + kPanelHead - 8;
  const double end = begin + row_height(panel) * static_cast<double>(panel.rows.size()) + 6;
  page.text("text strong", left, top + 8, "start", panel.title);
  for (const double tick : log_ticks(scale.low, scale.high)) {
    page.line("grid", scale.x(tick), begin, scale.x(tick), end);
    page.text("soft", scale.x(tick), end + 16, "middle", tick_text(tick));
  }
  page.line("axis", scale.left, end, scale.right, end);
  page.text("soft", (scale.left + scale.right) / 2, end + 34, "middle", axis);
  if (panel.mark) {
    page.line("limit", scale.x(*panel.mark), begin, scale.x(*panel.mark), end);
    page.text("soft", scale.x(*panel.mark), begin - 4, "middle", panel.mark_label);
  }
  double y = begin + row_height(panel) / 2 + 3;
  for (const DotRow& row : panel.rows) {
    draw_row(page, row, scale, y);
    y += row_height(panel);
  }
}

}  // namespace

std::vector<double> log_ticks(double low, double high) {
  std::vector<double> ticks;
  if (!(low > 0) || !(high >= low)) return ticks;
  const std::vector<double> factors = high / low < 12    ? std::vector<double>{1, 1.5, 2, 3, 5, 7}
                                      : high / low < 300 ? std::vector<double>{1, 2, 5}
                                                         : std::vector<double>{1};
  for (double power = std::pow(10, std::floor(std::log10(low))); power <= high; power *= 10) {
    for (const double factor : factors) {
      const double tick = factor * power;
      if (tick >= low && tick <= high) ticks.push_back(tick);
    }
  }
  return ticks;
}

std::string dot_chart_svg(const DotChart& chart) {
  std::vector<LegendEntry> legend;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    legend.push_back({"c" + std::to_string(i), chart.series[i]});
  }
  SvgPage ruler(kWidth, 1, "");
  const double head = draw_legend(ruler, legend, kMargin, 74, kWidth - 2 * kMargin) + 14;
  double height = head;
  for (std::size_t i = 0; i < chart.panels.size(); i += 2) {
    double row = panel_height(chart.panels[i]);
    if (i + 1 < chart.panels.size()) row = std::max(row, panel_height(chart.panels[i + 1]));
    height += row;
  }
  SvgPage page(kWidth, height, chart.title);
  page.text("title", kMargin, 26, "start", chart.title);
  page.text("soft", kMargin, 46, "start", chart.subtitle);
  draw_legend(page, legend, kMargin, 74, kWidth - 2 * kMargin);
  double top = head;
  for (std::size_t i = 0; i < chart.panels.size(); i += 2) {
    double row = panel_height(chart.panels[i]);
    draw_panel(page, chart.panels[i], chart.axis, kMargin, top);
    if (i + 1 < chart.panels.size()) {
      row = std::max(row, panel_height(chart.panels[i + 1]));
      draw_panel(page, chart.panels[i + 1], chart.axis, kMargin + kPanel + kGap, top);
    }
    top += row;
  }
  return page.finish();
}

}  // namespace hyades
