// What nodes measure of themselves, and what the control plane is made of: hinfo --telemetry and
// --layers. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "cli/json_output.hpp"
#include "cli/table.hpp"
#include "core/time.hpp"
#include "hyades.pb.h"

namespace hyades {

using NodeTelemetryList = std::vector<pb::NodeTelemetry>;

// NODE CPU MEM LOAD RX TX POWER TEMP GPUS AGE, one line for each node. RX and TX are those of the
// interface with the most traffic (a bond and its members must not be added up), TEMP is the
// highest sensor's, "~" before a power says that it is modelled, "-" is what is not measured.
Table node_telemetry_table(const NodeTelemetryList& nodes, WallMs now_ms);

// Every figure of one node with its unit, and its course over the minutes that came along. Left out
// are interfaces that moved nothing, which are counted, and a counter of energy beside its power.
std::string node_telemetry_page(const pb::NodeTelemetry& node, WallMs now_ms,
                                const Terminal& terminal);

Json node_telemetry_json(const pb::NodeTelemetry& node);

// LAYER COMPONENT PLACE STATE COUNTERS NOTE
Table layer_table(const std::vector<pb::LayerInfo>& layers);

// A block for each of them, with its counters on lines of their own: what is in one place.
std::string layer_page(const std::vector<pb::LayerInfo>& layers, const Terminal& terminal);

Json layer_json(const pb::LayerInfo& layer);

}  // namespace hyades
