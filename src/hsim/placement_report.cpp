#include "hsim/placement_report.hpp"

#include <algorithm>
#include <cmath>

#include "hsim/metrics.hpp"
#include "hsim/study_cells.hpp"

namespace hyades {
namespace {

double median_of(const std::vector<double>& values) { return quantile_of(values, 0.5); }

std::string percent(double share, int digits) { return fixed(100 * share, digits) + " %"; }

std::string thousands(int number) {
  if (number < 1000) return std::to_string(number);
  const std::string last = std::to_string(1000 + number % 1000).substr(1);
  return thousands(number / 1000) + "," + last;
}

std::string time_text(double ms) { return fixed(ms, ms < 10 ? 2 : ms < 100 ? 1 : 0); }

std::string times_cell(const std::vector<double>& times_ms, double q) {
  return times_ms.empty() ? "" : time_text(quantile_of(times_ms, q));
}

std::string gap_table(const PlacementGaps& gaps) {
  std::string out = head({"method", "within 1 % of the optimum", "at the optimum", "mean gap",
                          "worst gap", "its seed"});
  for (const GapFigures& its : gaps.methods) {
    out += row({its.method, percent(gaps.near_share(its), 1),
                percent(static_cast<double>(its.exact) /
                            static_cast<double>(std::max<std::size_t>(gaps.problems, 1)),
                        1),
                percent(gaps.mean(its), 3), percent(its.worst, 1),
                its.worst > 0 ? std::to_string(its.worst_seed) : ""});
  }
  return out + "\n";
}

std::string bars_table(const PlacementStudy& study) {
  std::string out = head({"bar", "found", ""});
  for (const PlacementBar& bar : placement_bars(study)) {
    out += row({bar.what, bar.found, bar.met ? "met" : "**missed**"});
  }
  return out + "\n";
}

// "time limit (2), not tried (1)": on so many scenes.
std::string notes_cell(const WayFigures& way) {
  std::string out;
  for (const auto& [note, scenes] : way.notes) {
    out += (out.empty() ? "" : ", ") + note + " (" + std::to_string(scenes) + ")";
  }
  return out;
}

std::string race_table(const RaceFigures& race) {
  std::string out = head({"way", "cost beside first-fit", "least", "most", "of that, contention",
                          "decision, ms", "99th percentile, ms", ""});
  for (const WayFigures& way : race.ways) {
    std::vector<std::string> cells = {way.name};
    if (way.cost.empty()) {
      cells.insert(cells.end(), 4, "");
    } else {
      const auto [least, most] = std::minmax_element(way.cost.begin(), way.cost.end());
      cells.insert(cells.end(), {fixed(geometric_mean(way.cost), 4), fixed(*least, 4),
                                 fixed(*most, 4), fixed(median_of(way.contention), 4)});
    }
    cells.insert(cells.end(),
                 {times_cell(way.times_ms, 0.5), times_cell(way.times_ms, 0.99), notes_cell(way)});
    out += row(cells);
  }
  return out + "\n";
}

std::string phase2_table(const std::vector<RaceFigures>& races) {
  std::string out =
      head({"nodes", "starts", "phase 2, ms", "99th percentile, ms", "with a promise, ms",
            "99th percentile, ms", "figures new, ms", "places of a job", "jobs moved"});
  for (const RaceFigures& race : races) {
    out += row({thousands(race.nodes), thousands(race.starts), times_cell(race.phase2_ms, 0.5),
                times_cell(race.phase2_ms, 0.99), times_cell(race.promised_ms, 0.5),
                times_cell(race.promised_ms, 0.99), times_cell(race.fresh_ms, 0.5),
                fixed(median_of(race.places), 0), percent(median_of(race.moved), 0)});
  }
  return out + "\n";
}

// Where phase 2 is not the best, and by how much.
std::string losses(const std::vector<RaceFigures>& races) {
  std::string out;
  for (const RaceFigures& race : races) {
    if (race.ways.size() < 2 || race.ways[1].cost.empty()) continue;
    const std::vector<double>& ours = race.ways[1].cost;
    for (std::size_t i = 0; i < race.ways.size(); ++i) {
      const WayFigures& way = race.ways[i];
      if (i == 1 || way.cost.size() != ours.size()) continue;
      std::size_t lost = 0;
      double worst = 1;
      for (std::size_t scene = 0; scene < ours.size(); ++scene) {
        lost += ours[scene] > way.cost[scene] * (1 + 1e-9);
        worst = std::max(worst, ours[scene] / way.cost[scene]);
      }
      if (lost == 0) continue;
      out += "- " + thousands(race.nodes) + " nodes: " + way.name + " is better on " +
             std::to_string(lost) + " of " + std::to_string(ours.size()) + " scenes, by " +
             percent(worst - 1, 2) + " at most\n";
    }
  }
  return out.empty() ? "None.\n\n" : out + "\n";
}

constexpr const char* kAboutGaps =
    "2 to 6 jobs with 2 to 8 places each on 2 to 5 nodes. Cores are scarce (all first places fit "
    "together, often only just), memory bandwidth costs above a knee, in every other problem "
    "uneven loads cost as well. The optimum is by branch and bound. A gap is (cost - optimum) / "
    "optimum. *Without gradient*: each job in turn where it adds least, then repair; *cheapest in "
    "turn*: that alone; *without repair*: gradient and rounding alone. Where one finds no room for "
    "a job, all jobs are at their first places.\n\n";

constexpr const char* kAboutRaces =
    "Nodes of four kinds (modelled figures, 2 % noise) in chassis of 4 and groups of 32, on 70 % "
    "of them something runs; jobs of all known work classes, 30 % of them on several nodes; all "
    "can start. Costs are the modelled seconds that phase 2 makes small (run, contention, "
    "transfer; default weights), for all ways by one judge that also knows of all that runs: "
    "geometric mean over scenes, least, most. *Contention* is what jobs lose to each other, in "
    "first-fit's whole cost (median). Times are CPU time of the whole decision, who starts and "
    "where: median over all repetitions and scenes. *Best-fit* takes the fullest node that holds "
    "the job, *spread* the emptiest; both look at every node for every job. *Monolithic* is one "
    "integer program over all pairs of single-node jobs and nodes that hold them, by GLPK "
    "(`glpsol`, wall time with reading the file): run times and capacities only, the quadratic "
    "costs are left out and jobs on several nodes stay where first-fit, or phase 2, has them; its "
    "result goes to the same judge. It is optimal for that program unless a note says otherwise; "
    "in brackets: on how many scenes.\n\n";

}  // namespace

double quantile_of(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return percentile(values, q);
}

double geometric_mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += std::log(value);
  return values.empty() ? 0 : std::exp(sum / static_cast<double>(values.size()));
}

std::vector<PlacementBar> placement_bars(const PlacementStudy& study) {
  std::vector<PlacementBar> bars;
  if (!study.gaps.methods.empty()) {
    bars.push_back({"within 1 % of the optimum on at least 95 % of small problems",
                    percent(study.gaps.near_share(study.gaps.methods.front()), 1) + " of " +
                        thousands(static_cast<int>(study.gaps.problems)),
                    study.gaps.met()});
  }
  for (const RaceFigures& race : study.races) {
    if (race.nodes == kBarNodes) {
      const double median_ms = median_of(race.phase2_ms);
      bars.push_back({"phase 2 in less than 5 ms on 1,000 nodes with 50 starts",
                      time_text(median_ms) + " ms (99th percentile " +
                          times_cell(race.phase2_ms, 0.99) + " ms)",
                      median_ms < kBarPhase2_ms});
    }
    if (race.ways.size() < 2 || race.ways[1].cost.empty()) continue;
    const auto& ours = race.ways[1].cost;
    const double most = *std::max_element(ours.begin(), ours.end());
    bars.push_back({"no scene of " + thousands(race.nodes) + " nodes is worse than first-fit",
                    "at most " + fixed(most, 4) + " of its cost", most <= 1 + 1e-9});
  }
  return bars;
}

std::string placement_markdown(const PlacementStudy& study) {
  std::string out = "# Where starting jobs go\n\n";
  out +=
      "Written by `hsim study placement`; do not edit. Every cost here is **modelled**, on "
      "**simulated** clusters: no job ran. Times are measured.\n\n";
  out += facts_table(study.facts);
  out += "## Bars\n\n" + bars_table(study);
  out += "## Small problems, beside the optimum\n\n";
  out += thousands(static_cast<int>(study.gaps.problems)) + " random problems (simulated). " +
         kAboutGaps + gap_table(study.gaps);
  if (study.races.empty()) return out;
  out += "## Scenes, beside first-fit\n\n" + std::to_string(study.options.scenes) +
         " scenes of each size (simulated), each decision " + std::to_string(study.options.times) +
         " times; glpsol has " + std::to_string(study.options.limit_s) + " s. " + kAboutRaces;
  for (const RaceFigures& race : study.races) {
    out += "### " + thousands(race.nodes) + " nodes, " + thousands(race.starts) + " starts\n\n" +
           race_table(race);
  }
  out +=
      "## Phase 2 alone\n\nWhat it adds to a decision. *With a promise*: one more job waits for "
      "all nodes, and no place may delay it. *Figures new*: the first decision after nodes' "
      "figures have changed, once for each scene.\n\n" +
      phase2_table(study.races);
  out += "## Where another way is better\n\n" + losses(study.races);
  return out;
}

}  // namespace hyades
