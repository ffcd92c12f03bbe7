#include "cli/argument_parser.hpp"

#include <boost/program_options/cmdline.hpp>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/value_semantic.hpp>

#include "core/nearest_word.hpp"

namespace hyades {
namespace {

namespace po = boost::program_options;

// getopt_long's habits; --name with a single dash is not among them.
constexpr int kStyle = po::command_line_style::unix_style;

enum class Takes { Nothing, Optional, Value, Unknown };

Takes takes(const po::options_description& description, const std::string& name, bool approx) {
  const po::option_description* option = description.find_nothrow(name, approx);
  if (option == nullptr) return Takes::Unknown;
  if (option->semantic()->min_tokens() > 0) return Takes::Value;
  return option->semantic()->max_tokens() > 0 ? Takes::Optional : Takes::Nothing;
}

// True when the option in words[at] takes the next word as its value.
bool takes_next_word(const po::options_description& description, const std::string& word) {
  if (word[1] == '-') {
    return word.find('=') == std::string::npos &&
           takes(description, word.substr(2), true) == Takes::Value;
  }
  for (std::size_t i = 1; i < word.size(); ++i) {
    const Takes what = takes(description, std::string("-") + word[i], false);
    if (what == Takes::Nothing) continue;  // "-HQ": flags in one word
    return what == Takes::Value && i + 1 == word.size();
  }
  return false;
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

// Reads the words of one option, or of several flags in one word.
void parse_slice(const po::options_description& description, std::vector<std::string> slice,
                 std::size_t position, GivenArguments& out) {
  const std::string written = join(slice);
  // "--comment=" is an empty value to getopt_long and an error to Boost.
  if (slice.size() == 1 && slice[0].size() > 3 && slice[0].back() == '=' &&
      slice[0].find('=') == slice[0].size() - 1 &&
      takes(description, slice[0].substr(2, slice[0].size() - 3), true) == Takes::Value) {
    slice = {slice[0].substr(0, slice[0].size() - 1), ""};
  }
  const po::parsed_options parsed =
      po::command_line_parser(slice).options(description).style(kStyle).allow_unregistered().run();
  for (const po::option& option : parsed.options) {
    GivenOption given;
    given.name = option.string_key;
    given.known = !option.unregistered;
    given.has_value = !option.value.empty();
    if (given.has_value) given.value = option.value.front();
    given.written = written;
    given.position = position;
    out.options.push_back(std::move(given));
  }
}

std::string problem_text(const po::error& error, const std::string& written) {
  if (const auto* ambiguous = dynamic_cast<const po::ambiguous_option*>(&error)) {
    std::string names;
    for (const std::string& name : ambiguous->alternatives()) {
      const std::string option = (name.rfind("--", 0) == 0 ? "" : "--") + name;
      names += (names.empty() ? "" : ", ") + option;
    }
    return written + ": could be any of " + names + "; write more of it";
  }
  if (const auto* syntax = dynamic_cast<const po::invalid_command_line_syntax*>(&error)) {
    if (syntax->kind() == po::invalid_syntax::extra_parameter) {
      return written + ": this option takes no value";
    }
    return written + ": a value is missing";
  }
  return written + ": " + error.what();
}

}  // namespace

GivenArguments parse_arguments(const po::options_description& description,
                               const std::vector<std::string>& words, PlainWords plain_words) {
  GivenArguments out;
  std::size_t at = 0;
  const auto rest_is_plain = [&] {
    for (; at < words.size(); ++at) out.plain.push_back(at);
  };
  while (at < words.size()) {
    const std::string& word = words[at];
    if (word == "--") {
      ++at;
      rest_is_plain();
      break;
    }
    if (word.size() < 2 || word[0] != '-') {
      if (plain_words == PlainWords::EndOptions) {
        rest_is_plain();
        break;
      }
      out.plain.push_back(at++);
      continue;
    }
    const std::size_t first = at++;
    std::vector<std::string> slice{word};
    try {
      if (takes_next_word(description, word) && at < words.size()) slice.push_back(words[at++]);
      parse_slice(description, slice, first, out);
    } catch (const po::error& error) {
      out.problems.push_back({first, problem_text(error, join(slice))});
    }
  }
  return out;
}

void option_without_value(po::options_description& description, const char* names,
                          const char* help) {
  description.add_options()(names, help);
}

void option_with_value(po::options_description& description, const char* names,
                       const char* argument, const char* help) {
  description.add_options()(names, po::value<std::string>()->value_name(argument), help);
}

void option_with_optional_value(po::options_description& description, const char* names,
                                const char* argument, const char* help) {
  description.add_options()(
      names, po::value<std::string>()->implicit_value("")->value_name(argument), help);
}

std::vector<std::string> long_names(const po::options_description& description) {
  std::vector<std::string> names;
  for (const auto& option : description.options()) {
    const auto [list, count] = option->long_names();
    names.insert(names.end(), list, list + count);
  }
  return names;
}

std::string did_you_mean(const po::options_description& description, const std::string& written) {
  if (written.rfind("--", 0) != 0) return "";
  const std::string word = written.substr(2, written.find_first_of("= ") - 2);
  const std::string nearest = nearest_word(word, long_names(description));
  return nearest.empty() ? "" : "; did you mean --" + nearest + "?";
}

}  // namespace hyades
