#include "trace/clean_ups.hpp"

#include <utility>

namespace hyades {
namespace {

struct Words {
  const char* word;
  const char* sentence;
};

constexpr Words words[clean_up_kinds] = {
    {"broken_line", "left out: the line is not a job"},
    {"no_run_time", "left out: the run time is 0 or less, or not known"},
    {"no_processors", "left out: the number of processors is 0 or less, or not known"},
    {"too_large", "left out: more processors than the machine has, or than a million"},
    {"negative_submit", "left out: submitted before the log begins"},
    {"not_run", "left out: the job did not start, or has not ended"},
    {"not_a_job", "left out: a step of a job, not a job"},
    {"allocated_processors", "processors asked for are not known: took those that the job got"},
    {"no_request", "time asked for is not known: took the run time"},
    {"long_request", "asked for more than ten years: took ten years"},
    {"run_cut", "ran longer than asked for: stopped at its limit"},
    {"rounded", "fractions of a second or of a processor: rounded"},
    {"other_negative", "a negative number other than -1: taken as not known"},
    {"disordered", "submitted earlier than the line above: sorted"},
    {"duplicate_id", "the job's number occurs more than once: kept"},
    {"broken_header", "a header line that cannot be used: passed over"},
};

}  // namespace

void CleanUps::add_broken(CleanUp kind, std::string example) {
  add(kind);
  if (wants_example()) examples_.push_back(std::move(example));
}

std::int64_t CleanUps::left_out() const {
  std::int64_t sum = 0;
  for (int kind = 0; kind < static_cast<int>(CleanUp::AllocatedProcessors); ++kind) {
    sum += counts_[kind];
  }
  return sum;
}

std::vector<CleanUps::Line> CleanUps::lines() const {
  std::vector<Line> lines;
  for (int kind = 0; kind < clean_up_kinds; ++kind) {
    if (counts_[kind] != 0) {
      lines.push_back({words[kind].word, words[kind].sentence, counts_[kind]});
    }
  }
  return lines;
}

std::vector<std::string> CleanUps::sentences() const {
  std::vector<std::string> sentences;
  for (const Line& line : lines()) {
    sentences.push_back(line.sentence + " (" + std::to_string(line.count) +
                        (line.count == 1 ? " time)" : " times)"));
  }
  sentences.insert(sentences.end(), examples_.begin(), examples_.end());
  const std::int64_t broken = count(CleanUp::BrokenLine) + count(CleanUp::BrokenHeader);
  const auto shown = static_cast<std::int64_t>(examples_.size());
  if (broken > shown) sentences.push_back("and " + std::to_string(broken - shown) + " more");
  return sentences;
}

}  // namespace hyades
