#include "master/late_settings.hpp"

#include <utility>

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

std::string toml(int number) { return std::to_string(number); }

std::string toml(const std::vector<std::string>& list) {
  std::string out = "[";
  for (const std::string& text : list) out += (out.size() > 1 ? ", " : "") + toml(text);
  return out + "]";
}

}  // namespace

std::vector<LateSetting> keep_running_settings(const ClusterConfig& running,
                                               ClusterConfig& loaded) {
  std::vector<LateSetting> late;
  const auto keep = [&](const char* section, const char* key, auto member) {
    if (loaded.*member == running.*member) return;
    late.push_back({section, key, toml(loaded.*member)});
    loaded.*member = running.*member;
  };
  keep("[cluster]", "name", &ClusterConfig::name);
  keep("[cluster]", "backfill_depth", &ClusterConfig::backfill_depth);
  keep("[cluster]", "networks", &ClusterConfig::networks);
  keep("[telemetry]", "metrics", &ClusterConfig::metrics_listen);
  keep("[security]", "user", &ClusterConfig::daemon_user);
  keep("[security]", "listen", &ClusterConfig::listen);
  keep("[security]", "munge_socket", &ClusterConfig::munge_socket);
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
