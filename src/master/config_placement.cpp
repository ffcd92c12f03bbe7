#include "master/config_placement.hpp"

#include <algorithm>
#include <sstream>

#include "core/job_spec.hpp"
#include "core/nearest_word.hpp"
#include "core/work_class.hpp"

namespace hyades {
namespace {

constexpr double kWeightMost = 1000;
constexpr int kJobsMost = 100'000;

}  // namespace

void read_placement(const toml::table& table, PlacementSettings& settings, ConfigErrors& errors) {
  ConfigReader reader(table, "[placement]", errors);
  reader.flag("enabled", settings.enabled);
  reader.share("contention", settings.contention, kWeightMost);
  reader.share("transfer", settings.transfer, kWeightMost);
  reader.share("energy_s_per_kj", settings.energy_s_per_kj, kWeightMost);
  reader.share("balance", settings.balance, kWeightMost);
  reader.share("far", settings.far, kWeightMost);
  reader.flag("patient", settings.patient);
  reader.integer("jobs_most", settings.jobs_most, 0, kJobsMost);
  reader.finish();
  if (settings.far < 1) {
    reader.error("far",
                 "far in [placement] must be at least 1: so many times the time that "
                 "work between nodes of one group takes");
  }
}

void read_work_class(const toml::table& table, ClusterConfig& config, ConfigErrors& errors) {
  ConfigReader reader(table, "[[class]]", errors);
  WorkClass work;
  reader.text("name", work.name);
  reader.share("compute", work.compute, 1);
  reader.share("memory", work.memory, 1);
  reader.share("latency", work.latency, 1);
  reader.share("disk", work.disk, 1);
  reader.share("network", work.network, 1);
  reader.finish();
  if (!table.contains("name")) {
    return reader.error("name", "[[class]] needs a name, such as name = \"cfd\"");
  }
  constexpr double rounding = 1e-5;
  if (work.total() > 1 + rounding) {
    return reader.error("name", "the shares of class '" + work.name +
                                    "' add up to more than 1: they are of the time its work takes");
  }
  if (const std::string wrong = check_class_name(work.name); !wrong.empty()) {
    return reader.error("name", "'" + shown(work.name) + "': " + wrong);
  }
  if (work.name == kUnplacedWorkClass) {
    return reader.error("name", "class 'none' cannot be defined: its jobs go to any node");
  }
  const bool taken = std::any_of(config.work_classes.begin(), config.work_classes.end(),
                                 [&](const WorkClass& other) { return other.name == work.name; });
  if (taken) return reader.error("name", "class '" + work.name + "' is defined twice");
  config.work_classes.push_back(std::move(work));
}

void read_queue_placement(ConfigReader& reader, const ClusterConfig& config, QueueConfig& queue) {
  reader.flag("placement", queue.placement);
  reader.flag("elastic", queue.elastic);
  reader.integer("power_margin", queue.power_margin, 0, Limits::power_margin_max);
  reader.choice("class", queue.work_class, work_class_names(config));
}

std::string render_placement(const ClusterConfig& config) {
  std::ostringstream out;
  const PlacementSettings& settings = config.placement;
  out << "\n[placement]\n"
      << "enabled = " << (settings.enabled ? "true" : "false") << "\n"
      << "contention = " << settings.contention << "\n"
      << "transfer = " << settings.transfer << "\n"
      << "energy_s_per_kj = " << settings.energy_s_per_kj << "\n"
      << "balance = " << settings.balance << "\n"
      << "far = " << settings.far << "\n"
      << "patient = " << (settings.patient ? "true" : "false") << "\n"
      << "jobs_most = " << settings.jobs_most << "\n";
  for (const WorkClass& work : config.work_classes) {
    out << "\n[[class]]\nname = \"" << work.name << "\"\n"
        << "compute = " << work.compute << "\nmemory = " << work.memory
        << "\nlatency = " << work.latency << "\ndisk = " << work.disk
        << "\nnetwork = " << work.network << "\n";
  }
  return out.str();
}

}  // namespace hyades
