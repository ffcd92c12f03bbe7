// hsim study devices: what it is worth to know which device does which work.
#include "hsim/hsim_study_devices.hpp"

#include <iostream>
#include <set>

#include "cli/failure.hpp"
#include "hsim/device_report.hpp"
#include "hsim/log_output.hpp"
#include "hsim/replay_options.hpp"
#include "hsim/study_command.hpp"
#include "hsim/study_progress.hpp"

namespace hyades {
namespace {

constexpr const char* kNotes =
    "TABLE is simulation_throughputs.json of Gavel, TRACE one of its traces. A fleet says how "
    "many\n"
    "devices of each kind there are, the fastest first: v100:12+p100:12+k80:12.\n"
    "\nExamples\n"
    "  hsim study devices gavel/simulation_throughputs.json gavel/*.trace --out devices.md\n"
    "  hsim study devices table.json my.trace --fleets v100:8+p100:16+k80:24 --per-node 8 --json\n"
    "\nExit codes\n"
    "  0  done      1  the table or a trace cannot be used      2  wrong options\n";

constexpr const char* kFleets =
    "v100:12+p100:12+k80:12,v100:8+p100:16+k80:24,v100:36+p100:36+k80:36";

Command devices_command() {
  Command command("hsim study devices", "hsim study devices TABLE TRACE... [OPTION...]",
                  "Find out what placing jobs on the right devices is worth, and write a page.",
                  kNotes);
  command.value("fleets", "F,...", "which (12+12+12, 8+16+24 and 36+36+36 V100, P100 and K80)");
  command.value("per-node", "N", "devices of a server (4)");
  command.value("jobs", "N", "the first so many jobs of each trace (400)");
  command.value("policies", "P,...", "orders of the queue (fcfs,saf)");
  command.value("out", "FILE", "write the page there; else it is printed");
  command.value("commit", "ID", "which Hyades this is, for the page");
  command.value("seed", "S", "of random places (1)");
  return command;
}

DeviceStudy study_of(const Command& command, const ThroughputTable& table) {
  DeviceStudy study;
  const auto most = static_cast<std::size_t>(whole_number(command, "jobs", 400, 1));
  std::set<std::string> names;
  for (std::size_t i = 1; i < command.words().size(); ++i) {
    study.traces.push_back(read_device_trace(command.words()[i], table, most));
    const std::string& name = study.traces.back().name;
    if (!names.insert(name).second) throw Failure("two traces are named " + name + ": rename one");
  }
  const int per_node = whole_number(command, "per-node", 4, 1, 1024);
  const std::vector<std::string> fleets =
      command.has("fleets") ? command.list_of("fleets") : split_list(kFleets);
  if (fleets.empty()) command.usage_error("--fleets: names none");
  for (const std::string& fleet : fleets) {
    study.fleets.push_back(parse_fleet(fleet, per_node, table));
  }
  const std::vector<std::string> orders =
      command.has("policies") ? command.list_of("policies") : split_list("fcfs,saf");
  if (orders.empty()) command.usage_error("--policies: names none");
  for (const std::string& word : orders) {
    study.orders.push_back(order_named(command, word, "policies"));
    if (is_advised(study.orders.back())) command.usage_error("--policies: " + word + " has advice");
  }
  study.seed = static_cast<std::uint64_t>(whole_number(command, "seed", 1, 0));
  return study;
}

std::vector<std::pair<std::string, std::string>> facts_of(const Command& command,
                                                          const DeviceStudy& study) {
  StudyPlan names;
  for (const DeviceTrace& trace : study.traces) names.logs.push_back({.name = trace.name});
  return study_facts(command, names, {"fleets", "per-node", "jobs", "policies"});
}

Json rows_json(const std::vector<DeviceRow>& rows) {
  Json out = Json::array();
  for (const DeviceRow& row : rows) {
    out.push_back({{"simulated", true},
                   {"fleet", row.fleet},
                   {"trace", row.trace},
                   {"order", row.order},
                   {"rule", row.rule},
                   {"jobs", row.metrics.jobs},
                   {"too_large", row.left_out},
                   {"mean_completion_h", row.metrics.completion_h},
                   {"makespan_h", row.metrics.makespan_h},
                   {"device_hours", row.metrics.device_hours},
                   {"had_a_choice", row.metrics.choice_share},
                   {"device_hours_by_kind", row.device_hours}});
  }
  return out;
}

Json pairs_json(const ThroughputTable& table) {
  Json out = Json::object();
  for (const std::string& device : table.devices()) {
    const CoLocationFacts facts = co_location_facts(table, device);
    out[device] = {{"pairs", facts.pairs},
                   {"misfits", facts.misfits},
                   {"median", facts.median},
                   {"losing_share", facts.losing_share}};
  }
  return out;
}

}  // namespace

int hsim_study_devices(int argc, char** argv) {
  Command command = devices_command();
  command.parse(argc, argv, Command::Asks::Nobody);
  if (command.words().size() < 2) command.usage_error("name a table and one trace or more");
  check_outputs(command, {command.value_of("out")}, command.words());
  const ThroughputTable table = read_throughput_table(command.words().front());
  const DeviceStudy study = study_of(command, table);
  StudyProgress progress("replays");
  const std::vector<DeviceRow> rows = study_devices(
      study, table, [&](std::size_t done, std::size_t all) { progress.say(done, all); });
  if (command.json()) {
    std::cout << json_text({{"runs", rows_json(rows)}, {"co_location", pairs_json(table)}});
  }
  if (command.json() && !command.has("out")) return kExitGood;
  put_page(command, device_markdown(facts_of(command, study), study, table, rows));
  return kExitGood;
}

}  // namespace hyades
