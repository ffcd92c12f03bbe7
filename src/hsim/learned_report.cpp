#include "hsim/learned_report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>

#include "hsim/study_cells.hpp"
#include "policy/global_action.hpp"

namespace hyades {
namespace {

Rule rule(const char* policy, bool guard, const char* run_times = "request", int reserve = 0,
          bool exact = false) {
  return {policy, "easy", guard, exact, run_times, reserve, ""};
}

// What an admin may choose from without any prediction.
const char* const kFixed[] = {"fcfs", "mf", "saf", "sjf", "lxf", "wfp3", "unicep", "f1", "f2"};

Rule hand_set(bool guard) { return rule("index", guard, "gbdt", 5); }

// One figure of a rule on a log, by window; of the models that were tried there the geometric mean.
// Empty: nothing was.
std::vector<double> by_window(const StudyResults& results, const StudiedLog& log, const Rule& rule,
                              double Metrics::*member) {
  return figures(results.of(log, rule), member);
}

std::vector<double> of_models(const StudyPage& page, const StudyResults& results,
                              const StudiedLog& log, bool guard, double Metrics::*member,
                              const std::vector<StudiedModel>& models) {
  std::vector<double> sums;
  double count = 0;
  for (const StudiedModel& model : models) {
    const Rule each = learned_rule(model.file, guard);
    if (!page.plan.tries(log, each)) continue;
    const std::vector<double> values = by_window(results, log, each, member);
    if (values.empty()) continue;
    sums.resize(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) sums[i] += std::log(std::max(values[i], 1e-9));
    count += 1;
  }
  for (double& sum : sums) sum = std::exp(sum / count);
  return sums;
}

// The fixed rule with the least geometric mean over SAF's on all logs but this one.
Rule best_elsewhere(const StudyPage& page, const StudyResults& results, const StudiedLog& log,
                    bool guard) {
  Rule best = rule("saf", guard);
  double least = 0;
  for (const char* const name : kFixed) {
    double sum = 0;
    for (const StudiedLog& other : page.plan.logs) {
      if (other.name == log.name) continue;
      const auto its = by_window(results, other, rule(name, guard), &Metrics::avg_bsld);
      const auto saf = by_window(results, other, rule("saf", guard), &Metrics::avg_bsld);
      if (its.size() != saf.size()) continue;
      for (std::size_t i = 0; i < its.size(); ++i) {
        sum += std::log(its[i] / saf[i]) / static_cast<double>(its.size());
      }
    }
    if (sum < least) {
      least = sum;
      best = rule(name, guard);
    }
  }
  return best;
}

// Of the log's own windows: the best fixed rule on their mean, and the best for each of them.
struct InHindsight {
  std::string name;
  std::vector<double> best;
  std::vector<double> oracle;
};
InHindsight in_hindsight(const StudyResults& results, const StudiedLog& log, bool guard) {
  InHindsight out;
  for (const char* const name : kFixed) {
    const auto its = by_window(results, log, rule(name, guard), &Metrics::avg_bsld);
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

using Values = std::function<std::vector<double>(const StudiedLog&)>;

std::string geometric(const StudyPage& page, const Values& a, const Values& b) {
  std::vector<PairedWindows> pairs;
  for (const StudiedLog& log : page.plan.logs) {
    PairedWindows windows{a(log), b(log)};
    if (windows.a.size() == windows.b.size() && !windows.a.empty()) pairs.push_back(windows);
  }
  if (pairs.empty()) return "";
  return interval_text(bootstrap_geometric_ratio(pairs, page.bootstrap), 3);
}

std::string ratio_table(const StudyPage& page, const StudyResults& results,
                        const std::vector<StudiedModel>& models, bool guard) {
  const auto values = [&](const Rule& rule) -> Values {
    return [&results, rule](const StudiedLog& log) {
      return by_window(results, log, rule, &Metrics::avg_bsld);
    };
  };
  const Values elsewhere = [&](const StudiedLog& log) {
    return by_window(results, log, best_elsewhere(page, results, log, guard), &Metrics::avg_bsld);
  };
  std::string out = head({"slowdown of", "beside the best fixed rule of other logs",
                          "beside multifactor", "beside hand-set"});
  const auto line = [&](const std::string& name, const Values& its) {
    const std::string first = geometric(page, its, elsewhere);
    if (first.empty()) return;
    out += row({name, first, geometric(page, its, values(rule("mf", guard))),
                geometric(page, its, values(hand_set(guard)))});
  };
  // How a model was chosen makes more of a difference than how it was made.
  std::map<std::string, std::vector<StudiedModel>> groups;
  for (const StudiedModel& model : models) {
    groups[fact_of(model, "chosen")].push_back(model);
  }
  for (const auto& entry : groups) {
    const std::string& chosen = entry.first;
    const std::vector<StudiedModel>& group = entry.second;
    line(chosen.empty() ? "learned" : "learned, chosen " + chosen, [&](const StudiedLog& log) {
      return of_models(page, results, log, guard, &Metrics::avg_bsld, group);
    });
  }
  line("hand-set: index, gbdt, reserve 5 %", values(hand_set(guard)));
  line("index, gbdt", values(rule("index", guard, "gbdt", 0)));
  for (const char* const name : kFixed) line(name, values(rule(name, guard)));
  line("index, exact, reserve 5 % (nobody has it)",
       values(rule("index", guard, "request", 5, true)));
  return out + "\n";
}

std::string log_table(const StudyPage& page, const StudyResults& results,
                      const std::vector<StudiedModel>& models) {
  std::string out =
      head({"log", "multifactor", "best fixed rule", "oracle of fixed rules", "hand-set", "learned",
            "learned / best fixed", "longest wait / FCFS", "utilization", "of FCFS"});
  for (const StudiedLog& log : page.plan.logs) {
    const InHindsight hindsight = in_hindsight(results, log, true);
    const auto learned = of_models(page, results, log, true, &Metrics::avg_bsld, models);
    if (learned.empty() || hindsight.best.empty()) continue;
    const auto mean = [&](const Rule& each, double Metrics::*member) {
      return mean_of(by_window(results, log, each, member));
    };
    const auto longest = [&](const Rule& each) {
      return mean_of(figures(results.of(log, each), &Metrics::max_wait));
    };
    double waits = 0, count = 0;
    for (const StudiedModel& model : models) {
      const Rule each = learned_rule(model.file, true);
      if (!page.plan.tries(log, each) || results.of(log, each).empty()) continue;
      waits += longest(each);
      count += 1;
    }
    const double fcfs_wait = longest(rule("fcfs", false));
    out += row(
        {short_name(log), fixed(mean(rule("mf", true), &Metrics::avg_bsld), 1),
         fixed(mean_of(hindsight.best), 1) + " (" + hindsight.name + ")",
         fixed(mean_of(hindsight.oracle), 1), fixed(mean(hand_set(true), &Metrics::avg_bsld), 1),
         fixed(mean_of(learned), 1), fixed(mean_of(learned) / mean_of(hindsight.best), 2),
         fcfs_wait > 0 ? fixed(waits / count / fcfs_wait, 2) : "",
         fixed(mean_of(of_models(page, results, log, true, &Metrics::utilization, models)), 3),
         fixed(mean(rule("fcfs", false), &Metrics::utilization), 3)});
  }
  return out + "\n";
}

std::string margin_text(const StudiedModel& model) {
  const std::string text = fact_of(model, "margin");
  return std::strtod(text.c_str(), nullptr) >= never_departs ? "keeps to hand-set" : text;
}

std::string model_table(const StudyPage& page, const StudyResults& results,
                        const std::vector<StudiedModel>& models) {
  std::string out =
      head({"model", "learned from", "seed", "seconds", "chosen", "margin",
            "beside hand-set, where it was chosen", "beside hand-set, on other logs"});
  for (const StudiedModel& model : models) {
    const Rule its = learned_rule(model.file, true);
    const Values ours = [&](const StudiedLog& log) {
      return by_window(results, log, its, &Metrics::avg_bsld);
    };
    const Values hand = [&](const StudiedLog& log) {
      return by_window(results, log, hand_set(true), &Metrics::avg_bsld);
    };
    out += row({model.name, fact_of(model, "logs"), fact_of(model, "seed"),
                fact_of(model, "seconds"), fact_of(model, "chosen"), margin_text(model),
                fact_of(model, "ratio"), geometric(page, ours, hand)});
  }
  return out + "\n";
}

}  // namespace

std::string fact_of(const StudiedModel& model, const std::string& name) {
  const auto found = model.facts.find(name);
  return found == model.facts.end() ? "" : found->second;
}

Rule learned_rule(const std::string& model, bool guard) {
  return {"learned", "easy", guard, false, "gbdt", -1, model};
}

std::vector<Rule> baseline_rules() {
  std::vector<Rule> rules;
  for (const bool guard : {true, false}) {
    for (const char* const name : kFixed) rules.push_back(rule(name, guard));
    rules.push_back(hand_set(guard));
    rules.push_back(rule("index", guard, "gbdt", 0));
    rules.push_back(rule("index", guard, "request", 5, true));
  }
  return rules;
}

std::string learned_markdown(const StudyPage& page, const StudyResults& results,
                             const std::vector<StudiedModel>& models) {
  std::string out = "# The learned global policy\n\n";
  out +=
      "Written by `hsim study learned`; do not edit. Every figure comes from the scheduler that "
      "the "
      "master runs and from `hyades-advisor`, in virtual time. Each model was tried only on logs "
      "that it neither learned from nor was chosen by. Several models on one log count as their "
      "geometric mean, window by window.\n\n";
  out += facts_table(page.facts);
  out +=
      "## Behind the guard\n\nThe geometric mean over windows of the ratio of mean bounded "
      "slowdowns, every log counting the same; less than 1 is better. In brackets: the 95 % "
      "bootstrap interval, paired by window. *Hand-set* is what holds where no model answers. The "
      "best fixed rule of other logs is the one that an admin would take over from elsewhere.\n\n";
  out += ratio_table(page, results, models, true);
  out += "## Without the guard\n\n" + ratio_table(page, results, models, false);
  out +=
      "## By log\n\nMean bounded slowdown behind the guard. The best fixed rule and the oracle "
      "(the best fixed rule for each window) are known in hindsight only. Longest wait and "
      "utilization: of the learned policy, beside FCFS with EASY.\n\n";
  out += log_table(page, results, models);
  out += "## The models\n\n" + model_table(page, results, models);
  return out;
}

}  // namespace hyades
