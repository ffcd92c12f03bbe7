// A number that a job says of itself, under a name of its choice.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hyades {

// A job has at most so many names.
constexpr std::size_t reported_figures_max = 16;
constexpr std::size_t reported_name_bytes_max = 32;

struct ReportedFigure {
  std::string name;  // "loss"
  double value = 0;  // finite

  friend bool operator==(const ReportedFigure&, const ReportedFigure&) = default;
};

// The name of the part of the work that is done, 0 to 1.
constexpr const char* progress_name = "progress";

// [a-z][a-z0-9_.-]{0,31}
bool is_reported_name(std::string_view text);

// False unless `text` is all of a finite number: "0.25", "-1e-3". No blanks, no "+".
bool parse_reported_value(std::string_view text, double& value);

// As short as it can be and still the same number when it is read again.
std::string reported_value_text(double value);

// Adds what the job has said on another node. Whoever speaks first is believed: numbers under a
// name of the job's own cannot be summed up by somebody who does not know what they mean.
void add_reported(std::vector<ReportedFigure>& all, const std::vector<ReportedFigure>& part);

}  // namespace hyades
