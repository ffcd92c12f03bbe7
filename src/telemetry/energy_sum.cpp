#include "telemetry/energy_sum.hpp"

#include <cmath>

#include "telemetry/fields.hpp"

namespace hyades {
namespace {

constexpr double longest_gap_s = 60;

}  // namespace

bool EnergySum::add(const Metric& metric, std::size_t place) {
  if (metric.unit != "J" && metric.unit != "W") return false;
  terms_.push_back({place, metric.name, metric.unit == "W", metric.wraps_at, kNoReading, 0, 0});
  return true;
}

double EnergySum::step(const std::vector<double>& values, double now_s, std::string& trouble) {
  bool complete = true;
  for (Term& term : terms_) {
    const double value = term.place < values.size() ? values[term.place] : kNoReading;
    if (!std::isfinite(value)) {
      complete = false;
      continue;
    }
    if (term.is_power) integrate(term, value, now_s, trouble);
    if (!term.is_power) count(term, value, trouble);
    term.last = value;
    term.last_s = now_s;
  }
  if (!complete || terms_.empty()) return kNoReading;
  double joules = 0;
  for (Term& term : terms_) {
    joules += term.pending_j;
    term.pending_j = 0;
  }
  return joules;
}

void EnergySum::count(Term& term, double value, std::string& trouble) {
  if (std::isnan(term.last)) return;
  double grown = value - term.last;
  if (grown < 0) grown += term.wraps_at;
  const bool wrapped = value < term.last;
  if (wrapped && (grown < 0 || grown >= term.wraps_at / 2)) {
    return add_trouble(trouble, term.name + ": its counter began anew");
  }
  term.pending_j += grown;
}

// Between two readings the power is taken to have gone in a straight line.
void EnergySum::integrate(Term& term, double value, double now_s, std::string& trouble) {
  if (std::isnan(term.last)) return;
  const double gap_s = now_s - term.last_s;
  if (gap_s > longest_gap_s) {
    return add_trouble(trouble, term.name + ": said nothing for more than a minute");
  }
  if (gap_s > 0) term.pending_j += (term.last + value) / 2 * gap_s;
}

}  // namespace hyades
