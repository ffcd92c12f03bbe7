// The rules of scheduling on one pool of processors, written a second time from their description
// alone: slow, simple, and without a line of the production scheduler. Where the two differ, one of
// them is wrong. Pure functions.
//
// At each distinct time: completions, then arrivals, then one pass. Jobs in the order of their
// scores, ties by submission. The head starts while it fits. EASY reserves the first job that does
// not fit, by requested times: the shadow is the earliest time at which it fits, extra is what is
// left then; a later job may start if it ends by the shadow or fits into extra. Conservative: every
// job gets the earliest slot that delays none before it, found anew in each pass.
#pragma once

#include <cstdint>
#include <vector>

#include "core/queue_order.hpp"
#include "trace/workload.hpp"

namespace hyades {

// What a score may depend on, by the names of the description.
struct NaiveFacts {
  double r = 1;  // the time asked for
  double n = 1;  // processors
  double w = 0;  // waited
  double s = 1;  // since the first submission, + 1
  double N = 1;  // processors of the machine
  double submit = 0;
};

// The lowest goes first.
double naive_score(QueueOrder order, const NaiveFacts& facts);

// A promise that a pass made to the first job that had to wait.
struct NaivePromise {
  std::int64_t made_s = 0;
  std::size_t job = 0;
  std::int64_t start_s = 0;
};

struct NaiveSchedule {
  std::vector<std::int64_t> starts;  // by job
  std::vector<NaivePromise> promises;
};

NaiveSchedule naive_schedule(const Workload& workload, QueueOrder order, Backfill backfill);

}  // namespace hyades
