// A picture as an SVG file that needs nothing else: light or dark as the reader's browser is, the
// colours fit for those who tell few apart. No viewer is asked for more than fills, lines and text.
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hyades {

// Colours that can be told apart; "c0".."c7" of SvgPage, "c8" is grey: all others.
inline constexpr int kSvgColours = 8;

// All texts are escaped: names of logs and users may hold anything. Coordinates in pixels, from the
// top left corner. A class is one of: title, text, strong, soft, mark (text in a coloured box);
// axis, grid, limit (lines); c0..c8 (fills), s0..s8 (strokes of that colour); with them edge (a box
// that touches others) and cells (many boxes that do).
class SvgPage {
 public:
  // `label` is for those who cannot see it.
  SvgPage(double width, double height, const std::string& label);

  // `anchor` is start, middle or end.
  void text(const std::string& name, double x, double y, const char* anchor,
            const std::string& text);
  void line(const std::string& name, double x1, double y1, double x2, double y2);
  // `hint` is shown to who points at it.
  void box(const std::string& name, double x, double y, double width, double height,
           const std::string& hint = "");
  void dot(const std::string& name, double x, double y, double radius,
           const std::string& hint = "");
  // `way` as in the attribute d. `opacity` 0..1.
  void path(const std::string& name, const std::string& way, double opacity = 1);

  std::string finish() const;

 private:
  double width_, height_;
  std::string out_;
};

// A coordinate: at most one digit behind the point.
std::string svg_number(double value);

// How wide a text of the size of labels is, roughly: fonts differ.
double svg_text_width(const std::string& text);

struct LegendEntry {
  std::string name;  // of the colour's class
  std::string text;
};

// From (x, y) on, in lines of at most `width`; returns where the next line would be.
double draw_legend(SvgPage& page, const std::vector<LegendEntry>& entries, double x, double y,
                   double width);

// Seconds from 0 to `span_s` in the unit that suits them: minutes for an hour, days for months.
struct TimeAxis {
  std::string unit;           // "hours"
  double unit_s = 1;          // how many seconds that is
  std::vector<double> ticks;  // in seconds
};

TimeAxis time_axis(double span_s, int about);

// "12.5" for 45000 s on an axis of hours.
std::string tick_label(const TimeAxis& axis, double tick_s);

// "hours since 2002-07-28 14:00 UTC"; without the date where it is not known.
std::string axis_title(const TimeAxis& axis, std::int64_t unix_begin_s);

}  // namespace hyades
