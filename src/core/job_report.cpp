#include "core/job_report.hpp"

#include <algorithm>

namespace hyades {

bool parse_report_word(std::string_view word, std::string_view& name, double& value) {
  const std::size_t equals = word.find('=');
  if (equals == word.npos) return false;
  name = word.substr(0, equals);
  return is_reported_name(name) && parse_reported_value(word.substr(equals + 1), value);
}

JobReport::JobReport() { figures_.reserve(reported_figures_max); }

void JobReport::take(std::string_view message) {
  if (message.size() > report_bytes_max) return refuse();
  constexpr const char* between = " \t\r\n";
  while (true) {
    const std::size_t begin = message.find_first_not_of(between);
    if (begin == message.npos) return;
    message.remove_prefix(begin);
    const std::size_t size = std::min(message.find_first_of(between), message.size());
    take_word(message.substr(0, size));
    message.remove_prefix(size);
  }
}

void JobReport::take_word(std::string_view word) {
  std::string_view name;
  double value = 0;
  if (!parse_report_word(word, name, value)) return refuse();
  const auto known = std::find_if(figures_.begin(), figures_.end(),
                                  [&](const auto& figure) { return figure.name == name; });
  if (known != figures_.end()) {
    known->value = value;
  } else if (figures_.size() < reported_figures_max) {
    figures_.push_back({std::string(name), value});
  } else {
    refuse();
  }
}

}  // namespace hyades
