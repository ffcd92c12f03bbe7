// In what order a queue's jobs are considered, and which of them may pass those before them.
#pragma once

#include <string_view>
#include <vector>

namespace hyades {

// policy/order.hpp has the formulas.
enum class QueueOrder {
  Fcfs,    // first come, first served
  Sjf,     // the shortest request first
  Saf,     // the smallest area: request x processors
  Lxf,     // the largest expansion factor
  Wfp3,    // waits long for what it asked for, small ones last
  Unicep,  // likewise, by another fit
  F1,      // four fitted to simulations (Carastan-Santos and de Camargo 2017)
  F2,
  F3,
  F4,
  Multifactor,    // age and small size, as Slurm's default weights have it
  Index,          // least expected slowdown for the area, by predicted run times
  Learned,        // whichever of them a model chooses for the time being; without an answer, Index
  LookaheadWait,  // whichever of them makes the waiting jobs wait least, as far as can be foreseen
  LookaheadSlowdown,  // whichever adds least to slowdowns, if yesterday's jobs come again
};

// What looking ahead makes small.
enum class Objective {
  Wait,      // how long jobs wait
  Slowdown,  // how much that adds to their bounded slowdowns
};

// What a queue's order takes for the run time of a job. Jobs are stopped at their request, whatever
// is predicted.
enum class RunTimes {
  Request,  // what it asks for
  LastTwo,  // the mean of the last two that its user's jobs took (Tsafrir et al. 2007)
  Learned,  // by trees that were boosted on the jobs that have ended
};

enum class Backfill {
  None,          // nobody passes the first job that has to wait
  Easy,          // who does not delay it may pass, in the queue's order
  EasyFcfs,      // the same, in the order of submission
  EasySjbf,      // the same, the shortest request first
  Conservative,  // who delays nobody before it may pass
};

std::string_view to_string(QueueOrder order);     // "fcfs"
std::string_view to_string(Backfill backfill);    // "easy"
std::string_view to_string(RunTimes run_times);   // "request"
std::string_view to_string(Objective objective);  // "wait"
bool parse_queue_order(std::string_view word, QueueOrder& out);
bool parse_backfill(std::string_view word, Backfill& out);
bool parse_run_times(std::string_view word, RunTimes& out);

// Another order at any time, by the advice of a model or of looking ahead.
constexpr bool is_advised(QueueOrder order) { return order >= QueueOrder::Learned; }

// Every one of them, in the order above.
const std::vector<QueueOrder>& all_queue_orders();
// Without those that are advised.
const std::vector<QueueOrder>& fixed_queue_orders();
const std::vector<Backfill>& all_backfills();
const std::vector<RunTimes>& all_run_times();

}  // namespace hyades
