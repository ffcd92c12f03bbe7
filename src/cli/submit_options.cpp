#include "cli/submit_options.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "cli/argument_parser.hpp"
#include "cli/printable.hpp"
#include "cli/submit_option_table.hpp"
#include "core/nearest_word.hpp"

namespace hyades {
namespace {

const std::array<std::vector<std::string>, 2> kExcludeEachOther = {{
    {"requeue", "no-requeue"},
    {"mem", "mem-per-cpu", "mem-per-gpu"},
}};

// Of one source only the last of these counts; asking for memory twice is a contradiction instead.
const std::vector<std::string>& kLastWins = kExcludeEachOther[0];

// Names that sbatch gives to variables and that do not follow from the option's name.
const std::map<std::string, std::string> kVariableNames = {
    {"ARRAY_INX", "array"},  {"CPU_FREQ_REQ", "cpu-freq"}, {"DEBUG", "verbose"},
    {"MEM_PER_NODE", "mem"}, {"TIMELIMIT", "time"},        {"WAIT4SWITCH", "switches"},
};

std::string shown(const std::string& text) {
  return cut_text(escape_text(text.substr(0, 200)), 80, "...");
}

bool contains(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// Turns options as they were given into chosen ones, by what the table says about each.
class Reader {
 public:
  Reader(OptionSource source, Diagnostics& found) : source_(source), found_(found) {}

  SubmitOptions take() { return std::move(options_); }

  void error(const std::string& text) { found_.errors.push_back(text); }
  void warn(const std::string& text) { found_.warnings.push_back(text); }

  void accept(const std::string& name, const std::string& value, bool has_value,
              const std::string& place) {
    const SubmitOption* option = find_submit_option(name);
    if (option == nullptr) return;
    if (option->command_line_only && source_ != OptionSource::CommandLine) {
      return error(place + ": this option belongs on the command line");
    }
    switch (option->support) {
      case OptionSupport::Refused:
        return error(place + ": " + option->help);
      case OptionSupport::Privileged:
        return error(place + ": only an administrator could ask for this, and hsub does not");
      case OptionSupport::Ignored:
        return warn(place + ": ignored: not supported yet");
      case OptionSupport::Quiet:
        return;
      case OptionSupport::Yes:
        break;
    }
    if (contains(kLastWins, name)) {
      for (const std::string& other : kLastWins) options_.erase(other);
    }
    options_.set(name, {value, has_value, place, source_});
  }

  // Takes everything that `parse_arguments` found; `place_of` turns a position into "file:line: ".
  template <typename PlaceOf>
  void accept_all(const GivenArguments& given, PlaceOf place_of) {
    for (const ArgumentProblem& problem : given.problems) {
      error(place_of(problem.position) + shown(problem.text));
    }
    for (const GivenOption& option : given.options) {
      const std::string place = place_of(option.position) + shown(option.written);
      if (option.known) {
        accept(option.name, option.value, option.has_value, place);
      } else {
        warn(place + ": unknown option, ignored" +
             did_you_mean(submit_option_description(), option.written));
      }
    }
  }

 private:
  OptionSource source_;
  Diagnostics& found_;
  SubmitOptions options_;
};

// The words of one dialect. A plain word behind an unknown option may be its value; any other is
// a slip.
SubmitOptions read_dialect(const std::vector<DirectiveWord>& lines, OptionSource source,
                           const std::string& file, Diagnostics& found) {
  std::vector<std::string> words;
  for (const DirectiveWord& word : lines) words.push_back(word.text);
  const GivenArguments given =
      parse_arguments(submit_option_description(), words, PlainWords::Anywhere);
  const auto place_of = [&](std::size_t position) {
    return (file.empty() ? "script" : escape_text(file)) + ":" +
           std::to_string(lines[position].line) + ": ";
  };
  Reader reader(source, found);
  reader.accept_all(given, place_of);
  for (const std::size_t position : given.plain) {
    const std::string& word = words[position];
    const auto is_value_of = [&](const GivenOption& option) {
      return !option.known && !option.has_value && option.position + 1 == position;
    };
    if (word == "hetjob" || word == "packjob") {
      reader.error(place_of(position) + word + ": heterogeneous jobs are not supported yet");
    } else if (std::none_of(given.options.begin(), given.options.end(), is_value_of)) {
      reader.warn(place_of(position) + "'" + shown(word) + "' is no option, ignored");
    }
  }
  return reader.take();
}

// "SBATCH_GPUS_PER_NODE" without its prefix -> "gpus-per-node"; "" when there is no such option.
std::string option_of_variable(const std::string& suffix) {
  if (const auto known = kVariableNames.find(suffix); known != kVariableNames.end()) {
    return known->second;
  }
  std::string name;
  for (const char c : suffix) {
    name += c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  const auto* option = submit_option_description().find_nothrow(name, false);
  return option == nullptr || name.size() < 2 ? "" : option->long_name();
}

bool means_no(const std::string& value) {
  return value == "0" || value == "no" || value == "NO" || value == "false";
}

void read_variable(Reader& reader, const std::string& prefix, const std::string& entry) {
  const std::size_t equals = entry.find('=');
  if (equals == std::string::npos) return;
  const std::string suffix = entry.substr(prefix.size(), equals - prefix.size());
  const std::string value = entry.substr(equals + 1);
  const std::string place = "environment variable " + shown(entry);
  const std::string name = option_of_variable(suffix);
  const SubmitOption* option = find_submit_option(name);
  if (option == nullptr || option->command_line_only) {
    // Slurm has SBATCH_ variables of its own; a misspelt HSUB_ one is ours to notice.
    if (prefix == "HSUB_") reader.warn(place + ": no such option, ignored");
    return;
  }
  if (option->takes == OptionTakes::Nothing) {
    if (!means_no(value)) reader.accept(name, "", false, place);
  } else {
    reader.accept(name, value, option->takes == OptionTakes::Value || !value.empty(), place);
  }
}

SubmitOptions read_variables(const std::vector<std::string>& environment, const std::string& prefix,
                             OptionSource source, Diagnostics& found) {
  Reader reader(source, found);
  for (const std::string& entry : environment) {
    if (entry.rfind(prefix, 0) == 0) read_variable(reader, prefix, entry);
  }
  return reader.take();
}

}  // namespace

const ChosenOption* SubmitOptions::find(const std::string& name) const {
  const auto found = chosen_.find(name);
  return found == chosen_.end() ? nullptr : &found->second;
}

std::string SubmitOptions::value(const std::string& name) const {
  const ChosenOption* option = find(name);
  return option == nullptr ? "" : option->value;
}

void SubmitOptions::set(const std::string& name, ChosenOption option) {
  chosen_[name] = std::move(option);
}

void SubmitOptions::override_with(const SubmitOptions& stronger) {
  for (const auto& group : kExcludeEachOther) {
    const bool said = std::any_of(group.begin(), group.end(),
                                  [&](const std::string& name) { return stronger.has(name); });
    if (!said) continue;
    for (const std::string& name : group) chosen_.erase(name);
  }
  for (const auto& [name, option] : stronger.chosen_) chosen_[name] = option;
}

SubmitCommandLine read_command_line(const std::vector<std::string>& words, Diagnostics& found) {
  const GivenArguments given =
      parse_arguments(submit_option_description(), words, PlainWords::EndOptions);
  Reader reader(OptionSource::CommandLine, found);
  reader.accept_all(given, [](std::size_t) { return std::string(); });
  SubmitCommandLine result;
  result.options = reader.take();
  for (const std::size_t position : given.plain) {
    result.script_and_arguments.push_back(words[position]);
  }
  return result;
}

SubmitOptions read_environment(const std::vector<std::string>& environment, Diagnostics& found) {
  SubmitOptions options =
      read_variables(environment, "SBATCH_", OptionSource::SbatchVariable, found);
  options.override_with(read_variables(environment, "HSUB_", OptionSource::HsubVariable, found));
  return options;
}

SubmitOptions read_directives(const Directives& directives, const std::string& file,
                              Diagnostics& found) {
  SubmitOptions options = read_dialect(directives.sbatch, OptionSource::SbatchLine, file, found);
  options.override_with(read_dialect(directives.hsub, OptionSource::HsubLine, file, found));
  return options;
}

}  // namespace hyades
