#include "cli/plot.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "cli/printable.hpp"

namespace hyades {

std::string bar(double share, int columns, const Terminal& terminal) {
  if (columns < 4) return "";
  const int inside = columns - 2;
  const double bounded = std::isnan(share) ? 0 : std::clamp(share, 0.0, 1.0);
  int filled = static_cast<int>(std::lround(bounded * inside));
  if (bounded > 0 && filled == 0) filled = 1;  // little is not nothing
  std::string out = "[";
  for (int i = 0; i < inside; ++i) {
    if (terminal.utf8) {
      out += i < filled ? "\u2588" : "\u00b7";
    } else {
      out += i < filled ? '#' : '.';
    }
  }
  return out + "]";
}

std::string sparkline(const std::vector<double>& values, int columns, double highest,
                      const Terminal& terminal) {
  static constexpr const char* blocks[] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                           "\u2585", "\u2586", "\u2587", "\u2588"};
  static constexpr const char* letters[] = {"_", ".", "-", "=", "+", "*", "%", "#"};
  if (columns <= 0) return "";
  const std::size_t shown = std::min(values.size(), static_cast<std::size_t>(columns));
  const std::vector<double> last(values.end() - static_cast<std::ptrdiff_t>(shown), values.end());
  double top = highest;
  double bottom = 0;
  for (const double value : last) {
    if (std::isfinite(value)) bottom = std::min(bottom, value);
    if (highest <= 0 && std::isfinite(value)) top = std::max(top, value);
  }
  std::string out;
  for (const double value : last) {
    if (!std::isfinite(value)) {
      out += ' ';
      continue;
    }
    const double share = top > bottom ? std::clamp((value - bottom) / (top - bottom), 0.0, 1.0) : 0;
    const int level = std::min(7, static_cast<int>(share * 8));
    out += terminal.utf8 ? blocks[level] : letters[level];
  }
  return out;
}

std::string wrap_text(const std::string& text, int columns, int indent) {
  if (columns <= 0) return text;
  std::istringstream words(text);
  std::string out;
  int at = 0;
  for (std::string word; words >> word;) {
    const int width = display_width(word);
    if (at > 0 && at + 1 + width > columns) {
      out += "\n" + std::string(static_cast<std::size_t>(indent), ' ');
      at = indent;
    } else if (at > 0) {
      out += ' ';
      ++at;
    }
    out += word;
    at += width;
  }
  return out;
}

}  // namespace hyades
