// One function for each measurement. Each starts its own cluster if it needs one, adds its figures
// to the report and throws std::runtime_error when it cannot be made.
#pragma once

#include "bench_options.hpp"
#include "progress.hpp"
#include "report.hpp"

namespace hyades {

struct Bench {
  const BenchOptions& options;
  Report& report;
  Progress& progress;
};

void measure_acks(Bench& bench);
void measure_advice(Bench& bench);
void measure_jobs(Bench& bench);
void measure_latency(Bench& bench);
void measure_idle(Bench& bench);
void measure_steps(Bench& bench);
void measure_rings(Bench& bench);
void measure_decisions(Bench& bench);
void measure_lending(Bench& bench);
void measure_placement(Bench& bench);
void measure_racks(Bench& bench);
void measure_replays(Bench& bench);
void measure_telemetry(Bench& bench);
// `memory` and `restart` share the long way to a full queue.
void measure_memory_and_restart(Bench& bench);

}  // namespace hyades
