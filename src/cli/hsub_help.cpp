#include "cli/hsub_help.hpp"

#include <vector>

#include "cli/submit_option_table.hpp"

namespace hyades {
namespace {

// "job-name,J" -> "-J, --job-name=NAME"
std::string spelling(const SubmitOption& option) {
  const std::string names = option.names;
  const std::size_t comma = names.find_last_of(',');
  const bool has_short = comma != std::string::npos && names.size() == comma + 2;
  std::string text = has_short ? std::string("-") + names.back() + ", " : "    ";
  text += "--" + option.name();
  if (option.takes == OptionTakes::Value) text += std::string("=") + option.argument;
  if (option.takes == OptionTakes::Optional && *option.argument != '\0') {
    text += std::string("[=") + option.argument + "]";
  }
  return text;
}

std::string option_lines() {
  constexpr std::size_t column = 32;
  std::string text;
  for (const SubmitOption& option : submit_option_table()) {
    if (option.support != OptionSupport::Yes || option.name() == "usage") continue;
    std::string line = "  " + spelling(option);
    line += line.size() < column ? std::string(column - line.size(), ' ') : "  ";
    text += line + option.help + "\n";
  }
  return text;
}

std::string ignored_names() {
  std::string text;
  std::string line = " ";
  for (const SubmitOption& option : submit_option_table()) {
    if (option.support != OptionSupport::Ignored) continue;
    const std::string word = " --" + option.name();
    if (line.size() + word.size() > 90) {
      text += line + "\n";
      line = " ";
    }
    line += word;
  }
  return text + line + "\n";
}

}  // namespace

std::string hsub_help() {
  return "Usage: hsub [OPTION...] [SCRIPT [ARGUMENT...]]\n"
         "Submit a job script, read from standard input without a file or for '-'.\n\n"
         "The same options may stand in the script, in lines that begin with #HSUB or #SBATCH,\n"
         "and in variables such as HSUB_TIME or SBATCH_PARTITION; the command line wins.\n"
         "Options of hsub come before the script, the script's arguments after it.\n\n"
         "Options\n" +
         option_lines() +
         "\nsbatch options that are accepted with a warning and not acted upon yet:\n" +
         ignored_names() +
         "\nExamples\n"
         "  hsub train.sh --lr 0.1\n"
         "  hsub -J quick -t 10 -c 4 --mem 2G --wrap 'python3 train.py'\n"
         "  hsub -d afterok:42 evaluate.sh\n"
         "  id=$(hsub --parsable train.sh) && hwait $id\n"
         "\nExit codes\n"
         "  0  submitted       1  refused, or the master cannot be reached\n"
         "  2  wrong options   with --wait: the exit code of the job\n";
}

}  // namespace hyades
