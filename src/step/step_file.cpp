#include "step/step_file.hpp"

#include <algorithm>
#include <charconv>

#include "core/job_spec.hpp"

namespace hyades {
namespace {

constexpr std::string_view title = "hyades-steps 1";
constexpr std::size_t step_key_digits = 32;
constexpr std::size_t longest_name = 255;

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= longest_name && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '.' || c == '_' || c == '-' || c == ':' || c == '%';
         });
}

bool parse_number(std::string_view text, int lowest, int highest, int& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  // Only the form that encode() writes: "007" and "+7" are not it.
  return error == std::errc() && end == text.data() + text.size() && out >= lowest &&
         out <= highest && std::to_string(out) == text;
}

// Takes the next piece up to `separator` off the front of `rest`; false when there is none.
bool take(std::string_view& rest, char separator, std::string_view& piece) {
  const std::size_t end = rest.find(separator);
  if (end == rest.npos) return false;
  piece = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return true;
}

bool parse_node(std::string_view line, StepNode& out) {
  std::string_view name, address, port, tasks;
  if (!take(line, ' ', name) || !take(line, ' ', address) || !take(line, ' ', port) ||
      !take(line, ' ', tasks)) {
    return false;
  }
  if (!is_word(name) || !is_word(address)) return false;
  out.node = name;
  out.address = address;
  return parse_number(port, 0, 65535, out.port) &&
         parse_number(tasks, 0, Limits::count_max, out.tasks) &&
         parse_number(line, 0, Limits::count_max, out.cpus);
}

// The lines before the first node.
bool parse_head(std::string_view& rest, StepFile& out, std::string& error) {
  std::string_view line;
  if (!take(rest, '\n', line) || line != title) {
    error = "it does not begin with '" + std::string(title) + "'";
    return false;
  }
  if (!take(rest, '\n', line) || !line.starts_with("launch ") ||
      !parse_launch_key(std::string(line.substr(7)), out.key)) {
    error = "its second line names no launch";
    return false;
  }
  if (!take(rest, '\n', line) || !line.starts_with("key ") || !is_step_key(line.substr(4))) {
    error = "its third line is no key";
    return false;
  }
  out.step_key = line.substr(4);
  return true;
}

}  // namespace

int StepFile::tasks() const {
  int sum = 0;
  for (const StepNode& node : nodes) sum += node.tasks;
  return sum;
}

bool is_step_key(std::string_view text) {
  return text.size() == step_key_digits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string encode(const StepFile& file) {
  std::string text(title);
  text += "\nlaunch " + to_string(file.key) + "\nkey " + file.step_key + '\n';
  for (const StepNode& node : file.nodes) {
    text += "node " + node.node + ' ' + (node.address.empty() ? node.node : node.address) + ' ' +
            std::to_string(node.port) + ' ' + std::to_string(node.tasks) + ' ' +
            std::to_string(node.cpus) + '\n';
  }
  return text + "end " + std::to_string(file.nodes.size()) + '\n';
}

bool parse_step_file(std::string_view text, StepFile& file, std::string& error) {
  if (text.size() > step_file_bytes_max) {
    error = "it is too long";
    return false;
  }
  StepFile result;
  std::string_view rest = text;
  if (!parse_head(rest, result, error)) return false;
  std::string_view line;
  int tasks = 0;
  while (take(rest, '\n', line) && line.starts_with("node ")) {
    StepNode node;
    if (result.nodes.size() >= Limits::list_max || !parse_node(line.substr(5), node) ||
        (tasks += node.tasks) > Limits::count_max) {
      error = "line " + std::to_string(result.nodes.size() + 4) + " is no node";
      return false;
    }
    result.nodes.push_back(std::move(node));
  }
  if (!rest.empty() || result.nodes.empty() ||
      line != "end " + std::to_string(result.nodes.size())) {
    error = "it has no end, or more behind it";
    return false;
  }
  file = std::move(result);
  return true;
}

std::string mpi_hostfile(const StepFile& file) {
  std::string text;
  for (const StepNode& node : file.nodes) {
    text += node.node + " slots=" + std::to_string(node.tasks) + '\n';
  }
  return text;
}

bool share_a_machine(const StepNode& a, const StepNode& b) { return a.address == b.address; }

}  // namespace hyades
