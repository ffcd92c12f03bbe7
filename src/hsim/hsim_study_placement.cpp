// hsim study placement: what phase 2 of scheduling, where jobs go, is worth and costs.
#include "hsim/hsim_study_placement.hpp"

#include <cstdlib>
#include <iostream>

#include "cli/failure.hpp"
#include "cli/json_output.hpp"
#include "hsim/log_output.hpp"
#include "hsim/placement_report.hpp"
#include "hsim/replay_options.hpp"
#include "hsim/study_cells.hpp"
#include "hsim/study_command.hpp"
#include "hsim/study_progress.hpp"

namespace hyades {
namespace {

constexpr const char* kNotes =
    "Small random problems beside their optimum, then clusters of unlike nodes beside first-fit,\n"
    "best-fit, spread, random and one integer program (glpsol of glpk-utils, where installed).\n"
    "\nExamples\n"
    "  hsim study placement --out placement.md\n"
    "  hsim study placement --small-only --instances 200\n"
    "\nExit codes\n"
    "  0  done, whatever bars were missed      1  a file cannot be written      2  wrong options\n";

constexpr int kNodesMost = 20'000;

std::vector<int> sizes_of(const Command& command) {
  if (command.has("small-only")) return {};
  if (!command.has("nodes")) return {10, 100, 1000, 10'000};
  std::vector<int> sizes;
  for (const std::string& word : command.list_of("nodes")) {
    char* end = nullptr;
    const long nodes = std::strtol(word.c_str(), &end, 10);
    if (*end != '\0' || nodes < 4 || nodes > kNodesMost) {
      command.usage_error("--nodes: " + word + " is not a number from 4 to 20000");
    }
    sizes.push_back(static_cast<int>(nodes));
  }
  return sizes;
}

std::string load_text() {
  double averages[1] = {};
  return getloadavg(averages, 1) == 1 ? fixed(averages[0], 1) : "unknown";
}

PlacementStudy study(const Command& command) {
  PlacementStudy out;
  out.facts = study_facts(command, {}, {"instances", "nodes", "scenes", "times", "limit", "pairs"});
  std::string& line = out.facts.back().second;  // the command
  if (command.has("small-only")) line.insert(line.size() - 1, " --small-only");
  out.facts.emplace_back("load average before", load_text());
  const std::vector<int> sizes = sizes_of(command);
  const auto seed = static_cast<std::uint64_t>(whole_number(command, "seed", 1, 0));
  out.options.seed = seed;
  out.options.scenes = whole_number(command, "scenes", out.options.scenes, 1);
  out.options.times = whole_number(command, "times", out.options.times, 1);
  out.options.limit_s = whole_number(command, "limit", out.options.limit_s, 1);
  out.options.pairs_most = static_cast<std::size_t>(
      whole_number(command, "pairs", static_cast<int>(out.options.pairs_most), 0, 100'000'000));
  const auto problems = static_cast<std::size_t>(whole_number(command, "instances", 1000, 1));
  {
    StudyProgress progress("small problems");
    out.gaps =
        placement_gaps(problems, seed, [&](std::size_t done) { progress.say(done, problems); });
  }
  StudyProgress progress("scenes");
  const std::size_t all = sizes.size() * static_cast<std::size_t>(out.options.scenes);
  std::size_t done = 0;
  for (const int nodes : sizes) {
    out.races.push_back(placement_race(nodes, out.options, [&] { progress.say(++done, all); }));
  }
  return out;
}

Json times_json(const std::vector<double>& times_ms) {
  if (times_ms.empty()) return nullptr;
  return {{"median_ms", quantile_of(times_ms, 0.5)}, {"p99_ms", quantile_of(times_ms, 0.99)}};
}

Json race_json(const RaceFigures& race) {
  Json ways = Json::array();
  for (const WayFigures& way : race.ways) {
    ways.push_back({{"way", way.name},
                    {"cost", way.cost},
                    {"contention", way.contention},
                    {"decision", times_json(way.times_ms)},
                    {"notes", way.notes}});
  }
  return {{"nodes", race.nodes},
          {"starts", race.starts},
          {"ways", std::move(ways)},
          {"phase2", times_json(race.phase2_ms)},
          {"phase2_with_promise", times_json(race.promised_ms)},
          {"phase2_figures_new", times_json(race.fresh_ms)},
          {"places", race.places},
          {"moved", race.moved}};
}

Json study_json(const PlacementStudy& study) {
  Json gaps = Json::array(), races = Json::array(), bars = Json::array();
  for (const GapFigures& its : study.gaps.methods) {
    gaps.push_back({{"method", its.method},
                    {"within_1_percent", study.gaps.near_share(its)},
                    {"exact", its.exact},
                    {"mean_gap", study.gaps.mean(its)},
                    {"worst_gap", its.worst},
                    {"worst_seed", its.worst_seed}});
  }
  for (const RaceFigures& race : study.races) races.push_back(race_json(race));
  for (const PlacementBar& bar : placement_bars(study)) {
    bars.push_back({{"bar", bar.what}, {"found", bar.found}, {"met", bar.met}});
  }
  return {{"small_problems", study.gaps.problems},
          {"gaps", std::move(gaps)},
          {"scenes", std::move(races)},
          {"bars", std::move(bars)}};
}

}  // namespace

int hsim_study_placement(int argc, char** argv) {
  Command command("hsim study placement", "hsim study placement [OPTION...]",
                  "Find out what choosing nodes by cost is worth, and write a page.", kNotes);
  command.value("instances", "N", "small random problems (1000)");
  command.flag("small-only", "those alone");
  command.value("nodes", "N,...", "sizes of the clusters (10,100,1000,10000)");
  command.value("scenes", "N", "clusters of each size (5)");
  command.value("times", "N", "measurements of each decision, on each of them (41)");
  command.value("limit", "SECONDS", "of glpsol, for each of them (60)");
  command.value("pairs", "N", "of jobs and nodes, that glpsol is asked about at most (500000)");
  command.value("out", "FILE", "write the page there; else it is printed");
  command.value("commit", "ID", "which Hyades this is, for the page");
  command.value("seed", "S", "other problems and clusters (1)");
  command.parse(argc, argv, Command::Asks::Nobody);
  if (!command.words().empty()) command.usage_error(command.words().front() + ": not expected");
  check_outputs(command, {command.value_of("out")}, {});
  const PlacementStudy found = study(command);
  if (command.json()) {
    std::cout << json_text(study_json(found));
    if (!command.has("out")) return kExitGood;
  }
  put_page(command, placement_markdown(found));
  return kExitGood;
}

}  // namespace hyades
