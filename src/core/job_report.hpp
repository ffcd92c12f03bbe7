// What a job has said of itself so far, from messages that anybody may have made: the job's own
// programs write them, and whoever reads them may be root. Nothing of a message is kept but names
// and numbers, and of those a bounded number.
//
// A message is words NAME=VALUE between blanks, tabs and line ends: "progress=0.25 loss=1.3e-2".
// Each word is taken or refused by itself.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/reported_figure.hpp"

namespace hyades {

constexpr std::size_t report_bytes_max = 1024;  // of a message

// False unless it is NAME=VALUE; `name` is a part of `word`.
bool parse_report_word(std::string_view word, std::string_view& name, double& value);

class JobReport {
 public:
  JobReport();

  // The latest value of a name counts. Too long a message is refused as one word.
  void take(std::string_view message);
  // One that could not even be read.
  void refuse() { ++refused_; }

  // In the order in which the names were first said.
  const std::vector<ReportedFigure>& figures() const { return figures_; }
  // Words that were no report, or one too many.
  std::int64_t refused() const { return refused_; }

 private:
  void take_word(std::string_view word);

  std::vector<ReportedFigure> figures_;
  std::int64_t refused_ = 0;
};

}  // namespace hyades
