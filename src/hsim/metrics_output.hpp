// The figures of replays as a table for people and as JSON. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "cli/json_output.hpp"
#include "cli/terminal.hpp"
#include "hsim/metrics.hpp"

namespace hyades {

// docs/simulator.md lists the keys; they are a promise. Times in seconds.
Json metrics_json(const Metrics& metrics);
// Nothing when a key is missing or is no number.
bool metrics_from_json(const Json& json, Metrics& metrics);

// One replay, a line for each kind of figure.
std::string metrics_text(const Metrics& metrics, const Terminal& terminal);

// Several replays of one workload, a line each; the best of each column is marked green.
struct NamedMetrics {
  std::string name;
  Metrics metrics;
};
std::string metrics_table(const std::vector<NamedMetrics>& replays, const Terminal& terminal);

// "3.4 s", "5:12", "2:03:04", "1-02:03:04": waits and turnarounds, which may have fractions.
std::string seconds_text(double seconds);

}  // namespace hyades
