// A replay as a picture: processors upwards, time to the right, each job a box. Of thousands of
// jobs a box would be less than a pixel: then the picture is divided into cells, each in the colour
// of who used most of it and the paler the more of it was idle. Pure functions; any thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "hsim/job_colours.hpp"
#include "hsim/replay.hpp"

namespace hyades {

struct GanttOptions {
  std::string title;  // "HPC2N, saf with easy"; "": the workload's name
  std::function<std::string(int user)> user_name;  // may be empty
};

std::string gantt_svg(const Workload& workload, const std::vector<ReplayedJob>& jobs,
                      const GanttOptions& options = {});

}  // namespace hyades
