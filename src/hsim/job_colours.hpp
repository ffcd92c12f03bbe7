// Which colour a job has in a picture, and what the colours mean. Pure functions; any thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "hsim/replay.hpp"
#include "hsim/svg_page.hpp"

namespace hyades {

struct JobColours {
  std::vector<int> of;  // by job: 0..kSvgColours, the last is grey
  std::vector<LegendEntry> legend;
};

// By user: those who used most have colours of their own. Where no user is known, by whether the
// job started as the first of the queue or was backfilled. `user_name` may be empty, and may return
// "": then it is "user 17".
JobColours job_colours(const Workload& workload, const std::vector<ReplayedJob>& jobs,
                       const std::function<std::string(int user)>& user_name);

}  // namespace hyades
