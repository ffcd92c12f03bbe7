#include "hsim/learned_figures.hpp"

#include <algorithm>
#include <cmath>

#include "hsim/study_cells.hpp"

namespace hyades {

std::string fact_of(const StudiedModel& model, const std::string& name) {
  const auto found = model.facts.find(name);
  return found == model.facts.end() ? "" : found->second;
}

bool is_variant(const StudiedModel& model) { return !fact_of(model, "variant").empty(); }

std::vector<StudiedModel> LearnedFigures::whole_models() const {
  std::vector<StudiedModel> whole = models_;
  std::erase_if(whole, is_variant);
  return whole;
}

const std::vector<std::string>& fixed_rules() {
  static const std::vector<std::string> rules = {"fcfs", "mf",     "saf", "sjf", "lxf",
                                                 "wfp3", "unicep", "f1",  "f2"};
  return rules;
}

Rule fixed_rule(const std::string& policy, bool guard) {
  return {policy, "easy", guard, false, "request", 0, ""};
}

Rule hand_set_rule(bool guard) { return {"index", "easy", guard, false, "gbdt", 5, ""}; }

Rule lookahead_rule(Objective objective, bool guard) {
  const bool for_wait = objective == Objective::Wait;
  const QueueOrder order = for_wait ? QueueOrder::LookaheadWait : QueueOrder::LookaheadSlowdown;
  return {std::string(to_string(order)), "easy", guard, false, "gbdt", -1, ""};
}

Rule learned_rule(const std::string& model, bool guard) {
  return {"learned", "easy", guard, false, "gbdt", -1, model};
}

std::vector<double> LearnedFigures::geometric_mean(const std::vector<std::vector<double>>& all) {
  std::vector<std::vector<double>> logarithms = all;
  for (std::vector<double>& values : logarithms) {
    for (double& value : values) value = std::log(value);
  }
  std::vector<double> means = arithmetic_mean(logarithms);
  for (double& mean : means) mean = std::exp(mean);
  return means;
}

std::vector<double> LearnedFigures::arithmetic_mean(const std::vector<std::vector<double>>& all) {
  std::vector<double> means;
  for (const std::vector<double>& values : all) {
    means.resize(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      means[i] += values[i] / static_cast<double>(all.size());
    }
  }
  return means;
}

Rule LearnedFigures::best_elsewhere(const StudiedLog& log, bool guard) const {
  Rule best = fixed_rule("saf", guard);
  const Rule saf = best;
  double least = 0;
  for (const std::string& name : fixed_rules()) {
    const Rule rule = fixed_rule(name, guard);
    double sum = 0;
    for (const StudiedLog& other : page_.plan.logs) {
      if (other.name == log.name) continue;
      const auto its = of(rule, &Metrics::avg_bsld)(other);
      const auto reference = of(saf, &Metrics::avg_bsld)(other);
      if (its.size() != reference.size()) continue;
      for (std::size_t i = 0; i < its.size(); ++i) {
        sum += std::log(its[i] / reference[i]) / static_cast<double>(its.size());
      }
    }
    if (sum < least) {
      least = sum;
      best = rule;
    }
  }
  return best;
}

LearnedFigures::Values LearnedFigures::of_best_elsewhere(bool guard) const {
  return [this, guard](const StudiedLog& log) {
    return of(best_elsewhere(log, guard), &Metrics::avg_bsld)(log);
  };
}

LearnedFigures::InHindsight LearnedFigures::in_hindsight(const StudiedLog& log, bool guard) const {
  InHindsight out;
  for (const std::string& name : fixed_rules()) {
    const auto its = of(fixed_rule(name, guard), &Metrics::avg_bsld)(log);
    if (its.empty()) continue;
    if (out.name.empty() || total(its) < total(out.best)) {
      out.name = name;
      out.best = its;
    }
    if (out.oracle.empty()) out.oracle = its;
    for (std::size_t i = 0; i < its.size(); ++i) out.oracle[i] = std::min(out.oracle[i], its[i]);
  }
  return out;
}

std::vector<PairedWindows> LearnedFigures::paired(const Values& a, const Values& b) const {
  std::vector<PairedWindows> pairs;
  for (const StudiedLog& log : page_.plan.logs) {
    PairedWindows windows{a(log), b(log)};
    if (windows.a.size() == windows.b.size() && !windows.a.empty()) pairs.push_back(windows);
  }
  return pairs;
}

std::string LearnedFigures::ratio_text(const Values& a, const Values& b) const {
  const std::vector<PairedWindows> pairs = paired(a, b);
  if (pairs.empty()) return "";
  return interval_text(bootstrap_geometric_ratio(pairs, page_.bootstrap), 3);
}

}  // namespace hyades
