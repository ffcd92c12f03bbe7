// What is known of a job when it has ended, for those who learn from the past.
#pragma once

#include <cstdint>
#include <string>

#include "core/exit_record.hpp"
#include "core/ids.hpp"
#include "core/job_spec.hpp"
#include "core/job_state.hpp"
#include "core/time.hpp"

namespace hyades {

// The part of a request that is compared between jobs. Any number in it may be nonsense.
struct AskedFacts {
  std::uint32_t uid = 0;
  std::string name;
  std::string queue;
  std::int64_t time_limit_s = 0;  // 0: not known
  std::int64_t cores = 0;         // all nodes together
  std::int64_t nodes = 0;         // 0: as few as it takes
  MiB memory_per_node_mib = 0;    // 0: not asked for
  std::int64_t devices_per_node = 0;
  bool exclusive = false;
};

AskedFacts asked_by(const JobSpec& spec);

struct JobOutcomeFacts {
  JobId job = 0;
  AskedFacts asked;
  std::int64_t cores = 0;  // that it held
  WallMs submit_ms = 0;
  WallMs start_ms = 0;  // 0: it never started
  WallMs end_ms = 0;
  Outcome outcome = Outcome::None;
  Usage usage;  // no peak of memory: nothing was measured
};

}  // namespace hyades
