#include "telemetry/counter_plan.hpp"

#include <linux/perf_event.h>

#include <algorithm>

namespace hyades {

bool is_harmless(const PerfTerm& term) {
  switch (term.type) {
    case PERF_TYPE_SOFTWARE:
      return term.config <= PERF_COUNT_SW_PAGE_FAULTS_MAJ && term.config1 == 0 && term.config2 == 0;
    case PERF_TYPE_HARDWARE:
    case PERF_TYPE_HW_CACHE:
      return term.config1 == 0 && term.config2 == 0;
    case PERF_TYPE_RAW:
      return true;
    default:
      return false;
  }
}

bool is_well_formed(const CounterPlan& plan) {
  if (plan.counters.size() + plan.missing.size() > job_counters_max) return false;
  const auto good_terms = [](const PlannedCounter& counter) {
    return !counter.terms.empty() && counter.terms.size() <= counter_terms_max &&
           std::all_of(counter.terms.begin(), counter.terms.end(), is_harmless);
  };
  return std::all_of(plan.counters.begin(), plan.counters.end(),
                     [&](const PlannedCounter& counter) {
                       return is_counter_name(counter.name) && good_terms(counter);
                     }) &&
         std::all_of(plan.missing.begin(), plan.missing.end(), [](const MissingCounter& missing) {
           return is_counter_name(missing.name) && is_counter_reason(missing.why);
         });
}

}  // namespace hyades
