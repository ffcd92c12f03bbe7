// One task of a step: a process in a session of its own, with its standard streams in our hands.
#pragma once

#include <sys/types.h>

#include <string>

#include "step/descriptor_limit.hpp"
#include "step/task_environment.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {

struct StepTask {
  pid_t pid = 0;
  UniqueFd input;       // to its standard input; none: that is /dev/null
  UniqueFd outputs[2];  // from its standard output and standard error
  bool exited = false;  // its process is kept as a zombie until release(), so that its group's
                        // number cannot become another's
  bool released = false;
};

struct TaskOrder {
  std::string path;  // seen from `directory`
  const std::vector<std::string>* arguments = nullptr;
  Environment environment;
  int directory = -1;  // a descriptor
  bool has_input = false;
  const DescriptorLimit* limit = nullptr;
};

// 0, or an errno: nothing runs then. All of our ends are non-blocking and closed in later tasks.
int start_task(const TaskOrder& order, StepTask& task);

// To the task and what it started, as long as that stays in its process group.
void signal_task(const StepTask& task, int signal);

// True when it has ended since the last call; `exit_code` and `signal` say how.
bool has_exited(StepTask& task, int& exit_code, int& signal);

// After its end: kills what is left of its group and lets the zombie go.
void release_task(StepTask& task);

}  // namespace hyades
