#include "master/late_settings.hpp"

#include <utility>

#include "core/units.hpp"

namespace hyades {
namespace {

// As in the file; all of these are checked words, paths or addresses.
std::string toml(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string toml(std::int64_t number) { return std::to_string(number); }

std::string toml(const std::vector<std::string>& list) {
  std::string out = "[";
  for (const std::string& text : list) out += (out.size() > 1 ? ", " : "") + toml(text);
  return out + "]";
}

// Whoever wants to know more has the file.
std::vector<std::string> kinds_of(const std::vector<AcceleratorSetting>& accelerators) {
  std::vector<std::string> kinds;
  for (const AcceleratorSetting& accelerator : accelerators) kinds.push_back(accelerator.kind);
  return kinds;
}

}  // namespace

std::vector<LateSetting> keep_running_settings(const ClusterConfig& running,
                                               ClusterConfig& loaded) {
  std::vector<LateSetting> late;
  const auto keep = [&](const char* section, const char* key, auto& value, const auto& in_effect,
                        const auto& print) {
    if (value == in_effect) return;
    late.push_back({section, key, toml(print(value))});
    value = in_effect;
  };
  const auto as_it_is = [](const auto& value) -> const auto& { return value; };
  const auto keep_cluster = [&](const char* section, const char* key, auto member) {
    keep(section, key, loaded.*member, running.*member, as_it_is);
  };
  // Samplers choose their sources, and how much they remember, once: as root, where there is root.
  const auto keep_sampling = [&](const char* section, const char* key, auto member,
                                 const auto& print) {
    keep(section, key, loaded.node_settings.telemetry.*member,
         running.node_settings.telemetry.*member, print);
  };
  using Sampling = TelemetrySettings;
  keep_cluster("[cluster]", "name", &ClusterConfig::name);
  keep_cluster("[cluster]", "networks", &ClusterConfig::networks);
  keep_cluster("[telemetry]", "metrics", &ClusterConfig::metrics_listen);
  keep_sampling("[telemetry]", "retention", &Sampling::retention_s, format_duration);
  keep_sampling("[telemetry]", "ring_memory", &Sampling::ring_mib, format_memory);
  keep_sampling("[telemetry]", "idle_watts", &Sampling::idle_watts, as_it_is);
  keep_sampling("[telemetry]", "peak_watts", &Sampling::peak_watts, as_it_is);
  keep_sampling("[[accelerator]]", "accelerators", &Sampling::accelerators, kinds_of);
  keep_cluster("[security]", "user", &ClusterConfig::daemon_user);
  keep_cluster("[security]", "listen", &ClusterConfig::listen);
  keep_cluster("[security]", "munge_socket", &ClusterConfig::munge_socket);
  return late;
}

std::string late_sentence(const std::vector<LateSetting>& late) {
  std::string keys;
  for (std::size_t i = 0; i < late.size(); ++i) {
    const bool last = i + 1 == late.size();
    keys += (i == 0 ? "" : last ? " and " : ", ") + late[i].key;
  }
  if (late.empty()) return "";
  return keys + (late.size() == 1 ? " takes" : " take") +
         " effect at the next start of the cluster";
}

std::string render_late(const std::vector<LateSetting>& late) {
  if (late.empty()) return "";
  std::string text = "\n# At the next start of the cluster:\n";
  for (const LateSetting& setting : late) {
    text += "# " + setting.section + " " + setting.key + " = " + setting.value + "\n";
  }
  return text;
}

}  // namespace hyades
