#include "hsim/svg_page.hpp"

#include <cmath>
#include <cstdio>

#include "cli/html_text.hpp"
#include "cli/svg_chart.hpp"
#include "cli/times.hpp"

namespace hyades {
namespace {

// Written out for light and dark: not every viewer knows variables.
constexpr const char* kStyle = R"(
text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #4c4b48; }
.ground { fill: #fcfcfb; } text.title { font-size: 16px; font-weight: 600; fill: #1b1b1a; }
text.soft { fill: #6b6a66; } text.strong { font-weight: 600; } text.mark { font-size: 10px; fill: #ffffff; }
.grid { stroke: #e4e3df; } .axis { stroke: #8d8c87; } .frame { fill: none; stroke: #c9c8c3; }
.limit { stroke: #6b6a66; stroke-dasharray: 5 4; }
.idle { fill: #f0efec; }
.c0 { fill: #2a78d6; } .c1 { fill: #d98a00; } .c2 { fill: #17997a; } .c3 { fill: #d6453f; }
.c4 { fill: #8a63d2; } .c5 { fill: #c2578f; } .c6 { fill: #6f8f1d; } .c7 { fill: #4aa3b8; }
.c8 { fill: #a09f99; }
.s0, .s1, .s2, .s3, .s4, .s5, .s6, .s7, .s8 { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.s0 { stroke: #2a78d6; } .s1 { stroke: #d98a00; } .s2 { stroke: #17997a; } .s3 { stroke: #d6453f; }
.s4 { stroke: #8a63d2; } .s5 { stroke: #c2578f; } .s6 { stroke: #6f8f1d; } .s7 { stroke: #4aa3b8; }
.s8 { stroke: #a09f99; }
.cells { shape-rendering: crispEdges; } rect.edge { stroke: #fcfcfb; stroke-width: .6; }
@media (prefers-color-scheme: dark) {
text { fill: #c9c8c4; } .ground { fill: #1a1a19; } text.title { fill: #edecea; }
text.soft { fill: #a3a29c; } .grid { stroke: #383835; } .axis { stroke: #76756f; }
.frame { stroke: #4a4945; } .limit { stroke: #a3a29c; } .idle { fill: #252523; }
rect.edge { stroke: #1a1a19; } }
)";

std::string quoted(double value) { return "\"" + svg_number(value) + "\""; }

std::string with_hint(const std::string& element, const char* tag, const std::string& hint) {
  if (hint.empty()) return element + "/>\n";
  return element + "><title>" + html_text(hint) + "</title></" + tag + ">\n";
}

}  // namespace

std::string svg_number(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.1f", std::isfinite(value) ? value : 0.0);
  std::string out = text;
  if (out.ends_with(".0")) out.resize(out.size() - 2);
  return out == "-0" ? "0" : out;
}

double svg_text_width(const std::string& text) { return 7.0 * static_cast<double>(text.size()); }

SvgPage::SvgPage(double width, double height, const std::string& label)
    : width_(width), height_(height) {
  out_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + svg_number(width_) + " " +
         svg_number(height_) + "\" width=" + quoted(width_) + " height=" + quoted(height_) +
         " role=\"img\" aria-label=\"" + html_text(label) + "\">\n<style>" + kStyle +
         "</style>\n<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n";
}

void SvgPage::text(const std::string& name, double x, double y, const char* anchor,
                   const std::string& text) {
  out_ += "<text class=\"" + name + "\" x=" + quoted(x) + " y=" + quoted(y) + " text-anchor=\"" +
          anchor + "\">" + html_text(text) + "</text>\n";
}

void SvgPage::line(const std::string& name, double x1, double y1, double x2, double y2) {
  out_ += "<line class=\"" + name + "\" x1=" + quoted(x1) + " y1=" + quoted(y1) +
          " x2=" + quoted(x2) + " y2=" + quoted(y2) + "/>\n";
}

void SvgPage::box(const std::string& name, double x, double y, double width, double height,
                  const std::string& hint) {
  out_ += with_hint("<rect class=\"" + name + "\" x=" + quoted(x) + " y=" + quoted(y) +
                        " width=" + quoted(width) + " height=" + quoted(height),
                    "rect", hint);
}

void SvgPage::dot(const std::string& name, double x, double y, double radius,
                  const std::string& hint) {
  out_ += with_hint("<circle class=\"" + name + "\" cx=" + quoted(x) + " cy=" + quoted(y) +
                        " r=" + quoted(radius),
                    "circle", hint);
}

void SvgPage::path(const std::string& name, const std::string& way, double opacity) {
  out_ += "<path class=\"" + name + "\" d=\"" + way + "\"";
  if (opacity < 1) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2g", opacity);
    out_ += std::string(" opacity=\"") + text + "\"";
  }
  out_ += "/>\n";
}

std::string SvgPage::finish() const { return out_ + "</svg>\n"; }

double draw_legend(SvgPage& page, const std::vector<LegendEntry>& entries, double x, double y,
                   double width) {
  double at = x;
  for (const LegendEntry& entry : entries) {
    const double wide = 18 + svg_text_width(entry.text) + 14;
    if (at > x && at + wide > x + width) {
      at = x;
      y += 18;
    }
    page.box(entry.name, at, y - 10, 12, 12);
    page.text("text", at + 18, y, "start", entry.text);
    at += wide;
  }
  return y + 18;
}

TimeAxis time_axis(double span_s, int about) {
  TimeAxis axis;
  axis.ticks = time_ticks(span_s, about);
  if (span_s <= 120) {
    axis.unit = "seconds";
  } else if (span_s <= 2 * 3600) {
    axis.unit = "minutes", axis.unit_s = 60;
  } else if (span_s <= 3 * 86400) {
    axis.unit = "hours", axis.unit_s = 3600;
  } else {
    axis.unit = "days", axis.unit_s = 86400;
  }
  return axis;
}

std::string tick_label(const TimeAxis& axis, double tick_s) {
  char text[64];
  std::snprintf(text, sizeof text, "%.6g", tick_s / axis.unit_s);
  return text;
}

std::string axis_title(const TimeAxis& axis, std::int64_t unix_begin_s) {
  if (unix_begin_s <= 0) return axis.unit + " since the first submission";
  std::string date = utc_time(unix_begin_s * 1000).substr(0, 16);  // to the minute
  if (date.size() > 10) date[10] = ' ';
  return axis.unit + " since " + date + " UTC";
}

}  // namespace hyades
