#include "hsim/learned_bars.hpp"

#include <algorithm>
#include <functional>

#include "hsim/study_cells.hpp"

namespace hyades {
namespace {

// One of those that are held against the bars; behind the guard or without it.
struct Scheduler {
  std::string name;
  std::function<LearnedFigures::Values(bool guard)> slowdowns;
  std::function<LearnedFigures::Values(double Metrics::*)> guarded;  // other figures
  std::function<LearnedFigures::Values()> longest_waits;             // likewise guarded
};

Scheduler models(const LearnedFigures& figures) {
  const std::vector<StudiedModel> all = figures.whole_models();
  return {"learned",
          [&figures, all](bool guard) { return figures.slowdowns_of_models(all, guard); },
          [&figures, all](double Metrics::*member) { return figures.of_models(all, true, member); },
          [&figures, all] { return figures.of_models(all, true, &Metrics::max_wait); }};
}

Scheduler of_rule(const LearnedFigures& figures, const std::string& name,
                  const std::function<Rule(bool)>& rule) {
  return {name,
          [&figures, rule](bool guard) { return figures.of(rule(guard), &Metrics::avg_bsld); },
          [&figures, rule](double Metrics::*member) { return figures.of(rule(true), member); },
          [&figures, rule] { return figures.of(rule(true), &Metrics::max_wait); }};
}

std::vector<Scheduler> schedulers(const LearnedFigures& figures) {
  std::vector<Scheduler> all = {models(figures), of_rule(figures, "hand-set", hand_set_rule)};
  for (const Objective objective : {Objective::Wait, Objective::Slowdown}) {
    all.push_back(of_rule(figures, "lookahead-" + std::string(to_string(objective)),
                          [objective](bool guard) { return lookahead_rule(objective, guard); }));
  }
  return all;
}

std::string verdict(const std::string& text, bool met) {
  return text.empty() ? "" : text + (met ? "" : " **missed**");
}

std::string at_most(const LearnedFigures& figures, const LearnedFigures::Values& its,
                    const LearnedFigures::Values& reference, double most) {
  const std::vector<PairedWindows> pairs = figures.paired(its, reference);
  if (pairs.empty()) return "";
  const Interval ratio = bootstrap_geometric_ratio(pairs, figures.page().bootstrap);
  return verdict(interval_text(ratio, 3), ratio.value <= most);
}

// The log on which the ratio of means is worst.
std::string worst_log(const LearnedFigures& figures, const LearnedFigures::Values& its,
                      const LearnedFigures::Values& reference, double most) {
  std::string name;
  double worst = 0;
  for (const StudiedLog& log : figures.page().plan.logs) {
    const std::vector<double> ours = its(log), theirs = reference(log);
    if (ours.empty() || ours.size() != theirs.size() || total(theirs) <= 0) continue;
    const double ratio = total(ours) / total(theirs);
    if (!name.empty() && ratio <= worst) continue;
    name = short_name(log);
    worst = ratio;
  }
  return name.empty() ? "" : verdict(fixed(worst, 2) + " (" + name + ")", worst <= most);
}

// How much of the way from the best fixed rule of other logs to the best for each window, of the
// sums over all windows of all logs.
std::string gap_closed(const LearnedFigures& figures, const LearnedFigures::Values& its) {
  double ours = 0, fixed_sum = 0, oracle = 0;
  for (const StudiedLog& log : figures.page().plan.logs) {
    const std::vector<double> values = its(log);
    const std::vector<double> elsewhere = figures.of_best_elsewhere(true)(log);
    const auto hindsight = figures.in_hindsight(log, true);
    if (values.empty() || values.size() != elsewhere.size() || hindsight.oracle.empty()) continue;
    ours += total(values);
    fixed_sum += total(elsewhere);
    oracle += total(hindsight.oracle);
  }
  if (fixed_sum <= oracle) return "";
  const double share = (fixed_sum - ours) / (fixed_sum - oracle);
  return verdict(fixed(100 * share, 0) + " %", share >= 0.5);
}

std::string utilization_lost(const LearnedFigures& figures, const LearnedFigures::Values& its) {
  std::vector<double> ours, theirs;
  for (const StudiedLog& log : figures.page().plan.logs) {
    const std::vector<double> values = its(log);
    const auto fcfs = figures.of(fixed_rule("fcfs", false), &Metrics::utilization)(log);
    if (values.empty() || fcfs.empty()) continue;
    ours.push_back(mean_of(values));
    theirs.push_back(mean_of(fcfs));
  }
  if (ours.empty()) return "";
  const double difference = mean_of(ours) - mean_of(theirs);
  return verdict(fixed(difference, 3), difference >= -0.03);
}

}  // namespace

std::string bars_table(const LearnedFigures& figures) {
  const std::vector<Scheduler> all = schedulers(figures);
  std::vector<std::string> titles = {"bar"};
  for (const Scheduler& scheduler : all) titles.push_back(scheduler.name);
  std::string out = head(titles);
  const auto line = [&](const std::string& bar,
                        const std::function<std::string(const Scheduler&)>& cell) {
    std::vector<std::string> cells = {bar};
    for (const Scheduler& scheduler : all) cells.push_back(cell(scheduler));
    out += row(cells);
  };
  const auto slowdown = &Metrics::avg_bsld;
  line("slowdown behind the guard, beside the best fixed rule of other logs: at most 0.90",
       [&](const Scheduler& it) {
         return at_most(figures, it.slowdowns(true), figures.of_best_elsewhere(true), 0.90);
       });
  line("slowdown without the guard, beside multifactor: at most 0.65", [&](const Scheduler& it) {
    return at_most(figures, it.slowdowns(false), figures.of(fixed_rule("mf", false), slowdown),
                   0.65);
  });
  line("the worst log, beside its own best fixed rule, behind the guard: at most 1.05",
       [&](const Scheduler& it) {
         const LearnedFigures::Values best = [&](const StudiedLog& log) {
           return figures.in_hindsight(log, true).best;
         };
         return worst_log(figures, it.slowdowns(true), best, 1.05);
       });
  line("of the gap between the best fixed rule of other logs and the oracle: at least 50 %",
       [&](const Scheduler& it) { return gap_closed(figures, it.slowdowns(true)); });
  line("longest wait behind the guard, beside FCFS, the worst log: at most 2.00",
       [&](const Scheduler& it) {
         return worst_log(figures, it.longest_waits(),
                          figures.of(fixed_rule("fcfs", false), &Metrics::max_wait), 2);
       });
  line("utilization behind the guard, less that of FCFS, mean of logs: at least -0.03",
       [&](const Scheduler& it) {
         return utilization_lost(figures, it.guarded(&Metrics::utilization));
       });
  line("slowdown behind the guard, beside hand-set: at most 1.00", [&](const Scheduler& it) {
    return it.name == "hand-set" ? ""
                                 : at_most(figures, it.slowdowns(true),
                                           figures.of(hand_set_rule(true), slowdown), 1.0);
  });
  line("mean wait behind the guard, beside hand-set", [&](const Scheduler& it) {
    if (it.name == "hand-set") return std::string();
    const auto pairs = figures.paired(it.guarded(&Metrics::avg_wait),
                                      figures.of(hand_set_rule(true), &Metrics::avg_wait));
    return pairs.empty() ? "" : interval_text(ratio_of_means(pairs, figures.page().bootstrap), 3);
  });
  return out + "\n";
}

}  // namespace hyades
