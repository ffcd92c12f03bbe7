// What a node measures, in a process of its own beside the worker (hyades-sampler): a device that
// hangs, a vendor's library that crashes or a slow /proc keep no job waiting. It reads; nothing
// reads from it but its worker, and when that goes, it goes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/telemetry_report.hpp"
#include "core/telemetry_settings.hpp"
#include "telemetry/collectors.hpp"
#include "telemetry/sampling_plan.hpp"
#include "telemetry/telemetry_engine.hpp"
#include "worker/job_gpus.hpp"
#include "worker/job_meters.hpp"

namespace hyades {

struct SamplerNode {
  std::string spool_directory;
  int cores = 1;
  double idle_watts = 0;  // that it is taken to draw when it does nothing
};

class Sampler {
 public:
  Sampler(SamplerNode node, FoundCollectors found, const TelemetrySettings& settings,
          const Now& now);

  // Periods and the budget from now on. What decides which sources there are stays as it was.
  void configure(const TelemetrySettings& settings, const Now& now);

  // Does what is due; appends what is to be told. Collectors may keep it as long as their patience.
  void turn(const Now& now, std::vector<TelemetryReport>& out);
  // When to call it again.
  BootMs next_turn_ms() const;

 private:
  // What the energy of jobs is shared out by.
  struct EnergyMark {
    BootMs at_ms = 0;
    double joules = 0;
  };

  void look_at_jobs(const Now& now);
  void share_energy_out(const Now& now);
  void add_minutes(const Now& now, std::vector<TelemetryReport>& out);
  TelemetryReport report(const Now& now);
  std::vector<ComponentState> components() const;
  ComponentState component_of(const CollectorState& state) const;
  ComponentState sampling_component() const;

  SamplerNode node_;
  TelemetrySettings settings_;
  std::vector<MissingSource> missing_;
  std::string energy_source_;
  TelemetryEngine engine_;
  SamplingPlan plan_;
  JobMeters jobs_;
  JobGpus gpus_;
  BootMs jobs_due_ms_ = 0;
  int job_period_ms_ = 0;
  BootMs report_due_ms_ = 0;
  WallMs reported_wall_ms_ = 0;
  int reports_ = 0;
  std::uint64_t job_looks_ = 0;
  std::int64_t job_cpu_us_ = 0;
  std::uint64_t job_troubles_ = 0;
  EnergyMark energy_;
};

}  // namespace hyades
