// What a job asked for and what it used of it, computed from what the master tells. What was not
// measured is nullopt, never 0. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "hyades.pb.h"

namespace hyades {

struct CounterFigure {
  std::string name;
  std::string unit;  // "ns"; "" for plain counts
  double value = 0;
  double running_share = 1;  // of the time that it was counted; the value is scaled up by it
  bool user_only = false;    // not what the kernel did for the job
};

struct MissingFigure {
  std::string name;
  std::string why;
};

// Where the peak of memory is from. Only the first counts all processes of the job for certain: the
// higher one of what its node saw (all together whenever it looked) and, of a job that has ended,
// of what the kernel said. The latter is the control group's peak, or without one the largest
// process's, and nothing says which. What was seen counts shared pages once for each process, so
// that it is taken up to the job's limit only.
enum class PeakSource { None, WholeJob, ExitRecord };

struct JobEfficiency {
  pb::JobInfo job;
  bool ended = false;
  bool started = false;
  bool hidden = false;     // there may be telemetry, but not for us to see: whoever asked says so
  bool estranged = false;  // the telemetry is of an earlier attempt: it was not used
  std::int64_t telemetry_ms = 0;  // when it was last heard of; 0: never
  std::int64_t elapsed_ms = 0;
  int nodes = 1;
  int cores = 0;  // on all nodes; 0: not known

  std::optional<double> limit_share;  // elapsed of the time limit
  std::optional<double> user_s;
  std::optional<double> system_s;
  std::optional<double> cpu_s;
  std::optional<double> busy_cores;       // cpu_s a second
  std::optional<double> cpu_share;        // busy_cores of cores
  std::optional<double> waiting_s;        // cores that were held and did nothing
  std::optional<double> busy_cores_now;   // in the last report of a job that runs
  std::optional<double> peak_cores_node;  // busy on one node but for the busiest 5 % of the time
  std::optional<double> idle_end_s;       // how long it did next to nothing before its end

  std::vector<std::string> idle_nodes;  // that did next to nothing beside the busiest

  std::optional<double> memory_mib;  // now; of a job that runs
  std::optional<double> peak_mib;    // the highest node's
  PeakSource peak_source = PeakSource::None;
  bool peak_sampled = false;           // it is what the node saw, not the kernel's own
  std::optional<double> memory_share;  // peak of what was asked for on each node

  int gpus = 0;                               // on all nodes
  std::optional<double> gpus_busy;            // on average over the run, as if of whole GPUs
  std::optional<double> gpu_share;            // gpus_busy of gpus
  std::optional<double> gpu_memory_mib;       // now; of a job that runs
  std::optional<double> gpu_memory_peak_mib;  // the highest node's

  std::optional<double> read_bytes;
  std::optional<double> write_bytes;
  std::optional<double> read_rate;  // bytes a second, now; of a job that runs
  std::optional<double> write_rate;
  std::optional<double> minor_faults;
  std::optional<double> major_faults;
  std::optional<double> voluntary_switches;
  std::optional<double> involuntary_switches;

  std::optional<double> energy_j;
  bool energy_modelled = false;
  std::optional<double> power_w;  // mean over the run

  std::vector<CounterFigure> counters;
  std::vector<MissingFigure> missing_counters;
  std::optional<double> instructions_per_cycle;
  std::vector<pb::Figure> reported;  // by the job itself, names without "app."
  std::int64_t refused_reports = 0;  // words of it that were not taken; of a job that has ended
};

// `telemetry` may be null: then only what the job's end has told is known.
JobEfficiency measure_efficiency(const pb::JobInfo& job, const pb::JobTelemetry* telemetry,
                                 WallMs now_ms);

// True when its threads hardly ever wanted to wait and yet had to give way again and again: others
// were on its cores, and that it was not busy is not its own doing.
bool was_crowded_out(const JobEfficiency& job);

// The figure with that name whose value is a number, else null.
const pb::Figure* find_figure(const google::protobuf::RepeatedPtrField<pb::Figure>& figures,
                              const std::string& name);

// The telemetry of that job, else null.
const pb::JobTelemetry* find_telemetry(const pb::ClientReply& reply, std::uint64_t job);

}  // namespace hyades
