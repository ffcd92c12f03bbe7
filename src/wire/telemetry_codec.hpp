// What nodes tell of themselves <-> schema/hyades.proto. As trusting as codec.hpp: figures have to
// be finite and named in plain letters, since they end up on terminals and in other programs.
#pragma once

#include <string>

#include "core/telemetry_report.hpp"
#include "core/telemetry_settings.hpp"
#include "hyades.pb.h"

namespace hyades {

void to_pb(const Figure& value, pb::Figure& out);
void to_pb(const JobSeries& value, pb::JobSeries& out);
void to_pb(const ComponentState& value, pb::ComponentState& out);
void to_pb(const TelemetryReport& value, pb::TelemetryReport& out);
void to_pb(const TelemetrySettings& value, pb::TelemetrySettings& out);

bool from_pb(const pb::Figure& in, Figure& out, std::string& error);
bool from_pb(const pb::JobSeries& in, JobSeries& out, std::string& error);
bool from_pb(const pb::ComponentState& in, ComponentState& out, std::string& error);
bool from_pb(const pb::TelemetryReport& in, TelemetryReport& out, std::string& error);
bool from_pb(const pb::TelemetrySettings& in, TelemetrySettings& out, std::string& error);

// Letters, digits and "_.:-", at least one, at most TelemetryLimits::name_bytes_max.
bool is_figure_name(const std::string& name);

}  // namespace hyades
