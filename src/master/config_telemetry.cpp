#include "master/config_telemetry.hpp"

#include <algorithm>

#include "core/job_spec.hpp"
#include "wire/network_address.hpp"

namespace hyades {
namespace {

constexpr const char* kPeriodKeys[] = {"compute_ms", "memory_ms", "network_ms", "power_ms",
                                       "application_ms"};
constexpr int kWattsMax = 1'000'000;

void read_metrics_place(const toml::node& node, ClusterConfig& config, ConfigReader& reader) {
  NetworkAddress address;
  const std::string text = node.is_string() ? node.as_string()->get() : "";
  if (NetworkAddress::parse(text, address)) return config.metrics_listen.push_back(text);
  reader.error("metrics",
               "metrics in [telemetry] must hold places such as \"127.0.0.1:9410\", or \":9410\" "
               "for every address of the host");
}

bool is_accelerator_path(const std::string& pattern) {
  return pattern.size() > 1 && pattern[0] == '/' && pattern.find("..") == std::string::npos &&
         std::count(pattern.begin(), pattern.end(), '*') <= 1;
}

// { name = "power", file = "power_uw", unit = "W", scale = 1e-6 }
void read_accelerator_figure(const toml::node& node, AcceleratorSetting& source,
                             ConfigErrors& errors) {
  if (!node.is_table()) {
    return errors.add(node,
                      "figures of [[accelerator]] must hold tables such as { name = "
                      "\"temperature\", file = \"temp\", unit = \"degC\", scale = 0.001 }");
  }
  const toml::table& table = *node.as_table();
  ConfigReader reader(table, "figures of [[accelerator]]", errors);
  AcceleratorFigureSetting figure;
  reader.text("name", figure.name);
  reader.unit("unit", figure.unit);
  reader.file_name("file", figure.file);
  reader.factor("scale", figure.scale);
  reader.finish();
  for (const char* key : {"name", "file"}) {
    if (!table.contains(key)) reader.error(key, std::string("a figure needs its ") + key);
  }
  source.figures.push_back(std::move(figure));
}

}  // namespace

void read_measuring(ConfigReader& reader, ClusterConfig& config) {
  TelemetrySettings& settings = config.node_settings.telemetry;
  reader.flag("enabled", settings.enabled);
  for (std::size_t i = 0; i < settings.period_ms.size(); ++i) {
    reader.integer(kPeriodKeys[i], settings.period_ms[i], 10, 60'000);
  }
  reader.integer("report_ms", settings.report_ms, 500, 60'000);
  reader.integer("idle_factor", settings.idle_factor, 1, 100);
  reader.integer("budget_ppm", settings.budget_ppm, 100, 1'000'000);
  reader.duration("retention", settings.retention_s, 60, 7 * 86'400);
  reader.memory("ring_memory", settings.ring_mib, 1);
  reader.integer("idle_watts", settings.idle_watts, 0, kWattsMax);
  reader.integer("peak_watts", settings.peak_watts, 0, kWattsMax);
  reader.integer("keep_minutes_days", config.keep_minutes_days, 1, 3660);
  reader.integer("keep_jobs_days", config.keep_jobs_days, 1, 36'600);
  reader.one_or_list("metrics",
                     [&](const toml::node& node) { read_metrics_place(node, config, reader); });
  if (settings.peak_watts < settings.idle_watts) {
    reader.error("peak_watts", "peak_watts (" + std::to_string(settings.peak_watts) +
                                   ") must not be less than idle_watts (" +
                                   std::to_string(settings.idle_watts) + ")");
  }
}

void read_accelerator(const toml::table& table, TelemetrySettings& settings, ConfigErrors& errors) {
  ConfigReader reader(table, "[[accelerator]]", errors);
  AcceleratorSetting source;
  reader.text("kind", source.kind);
  reader.path("folder", source.folder);
  reader.list("figures",
              [&](const toml::node& node) { read_accelerator_figure(node, source, errors); });
  reader.finish();
  if (source.kind.empty()) reader.error("kind", "[[accelerator]] needs a kind, such as \"npu\"");
  if (!is_accelerator_path(source.folder)) {
    reader.error("folder",
                 "[[accelerator]] needs the folder of each device, with at most one *, such as "
                 "\"/sys/class/npu/npu*\"");
  }
  settings.accelerators.push_back(std::move(source));
}

}  // namespace hyades
