// What the tasks of a step find in their environment, in the three places where it is known: the
// step's part where hrun runs, the node's and the task's where its daemon runs. Pure functions; any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "step/step_layout.hpp"
#include "step/step_message.hpp"

namespace hyades {

using Environment = std::vector<std::string>;  // NAME=value

// The value in `environment`, or "".
std::string_view value_of(const Environment& environment, std::string_view name);

// True when the scripts's variables have Slurm's names, too.
bool has_slurm_names(const Environment& environment);

struct StepIdentity {
  std::vector<StepShare> shares;
  long step_id = 0;
  std::string master_address;
  int master_port = 0;
};

// hrun's own environment without what an MPI around it set, and with the step's WORLD_SIZE,
// MASTER_ADDR, MASTER_PORT, HYADES_STEP_* and, where the job has SLURM_*, their twins.
Environment step_environment(const Environment& hrun, const StepIdentity& step);

// What the node's part of the job knows better than the first node, from where the step's comes:
// its name, cores, devices and secrets. A name that the node does not have is left out.
Environment node_environment(const Environment& step, const Environment& node);

// RANK and so on, replacing what `node` has of them.
Environment task_environment(const Environment& node, const StartTasks& start, int task);

}  // namespace hyades
