// The command lines of hrun and srun: options of their own, then the command that is to run, whose
// options are nobody's here.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <string>
#include <vector>

#include "cli/argument_parser.hpp"

namespace hyades {

struct StepProgram {
  const char* name;
  const char* about;  // one sentence
  const char* notes;  // the end of --help
};

struct StepArguments {
  std::vector<GivenOption> options;  // all of them known, in order
  std::vector<std::string> command;  // not empty
};

// `options` has help and version among others. Throws Failure for what is wrong, and one with exit
// code 0 after printing the text for --help or --version.
StepArguments read_step_arguments(const StepProgram& program,
                                  const boost::program_options::options_description& options,
                                  const std::vector<std::string>& words);

// Throws the Failure for a wrong command line.
[[noreturn]] void usage_error(const StepProgram& program, const std::string& text);

}  // namespace hyades
