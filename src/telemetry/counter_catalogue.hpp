// Which counters this node has, by PAPI's names, and what the kernel must be asked for to get them.
// A value: somebody else finds out (papi_probe.hpp).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "telemetry/counter_plan.hpp"

namespace hyades {

class CounterCatalogue {
 public:
  struct Entry {
    PlannedCounter counter;
    std::string source;  // "PAPI preset", "software event"
  };

  // Has the software events, and nothing else.
  CounterCatalogue();

  void add(Entry entry);

  // Of a name that is known but not to be had here. At most counter_reason_bytes_max.
  void add_missing(const std::string& name, const std::string& why);
  // The same for all known names of which nothing else has been said.
  void set_general_reason(const std::string& why);

  const std::map<std::string, Entry>& entries() const { return entries_; }
  // Why there is none of that name; "" when there is one.
  std::string why_missing(const std::string& name) const;

  // What a job asked for by name: each comes out as a counter or as a missing one. `none`, alone:
  // neither.
  CounterPlan resolve(const std::vector<std::string>& names) const;
  // What nobody asked for, but every job gets where it can be had: nobody misses the others.
  CounterPlan resolve_available(const std::vector<std::string>& names) const;

 private:
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::string> missing_;
  std::string general_reason_ = "this node has no such counter";
};

}  // namespace hyades
