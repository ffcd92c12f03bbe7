#include "hsim/study.hpp"

#include <algorithm>

namespace hyades {

std::string rule_text(const Rule& rule) {
  return rule.policy + ", " + rule.backfill + (rule.guard ? ", guarded" : "") +
         (rule.exact ? ", exact run times" : "") +
         (rule.run_times.empty() ? "" : ", run times: " + rule.run_times) +
         (rule.reserve < 0 ? "" : ", reserve " + std::to_string(rule.reserve) + " %") +
         (rule.model.empty() ? "" : ", model " + rule.model);
}

std::string short_name(const StudiedLog& log) {
  const std::string& name = log.name;
  for (std::size_t dash = name.find('-', 1); dash != std::string::npos;
       dash = name.find('-', dash + 1)) {
    const std::string year = name.substr(dash + 1, 4);
    const bool digits =
        year.size() == 4 && year.find_first_not_of("0123456789") == std::string::npos;
    const bool ends = dash + 5 >= name.size() || name[dash + 5] == '-';
    if (digits && ends && (year.starts_with("19") || year.starts_with("20"))) {
      return name.substr(0, dash);
    }
  }
  return name;
}

bool StudyPlan::tries(const StudiedLog& log, const Rule& rule) const {
  const auto known = learned_from.find(rule.model);
  return known == learned_from.end() || !known->second.contains(log.name);
}

std::vector<Rule> StudyPlan::rules() const {
  std::vector<Rule> out;
  for (const std::string& policy : policies) {
    for (const std::string& backfill : backfills) out.push_back({policy, backfill, false, false});
  }
  for (const std::string& policy : policies) {
    if (guarded) out.push_back({policy, "easy", true, false});
    if (exact) out.push_back({policy, "easy", false, true});
  }
  out.insert(out.end(), others.begin(), others.end());
  return out;
}

void StudyResults::add(const std::string& log, const Rule& rule, const Window& window,
                       const Metrics& metrics) {
  results_[{log, rule}][{window.first, window.count}] = metrics;
}

std::vector<Metrics> StudyResults::of(const StudiedLog& log, const Rule& rule) const {
  std::vector<Metrics> out;
  const auto found = results_.find({log.name, rule});
  if (found == results_.end()) return out;
  for (const Window& window : log.windows) {
    const auto at = found->second.find({window.first, window.count});
    if (at == found->second.end()) return {};
    out.push_back(at->second);
  }
  return out;
}

bool StudyResults::has(const std::string& log, const Rule& rule, const Window& window) const {
  const auto found = results_.find({log, rule});
  return found != results_.end() && found->second.count({window.first, window.count}) > 0;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

BestRules best_rules(const StudyPlan& plan, const StudyResults& results, const StudiedLog& log) {
  BestRules best;
  for (const std::string& policy : plan.policies) {
    const std::vector<Metrics> metrics = results.of(log, {policy, "easy"});
    if (metrics.empty()) continue;
    const std::vector<double> slowdowns = figures(metrics, &Metrics::avg_bsld);
    if (best.policy.empty() || mean_of(slowdowns) < best.slowdown) {
      best.policy = policy;
      best.slowdown = mean_of(slowdowns);
    }
    if (best.oracle.empty()) best.oracle = slowdowns;
    for (std::size_t i = 0; i < slowdowns.size(); ++i) {
      best.oracle[i] = std::min(best.oracle[i], slowdowns[i]);
    }
  }
  return best;
}

}  // namespace hyades
