// What PAPI knows of this machine: which presets it has and of what they are made. Asked once, when
// a worker starts; jobs are counted by their shepherds (worker/job_counters.hpp), because PAPI
// itself cannot follow a job's processes on every machine.
#pragma once

#include <string>

#include "telemetry/counter_catalogue.hpp"

namespace hyades {

struct PapiFindings {
  CounterCatalogue catalogue;
  std::string summary;  // for people: "PAPI 7.0.0: 57 presets", "no presets, because ..."
  std::string attach;   // for people: whether PAPI itself could count a job, tried out on a child
};

// Takes some milliseconds. Forks a child, and waits for it.
PapiFindings ask_papi();

}  // namespace hyades
