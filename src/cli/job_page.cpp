#include "cli/job_page.hpp"

#include "cli/json_output.hpp"
#include "cli/printable.hpp"

namespace hyades {
namespace {

std::string value_text(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (!value.is_structured()) return value.dump();
  std::string text;
  for (const auto& [key, item] : value.items()) {
    const std::string name = value.is_object() ? key + "=" : "";
    std::string shown = value_text(item);
    if (item.is_object()) shown = "(" + shown + ")";
    text += (text.empty() ? "" : " ") + name + shown;
  }
  return text;
}

// The same facts as in --json, under the same names: one list to keep right.
std::string page(const Json& facts) {
  std::size_t width = 0;
  for (const auto& [key, value] : facts.items()) width = std::max(width, key.size());
  std::string out;
  for (const auto& [key, value] : facts.items()) {
    const std::string text = escape_text(value_text(value));
    out += key + ":" + (text.empty() ? "" : std::string(width - key.size() + 1, ' ') + text) + "\n";
  }
  return out;
}

}  // namespace

std::string job_page(const pb::JobInfo& job) { return page(job_json(job)); }
std::string node_page(const pb::NodeInfo& node) { return page(node_json(node)); }
std::string queue_page(const pb::QueueInfo& queue) { return page(queue_json(queue)); }

}  // namespace hyades
