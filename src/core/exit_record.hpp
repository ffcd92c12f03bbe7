// How an attempt ended, as its shepherd saw it. Written and synced by the shepherd itself, so that
// it survives the death of everything else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/job_counter.hpp"
#include "core/reported_figure.hpp"
#include "core/time.hpp"

namespace hyades {

// Why a shepherd stopped its job; None when the job ended by itself.
enum class StopReason {
  None,
  Cancelled,
  TimeLimit,
  Requeue,
  NodeFailure,   // another node of the job failed
  LeaseExpired,  // no master renewed the job's lease
  ScriptEnded,   // the batch script on the job's first node has ended
};

std::string_view to_string(StopReason reason);
bool parse_stop_reason(std::string_view word, StopReason& out);

// From the kernel (wait4), summed over every process of the attempt that was reaped; and what was
// counted from before the script's first instruction, in all that came of it.
struct Usage {
  std::int64_t user_ms = 0;
  std::int64_t system_ms = 0;
  std::int64_t max_rss_kib = 0;
  std::int64_t minor_faults = 0;          // a page was wanted that needed no reading
  std::int64_t major_faults = 0;          // likewise, and it had to be read from a device
  std::int64_t voluntary_switches = 0;    // it waited for something
  std::int64_t involuntary_switches = 0;  // somebody else's turn
  std::int64_t read_bytes = 0;            // from devices: what the page cache had is not among it
  std::int64_t write_bytes = 0;           // to devices, written through the page cache or past it
  std::vector<JobCounter> counters;
  std::vector<MissingCounter> missing_counters;
  std::vector<ReportedFigure> reported;  // the last that the job itself has said, each name once
  std::int64_t refused_reports = 0;      // words of it that were not taken

  friend bool operator==(const Usage&, const Usage&) = default;
};

// Adds what the job has used on another node. The peak of memory is a node's: the highest counts.
// Of what the job has reported under one name, `sum` has the right word: it is the batch node's.
void add_usage(Usage& sum, const Usage& part);

struct ExitRecord {
  int exit_code = 0;
  int signal = 0;  // 0 unless a signal ended the batch script
  StopReason stopped = StopReason::None;
  WallMs started_ms = 0;
  WallMs ended_ms = 0;
  Usage usage;
  int left_behind = 0;         // processes that were still there when the script ended, now killed
  std::string launch_error;    // not "": the script never ran, and why
  bool out_of_memory = false;  // the kernel killed processes of it for want of the memory it asked
  std::string epilog_error;    // not "": the node's epilog failed, and how

  friend bool operator==(const ExitRecord&, const ExitRecord&) = default;
};

}  // namespace hyades
