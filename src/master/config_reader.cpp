#include "master/config_reader.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "core/hostlist.hpp"
#include "core/job_spec.hpp"
#include "core/nearest_word.hpp"
#include "core/units.hpp"

namespace hyades {
namespace {

constexpr std::size_t kMistakesShown = 100;

// A number itself: it may be of the right kind and out of range.
std::string what_is_there(const toml::node& node) {
  std::ostringstream number("the number ", std::ios::ate);
  if (const auto* whole = node.as_integer()) number << whole->get();
  if (const auto* fraction = node.as_floating_point()) number << fraction->get();
  if (node.is_number()) return number.str();
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

std::string range(std::int64_t least, std::int64_t most) {
  return std::to_string(least) + " to " + std::to_string(most);
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string nearest = nearest_word(word, candidates);
  if (!nearest.empty()) return "; did you mean '" + nearest + "'?";
  std::string all;
  for (const std::string& candidate : candidates) all += (all.empty() ? "" : ", ") + candidate;
  return candidates.empty() ? "" : "; possible: " + all;
}

// KiB are rounded up to MiB, which must not lift them to the least.
bool is_less(const std::string& given, MiB value, MiB least) {
  const bool kib = given.find_first_of("kK") != std::string::npos;
  return value < least || (kib && std::strtod(given.c_str(), nullptr) < 1024.0 * least);
}

}  // namespace

bool is_config_word(const std::string& text) {
  const auto is_letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && text.size() <= 64 && is_letter_or_digit(text[0]) &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
         });
}

std::string shown(const std::string& text, std::size_t longest) {
  const bool cut = text.size() > longest;
  std::string out;
  for (const char c : cut ? text.substr(0, longest) : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
      continue;
    }
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
    out += escaped;
  }
  return out + (cut ? "..." : "");
}

void ConfigErrors::add(std::size_t line, const std::string& message) {
  found_.push_back({line, path_ + ":" + std::to_string(line) + ": " + message});
}

std::vector<std::string> ConfigErrors::sorted() const {
  std::vector<Found> found = found_;
  std::stable_sort(found.begin(), found.end(),
                   [](const Found& a, const Found& b) { return a.line < b.line; });
  std::vector<std::string> texts;
  for (const Found& error : found) {
    if (texts.size() == kMistakesShown) {
      texts.push_back(path_ + ": and " + std::to_string(found.size() - kMistakesShown) +
                      " more mistakes");
      break;
    }
    texts.push_back(error.text);
  }
  return texts;
}

const toml::node* ConfigReader::find(const char* key) {
  known_.emplace_back(key);
  return table_.get(key);
}

void ConfigReader::wrong(const toml::node& node, const char* key, const std::string& expected) {
  errors_.add(node, std::string(key) + " in " + where_ + " must be " + expected + ", not " +
                        what_is_there(node));
}

std::size_t ConfigReader::line_of(const char* key) const {
  const toml::node* node = table_.get(key);
  return node != nullptr ? node->source().begin.line : table_.source().begin.line;
}

void ConfigReader::error(const char* key, const std::string& message) {
  errors_.add(line_of(key), message);
}

void ConfigReader::text(const char* key, std::string& out) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (!node->is_string()) return wrong(*node, key, "a string");
  const std::string& value = node->as_string()->get();
  if (!is_config_word(value)) {
    return errors_.add(*node, std::string(key) + " '" + shown(value) + "' in " + where_ +
                                  " must be 1 to 64 letters, digits, '.', '_' or '-', and begin "
                                  "with a letter or digit");
  }
  out = value;
}

void ConfigReader::file_name(const char* key, std::string& out) {
  const toml::node* const node = find(key);
  if (node == nullptr) return;
  if (!node->is_string()) return wrong(*node, key, "a file's name");
  const std::string& text = node->as_string()->get();
  if (text.empty() || text.front() == '/' || text.find("..") != std::string::npos ||
      !is_printable_utf8(text) || text.size() > Limits::path_bytes_max) {
    return errors_.add(*node, std::string(key) + " '" + shown(text) + "' in " + where_ +
                                  " must be a file below the folder, such as \"device/temp\"");
  }
  out = text;
}

void ConfigReader::unit(const char* key, std::string& out) {
  const toml::node* const node = find(key);
  if (node == nullptr) return;
  if (!node->is_string()) return wrong(*node, key, "a unit, such as \"W\"");
  const std::string& text = node->as_string()->get();
  const bool good = text.size() <= 16 && std::all_of(text.begin(), text.end(),
                                                     [](char c) { return c > ' ' && c < 0x7f; });
  if (!good) {
    return errors_.add(*node, std::string(key) + " '" + shown(text) + "' in " + where_ +
                                  " must be at most 16 characters, such as \"W\" or \"degC\"");
  }
  out = text;
}

void ConfigReader::factor(const char* key, double& out) {
  const toml::node* const node = find(key);
  if (node == nullptr) return;
  if (!node->is_number()) return wrong(*node, key, "a number");
  const double value = node->value<double>().value_or(0);
  if (value == 0 || !std::isfinite(value)) {
    return errors_.add(*node, std::string(key) + " in " + where_ + " must not be 0 nor endless");
  }
  out = value;
}

void ConfigReader::share(const char* key, double& out, double most) {
  const toml::node* const node = find(key);
  if (node == nullptr) return;
  char range[64];
  std::snprintf(range, sizeof range, "a number from 0 to %g", most);
  const double value = node->value<double>().value_or(-1);
  if (!node->is_number() || !(value >= 0 && value <= most)) return wrong(*node, key, range);
  out = value;
}

void ConfigReader::path(const char* key, std::string& out) {
  const toml::node* const node = find(key);
  if (node == nullptr) return;
  const std::string text = node->is_string() ? node->as_string()->get() : "?";
  const bool good = text.empty() || (text.front() == '/' && is_printable_utf8(text) &&
                                     text.size() <= Limits::path_bytes_max);
  if (!node->is_string()) return wrong(*node, key, "an absolute path");
  if (!good) {
    return errors_.add(*node, std::string(key) + " '" + shown(text) + "' in " + where_ +
                                  " must be an absolute path, such as \"/etc/hyades/" + key + "\"");
  }
  out = text;
}

void ConfigReader::command(const char* key, std::vector<std::string>& out) {
  std::vector<std::string> words;
  list(key, [&](const toml::node& node) {
    const std::string text = node.is_string() ? node.as_string()->get() : "";
    const bool good = is_printable_utf8(text) && (!words.empty() || text.starts_with("/"));
    if (!node.is_string()) return wrong(node, key, "a list of strings");
    if (!good) {
      return errors_.add(node, std::string(key) + " in " + where_ +
                                   " must begin with a program's " +
                                   "absolute path and be printable, not '" + shown(text) + "'");
    }
    words.push_back(text);
  });
  if (!words.empty()) out = words;
}

void ConfigReader::flag(const char* key, bool& out) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (!node->is_boolean()) return wrong(*node, key, "true or false");
  out = node->as_boolean()->get();
}

void ConfigReader::integer(const char* key, int& out, int least, int most) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const std::string expected = "a whole number from " + range(least, most);
  if (!node->is_integer()) return wrong(*node, key, expected);
  const std::int64_t value = node->as_integer()->get();
  if (value < least || value > most) {
    return errors_.add(*node, std::string(key) + " in " + where_ + " must be " + expected +
                                  ", not " + std::to_string(value));
  }
  out = static_cast<int>(value);
}

void ConfigReader::duration(const char* key, int& seconds, int least, int most) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const std::string expected =
      "a time such as \"0:30\", \"2:00:00\", \"1-12:00:00\" or a number of minutes";
  int value = 0;
  std::string given;
  if (node->is_integer()) {
    given = std::to_string(node->as_integer()->get());
  } else if (node->is_string()) {
    given = node->as_string()->get();
  } else {
    return wrong(*node, key, expected);
  }
  if (!parse_duration_s(given, value)) {
    return errors_.add(
        *node, std::string(key) + " '" + shown(given) + "' in " + where_ + " must be " + expected);
  }
  if (value < least || value > most) {
    return errors_.add(*node, std::string(key) + " '" + shown(given) + "' in " + where_ +
                                  " must be from " + format_duration(least) + " to " +
                                  format_duration(most));
  }
  seconds = value;
}

void ConfigReader::memory(const char* key, MiB& out, MiB least) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const std::string expected = "an amount such as \"64G\" or a number of MiB" +
                               (least > 0 ? ", at least " + format_memory(least) : std::string());
  std::string given;
  if (node->is_integer()) {
    given = std::to_string(node->as_integer()->get());
  } else if (node->is_string()) {
    given = node->as_string()->get();
  } else {
    return wrong(*node, key, expected);
  }
  constexpr MiB most = MiB{1} << 40;  // 2^60 bytes: sums of many nodes still fit
  MiB value = 0;
  if (!parse_memory_mib(given, value) || value > most || is_less(given, value, least)) {
    return errors_.add(
        *node, std::string(key) + " '" + shown(given) + "' in " + where_ + " must be " + expected);
  }
  out = value;
}

void ConfigReader::choice(const char* key, std::string& out,
                          const std::vector<std::string>& words) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (!node->is_string()) return wrong(*node, key, "a string");
  const std::string& value = node->as_string()->get();
  if (std::find(words.begin(), words.end(), value) == words.end()) {
    return errors_.add(*node, "unknown " + std::string(key) + " '" + shown(value) + "' in " +
                                  where_ + did_you_mean(value, words));
  }
  out = value;
}

void ConfigReader::list(const char* key, const std::function<void(const toml::node&)>& each) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const toml::array* array = node->as_array();
  if (array == nullptr) return wrong(*node, key, "a list, [ ... ]");
  if (array->size() > Limits::list_max) {
    return errors_.add(*node, std::string(key) + " in " + where_ + " has more than " +
                                  std::to_string(Limits::list_max) + " elements");
  }
  for (const toml::node& element : *array) each(element);
}

void ConfigReader::one_or_list(const char* key,
                               const std::function<void(const toml::node&)>& each) {
  const toml::node* const node = table_.get(key);
  if (node == nullptr || node->is_array()) return list(key, each);
  find(key);
  each(*node);
}

void ConfigReader::hosts(const char* key, std::vector<std::string>& out) {
  std::vector<std::string> names;
  bool right = true;
  const auto add = [&](const toml::node& node) {
    std::string problem;
    if (!right) return;  // one complaint about a list is enough
    if (!node.is_string()) {
      right = false;
      return wrong(node, key, "a string such as \"n[1-4]\" or a list of such strings");
    }
    if (!expand_hostlist(node.as_string()->get(), names, problem)) {
      right = false;
      errors_.add(node, std::string(key) + " in " + where_ + ": " + shown(problem, 250));
    } else if (right && names.size() > Limits::list_max) {
      right = false;
      errors_.add(node, std::string(key) + " in " + where_ + " names too many nodes");
      names.clear();
    }
  };
  const toml::node* node = table_.get(key);
  if (node != nullptr && !node->is_array()) {
    find(key);
    add(*node);
  } else {
    list(key, add);
  }
  if (node != nullptr && right) out = std::move(names);
}

void ConfigReader::words(const char* key, std::vector<std::string>& out) {
  std::vector<std::string> found;
  list(key, [&](const toml::node& element) {
    if (!element.is_string()) return wrong(element, key, "a list of strings");
    const std::string& word = element.as_string()->get();
    if (is_config_word(word)) {
      found.push_back(word);
    } else {
      errors_.add(element, "'" + shown(word) + "' in " + key + " of " + where_ +
                               " must be 1 to 64 letters, digits, '.', '_' or '-'");
    }
  });
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (table_.contains(key)) out = std::move(found);
}

void ConfigReader::devices(const char* key, std::vector<DeviceCount>& out) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const toml::table* table = node->as_table();
  if (table == nullptr) return wrong(*node, key, "a table such as { gpu = 2 }");
  std::vector<DeviceCount> found;
  for (const auto& [kind, count] : *table) {
    const std::string name(kind.str());
    if (!is_config_word(name)) {
      errors_.add(count, "'" + shown(name) + "' is not a kind of device");
    } else if (!count.is_integer() || count.as_integer()->get() < 1 ||
               count.as_integer()->get() > Limits::count_max) {
      errors_.add(count, "the number of " + name + " devices in " + where_ + " must be " +
                             range(1, Limits::count_max));
    } else {
      found.push_back({name, static_cast<int>(count.as_integer()->get())});
    }
  }
  std::sort(found.begin(), found.end(),
            [](const DeviceCount& a, const DeviceCount& b) { return a.kind < b.kind; });
  out = std::move(found);
}

void ConfigReader::device_files(std::vector<DeviceFiles>& out) {
  std::vector<DeviceFiles> found;
  for (const auto& [key, value] : table_) {
    DeviceFiles files{std::string(key.str()), {}};
    if (!is_config_word(files.kind)) {
      errors_.add(value, "'" + shown(files.kind) + "' in " + where_ + " is not a kind of device");
    }
    one_or_list(files.kind.c_str(), [&](const toml::node& node) {
      const std::string text = node.is_string() ? node.as_string()->get() : "";
      if (is_device_pattern(text) && is_printable_utf8(text) &&
          text.size() <= Limits::path_bytes_max) {
        files.patterns.push_back(text);
      } else {
        wrong(node, files.kind.c_str(),
              "an absolute path with one %d (or %+128d) for the index of the device, such as "
              "\"/dev/nvidia%d\", or a list of such");
      }
    });
    found.push_back(std::move(files));
  }
  std::sort(found.begin(), found.end(),
            [](const DeviceFiles& a, const DeviceFiles& b) { return a.kind < b.kind; });
  out = std::move(found);
}

void ConfigReader::finish() {
  for (const auto& [key, value] : table_) {
    const std::string name(key.str());
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    errors_.add(key.source().begin.line,
                "unknown key '" + shown(name) + "' in " + where_ + did_you_mean(name, known_));
  }
}

}  // namespace hyades
