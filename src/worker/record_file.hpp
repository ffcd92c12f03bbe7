// What is inside a launch's record: lines, each closed by a checksum, only ever appended.
//
//   claimed boot=<boot id> #1a2b3c4d
//   started job_pid=7 shepherd_pid=6 at=<wall ms> from=<boot ms> until=<boot ms> step_port=0
//        contained=<escaped> cores=0-3 elastic=8 #...                        (one line)
//   exit code=0 signal=0 stopped=none started=<wall ms> ended=<wall ms> user_ms=1 system_ms=1
//        max_rss_kib=900 left_behind=0 minor_faults=1 major_faults=1 voluntary_switches=1
//        involuntary_switches=1 read_bytes=1 write_bytes=1 counters=<name>/<value>/<share>[/u],...
//        missing=<name>/<escaped>,... out_of_memory=1 error=<escaped> epilog_error=<escaped> #...
//                                  (one line; from `counters` on, each only when there is cause)
//   refused reason=<escaped> #...        instead of both: the node could not start the job
//
// A line without its newline or with a wrong checksum was torn by a crash; it counts as not
// written. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/exit_record.hpp"
#include "core/id_set.hpp"
#include "core/time.hpp"

namespace hyades {

struct StartedLine {
  int job_pid = 0;  // of the batch script, which leads its own session
  int shepherd_pid = 0;
  WallMs at_ms = 0;
  // The script's process was created between these two, on the machine's clock since boot.
  BootMs from_ms = 0;
  BootMs until_ms = 0;
  int step_port = 0;      // of a companion: where it takes steps; else 0
  std::string contained;  // by which control groups, for people; "": none
  IdSet cores;            // that it holds; empty: the list is too long, or of an older version
  int elastic = 0;        // JobSpec::elastic

  friend bool operator==(const StartedLine&, const StartedLine&) = default;
};

struct RecordContent {
  std::string boot_id;  // "": not even that was written
  std::optional<StartedLine> started;
  std::optional<ExitRecord> exit;
  std::string refusal;
};

// A record never grows beyond this, which is what a claim reserves on the disk.
constexpr std::size_t record_bytes_max = 12288;

std::string claimed_line(const std::string& boot_id);
std::string started_line(const StartedLine& started);
// Errors longer than what fits are cut.
std::string exit_line(const ExitRecord& exit);
std::string refused_line(const std::string& reason);

// Anything is accepted; what cannot be understood, or no shepherd can have meant, is left out.
RecordContent parse_record(std::string_view text);

}  // namespace hyades
