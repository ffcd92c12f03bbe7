// Command lines, read by Boost.Program_options one option at a time. That way an optional value is
// only taken behind "=", options may be repeated, each keeps its place, and what follows the first
// plain word can be left alone. Pure functions; any thread.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <cstddef>
#include <string>
#include <vector>

namespace hyades {

// One option as it was given.
struct GivenOption {
  std::string name;  // the long name, however it was written; as written when unknown
  std::string value;
  bool has_value = false;
  bool known = true;
  std::string written;       // "--time=abc", "-N 4": for messages
  std::size_t position = 0;  // of its first word
};

struct ArgumentProblem {
  std::size_t position = 0;
  std::string text;  // a sentence, without the place
};

struct GivenArguments {
  std::vector<GivenOption> options;  // in order
  std::vector<std::size_t> plain;    // positions of words that are no option and no value
  std::vector<ArgumentProblem> problems;
};

enum class PlainWords {
  EndOptions,  // the first plain word ends the options: it and all that follows is `plain`
  Anywhere,    // options may follow plain words
};

// A word that is no option stands alone; "--" ends the options. Unique beginnings of long names are
// accepted, as getopt_long does. `description` says which options take a value: use
// `option_without_value`, `option_with_value` and `option_with_optional_value` to fill it.
GivenArguments parse_arguments(const boost::program_options::options_description& description,
                               const std::vector<std::string>& words, PlainWords plain_words);

// `names` is "long,alias,S", help as Boost prints it; `argument` what help calls the value.
void option_without_value(boost::program_options::options_description& description,
                          const char* names, const char* help);
void option_with_value(boost::program_options::options_description& description, const char* names,
                       const char* argument, const char* help);
// Takes a value only as "--name=value", never the next word.
void option_with_optional_value(boost::program_options::options_description& description,
                                const char* names, const char* argument, const char* help);

// The long names in a description, to find the nearest one to a mistyped option.
std::vector<std::string> long_names(const boost::program_options::options_description& description);

// ", did you mean --time?" or "".
std::string did_you_mean(const boost::program_options::options_description& description,
                         const std::string& written);

}  // namespace hyades
