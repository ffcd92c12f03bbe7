#include "core/reported_figure.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace hyades {

bool is_reported_name(std::string_view text) {
  constexpr const char* allowed = "abcdefghijklmnopqrstuvwxyz0123456789_.-";
  return !text.empty() && text.size() <= reported_name_bytes_max && text[0] >= 'a' &&
         text[0] <= 'z' && text.find_first_not_of(allowed) == text.npos;
}

bool parse_reported_value(std::string_view text, double& value) {
  double read = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, read);
  if (error != std::errc() || at != end || !std::isfinite(read)) return false;
  value = read;
  return true;
}

std::string reported_value_text(double value) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  return error == std::errc() ? std::string(text, end) : "0";
}

void add_reported(std::vector<ReportedFigure>& all, const std::vector<ReportedFigure>& part) {
  for (const ReportedFigure& figure : part) {
    const bool known = std::any_of(all.begin(), all.end(),
                                   [&](const auto& other) { return other.name == figure.name; });
    if (!known && all.size() < reported_figures_max) all.push_back(figure);
  }
}

}  // namespace hyades
