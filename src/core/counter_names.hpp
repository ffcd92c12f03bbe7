// The counters that a job can ask for, by the names that PAPI gives them. Whether a node has one is
// for the node to say; these are the names that mean something anywhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hyades {

// Instead of a list of names: nothing is counted.
constexpr std::string_view no_counters = "none";

// Counted by the kernel alone, so that every machine has them: "perf::TASK-CLOCK", ...
const std::vector<std::string>& software_counters();

// Those, and PAPI's presets: "PAPI_TOT_INS", ...
const std::vector<std::string>& known_counters();

// What is worth its price in every job: cycles, instructions, what missed the caches and the
// predicted branches, and of the software events what rusage does not know.
std::vector<std::string> default_counters();

// "" when all are known, none comes twice, and they are few enough, or it is `none` alone; else a
// sentence that names the wrong one and the nearest that is right.
std::string check_counters(const std::vector<std::string>& names);

}  // namespace hyades
