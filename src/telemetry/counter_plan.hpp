// What has to be counted for a job, in the terms of the kernel (perf_event_open). Plain values:
// they go from the worker, which knows PAPI, to the job's shepherd, which knows only the C library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/job_counter.hpp"

namespace hyades {

// One event of the kernel's; see perf_event_open(2) for the numbers.
struct PerfTerm {
  std::uint32_t type = 0;
  std::uint64_t config = 0;
  std::uint64_t config1 = 0;
  std::uint64_t config2 = 0;
  bool subtract = false;

  friend bool operator==(const PerfTerm&, const PerfTerm&) = default;
};

// Which part of a job's time an event happens in.
enum class CounterSide {
  User,          // only the program's own counts, as with PAPI; also where the kernel's could
  Both,          // the kernel's as well, if this process may count that
  MostlyKernel,  // nothing happens in the program's own part; without the kernel's it is no figure
};

// A counter: the sum of its terms.
struct PlannedCounter {
  std::string name;
  CounterSide side = CounterSide::User;
  std::vector<PerfTerm> terms;

  friend bool operator==(const PlannedCounter&, const PlannedCounter&) = default;
};

struct CounterPlan {
  std::vector<PlannedCounter> counters;
  std::vector<MissingCounter> missing;  // asked for, and not to be had on this node
  bool asked = true;  // by the job: false, and nobody is told of what the kernel forbids

  bool empty() const { return counters.empty() && missing.empty(); }
  friend bool operator==(const CounterPlan&, const CounterPlan&) = default;
};

constexpr std::size_t counter_terms_max = 8;

// True for the kinds of event that a shepherd opens for whoever gives it orders: the processor's
// and the kernel's counts, by number. Probes, breakpoints and other devices are none of them: a
// shepherd may be root, and its orders come from somebody who is not.
bool is_harmless(const PerfTerm& term);

// Names, reasons and terms are what they should be, and few enough.
bool is_well_formed(const CounterPlan& plan);

}  // namespace hyades
