#include "cli/efficiency_advice.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/efficiency_findings.hpp"
#include "cli/job_progress.hpp"
#include "cli/request_sizes.hpp"
#include "core/units.hpp"

namespace hyades {
namespace {

void ask_for(Advice& advice, const char* option, const std::string& value) {
  advice.directives.push_back({option, value});
}

bool ended_as(const JobEfficiency& job, const char* state) { return job.job.state() == state; }

// ---- cores -------------------------------------------------------------------------------------

enum class CoresFit { Unknown, Fits, Idle, IdleButBursts, TooFew };

// Cores that one node keeps busy.
double busy_on_node(const JobEfficiency& job) { return *job.busy_cores / job.nodes; }

int cores_needed_on_node(const JobEfficiency& job) {
  const double average = std::ceil(busy_on_node(job) - 0.05);
  // Half a core more at times is noise, or little is lost by it.
  const double at_times = std::ceil(job.peak_cores_node.value_or(0) - 0.5);
  return static_cast<int>(std::clamp(std::max(average, at_times), 1.0, 1e6));
}

// What the job asked for; it may hold more (whole nodes).
bool asked_for_what_it_holds(const JobEfficiency& job) {
  return job.cores == std::int64_t{job.job.tasks()} * job.job.cpus_per_task();
}

CoresFit judge_cores(const JobEfficiency& job) {
  if (!job.cpu_share) return CoresFit::Unknown;
  if (*job.cpu_share > 1.1) return CoresFit::TooFew;
  const double held = static_cast<double>(job.cores) / job.nodes;
  if (std::ceil(busy_on_node(job) - 0.05) > 0.75 * held || held <= 1) return CoresFit::Fits;
  return cores_needed_on_node(job) <= 0.75 * held ? CoresFit::Idle : CoresFit::IdleButBursts;
}

// Nothing when the number of cores cannot be said with one option.
std::optional<Directive> cores_option(const JobEfficiency& job) {
  const int tasks = std::max(1, job.job.tasks());
  const int needed = cores_needed_on_node(job);
  if (!asked_for_what_it_holds(job)) return std::nullopt;
  if (tasks <= job.nodes) {
    return Directive{"--cpus-per-task", std::to_string(needed)};
  }
  if (job.nodes == 1 && job.job.cpus_per_task() <= 1 && needed == 1) {
    return Directive{"--ntasks", "1"};
  }
  const int each = (needed * job.nodes + tasks - 1) / tasks;
  if (each >= job.job.cpus_per_task()) return std::nullopt;
  return Directive{"--cpus-per-task", std::to_string(each)};
}

// ---- time --------------------------------------------------------------------------------------

bool hung(const JobEfficiency& job) {
  return job.idle_end_s && *job.idle_end_s >= 300 &&
         *job.idle_end_s >= 0.25 * job.elapsed_ms / 1000.0;
}

void suggest_time(const JobEfficiency& job, bool may_be_less, Advice& advice) {
  const std::int64_t limit_s = job.job.time_limit_s();
  const std::int64_t wanted_s = time_to_ask_s(job.elapsed_ms * 1.25 / 1000);
  if (limit_s <= 0) {
    ask_for(advice, "--time", time_option(wanted_s));
  } else if (job.elapsed_ms / 1000.0 > 0.9 * limit_s) {
    ask_for(advice, "--time", time_option(wanted_s));
  } else if (may_be_less && wanted_s < 0.75 * limit_s) {
    ask_for(advice, "--time", time_option(wanted_s));
  }
}

// ---- memory ------------------------------------------------------------------------------------

void suggest_memory(const JobEfficiency& job, Advice& advice) {
  if (job.peak_source != PeakSource::WholeJob) return;
  if (job.job.memory_mib() <= 0) {
    ask_for(advice, "--mem", format_memory(memory_to_ask_mib(*job.peak_mib * 1.2)));
  } else if (const auto wanted = less_memory_mib(job)) {
    ask_for(advice, "--mem", format_memory(*wanted));
  }
}

void suggest_more_memory(const JobEfficiency& job, Advice& advice) {
  const MiB asked = job.job.memory_mib();
  if (asked > 0) {
    ask_for(advice, "--mem", format_memory(std::min(2 * asked, memory_to_ask_mib(1e300))));
  } else if (job.peak_mib) {
    ask_for(advice, "--mem", format_memory(memory_to_ask_mib(2.0 * *job.peak_mib)));
  }
}

// ---- all together ------------------------------------------------------------------------------

void suggest_for_a_good_end(const JobEfficiency& job, CoresFit cores, Advice& advice) {
  const bool fewer = cores == CoresFit::Idle;
  // Bursts that nobody saw would take longer on fewer cores.
  suggest_time(job, !fewer || job.peak_cores_node.has_value(), advice);
  const bool other_number = (fewer && !was_crowded_out(job)) || cores == CoresFit::TooFew;
  const auto option = other_number ? cores_option(job) : std::nullopt;
  if (option) advice.directives.push_back(*option);
  suggest_memory(job, advice);
}

std::string why_nothing(const JobEfficiency& job) {
  if (!job.started) return job.ended ? "it never started" : "it has not started";
  if (!job.ended) return "it still runs: what it has used so far may not be all that it needs";
  if (ended_as(job, "TIMEOUT")) {
    return hung(job) ? "it did nothing for a long time before its end: more time may not help" : "";
  }
  if (!ended_as(job, "COMPLETED")) {
    return "it did not end well: what it used until then says little about what it needs";
  }
  if (job.elapsed_ms < kShortestMs) return "it ran for less than a minute: too short to judge";
  if (!job.cpu_s && !job.peak_mib) return "too little was measured";
  return "what it asked for fits what it used";
}

// What broke or was stopped soon had perhaps not begun with its work.
bool says_something(const JobEfficiency& job) {
  const bool ran_its_course = !job.ended || ended_as(job, "COMPLETED") ||
                              ended_as(job, "TIMEOUT") || ended_as(job, "OUT_OF_MEMORY");
  return job.started && job.elapsed_ms >= (ran_its_course ? kShortestMs : 10 * kShortestMs);
}

void find_all(const JobEfficiency& job, CoresFit cores, Advice& advice) {
  add_end_findings(job, hung(job), advice.findings);
  add_progress_findings(job, advice.findings);
  if (!says_something(job)) return;
  add_memory_findings(job, advice.findings);
  const bool waits = add_waiting_findings(job, advice.findings);
  if (cores == CoresFit::TooFew) add_too_few_cores(job, advice.findings);
  if (cores == CoresFit::IdleButBursts) add_bursts(job, advice.findings);
  if (cores == CoresFit::Idle) {
    const auto fewer = cores_option(job);
    add_idle_cores(job, waits, asked_for_what_it_holds(job), fewer ? fewer->text() : "",
                   advice.findings);
  }
  add_device_findings(job, advice.findings);
  add_kernel_findings(job, advice.findings);
  add_time_findings(job, advice.findings);
}

}  // namespace

Advice advise(const JobEfficiency& job) {
  Advice advice;
  const CoresFit cores = judge_cores(job);
  find_all(job, cores, advice);
  if (job.ended && job.started && ended_as(job, "OUT_OF_MEMORY")) {
    suggest_more_memory(job, advice);
  } else if (job.ended && job.started && ended_as(job, "TIMEOUT")) {
    if (!hung(job) && job.job.time_limit_s() > 0) {
      const auto whole_s = whole_run_s(job);
      const double wanted_s = whole_s ? *whole_s * 1.25 : job.job.time_limit_s() * 1.5;
      ask_for(advice, "--time", time_option(time_to_ask_s(wanted_s)));
    }
  } else if (ended_as(job, "COMPLETED") && job.started && job.elapsed_ms >= kShortestMs) {
    suggest_for_a_good_end(job, cores, advice);
  }
  if (advice.directives.empty()) advice.no_directives = why_nothing(job);
  return advice;
}

std::optional<MiB> less_memory_mib(const JobEfficiency& job) {
  if (!job.peak_mib || job.job.memory_mib() <= 0) return std::nullopt;
  const MiB wanted = memory_to_ask_mib(*job.peak_mib * 1.2);
  if (wanted >= 0.7 * job.job.memory_mib()) return std::nullopt;
  return wanted;
}

std::string directive_line(const Advice& advice) {
  std::string line;
  for (const Directive& directive : advice.directives) {
    line += (line.empty() ? "" : " ") + directive.text();
  }
  return line;
}

}  // namespace hyades
