// What a reader of logs left out or mended on the way, counted: nothing of it is silent.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace hyades {

enum class CleanUp {
  // Left out, one job each:
  BrokenLine,      // is not a job at all
  NoRunTime,       // run time <= 0
  NoProcessors,    // processors <= 0
  TooLarge,        // more processors than the machine has, or any job may have
  NegativeSubmit,  // before the log's beginning
  NotRun,          // a site's history only: has not started, or not ended
  NotAJob,         // a site's history only: a step of a job
  // Mended, or kept with a remark:
  AllocatedProcessors,  // processors asked for are not known: those it got
  NoRequest,            // time asked for is not known: the run time
  LongRequest,          // asked for more time than any job may: for as much as that
  RunCut,               // ran longer than it asked for: as if it was stopped at its limit
  Rounded,              // fractions of a second or a processor
  OtherNegative,        // a negative number other than -1: unknown
  Disordered,           // submitted before the line above: sorted
  DuplicateId,          // kept
  BrokenHeader,         // a header line that cannot be used
  kinds,
};

inline constexpr int clean_up_kinds = static_cast<int>(CleanUp::kinds);

class CleanUps {
 public:
  struct Line {
    std::string word;      // for programs: "no_run_time"
    std::string sentence;  // for people: "left out: the run time is 0 or less"
    std::int64_t count = 0;
  };

  // Broken lines that are remembered one by one; the others are only counted.
  static constexpr std::size_t examples_max = 8;

  void add(CleanUp kind, std::int64_t times = 1) { counts_[static_cast<int>(kind)] += times; }

  // Counts a broken line. `example`: "file:line: what is wrong"; only the first ones are kept.
  void add_broken(CleanUp kind, std::string example);

  // Whether add_broken() would still keep an example: making one costs more than counting.
  bool wants_example() const { return examples_.size() < examples_max; }

  std::int64_t count(CleanUp kind) const { return counts_[static_cast<int>(kind)]; }

  // Jobs (or lines that should have been some) that are not in the workload.
  std::int64_t left_out() const;

  // What occurred, in the order of the kinds; empty when the log was clean.
  std::vector<Line> lines() const;

  // The same for people, one sentence each with its count, and the examples behind them.
  std::vector<std::string> sentences() const;

  const std::vector<std::string>& examples() const { return examples_; }

 private:
  std::array<std::int64_t, clean_up_kinds> counts_{};
  std::vector<std::string> examples_;
};

}  // namespace hyades
