#include "worker/job_counters.hpp"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>

#include "worker/cgroup_file.hpp"

namespace hyades {
namespace {

// What the kernel gives for one event with the times asked for, all descendants included.
struct Reading {
  std::uint64_t value = 0;
  std::uint64_t enabled_ns = 0;
  std::uint64_t running_ns = 0;
};

perf_event_attr attributes_of(const PerfTerm& term, bool with_kernel) {
  perf_event_attr attributes = {};
  attributes.size = sizeof attributes;
  attributes.type = term.type;
  attributes.config = term.config;
  attributes.config1 = term.config1;
  attributes.config2 = term.config2;
  attributes.disabled = 1;
  attributes.exclude_hv = 1;
  attributes.exclude_kernel = with_kernel ? 0 : 1;
  attributes.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  return attributes;
}

int open_event(perf_event_attr& attributes, pid_t process) {
  return static_cast<int>(
      syscall(SYS_perf_event_open, &attributes, process, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

bool is_forbidden(int error) { return error == EACCES || error == EPERM; }

std::string reason_of(int error) {
  if (is_forbidden(error)) {
    std::string level;
    if (!read_cgroup_file("/proc/sys/kernel/perf_event_paranoid", level)) level = "?";
    return "the kernel forbids it (perf_event_paranoid is " + level.substr(0, level.find('\n')) +
           ")";
  }
  if (error == ENOENT || error == EOPNOTSUPP || error == ENODEV) {
    return "this node has no such counter";
  }
  const char* const name = strerrorname_np(error);
  return std::string("cannot be opened: ") + (name == nullptr ? "unknown error" : name);
}

// Extrapolated to all of the time when the event shared the processor's counters with others.
double whole(const Reading& reading) {
  return static_cast<double>(reading.value) * static_cast<double>(reading.enabled_ns) /
         static_cast<double>(reading.running_ns);
}

std::int64_t as_count(double value) {
  constexpr double highest = 9.2e18;
  return value <= 0 ? 0 : static_cast<std::int64_t>(std::llround(std::min(value, highest)));
}

}  // namespace

int JobCounters::open_terms(const PlannedCounter& planned, bool with_kernel, pid_t child,
                            Counter& counter) {
  counter.terms.clear();
  for (const PerfTerm& term : planned.terms) {
    perf_event_attr attributes = attributes_of(term, with_kernel);
    attributes.enable_on_exec = 1;
    attributes.inherit = 1;
    UniqueFd event(open_event(attributes, child));
    if (!event) return errno;
    counter.terms.push_back({std::move(event), term.subtract});
  }
  return 0;
}

int JobCounters::open_one(const PlannedCounter& planned, pid_t child) {
  Counter counter{planned.name, false, {}};
  int error = open_terms(planned, planned.side != CounterSide::User, child, counter);
  if (is_forbidden(error) && planned.side == CounterSide::Both) {
    counter.user_only = true;
    error = open_terms(planned, false, child, counter);
  }
  if (error == 0) counters_.push_back(std::move(counter));
  return error;
}

void JobCounters::open(const CounterPlan& plan, pid_t child) {
  missing_ = plan.missing;
  for (const PlannedCounter& planned : plan.counters) {
    const int error = open_one(planned, child);
    if (error != 0 && plan.asked) missing_.push_back({planned.name, reason_of(error)});
  }
}

void JobCounters::report(Usage& usage) const {
  usage.counters.clear();
  usage.missing_counters = missing_;
  for (const Counter& counter : counters_) {
    JobCounter out{counter.name, 0, 1, counter.user_only};
    std::int64_t exact = 0;
    double sum = 0;
    bool counted = true;
    for (const Term& term : counter.terms) {
      Reading reading;
      counted = counted && read(term.event.get(), &reading, sizeof reading) == sizeof reading &&
                reading.enabled_ns > 0 && reading.running_ns > 0;
      if (!counted) break;
      const double share = static_cast<double>(reading.running_ns) /
                           static_cast<double>(std::max(reading.enabled_ns, reading.running_ns));
      out.running_share = std::min(out.running_share, share);
      sum += (term.subtract ? -1 : 1) * whole(reading);
      exact += static_cast<std::int64_t>(term.subtract ? 0 - reading.value : reading.value);
    }
    if (!counted) {
      usage.missing_counters.push_back({counter.name, "the processor's counters were taken"});
      continue;
    }
    out.value = out.running_share == 1 ? std::max<std::int64_t>(exact, 0) : as_count(sum);
    usage.counters.push_back(std::move(out));
  }
}

std::vector<UniqueFd> keep_software_events_ready() {
  std::vector<UniqueFd> events;
  for (std::uint64_t event = 0; event <= PERF_COUNT_SW_PAGE_FAULTS_MAJ; ++event) {
    PerfTerm term;
    term.type = PERF_TYPE_SOFTWARE;
    term.config = event;
    // Never enabled, and not inherited: they count nothing.
    perf_event_attr attributes = attributes_of(term, false);
    UniqueFd opened(open_event(attributes, 0));
    if (opened) events.push_back(std::move(opened));
  }
  return events;
}

}  // namespace hyades
