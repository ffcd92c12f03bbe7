#include "cli/efficiency_findings.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/job_progress.hpp"
#include "cli/quantity.hpp"
#include "cli/request_sizes.hpp"
#include "core/hostlist.hpp"
#include "core/units.hpp"

namespace hyades {
namespace {

constexpr double kMiB = 1 << 20;

double elapsed_s(const JobEfficiency& job) { return static_cast<double>(job.elapsed_ms) / 1000; }

double per_second(const JobEfficiency& job, const std::optional<double>& amount) {
  return amount && job.elapsed_ms > 0 ? *amount / elapsed_s(job) : 0;
}

std::string one_digit(double value) {
  char text[64];
  std::snprintf(text, sizeof text, value < 1e6 ? "%.1f" : "%.3g", value);
  return text;
}

// "were 12 % busy"
std::string busy(const JobEfficiency& job, const std::string& how = "") {
  return job.ended ? " were " + how + "busy" : " are " + how + "busy so far";
}

std::string busy_of_held(const JobEfficiency& job) {
  return one_digit(*job.busy_cores) + " of " + std::to_string(job.cores) + " cores";
}

std::string asked_memory(const JobEfficiency& job) { return format_memory(job.job.memory_mib()); }

// ---- waiting -----------------------------------------------------------------------------------

struct Traffic {
  double read = 0;  // bytes
  double write = 0;
  double faults = 0;  // major, a second
  bool known = false;
  bool heavy = false;
};

// Heavy enough to be what so many tasks wait for.
Traffic traffic_of(const JobEfficiency& job, int tasks) {
  Traffic out;
  out.known = job.read_bytes.has_value() || job.write_bytes.has_value();
  out.read = job.read_bytes.value_or(0);
  out.write = job.write_bytes.value_or(0);
  out.faults = per_second(job, job.major_faults);
  const double rate = (out.read + out.write) / elapsed_s(job);
  const double waits = per_second(job, job.voluntary_switches);
  const bool many_small = waits >= 100 * tasks && rate >= 0.1 * kMiB * tasks;
  out.heavy = rate >= kMiB * tasks || many_small || out.faults >= 10 * tasks;
  return out;
}

std::string traffic_text(const JobEfficiency& job, const Traffic& traffic) {
  const double rate = (traffic.read + traffic.write) / elapsed_s(job);
  return "read " + format_quantity(traffic.read, "bytes") + " and wrote " +
         format_quantity(traffic.write, "bytes") + " (" + format_quantity(rate, "bytes/s") + ")";
}

std::string storage_change(const Traffic& traffic) {
  if (traffic.faults >= 10 && traffic.faults * 4096 > 0.1 * kMiB) {
    return "It reads mapped files page by page: read them in order, or ask for memory that holds "
           "them. Copying them to a disk of the node ($TMPDIR) first helps as well.";
  }
  if (traffic.write > traffic.read) {
    return "Write to a disk of the node ($TMPDIR) and copy the result at the end; write less often "
           "and in larger pieces, and save checkpoints less often.";
  }
  return "Copy the input to a disk of the node first (cp -r DATA \"$TMPDIR\") and read it there; "
         "read fewer, larger pieces (one archive in place of many small files); read the next "
         "part while the last is worked on.";
}

Finding storage_finding(const JobEfficiency& job, const Traffic& traffic, double idle) {
  return {"io_bound", FindingKind::Problem,
          "It " + std::string(job.ended ? "was" : "is so far") + " I/O-bound: for " +
              format_share(idle) + " of the time it waited, while it " +
              traffic_text(job, traffic) + ". More cores do not make it faster.",
          storage_change(traffic)};
}

Finding other_wait(const JobEfficiency& job, const Traffic& traffic, double idle) {
  const std::string start = "It waited for " + format_share(idle) + " of the time";
  if (!traffic.known) {
    return {"waiting", FindingKind::Notice,
            start + "; what it read and wrote was not measured, so it is not known for what.", ""};
  }
  return {
      "waiting", FindingKind::Problem,
      start + ", and hardly for a disk of its node: it " + traffic_text(job, traffic) +
          ", files on the network not counted.",
      "Look for what it waits for: files on the network (copy them to $TMPDIR first), a server, "
      "locks, another process, sleep. More cores do not make it faster."};
}

// ---- GPUs and nodes ----------------------------------------------------------------------------

void add_gpu_findings(const JobEfficiency& job, std::vector<Finding>& out) {
  if (job.gpus == 0 || !job.gpu_share) return;
  const std::string gpus = std::to_string(job.gpus) + (job.gpus == 1 ? " GPU" : " GPUs");
  if (*job.gpu_share < 0.01) {
    out.push_back(
        {"gpus_idle", FindingKind::Problem, "The " + gpus + " did nothing.",
         "Leave --gres=gpu out if the program cannot use GPUs; else see why it did not "
         "(was it built for GPUs? does it find them? what does it print at its start?)."});
  } else if (*job.gpu_share < 0.3) {
    out.push_back({"gpus_waiting", FindingKind::Problem,
                   "The " + gpus + busy(job, format_share(job.gpu_share) + " ") +
                       (job.gpus > 1 ? " on average." : "."),
                   std::string("Feed them faster: more processes that load data, larger batches, "
                               "input on a disk of the node") +
                       (job.gpus > 1 ? "; and see whether the program uses all of them." : ".")});
  }
}

}  // namespace

void add_end_findings(const JobEfficiency& job, bool hung, std::vector<Finding>& out) {
  const std::string& state = job.job.state();
  if (state == "OUT_OF_MEMORY") {
    const std::string limit =
        job.job.memory_mib() > 0
            ? "It was killed because it needed more than the " + asked_memory(job) +
                  " of memory that it asked for on a node."
            : "It was killed because memory ran out, and it had asked for none.";
    out.push_back({"out_of_memory", FindingKind::Problem, limit,
                   "Ask for more. How much it needs is not known: the peak was the limit. If it is "
                   "killed again with twice as much, look whether its memory grows without end "
                   "(heff --html shows it over time), or give it smaller pieces of work."});
  } else if (state == "TIMEOUT" && hung) {
    out.push_back({"hung", FindingKind::Problem,
                   "It ran into its time limit, and for the last " +
                       format_duration(static_cast<std::int64_t>(*job.idle_end_s)) +
                       " it did next to nothing.",
                   "Find out why before asking for more time: a deadlock, a lost connection, a "
                   "question that nobody answered?"});
  } else if (state == "TIMEOUT") {
    std::string what = "It ran into its time limit.";
    if (const auto whole_s = whole_run_s(job)) {
      what = "It ran into its time limit with " + format_share(progress_of(job)->done) +
             " done; extrapolated from that it takes " +
             format_duration(static_cast<std::int64_t>(*whole_s)) + " in all.";
    }
    out.push_back({"timeout", FindingKind::Problem, what,
                   "Ask for more time, or let it save its state and go on in the next job: "
                   "--signal=B:USR1@120 tells its script two minutes before the end."});
  } else if (state == "NODE_FAIL") {
    out.push_back({"node_failed", FindingKind::Notice,
                   "It was lost with its node, and not by a fault of its own.", ""});
  }
}

void add_memory_findings(const JobEfficiency& job, std::vector<Finding>& out) {
  if (!job.peak_mib || job.job.state() == "OUT_OF_MEMORY") return;
  if (job.elapsed_ms < kShortestMs) return;
  if (job.job.memory_mib() <= 0) {
    out.push_back({"no_memory_asked", FindingKind::Notice,
                   "It asked for no memory, so none was set aside for it, and its peak was " +
                       format_quantity(*job.peak_mib, "MiB") + ".",
                   "Ask for what it needs, so that other jobs of the node do not take it."});
    return;
  }
  const std::string peak = format_quantity(*job.peak_mib, "MiB");
  if (*job.memory_share > 0.9) {
    out.push_back({"memory_close", FindingKind::Notice,
                   "Its peak of " + peak + " came close to its limit of " + asked_memory(job) +
                       " (cached files count, too, and give way when memory is short).",
                   ""});
  } else if (*job.memory_share <= 0.5 && job.ended) {
    const bool sure = job.peak_source == PeakSource::WholeJob;
    if (sure && !less_memory_mib(job)) return;  // there is no smaller step
    out.push_back({"memory_unused", FindingKind::Notice,
                   "It used " + peak + " of the " + asked_memory(job) +
                       " that it asked for on a node" +
                       (sure ? "." : "; this peak may be of its largest process alone."),
                   "With less asked for, it may start earlier."});
  }
}

bool add_waiting_findings(const JobEfficiency& job, std::vector<Finding>& out) {
  const int tasks = std::max({1, job.job.tasks(), job.nodes});
  if (!job.busy_cores || *job.busy_cores >= 0.5 * tasks || was_crowded_out(job)) return false;
  const Traffic traffic = traffic_of(job, tasks);
  const double idle = 1 - *job.busy_cores / tasks;
  if (traffic.heavy) {
    out.push_back(storage_finding(job, traffic, idle));
    return true;
  }
  // GPUs compute while it waits, and tasks that did not even start are another matter.
  if (job.gpu_share.value_or(0) >= 0.3 || *job.busy_cores >= 0.5) return false;
  out.push_back(other_wait(job, traffic, idle));
  return true;
}

void add_idle_cores(const JobEfficiency& job, bool waits, bool asked, const std::string& fewer,
                    std::vector<Finding>& out) {
  const std::string option = fewer.empty() ? "" : " (" + fewer + ")";
  std::string change;
  if (!asked) {
    change = "It holds whole nodes: leave out --exclusive, or give it more to do.";
  } else if (was_crowded_out(job)) {
    change =
        "Others were on them, so it is not known how many it could use: ask for as many as it "
        "has threads that compute.";
  } else if (!waits && job.job.tasks() > job.nodes) {
    change = "Were all " + std::to_string(job.job.tasks()) +
             " tasks started? hrun or mpirun in the script starts them; else ask for fewer" +
             option + ".";
  } else if (waits) {
    change = "Ask for fewer cores" + (fewer.empty() ? "." : ": " + fewer + ".");
  } else {
    change = "Ask for fewer cores" + option +
             "; or, if the program can use more, tell it to (OMP_NUM_THREADS, "
             "its option for threads or workers).";
  }
  out.push_back({"cores_idle", FindingKind::Problem, busy_of_held(job) + busy(job) + ".", change});
}

void add_bursts(const JobEfficiency& job, std::vector<Finding>& out) {
  out.push_back({"cores_bursts", FindingKind::Notice,
                 busy_of_held(job) + busy(job) + " on average, at times " +
                     one_digit(*job.peak_cores_node) + (job.nodes > 1 ? " on one node." : "."),
                 "Fewer cores would make it slower. Parts that use one core may go into a job of "
                 "their own (hsub --dependency=afterok:JOB)."});
}

void add_too_few_cores(const JobEfficiency& job, std::vector<Finding>& out) {
  out.push_back(
      {"cores_exceeded", FindingKind::Problem,
       busy_of_held(job) + busy(job) + ": it took more than its own, at the cost of others.",
       "Ask for as many as it uses, or tell it how many it has "
       "(OMP_NUM_THREADS=$HYADES_CPUS_PER_TASK)."});
}

void add_device_findings(const JobEfficiency& job, std::vector<Finding>& out) {
  add_gpu_findings(job, out);
  if (!job.idle_nodes.empty()) {
    out.push_back({"nodes_idle", FindingKind::Problem,
                   "Hardly anything ran on " + compress_hostlist(job.idle_nodes) + ".",
                   "The script runs on the first node only: start the program with hrun or mpirun, "
                   "or ask for fewer nodes."});
  }
}

void add_kernel_findings(const JobEfficiency& job, std::vector<Finding>& out) {
  const double cpu_s = job.cpu_s.value_or(0);
  if (cpu_s >= 10 && job.system_s && *job.system_s > 0.4 * cpu_s) {
    const bool faults = job.minor_faults.value_or(0) / cpu_s > 20'000;
    out.push_back({"system_time", FindingKind::Notice,
                   "The kernel took " + format_share(*job.system_s / cpu_s) + " of its CPU time.",
                   faults ? "It takes memory and gives it back again and again (" +
                                format_quantity(job.minor_faults, "count") +
                                " page faults): keep buffers and use them again."
                          : "Usual reasons: very many small reads and writes, or starts of "
                            "processes."});
  }
  const double crowd = per_second(job, job.involuntary_switches) / std::max(1, job.cores);
  if (crowd > 100 && job.cpu_share.value_or(0) > 0.8) {
    out.push_back({"crowded", FindingKind::Notice,
                   "Its threads took turns on its cores " +
                       format_quantity(job.involuntary_switches, "count") + " times.",
                   "It runs more threads than it has cores: OMP_NUM_THREADS=$HYADES_CPUS_PER_TASK, "
                   "or fewer workers."});
  } else if (was_crowded_out(job)) {
    // It never wanted to wait, and yet it was not busy.
    out.push_back(
        {"cores_shared", FindingKind::Notice,
         "Others ran on its cores: " + format_quantity(job.involuntary_switches, "count") +
             " times it had to give way, and it was busy for " + format_share(job.cpu_share) +
             " of the time only.",
         "Its own request is not to blame. Tell an admin: the node has more to do than "
         "cores (hinfo --telemetry), or its jobs are not kept to theirs."});
  }
  for (const CounterFigure& counter : job.counters) {
    if (counter.name != "perf::CPU-MIGRATIONS" || counter.value < 50 * cpu_s || cpu_s < 10)
      continue;
    out.push_back({"migrations", FindingKind::Notice,
                   "Its threads went from core to core " + format_quantity(counter.value, "count") +
                       " times, and lost their caches each time.",
                   "Bind them: OMP_PROC_BIND=close, mpirun --bind-to core."});
  }
  if (job.instructions_per_cycle && *job.instructions_per_cycle < 0.5 &&
      job.cpu_share.value_or(0) > 0.8) {
    out.push_back({"memory_bound", FindingKind::Notice,
                   "Its cores were busy, but got only " +
                       format_number(*job.instructions_per_cycle) +
                       " instructions done a cycle: most of that is waiting for memory.",
                   "Smaller blocks of data that fit the caches help more than cores do."});
  }
}

void add_progress_findings(const JobEfficiency& job, std::vector<Finding>& out) {
  constexpr std::int64_t soonest_ms = 10'000;  // not kShortestMs: the limit may be a minute
  if (const auto wrong = wrong_progress(job)) {
    out.push_back({"progress_range", FindingKind::Notice,
                   "Its progress is " + format_quantity(*wrong, "") + ": it must be from 0 to 1.",
                   "Report the part that is done: 0.25 for 25 %."});
  }
  const auto progress = progress_of(job);
  if (!progress || progress->over_limit_s == 0 || job.elapsed_ms < soonest_ms) return;
  const double whole_s = static_cast<double>(progress->expected_end_ms - job.job.start_ms()) / 1000;
  out.push_back({"progress_late", FindingKind::Problem,
                 "It says that " + format_share(progress->done) +
                     " are done: if it goes on like that, it ends " +
                     format_duration(progress->over_limit_s) + " after its time limit.",
                 "It should save its state in time. Next time ask for --time=" +
                     time_option(time_to_ask_s(whole_s * 1.25)) + "."});
}

void add_time_findings(const JobEfficiency& job, std::vector<Finding>& out) {
  if (!job.limit_share || *job.limit_share <= 0.9 || job.job.state() != "COMPLETED") return;
  out.push_back({"time_close", FindingKind::Notice,
                 "It ended only " +
                     format_duration(job.job.time_limit_s() - job.elapsed_ms / 1000) +
                     " before its time limit.",
                 "A slower day would have killed it: ask for more."});
}

}  // namespace hyades
