// Judges a chaos run from outside. It believes only what clients were told and what the jobs wrote
// down themselves; what the cluster says of itself it compares with that.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "journal.hpp"

namespace hyades::test {

// A submission that a client was told is accepted.
struct SubmitAck {
  std::uint64_t job = 0;
  std::string label;
  std::string token;
  std::int64_t at_ns = 0;  // CLOCK_BOOTTIME, when the answer had come
  bool may_requeue = true;
  // Of its step; 0: it has none.
  int nodes = 0;
  int tasks = 0;
};

// A cancellation that a client was told is accepted.
struct CancelAck {
  std::uint64_t job = 0;
  std::int64_t at_ns = 0;
  bool had_not_started = false;  // the client knows: it was held until then
};

// The test itself killed a part of this job: a shepherd, so that it is lost and may start again, or
// something that belongs to its step, which then fails in the script's hands.
struct Death {
  std::uint64_t job = 0;  // 0: of some job
  bool of_step = false;
};

// What hacct says at the end.
struct JobResult {
  std::uint64_t job = 0;
  std::string state;
  int exit_code = 0;
  int exit_signal = 0;
};

struct Evidence {
  std::vector<SubmitAck> submits;
  std::vector<CancelAck> cancels;
  std::vector<Death> deaths;
  std::vector<JobResult> results;
  std::vector<JournalLine> journal;
  std::vector<std::string> broken_lines;  // of the journals
  std::vector<std::string> left_behind;   // processes and records, after everything is over
};

// One sentence for each promise that was broken, beginning with its number (P1 no accepted job is
// lost, P2 one job for one token, P3 one attempt at a time and no start that nothing called for, P4
// true results, P6 ids are never used twice, P7 nothing left behind, P8 no core given twice, P9 a
// cancelled job never starts). An attempt is all of its processes on all of its nodes. Empty: all
// is well.
std::vector<std::string> check(const Evidence& evidence);

}  // namespace hyades::test
