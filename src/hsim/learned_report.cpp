#include "hsim/learned_report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "hsim/learned_bars.hpp"
#include "hsim/study_cells.hpp"
#include "policy/global_action.hpp"

namespace hyades {
namespace {

using Values = LearnedFigures::Values;

Rule index_without_reserve(bool guard) { return {"index", "easy", guard, false, "gbdt", 0, ""}; }
Rule index_by_requests(bool guard) { return {"index", "easy", guard, false, "request", 5, ""}; }
Rule index_exact(bool guard) { return {"index", "easy", guard, true, "request", 5, ""}; }

// How a model was chosen makes more of a difference than how it was made.
std::map<std::string, std::vector<StudiedModel>> by_choice(
    const std::vector<StudiedModel>& models) {
  std::map<std::string, std::vector<StudiedModel>> groups;
  for (const StudiedModel& model : models) {
    const std::string chosen = fact_of(model, "chosen");
    groups[chosen.empty() ? "learned" : "learned, chosen " + chosen].push_back(model);
  }
  return groups;
}

std::string ratio_table(const LearnedFigures& figures, bool guard) {
  const auto slowdown = &Metrics::avg_bsld;
  const auto wait = &Metrics::avg_wait;
  std::string out = head({"slowdown of", "beside the best fixed rule of other logs",
                          "beside multifactor", "beside hand-set", "mean wait beside hand-set"});
  const auto line = [&](const std::string& name, const Values& its, const Values& waits) {
    const std::string first = figures.ratio_text(its, figures.of_best_elsewhere(guard));
    if (first.empty()) return;
    const auto pairs = figures.paired(waits, figures.of(hand_set_rule(guard), wait));
    out += row({name, first, figures.ratio_text(its, figures.of(fixed_rule("mf", guard), slowdown)),
                figures.ratio_text(its, figures.of(hand_set_rule(guard), slowdown)),
                interval_text(ratio_of_means(pairs, figures.page().bootstrap), 3)});
  };
  const auto rule_line = [&](const std::string& name, const Rule& rule) {
    line(name, figures.of(rule, slowdown), figures.of(rule, wait));
  };
  for (const auto& [name, models] : by_choice(figures.whole_models())) {
    line(name, figures.slowdowns_of_models(models, guard), figures.of_models(models, guard, wait));
  }
  rule_line("hand-set: index, gbdt, reserve 5 %", hand_set_rule(guard));
  rule_line("index, gbdt, no reserve", index_without_reserve(guard));
  rule_line("index, requested run times, reserve 5 %", index_by_requests(guard));
  for (const Objective objective : {Objective::Wait, Objective::Slowdown}) {
    const Rule rule = lookahead_rule(objective, guard);
    rule_line(rule.policy, rule);
  }
  for (const std::string& name : fixed_rules()) rule_line(name, fixed_rule(name, guard));
  rule_line("an action by chance every half hour", learned_rule(random_model, guard));
  rule_line("index, exact, reserve 5 % (nobody has it)", index_exact(guard));
  return out + "\n";
}

std::string log_table(const LearnedFigures& figures) {
  std::string out =
      head({"log", "multifactor", "best fixed rule", "oracle of fixed rules", "hand-set", "learned",
            "learned / best fixed", "longest wait / FCFS", "utilization", "of FCFS"});
  const auto of_models = [&](const StudiedLog& log, auto member) {
    return mean_of(figures.of_models(figures.whole_models(), true, member)(log));
  };
  for (const StudiedLog& log : figures.page().plan.logs) {
    const LearnedFigures::InHindsight hindsight = figures.in_hindsight(log, true);
    const double learned = mean_of(figures.slowdowns_of_models(figures.whole_models(), true)(log));
    if (learned == 0 || hindsight.best.empty()) continue;
    const auto mean = [&](const Rule& rule, auto member) {
      return mean_of(figures.of(rule, member)(log));
    };
    const double fcfs_wait = mean(fixed_rule("fcfs", false), &Metrics::max_wait);
    out += row({short_name(log), fixed(mean(fixed_rule("mf", true), &Metrics::avg_bsld), 1),
                fixed(mean_of(hindsight.best), 1) + " (" + hindsight.name + ")",
                fixed(mean_of(hindsight.oracle), 1),
                fixed(mean(hand_set_rule(true), &Metrics::avg_bsld), 1), fixed(learned, 1),
                fixed(learned / mean_of(hindsight.best), 2),
                fcfs_wait > 0 ? fixed(of_models(log, &Metrics::max_wait) / fcfs_wait, 2) : "",
                fixed(of_models(log, &Metrics::utilization), 3),
                fixed(mean(fixed_rule("fcfs", false), &Metrics::utilization), 3)});
  }
  return out + "\n";
}

// Means over the log's windows: slowdowns, then waits in hours.
std::string lookahead_table(const LearnedFigures& figures) {
  std::string out =
      head({"log", "best fixed rule", "hand-set", "lookahead-wait", "lookahead-slowdown",
            "hand-set, h", "lookahead-wait, h", "lookahead-slowdown, h"});
  const Rule rules[] = {hand_set_rule(true), lookahead_rule(Objective::Wait, true),
                        lookahead_rule(Objective::Slowdown, true)};
  for (const StudiedLog& log : figures.page().plan.logs) {
    const LearnedFigures::InHindsight hindsight = figures.in_hindsight(log, true);
    if (hindsight.best.empty()) continue;
    std::vector<std::string> cells = {
        short_name(log), fixed(mean_of(hindsight.best), 1) + " (" + hindsight.name + ")"};
    for (const Rule& rule : rules) {
      cells.push_back(fixed(mean_of(figures.of(rule, &Metrics::avg_bsld)(log)), 1));
    }
    for (const Rule& rule : rules) {
      cells.push_back(hours(mean_of(figures.of(rule, &Metrics::avg_wait)(log)), 2));
    }
    out += row(cells);
  }
  return out + "\n";
}

// Whole models that learned from the same logs, with the same seed, and were chosen alike.
std::vector<StudiedModel> counterparts(const std::vector<StudiedModel>& models,
                                       const std::vector<StudiedModel>& whole) {
  const auto alike = [](const StudiedModel& a, const StudiedModel& b) {
    return fact_of(a, "logs") == fact_of(b, "logs") && fact_of(a, "seed") == fact_of(b, "seed") &&
           fact_of(a, "chosen") == fact_of(b, "chosen");
  };
  std::vector<StudiedModel> some;
  for (const StudiedModel& other : whole) {
    if (std::any_of(models.begin(), models.end(),
                    [&](const StudiedModel& model) { return alike(model, other); })) {
      some.push_back(other);
    }
  }
  return some;
}

// Each variant beside the whole models that are its counterparts.
std::string variant_table(const LearnedFigures& figures) {
  std::map<std::string, std::vector<StudiedModel>> variants;
  for (const StudiedModel& model : figures.models()) {
    if (is_variant(model)) variants[fact_of(model, "variant")].push_back(model);
  }
  std::string out = head({"model", "models", "slowdown beside hand-set",
                          "of those with all parts, alike otherwise", "beside those"});
  const Values hand = figures.of(hand_set_rule(true), &Metrics::avg_bsld);
  for (const auto& [name, models] : variants) {
    const Values its = figures.slowdowns_of_models(models, true);
    const Values others =
        figures.slowdowns_of_models(counterparts(models, figures.whole_models()), true);
    out += row({name, std::to_string(models.size()), figures.ratio_text(its, hand),
                figures.ratio_text(others, hand), figures.ratio_text(its, others)});
  }
  return variants.empty() ? "" : out + "\n";
}

std::string margin_text(const StudiedModel& model) {
  const std::string text = fact_of(model, "margin");
  return std::strtod(text.c_str(), nullptr) >= never_departs ? "keeps to its fallback" : text;
}

std::string model_table(const LearnedFigures& figures) {
  std::string out =
      head({"model", "variant", "learned from", "seed", "seconds", "chosen", "margin",
            "beside its fallback, where it was chosen", "beside hand-set, on other logs"});
  for (const StudiedModel& model : figures.models()) {
    const Values its = figures.slowdowns_of_models({model}, true);
    const Values hand = figures.of(hand_set_rule(true), &Metrics::avg_bsld);
    out += row({model.name, fact_of(model, "variant"), fact_of(model, "logs"),
                fact_of(model, "seed"), fact_of(model, "seconds"), fact_of(model, "chosen"),
                margin_text(model), fact_of(model, "ratio"), figures.ratio_text(its, hand)});
  }
  return out + "\n";
}

}  // namespace

std::vector<Rule> baseline_rules() {
  std::vector<Rule> rules;
  for (const bool guard : {true, false}) {
    for (const std::string& name : fixed_rules()) rules.push_back(fixed_rule(name, guard));
    rules.push_back(hand_set_rule(guard));
    rules.push_back(index_without_reserve(guard));
    rules.push_back(index_by_requests(guard));
    rules.push_back(index_exact(guard));
    rules.push_back(lookahead_rule(Objective::Wait, guard));
    rules.push_back(lookahead_rule(Objective::Slowdown, guard));
    rules.push_back(learned_rule(random_model, guard));
  }
  return rules;
}

std::string learned_markdown(const StudyPage& page, const StudyResults& results,
                             const std::vector<StudiedModel>& models) {
  const LearnedFigures figures(page, results, models);
  std::string out = "# The learned global policy\n\n";
  out +=
      "Written by `hsim study learned`; do not edit. Every figure comes from the scheduler that "
      "the "
      "master runs and from `hyades-advisor`, in virtual time. Each model was tried only on logs "
      "that it neither learned from nor was chosen by. Several models on one log count as their "
      "geometric mean, window by window.\n\n";
  out += facts_table(page.facts);
  out +=
      "## The bars\n\nWhat a scheduler must reach to be better than a careful admin. Ratios of "
      "slowdowns are geometric means over windows, every log counting the same; less than 1 is "
      "better. In brackets: the 95 % bootstrap interval, paired by window. *Hand-set* is what "
      "holds "
      "where no model answers. The best fixed rule of other logs is the one that an admin would "
      "take over from elsewhere; the oracle, the best fixed rule for each window, is known in "
      "hindsight only.\n\n";
  out += bars_table(figures);
  out += "## Behind the guard\n\n" + ratio_table(figures, true);
  out += "## Without the guard\n\n" + ratio_table(figures, false);
  out +=
      "## By log\n\nMean bounded slowdown behind the guard. Longest wait and utilization: of the "
      "learned policy, beside FCFS with EASY.\n\n";
  out += log_table(figures);
  out += "## Looking ahead, by log\n\nMean bounded slowdowns and mean waits behind the guard.\n\n" +
         lookahead_table(figures);
  if (const std::string variants = variant_table(figures); !variants.empty()) {
    out +=
        "## What each part adds\n\nModels that were made without a part, or with another one, "
        "behind the guard, on the logs that they did not know.\n\n" +
        variants;
  }
  out += "## The models\n\n" + model_table(figures);
  return out;
}

}  // namespace hyades
