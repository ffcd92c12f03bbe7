// hsim: replays logs of batch systems through the scheduler of the master.
#include <cstring>
#include <iostream>
#include <vector>

#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "core/nearest_word.hpp"
#include "hsim/subcommands.hpp"

namespace hyades {
namespace {

struct Subcommand {
  const char* name;
  const char* about;
  int (*run)(int argc, char** argv);
};

constexpr Subcommand kSubcommands[] = {
    {"run", "replay a log under one policy", hsim_run},
    {"compare", "replay a log under two configurations", hsim_compare},
    {"generate", "make a log of jobs like those of real machines", hsim_generate},
    {"import", "make a log of what another batch system has recorded", hsim_import},
    {"study", "try many rules, or learned policies, on windows of several logs", hsim_study},
};

void print_help() {
  std::cout << "Usage: hsim COMMAND [ARGUMENT...]\n"
               "Replay logs of batch systems through the scheduler of the master.\n\n";
  for (const Subcommand& command : kSubcommands) {
    std::cout << "  " << command.name << std::string(12 - std::strlen(command.name), ' ')
              << command.about << "\n";
  }
  std::cout << "\n'hsim COMMAND --help' says more about each.\n";
}

int run(int argc, char** argv) {
  if (argc < 2) throw Failure("a command is missing\ntry 'hsim --help'", kExitUsage);
  const std::string word = argv[1];
  if (word == "--help" || word == "-h") {
    print_help();
    return kExitGood;
  }
  if (word == "--version" || word == "-V") {
    std::cout << "hsim (Hyades) " << hyades_version() << "\n";
    return kExitGood;
  }
  std::vector<std::string> names;
  for (const Subcommand& command : kSubcommands) {
    if (word == command.name) return command.run(argc - 1, &argv[1]);
    names.emplace_back(command.name);
  }
  const std::string nearest = nearest_word(word, names);
  throw Failure("'" + word + "': no such command" +
                    (nearest.empty() ? "" : "; did you mean " + nearest + "?") +
                    "\ntry 'hsim --help'",
                kExitUsage);
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  return hyades::run_command("hsim", [&] { return hyades::run(argc, argv); });
}
