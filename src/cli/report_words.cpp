#include "cli/report_words.hpp"

#include <algorithm>

#include "cli/quantity.hpp"
#include "core/job_report.hpp"

namespace hyades {
namespace {

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::string explain_name(const std::string& word, const std::string& name) {
  std::string text = word + ": a name begins with a letter, and is of at most " +
                     std::to_string(reported_name_bytes_max) + " of a-z 0-9 _ . -";
  const std::string lower = lower_case(name);
  if (is_reported_name(lower)) text += "; try " + lower + word.substr(name.size());
  return text;
}

std::string explain_value(const std::string& word, const std::string& value) {
  double percent = 0;
  if (value.ends_with('%') && parse_reported_value(value.substr(0, value.size() - 1), percent)) {
    return word + ": leave out the %; 100 % are 1, so this is " +
           word.substr(0, word.size() - value.size()) + reported_value_text(percent / 100);
  }
  return word + ": the value must be a finite number, such as 0.25 or -1e-3";
}

// "": nothing is wrong with it.
std::string explain(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == word.npos) return word + ": give it as NAME=VALUE, such as loss=0.25";
  const std::string name = word.substr(0, equals);
  const std::string value = word.substr(equals + 1);
  double number = 0;
  if (!is_reported_name(name)) return explain_name(word, name);
  if (!parse_reported_value(value, number)) return explain_value(word, value);
  if (name != progress_name || (number >= 0 && number <= 1)) return "";
  std::string text = word + ": progress goes from 0 to 1";
  if (number > 1 && number <= 100) {
    text +=
        "; for " + format_number(number) + " % say progress=" + reported_value_text(number / 100);
  }
  return text;
}

}  // namespace

bool write_report(const std::vector<std::string>& words, std::string& message, std::string& wrong) {
  if (words.empty()) {
    wrong = "name what to report: NAME=VALUE, such as progress=0.25";
    return false;
  }
  if (words.size() > reported_figures_max) {
    wrong = std::to_string(words.size()) + " figures; a job has at most " +
            std::to_string(reported_figures_max);
    return false;
  }
  std::string text;
  for (const std::string& word : words) {
    wrong = explain(word);
    if (!wrong.empty()) return false;
    std::string_view name;
    double value = 0;
    parse_report_word(word, name, value);
    text += std::string(name) + '=' + reported_value_text(value) + '\n';
  }
  message = text;
  return true;
}

}  // namespace hyades
