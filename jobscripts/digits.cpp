#include "digits.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "random.hpp"

namespace hyades::jobscripts {
namespace {

struct Point {
  double x, y;
};
using Stroke = std::vector<Point>;

/// One polyline a digit, in the unit square, y downwards.
const std::array<Stroke, kDigitClasses>& strokes() {
  static const std::array<Stroke, kDigitClasses> all = {{
      {{.50, .10},
       {.66, .18},
       {.73, .36},
       {.73, .64},
       {.66, .82},
       {.50, .90},
       {.34, .82},
       {.27, .64},
       {.27, .36},
       {.34, .18},
       {.50, .10}},
      {{.35, .30}, {.55, .10}, {.55, .90}},
      {{.27, .30}, {.35, .15}, {.55, .10}, {.72, .22}, {.70, .40}, {.27, .90}, {.75, .90}},
      {{.28, .15},
       {.50, .10},
       {.70, .20},
       {.68, .38},
       {.48, .48},
       {.70, .58},
       {.73, .77},
       {.52, .90},
       {.27, .83}},
      {{.62, .90}, {.62, .10}, {.25, .65}, {.80, .65}},
      {{.72, .10},
       {.33, .10},
       {.30, .45},
       {.55, .42},
       {.73, .58},
       {.70, .80},
       {.50, .90},
       {.27, .82}},
      {{.68, .12},
       {.45, .20},
       {.30, .45},
       {.28, .70},
       {.42, .88},
       {.62, .86},
       {.73, .68},
       {.60, .52},
       {.42, .52},
       {.29, .68}},
      {{.25, .12}, {.75, .12}, {.45, .90}},
      {{.50, .48},
       {.32, .36},
       {.34, .17},
       {.50, .10},
       {.66, .17},
       {.68, .36},
       {.50, .48},
       {.28, .64},
       {.32, .83},
       {.50, .90},
       {.68, .83},
       {.72, .64},
       {.50, .48}},
      {{.71, .32},
       {.60, .48},
       {.42, .48},
       {.28, .34},
       {.34, .16},
       {.52, .10},
       {.68, .18},
       {.71, .35},
       {.66, .65},
       {.50, .90}},
  }};
  return all;
}

/// Moves the corners a little, then the whole stroke: scale, shear, rotation and shift.
Stroke distort(Stroke stroke, Random& random) {
  // The rotation is given by the tangent of its half angle: sine and cosine are then exactly
  // rounded quotients, where those of the C library differ between machines.
  const double t = random.between(-0.14, 0.14);
  const double cosine = (1 - t * t) / (1 + t * t);
  const double sine = 2 * t / (1 + t * t);
  const double shear = random.between(-0.25, 0.25);
  const double width = random.between(0.70, 1.05);
  const double height = random.between(0.70, 1.00);
  const double shift_x = random.between(-0.10, 0.10);
  const double shift_y = random.between(-0.10, 0.10);
  for (Point& point : stroke) {
    const double y = (point.y - 0.5 + random.between(-0.04, 0.04)) * height;
    const double x = (point.x - 0.5 + random.between(-0.04, 0.04)) * width + shear * y;
    point = {0.5 + cosine * x - sine * y + shift_x, 0.5 + sine * x + cosine * y + shift_y};
  }
  return stroke;
}

double squared_distance(Point p, Point a, Point b) {
  const Point along{b.x - a.x, b.y - a.y};
  const double length2 = std::max(along.x * along.x + along.y * along.y, 1e-12);
  const double t = std::clamp(((p.x - a.x) * along.x + (p.y - a.y) * along.y) / length2, 0.0, 1.0);
  const double dx = p.x - (a.x + t * along.x);
  const double dy = p.y - (a.y + t * along.y);
  return dx * dx + dy * dy;
}

using Canvas = std::array<double, kDigitPixels>;

void draw(const Stroke& stroke, double radius, double ink, Canvas& canvas) {
  constexpr double kEdge = 0.5 / kDigitSide;  // half a pixel of soft edge
  for (std::size_t i = 0; i < kDigitPixels; ++i) {
    const std::size_t row = i / kDigitSide;
    const Point centre{(static_cast<double>(i % kDigitSide) + 0.5) / kDigitSide,
                       (static_cast<double>(row) + 0.5) / kDigitSide};
    double nearest = 4;
    for (std::size_t k = 1; k < stroke.size(); ++k) {
      nearest = std::min(nearest, squared_distance(centre, stroke[k - 1], stroke[k]));
    }
    const double inside = (radius + kEdge - std::sqrt(nearest)) / (2 * kEdge);
    canvas[i] = ink * std::clamp(inside, 0.0, 1.0);
  }
}

/// Hides a rectangle of the image under one shade of grey.
void occlude(Random& random, Canvas& canvas) {
  const std::size_t width = 3 + random.below(6);
  const std::size_t height = 3 + random.below(6);
  const std::size_t left = random.below(kDigitSide - width);
  const std::size_t top = random.below(kDigitSide - height);
  const double shade = random.between(0.0, 0.8);
  for (std::size_t y = top; y < top + height; ++y) {
    std::fill_n(canvas.begin() + static_cast<std::ptrdiff_t>(y * kDigitSide + left), width, shade);
  }
}

void generate_image(Random random, DigitSet& set) {
  const std::size_t digit = random.below(kDigitClasses);
  Canvas canvas;
  const Stroke stroke = distort(strokes()[digit], random);
  const double radius = random.between(0.025, 0.075);
  draw(stroke, radius, random.between(0.45, 0.95), canvas);
  if (random.below(3) == 0) occlude(random, canvas);
  const double noise = random.between(0.05, 0.30);
  for (const double value : canvas) {
    // The sum of two uniform numbers stands for the bell curve, which would need a logarithm.
    const double noisy = value + noise * (random.between(-1, 1) + random.between(-1, 1));
    set.pixels.push_back(
        static_cast<std::uint8_t>(std::lround(std::clamp(noisy, 0.0, 1.0) * 255.0)));
  }
  set.labels.push_back(static_cast<std::uint8_t>(digit));
}

}  // namespace

DigitSet generate_digits(std::size_t count, std::uint64_t seed, Split split) {
  DigitSet set;
  set.labels.reserve(count);
  set.pixels.reserve(count * kDigitPixels);
  const std::uint64_t stream = Random::mix(2 * seed + static_cast<std::uint64_t>(split));
  for (std::size_t i = 0; i < count; ++i) generate_image(Random(Random::mix(stream + i)), set);
  return set;
}

}  // namespace hyades::jobscripts
