// Every option that hsub knows, the same on the command line, in `#HSUB` and `#SBATCH` lines and in
// the environment. schema/directives.md describes them for people; a test keeps the two together.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <string>
#include <vector>

namespace hyades {

enum class OptionTakes { Nothing, Value, Optional };

enum class OptionSupport {
  Yes,
  Quiet,       // accepted; means nothing here or is the default anyway
  Ignored,     // accepted with a warning: not supported yet
  Refused,     // an error; `help` says why
  Privileged,  // an error: only an administrator could mean it
};

struct SubmitOption {
  const char* names;  // "long,alias,S"
  OptionTakes takes;
  OptionSupport support;
  bool command_line_only;
  const char* argument;  // what help calls the value; "" when there is none
  const char* help;

  std::string name() const;  // the long name by which everything else knows it
};

const std::vector<SubmitOption>& submit_option_table();
const SubmitOption* find_submit_option(const std::string& name);

// The table as Boost.Program_options wants it.
const boost::program_options::options_description& submit_option_description();

}  // namespace hyades
