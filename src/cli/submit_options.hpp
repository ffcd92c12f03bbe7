// The options of one submission, from the script, the environment and the command line, each in a
// store of its own and merged at the end: script < environment < command line.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/directives.hpp"

namespace hyades {

// From weak to strong.
enum class OptionSource { SbatchLine, HsubLine, SbatchVariable, HsubVariable, CommandLine };

struct ChosenOption {
  std::string value;
  bool has_value = false;
  std::string place;  // "train.sh:3: --time=abc", "SBATCH_TIMELIMIT=abc", "--time=abc"
  OptionSource source = OptionSource::CommandLine;
};

class SubmitOptions {
 public:
  // Null when the option was not given.
  const ChosenOption* find(const std::string& name) const;
  bool has(const std::string& name) const { return find(name) != nullptr; }
  // "" when it was not given or has no value.
  std::string value(const std::string& name) const;

  void set(const std::string& name, ChosenOption option);
  void erase(const std::string& name) { chosen_.erase(name); }
  // Takes over what `stronger` says. Of options that exclude each other (requeue and no-requeue;
  // the three ways to ask for memory) only the stronger source's stays.
  void override_with(const SubmitOptions& stronger);

 private:
  std::map<std::string, ChosenOption> chosen_;
};

// What was found wrong or odd. Each line is a sentence that names its place.
struct Diagnostics {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
};

// The command line without the program's name, cut at the first word that is neither an option nor
// a value: the script's name and its arguments.
struct SubmitCommandLine {
  SubmitOptions options;
  std::vector<std::string> script_and_arguments;
};
SubmitCommandLine read_command_line(const std::vector<std::string>& words, Diagnostics& found);

// `environment` as in environ: NAME=value. SBATCH_* first, HSUB_* over them.
SubmitOptions read_environment(const std::vector<std::string>& environment, Diagnostics& found);

// `file` is what messages call the script.
SubmitOptions read_directives(const Directives& directives, const std::string& file,
                              Diagnostics& found);

}  // namespace hyades
