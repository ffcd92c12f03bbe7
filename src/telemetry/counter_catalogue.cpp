#include "telemetry/counter_catalogue.hpp"

#include <linux/perf_event.h>

#include "core/counter_names.hpp"

namespace hyades {
namespace {

struct SoftwareEvent {
  const char* name;
  std::uint64_t config;
  CounterSide side;
};

// The clocks run through the kernel's part as well, whatever they are told.
constexpr SoftwareEvent kSoftwareEvents[] = {
    {"perf::TASK-CLOCK", PERF_COUNT_SW_TASK_CLOCK, CounterSide::User},
    {"perf::CPU-CLOCK", PERF_COUNT_SW_CPU_CLOCK, CounterSide::User},
    {"perf::PAGE-FAULTS", PERF_COUNT_SW_PAGE_FAULTS, CounterSide::Both},
    {"perf::MINOR-FAULTS", PERF_COUNT_SW_PAGE_FAULTS_MIN, CounterSide::Both},
    {"perf::MAJOR-FAULTS", PERF_COUNT_SW_PAGE_FAULTS_MAJ, CounterSide::Both},
    {"perf::CONTEXT-SWITCHES", PERF_COUNT_SW_CONTEXT_SWITCHES, CounterSide::MostlyKernel},
    {"perf::CPU-MIGRATIONS", PERF_COUNT_SW_CPU_MIGRATIONS, CounterSide::MostlyKernel},
};

bool is_none(const std::vector<std::string>& names) {
  return names.size() == 1 && names.front() == no_counters;
}

}  // namespace

CounterCatalogue::CounterCatalogue() {
  for (const SoftwareEvent& event : kSoftwareEvents) {
    PerfTerm term;
    term.type = PERF_TYPE_SOFTWARE;
    term.config = event.config;
    add({{event.name, event.side, {term}}, "software event"});
  }
}

void CounterCatalogue::add(Entry entry) {
  missing_.erase(entry.counter.name);
  const std::string name = entry.counter.name;
  entries_[name] = std::move(entry);
}

void CounterCatalogue::add_missing(const std::string& name, const std::string& why) {
  missing_[name] = why.substr(0, counter_reason_bytes_max);
}

void CounterCatalogue::set_general_reason(const std::string& why) {
  general_reason_ = why.substr(0, counter_reason_bytes_max);
}

std::string CounterCatalogue::why_missing(const std::string& name) const {
  if (entries_.contains(name)) return "";
  const auto found = missing_.find(name);
  return found == missing_.end() ? general_reason_ : found->second;
}

CounterPlan CounterCatalogue::resolve(const std::vector<std::string>& names) const {
  CounterPlan plan = resolve_available(names);
  plan.asked = true;
  if (is_none(names)) return plan;
  for (const std::string& name : names) {
    if (plan.counters.size() + plan.missing.size() >= job_counters_max) break;
    if (!entries_.contains(name)) plan.missing.push_back({name, why_missing(name)});
  }
  return plan;
}

CounterPlan CounterCatalogue::resolve_available(const std::vector<std::string>& names) const {
  CounterPlan plan;
  plan.asked = false;
  for (const std::string& name : names) {
    const auto found = entries_.find(name);
    if (found == entries_.end() || plan.counters.size() >= job_counters_max) continue;
    plan.counters.push_back(found->second.counter);
  }
  return plan;
}

}  // namespace hyades
