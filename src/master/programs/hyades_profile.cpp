// hyades-profile: measures what this node can do. It asks no master; `hctl node profile` runs it as
// a job on each node.
#include <cstdlib>
#include <iostream>

#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "cli/json_output.hpp"
#include "cli/profile_file.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"
#include "telemetry/node_profiler.hpp"

namespace hyades {
namespace {

constexpr const char* kNotes =
    "Nothing else should run on the node meanwhile. docs/profiles.md says what the figures are.\n"
    "\nExamples\n"
    "  hyades-profile\n"
    "  hyades-profile --json > n1.json; hctl node profile n1 --from n1.json\n"
    "\nExit codes\n"
    "  0  measured      1  it could not be measured      2  wrong options\n";

double seconds_of(const Command& command) {
  double seconds = 1;
  const std::string text = command.value_of("seconds");
  if (command.has("seconds") && !parse_kernel_seconds(text, seconds)) {
    command.usage_error("--seconds=" + text + ": use a number above 0, at most 60");
  }
  return seconds;
}

std::string directory_of(const Command& command) {
  if (command.has("dir")) return command.value_of("dir");
  const char* temporary = std::getenv("TMPDIR");
  return temporary == nullptr || *temporary == '\0' ? "/tmp" : temporary;
}

int run(int argc, char** argv) {
  Command command("hyades-profile", "hyades-profile [OPTION...]",
                  "Measure what this node can do: arithmetic, memory, disk.", kNotes);
  command.value("seconds", "S", "for each measurement, about (default 1)");
  command.value("dir", "DIR", "where the disk is measured (default $TMPDIR, else /tmp)");
  command.parse(argc, argv, Command::Asks::Nobody);
  if (!command.words().empty()) {
    command.usage_error("'" + command.words().front() + "': it takes options only");
  }
  ProfilerOptions options{.seconds = seconds_of(command), .directory = directory_of(command)};
  const Terminal terminal = command.terminal();
  if (!command.json() && terminal.columns > 0) {
    options.progress = [&](const std::string& what) { complain(command.name(), what); };
  }
  const NodeProfile profile = measure_node(options);
  if (command.json()) {
    std::cout << json_text(profile_json(profile));
    return kExitGood;
  }
  Table table({{"FIGURE"}, {"VALUE", true}, {"UNIT"}});
  for (const std::string& name : measured_figures()) {
    const double value = profile.figure(name);
    if (value > 0) table.add({name, figure_text(value), figure_unit(name)});
  }
  std::cout << table.render(terminal);
  return kExitGood;
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  return hyades::run_command("hyades-profile", [&] { return hyades::run(argc, argv); });
}
