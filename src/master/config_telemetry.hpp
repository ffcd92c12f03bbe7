// What the configuration says about measuring.
#pragma once

#include "core/config.hpp"
#include "master/config_reader.hpp"

namespace hyades {

// The keys of [telemetry] that say how often is measured, and what is kept.
void read_measuring(ConfigReader& reader, ClusterConfig& config);

// One [[accelerator]].
void read_accelerator(const toml::table& table, TelemetrySettings& settings, ConfigErrors& errors);

}  // namespace hyades
