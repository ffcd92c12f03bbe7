// What one event counter has counted of a job, and why another has not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hyades {

// A job has at most so many counters, and at most so many missing ones.
constexpr std::size_t job_counters_max = 32;
constexpr std::size_t counter_name_bytes_max = 64;
constexpr std::size_t counter_reason_bytes_max = 100;

struct JobCounter {
  std::string name;  // PAPI's: "PAPI_TOT_INS", "perf::TASK-CLOCK"
  std::int64_t value = 0;
  // Of the time in which the job ran, the part in which this event was on the processor's few
  // counters; `value` is extrapolated from it. 1: nothing is guessed.
  double running_share = 1;
  bool user_only = false;  // the kernel would not let its own part be counted

  friend bool operator==(const JobCounter&, const JobCounter&) = default;
};

// Asked for, and not counted. There is no figure then, not even 0.
struct MissingCounter {
  std::string name;
  std::string why;  // for people

  friend bool operator==(const MissingCounter&, const MissingCounter&) = default;
};

// [A-Za-z0-9_:.-]{1,64}
bool is_counter_name(std::string_view text);

// Short enough, and printable ASCII.
bool is_counter_reason(std::string_view text);

// Adds what another node has counted of the same job. A sum over some of the nodes would look like
// one over all: a counter that either side lacks becomes a missing one.
void add_counters(std::vector<JobCounter>& sum, std::vector<MissingCounter>& missing,
                  const std::vector<JobCounter>& part,
                  const std::vector<MissingCounter>& part_missing);

// Of two figures that are not negative; the highest number there is instead of more.
std::int64_t add_without_overflow(std::int64_t a, std::int64_t b);

}  // namespace hyades
