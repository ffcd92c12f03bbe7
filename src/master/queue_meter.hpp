// How the queues are doing, as telemetry: how many jobs wait and run, for how long the oldest has
// waited, how many come and end. The application class of metrics; the master measures it itself,
// and its figures go where those of nodes go. One thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/controller.hpp"
#include "core/ports.hpp"
#include "core/telemetry_report.hpp"

namespace hyades {

// No node can have this name.
constexpr const char* kQueuesAsNode = ":queues";

// Jobs that have not ended, as of now.
struct QueueUse {
  int pending = 0;
  int eligible = 0;  // of them, those that only resources keep waiting
  int running = 0;   // or being launched
  std::int64_t eligible_cores = 0;
  std::int64_t running_cores = 0;
  WallMs oldest_ms = 0;      // when the eligible job that waits longest was submitted; 0: none
  int highest_priority = 0;  // of those that are eligible
};

// By queue, those without jobs included.
std::map<std::string, QueueUse> queue_use(const Controller& controller, WallMs now_ms);

// Since the master was started.
struct JobCounts {
  std::uint64_t submitted = 0;
  std::uint64_t started = 0;  // attempts
  std::uint64_t requeued = 0;
  std::map<Outcome, std::uint64_t> ended;

  // Counts what became true.
  void note(const Batch& batch);
};

class QueueMeter {
 public:
  // Call it often. Looks at the jobs when that is due, and tells `sink`; when a look takes long,
  // the next one comes later.
  void turn(const Controller& controller, const JobCounts& counts, const Now& now,
            TelemetrySink& sink);

 private:
  struct Course {
    std::string unit;
    double sum = 0;
    double most = 0;
    int readings = 0;
  };

  std::vector<Figure> look(const Controller& controller, const JobCounts& counts, const Now& now);
  void add_rates(const JobCounts& counts, const Now& now, std::vector<Figure>& out);
  void keep(const std::vector<Figure>& figures, const Now& now, TelemetrySink& sink);

  BootMs due_ms_ = 0;
  BootMs told_ms_ = 0;
  // Rates are of the time since then.
  BootMs mark_ms_ = 0;
  JobCounts mark_;
  std::vector<Figure> rates_;
  WallMs minute_ms_ = 0;
  std::map<std::string, Course> minute_;
};

}  // namespace hyades
