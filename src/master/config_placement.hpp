// What the configuration says about where jobs go: phase 2 of scheduling (docs/placement.md).
#pragma once

#include <string>

#include "core/config.hpp"
#include "master/config_reader.hpp"

namespace hyades {

void read_placement(const toml::table& table, PlacementSettings& settings, ConfigErrors& errors);

// One [[class]].
void read_work_class(const toml::table& table, ClusterConfig& config, ConfigErrors& errors);

// The keys of [[queue]] that say how its jobs are placed; after every [[class]].
void read_queue_placement(ConfigReader& reader, const ClusterConfig& config, QueueConfig& queue);

std::string render_placement(const ClusterConfig& config);

}  // namespace hyades
