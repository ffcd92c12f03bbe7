// Waits for jobs to end, across restarts of the master: for hwait and hsub --wait.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "cli/master_client.hpp"

namespace hyades {

struct WaitOutcome {
  int exit_code = 0;       // the highest of the jobs'; see exit_code_for
  bool timed_out = false;  // some have not ended
};

// Calls `ended` once for each job, as it ends. `timeout_ms` < 0: no bound. Throws Failure when an
// id is unknown or the master stays away for longer than the client's patience.
WaitOutcome wait_for_jobs(MasterClient& master, const std::vector<std::uint64_t>& ids,
                          std::int64_t timeout_ms,
                          const std::function<void(const pb::JobInfo&)>& ended);

}  // namespace hyades
