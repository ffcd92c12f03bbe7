#include "core/hostlist.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <set>

#include "core/job_spec.hpp"

namespace hyades {
namespace {

constexpr std::size_t longest_name = 255;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
         c == '-';
}

// Quotes what the user wrote, cut where it gets too long to be of help.
std::string quoted(const std::string& text) {
  return "'" + (text.size() > 80 ? text.substr(0, 77) + "..." : text) + "'";
}

bool parse_number(const std::string& text, std::uint64_t& out) {
  // 18 digits always fit; longer ones are not numbers of nodes.
  if (text.empty() || text.size() > 18 || !std::all_of(text.begin(), text.end(), is_digit)) {
    return false;
  }
  std::from_chars(text.data(), text.data() + text.size(), out);
  return true;
}

std::string padded(std::uint64_t number, std::size_t width) {
  std::string digits = std::to_string(number);
  return digits.size() < width ? std::string(width - digits.size(), '0') + digits : digits;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos) return parts;
    begin = end + 1;
  }
}

// The numbers of "01-04,7", as text.
bool expand_ranges(const std::string& text, std::vector<std::string>& out, std::string& error) {
  for (const std::string& part : split(text, ',')) {
    const std::size_t dash = part.find('-');
    const std::string low = part.substr(0, dash);
    const std::string high = dash == std::string::npos ? low : part.substr(dash + 1);
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    if (!parse_number(low, first) || !parse_number(high, last)) {
      error = quoted(part) + " is not a number or a range of numbers such as 1-4";
      return false;
    }
    if (last < first) {
      error = "the range " + quoted(part) + " runs backwards";
      return false;
    }
    if (last - first >= Limits::list_max || out.size() + (last - first) >= Limits::list_max) {
      error = "the range " + quoted(part) + " stands for more than " +
              std::to_string(Limits::list_max) + " names";
      return false;
    }
    const std::size_t width = low.size() > 1 && low[0] == '0' ? low.size() : 0;
    for (std::uint64_t number = first; number <= last; ++number) {
      out.push_back(padded(number, width));
    }
  }
  return true;
}

bool append_to_each(std::vector<std::string>& names, const std::vector<std::string>& endings,
                    std::string& error) {
  if (names.size() * endings.size() > Limits::list_max) {
    error = "the list stands for more than " + std::to_string(Limits::list_max) + " names";
    return false;
  }
  std::vector<std::string> longer;
  longer.reserve(names.size() * endings.size());
  for (const std::string& name : names) {
    for (const std::string& ending : endings) longer.push_back(name + ending);
  }
  names = std::move(longer);
  return true;
}

// One element of the list, brackets included.
bool expand_element(const std::string& element, std::vector<std::string>& names,
                    std::string& error) {
  names = {""};
  std::size_t at = 0;
  while (at < element.size()) {
    const std::size_t open = element.find('[', at);
    const std::string plain = element.substr(at, open - at);
    const auto bad = std::find_if_not(plain.begin(), plain.end(), is_name_character);
    if (bad != plain.end()) {
      error = *bad == ']'
                  ? "']' without '[' in " + quoted(element)
                  : quoted(element) + " is not a node name: only letters, digits, '.', '_' and '-'";
      return false;
    }
    if (!append_to_each(names, {plain}, error)) return false;
    if (open == std::string::npos) break;
    const std::size_t close = element.find(']', open);
    if (close == std::string::npos) {
      error = "'[' without ']' in " + quoted(element);
      return false;
    }
    std::vector<std::string> numbers;
    if (!expand_ranges(element.substr(open + 1, close - open - 1), numbers, error)) return false;
    if (!append_to_each(names, numbers, error)) return false;
    at = close + 1;
  }
  const std::string& name = names.front();
  if (name.empty() || name[0] == '-' || name[0] == '.') {
    error = name.empty() ? "an empty name" : quoted(element) + " begins with '" + name[0] + "'";
    return false;
  }
  if (name.size() > longest_name) {
    error = quoted(element) + " is longer than " + std::to_string(longest_name) + " characters";
    return false;
  }
  return true;
}

// Splits at commas that are outside brackets.
std::vector<std::string> elements(const std::string& text) {
  std::vector<std::string> out(1);
  bool inside = false;
  for (const char c : text) {
    if (c == '[') inside = true;
    if (c == ']') inside = false;
    if (c == ',' && !inside) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

struct NumberedName {
  std::string prefix;
  std::string digits;
  std::string suffix;
  std::uint64_t number = 0;
};

// False when the name holds no number that could be part of a range.
bool take_apart(const std::string& name, NumberedName& out) {
  std::size_t end = name.size();
  while (end > 0 && !is_digit(name[end - 1])) --end;
  std::size_t begin = end;
  while (begin > 0 && is_digit(name[begin - 1])) --begin;
  out = {name.substr(0, begin), name.substr(begin, end - begin), name.substr(end), 0};
  return parse_number(out.digits, out.number);
}

struct Group {
  std::string prefix;
  std::string suffix;
  std::size_t width = 0;  // of zero-padded numbers; 0: not padded
  std::set<std::uint64_t> numbers;
  std::string plain;  // a name without a number
};

std::string render(const Group& group) {
  if (group.numbers.empty()) return group.plain;
  std::string ranges;
  for (auto it = group.numbers.begin(); it != group.numbers.end();) {
    const std::uint64_t first = *it;
    std::uint64_t last = first;
    while (++it != group.numbers.end() && *it == last + 1) last = *it;
    if (!ranges.empty()) ranges += ',';
    ranges += padded(first, group.width);
    if (last != first) ranges += '-' + padded(last, group.width);
  }
  const bool bare = group.numbers.size() == 1;
  return group.prefix + (bare ? ranges : "[" + ranges + "]") + group.suffix;
}

}  // namespace

bool expand_hostlist(const std::string& text, std::vector<std::string>& out, std::string& error) {
  if (text.empty()) {
    error = "the list of nodes is empty";
    return false;
  }
  std::vector<std::string> all;
  std::set<std::string> seen;
  for (const std::string& element : elements(text)) {
    std::vector<std::string> names;
    if (!expand_element(element, names, error)) return false;
    for (std::string& name : names) {
      if (seen.insert(name).second) all.push_back(std::move(name));
    }
    if (all.size() > Limits::list_max) {
      error = "the list stands for more than " + std::to_string(Limits::list_max) + " names";
      return false;
    }
  }
  out.insert(out.end(), all.begin(), all.end());
  return true;
}

std::string compress_hostlist(const std::vector<std::string>& names) {
  // "n10" belongs with "n09" but also with "n9": it goes where zero-padded names of its length are.
  std::set<std::pair<std::string, std::size_t>> padded_widths;
  const auto family = [](const NumberedName& name) { return name.prefix + '\n' + name.suffix; };
  NumberedName parts;
  for (const std::string& name : names) {
    if (take_apart(name, parts) && parts.digits.size() > 1 && parts.digits[0] == '0') {
      padded_widths.emplace(family(parts), parts.digits.size());
    }
  }
  std::vector<Group> groups;
  std::map<std::string, std::size_t> by_key;
  for (const std::string& name : names) {
    Group group;
    if (take_apart(name, parts)) {
      group.prefix = parts.prefix;
      group.suffix = parts.suffix;
      if (padded_widths.count({family(parts), parts.digits.size()}) != 0) {
        group.width = parts.digits.size();
      }
    } else {
      group.plain = name;
    }
    const std::string key =
        group.plain.empty() ? family(parts) + '\n' + std::to_string(group.width) : "\n\n" + name;
    const auto [it, fresh] = by_key.emplace(key, groups.size());
    if (fresh) groups.push_back(std::move(group));
    if (groups[it->second].plain.empty()) groups[it->second].numbers.insert(parts.number);
  }
  std::string out;
  for (const Group& group : groups) out += (out.empty() ? "" : ",") + render(group);
  return out;
}

}  // namespace hyades
