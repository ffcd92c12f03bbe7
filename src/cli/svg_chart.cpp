#include "cli/svg_chart.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/html_text.hpp"
#include "core/units.hpp"

namespace hyades {
namespace {

constexpr double kWidth = 760, kHeight = 200;
constexpr double kLeft = 56, kRight = 12, kTop = 14, kBottom = 26;

std::string digits(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

// A tick's number, as short as it gets.
std::string tick_text(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

// Where things are on the chart.
class Frame {
 public:
  Frame(const Chart& chart, double bottom, double top)
      : begin_ms_(chart.begin_ms),
        span_ms_(std::max<double>(1, static_cast<double>(chart.end_ms - chart.begin_ms))),
        bottom_(bottom),
        top_(top) {}

  double x_s(double seconds) const { return place(seconds * 1000 / span_ms_); }
  double x(WallMs at_ms) const { return place(static_cast<double>(at_ms - begin_ms_) / span_ms_); }
  double y(double value) const {
    const double share = std::clamp((value - bottom_) / (top_ - bottom_), 0.0, 1.0);
    return kTop + (1 - share) * (kHeight - kTop - kBottom);
  }
  double span_s() const { return span_ms_ / 1000; }

 private:
  static double place(double share) {
    return kLeft + std::clamp(share, 0.0, 1.0) * (kWidth - kLeft - kRight);
  }

  WallMs begin_ms_;
  double span_ms_;
  double bottom_;
  double top_;
};

struct Run {  // of known values
  std::size_t begin = 0;
  std::size_t end = 0;
};

std::vector<Run> runs_of(const Series& series) {
  std::vector<Run> runs;
  for (std::size_t i = 0; i < series.mean.size(); ++i) {
    if (std::isnan(series.mean[i])) continue;
    if (runs.empty() || runs.back().end != i) runs.push_back({i, i});
    runs.back().end = i + 1;
  }
  return runs;
}

WallMs step_begin(const Series& series, std::size_t step) {
  return series.from_ms + series.step_ms * static_cast<std::int64_t>(step);
}

std::string corner(double x, double y) { return digits(x) + "," + digits(y) + " "; }

// A value holds for the whole of its step, so the line has steps as well.
std::string stairs(const Series& series, const std::vector<double>& values, const Run& run,
                   const Frame& frame, bool backwards) {
  std::string points;
  for (std::size_t n = run.begin; n < run.end; ++n) {
    const std::size_t i = backwards ? run.end - 1 - (n - run.begin) : n;
    const double y = frame.y(std::isnan(values[i]) ? series.mean[i] : values[i]);
    const double left = frame.x(step_begin(series, i)), right = frame.x(step_begin(series, i + 1));
    points += corner(backwards ? right : left, y) + corner(backwards ? left : right, y);
  }
  return points;
}

std::string curves(const Series& series, const Frame& frame) {
  std::string bands, lines;
  for (const Run& run : runs_of(series)) {
    const std::string means = stairs(series, series.mean, run, frame, false);
    bands += "<polygon class=\"band\" points=\"" + means +
             stairs(series, series.most, run, frame, true) + "\"/>";
    lines += "<polyline class=\"line\" points=\"" + means + "\"/>";
  }
  return bands + lines;
}

std::string text_at(double x, double y, const char* anchor, const std::string& text) {
  return "<text x=\"" + digits(x) + "\" y=\"" + digits(y) + "\" text-anchor=\"" + anchor + "\">" +
         html_text(text) + "</text>";
}

std::string line_at(const char* name, double x1, double y1, double x2, double y2) {
  return "<line class=\"" + std::string(name) + "\" x1=\"" + digits(x1) + "\" y1=\"" + digits(y1) +
         "\" x2=\"" + digits(x2) + "\" y2=\"" + digits(y2) + "\"/>";
}

std::string axes(const Frame& frame, const std::vector<double>& ticks, const AxisUnit& unit) {
  std::string out;
  for (const double tick : ticks) {
    const double y = frame.y(tick * unit.divisor);
    out += line_at(tick == 0 ? "axis" : "grid", kLeft, y, kWidth - kRight, y);
    out += text_at(kLeft - 8, y + 4, "end", tick_text(tick));
  }
  for (const double tick : time_ticks(frame.span_s(), 8)) {
    const double x = frame.x_s(tick);
    out += line_at("axis", x, kHeight - kBottom, x, kHeight - kBottom + 4);
    out += text_at(x, kHeight - 6, "middle", format_duration(static_cast<std::int64_t>(tick)));
  }
  return out;
}

}  // namespace

AxisUnit axis_unit(const std::string& unit, double highest) {
  const auto scaled = [&](const std::vector<std::string>& names, double step) {
    AxisUnit out{names[0], 1};
    for (std::size_t i = 1; i < names.size() && highest / out.divisor >= step; ++i) {
      out = {names[i], out.divisor * step};
    }
    return out;
  };
  if (unit == "bytes") return scaled({"B", "KiB", "MiB", "GiB", "TiB"}, 1024);
  if (unit == "bytes/s") return scaled({"B/s", "KiB/s", "MiB/s", "GiB/s", "TiB/s"}, 1024);
  if (unit == "MiB") return scaled({"MiB", "GiB", "TiB"}, 1024);
  if (unit == "W") return scaled({"W", "kW", "MW"}, 1000);
  return {unit, 1};
}

std::vector<double> axis_ticks(double highest, int about) {
  if (!(highest > 0) || !std::isfinite(highest)) return {0, 1};
  const double least = highest / std::max(1, about);
  const double power = std::pow(10, std::floor(std::log10(least)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * 0.999) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> ticks;
  const int count = static_cast<int>(std::ceil(highest / step - 1e-6));
  for (int i = 0; i <= count; ++i) ticks.push_back(i * step);
  return ticks;
}

std::vector<double> axis_ticks(double lowest, double highest, int about) {
  constexpr double most = 1e300;
  const double below = std::clamp(std::isnan(lowest) ? 0 : -lowest, 0.0, most);
  const double above = std::clamp(std::isnan(highest) ? 0 : highest, 0.0, most);
  if (below == 0) return axis_ticks(highest, about);
  const double step = axis_ticks(below + above, about)[1];
  std::vector<double> ticks;
  const int last = static_cast<int>(std::ceil(above / step - 1e-6));
  for (int i = -static_cast<int>(std::ceil(below / step - 1e-6)); i <= last; ++i) {
    ticks.push_back(i * step);
  }
  return ticks;
}

std::vector<double> time_ticks(double span_s, int about) {
  static constexpr double steps[] = {1,     2,     5,     10,    15,     30,    60,
                                     120,   300,   600,   900,   1800,   3600,  7200,
                                     10800, 21600, 43200, 86400, 172800, 604800};
  double step = steps[std::size(steps) - 1];
  for (const double candidate : steps) {
    if (span_s / candidate > about) continue;
    step = candidate;
    break;
  }
  while (span_s / step > about) step *= 2;
  std::vector<double> ticks;
  for (double tick = 0; tick <= span_s; tick += step) ticks.push_back(tick);
  return ticks;
}

bool limit_is_shown(const Chart& chart) {
  double highest = chart.least_top;
  for (const double value : chart.series.most)
    highest = std::max(highest, std::isnan(value) ? 0 : value);
  return chart.limit > 0 && chart.limit <= 4.5 * highest;
}

double chart_top(const Chart& chart) {
  double top = std::max(chart.least_top, limit_is_shown(chart) ? chart.limit : 0);
  for (const double value : chart.series.most) {
    if (value > top) top = value;  // false for NaN
  }
  for (const double value : chart.series.mean) {
    if (value > top) top = value;
  }
  return top;
}

double chart_bottom(const Chart& chart) {
  double bottom = 0;
  for (const double value : chart.series.mean) {
    if (value < bottom) bottom = value;  // false for NaN
  }
  return bottom;
}

std::string svg_chart(const Chart& chart) {
  const double highest = chart_top(chart);
  const AxisUnit unit = axis_unit(chart.series.unit, highest);
  const std::vector<double> ticks =
      axis_ticks(chart_bottom(chart) / unit.divisor, highest / unit.divisor, 4);
  const Frame frame(chart, ticks.front() * unit.divisor, ticks.back() * unit.divisor);
  std::string out = "<svg viewBox=\"0 0 " + digits(kWidth) + " " + digits(kHeight) +
                    "\" role=\"img\" aria-label=\"" + html_text(chart.label) + "\">" +
                    axes(frame, ticks, unit) + curves(thin_series(chart.series, 700), frame);
  if (limit_is_shown(chart)) {
    const double y = frame.y(chart.limit);
    out += line_at("limit", kLeft, y, kWidth - kRight, y);
    out += text_at(kWidth - kRight, y - 4, "end", chart.limit_label);
  }
  return out + "</svg>\n";
}

}  // namespace hyades
