// The sentences of heff: each function looks at one matter and adds what there is to say about it.
// Pure functions; any thread. Not escaped.
#pragma once

#include <string>
#include <vector>

#include "cli/efficiency_advice.hpp"

namespace hyades {

// A run shorter than this says nothing about how it would go on.
constexpr std::int64_t kShortestMs = 60'000;

// How it ended, when that needs something to be done. `hung`: it did nothing before its time was
// over.
void add_end_findings(const JobEfficiency& job, bool hung, std::vector<Finding>& out);

void add_memory_findings(const JobEfficiency& job, std::vector<Finding>& out);

// True when the job mostly waited and something was said about it.
bool add_waiting_findings(const JobEfficiency& job, std::vector<Finding>& out);

// `waits`: why they were idle has been said. `asked`: the job asked for all the cores it held.
// `fewer`: the option that asks for as many as it used; "" when no single one does.
void add_idle_cores(const JobEfficiency& job, bool waits, bool asked, const std::string& fewer,
                    std::vector<Finding>& out);
void add_bursts(const JobEfficiency& job, std::vector<Finding>& out);
void add_too_few_cores(const JobEfficiency& job, std::vector<Finding>& out);

// GPUs, and nodes that had nothing to do.
void add_device_findings(const JobEfficiency& job, std::vector<Finding>& out);

// What the kernel did for it, and what the counters say.
void add_kernel_findings(const JobEfficiency& job, std::vector<Finding>& out);

// Whether what it says of its progress can be one; of one that runs, whether it would end in time.
void add_progress_findings(const JobEfficiency& job, std::vector<Finding>& out);

void add_time_findings(const JobEfficiency& job, std::vector<Finding>& out);

}  // namespace hyades
