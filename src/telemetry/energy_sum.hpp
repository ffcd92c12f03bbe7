// The energy of several meters that together make up one thing, such as all packages of a node:
// counters in J, which wrap, and readings in W, which are integrated.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "telemetry/metric.hpp"

namespace hyades {

class EnergySum {
 public:
  // place: of the metric's reading among the values that step() is given. Metrics in another unit
  // than J or W are left out; false then.
  bool add(const Metric& metric, std::size_t place);
  bool empty() const { return terms_.empty(); }

  // J since the last call that returned some, 0 at the first one. kNoReading while one of the
  // meters says nothing; what the others counted is not lost. A counter that went backwards wrapped
  // if it then went less than half way round; else it began anew, and what it had counted last is
  // unknown, as is what was drawn when a power meter said nothing for a minute: trouble says so.
  double step(const std::vector<double>& values, double now_s, std::string& trouble);

 private:
  struct Term {
    std::size_t place;
    std::string name;
    bool is_power;
    double wraps_at;
    double last;
    double last_s;
    double pending_j;
  };
  static void count(Term& term, double value, std::string& trouble);
  static void integrate(Term& term, double value, double now_s, std::string& trouble);

  std::vector<Term> terms_;
};

}  // namespace hyades
