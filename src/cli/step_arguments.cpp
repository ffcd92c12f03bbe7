#include "cli/step_arguments.hpp"

#include <iostream>

#include "cli/command.hpp"
#include "cli/failure.hpp"

namespace hyades {

StepArguments read_step_arguments(const StepProgram& program,
                                  const boost::program_options::options_description& options,
                                  const std::vector<std::string>& words) {
  const GivenArguments given = parse_arguments(options, words, PlainWords::EndOptions);
  if (!given.problems.empty()) usage_error(program, given.problems.front().text);
  for (const GivenOption& option : given.options) {
    if (!option.known) {
      usage_error(program,
                  option.written + ": no such option" + did_you_mean(options, option.written));
    }
    if (option.name == "help") {
      std::cout << "Usage: " << program.name << " [OPTION...] COMMAND [ARGUMENT...]\n"
                << program.about << "\n\n"
                << options << "\n"
                << program.notes;
      throw Failure("", kExitGood);
    }
    if (option.name == "version") {
      std::cout << program.name << " (Hyades) " << hyades_version() << "\n";
      throw Failure("", kExitGood);
    }
  }
  StepArguments arguments{given.options, {}};
  for (const std::size_t position : given.plain) arguments.command.push_back(words[position]);
  if (arguments.command.empty()) usage_error(program, "name the command to run");
  return arguments;
}

void usage_error(const StepProgram& program, const std::string& text) {
  throw Failure(text + "\ntry '" + program.name + " --help'", kExitUsage);
}

}  // namespace hyades
