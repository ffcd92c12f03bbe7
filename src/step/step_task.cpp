#include "step/step_task.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <vector>

namespace hyades {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> result;
  for (const std::string& word : words) result.push_back(const_cast<char*>(word.c_str()));
  result.push_back(nullptr);
  return result;
}

// A pipe whose `ours` end does not block; the other, which the task gets, does.
bool make_pipe(int ours, UniqueFd (&ends)[2]) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return false;
  ends[0].reset(fds[0]);
  ends[1].reset(fds[1]);
  return fcntl(fds[ours], F_SETFL, O_NONBLOCK) == 0;
}

// What posix_spawn is told, with its destructors.
struct SpawnPlan {
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

int spawn(const TaskOrder& order, const SpawnPlan& plan, pid_t& pid) {
  std::vector<char*> arguments = pointers(*order.arguments);
  std::vector<char*> environment = pointers(order.environment);
  const int error = posix_spawn(&pid, order.path.c_str(), &plan.actions, &plan.attributes,
                                arguments.data(), environment.data());
  if (error != ENOEXEC) return error;
  // A script without a #! line: as execvp and every shell have it.
  char shell[] = "/bin/sh";
  arguments[0] = const_cast<char*>(order.path.c_str());
  arguments.insert(arguments.begin(), shell);
  return posix_spawn(&pid, shell, &plan.actions, &plan.attributes, arguments.data(),
                     environment.data());
}

}  // namespace

int start_task(const TaskOrder& order, StepTask& task) {
  UniqueFd in[2], out[2], err[2];
  if ((order.has_input && !make_pipe(1, in)) || !make_pipe(0, out) || !make_pipe(0, err)) {
    return errno;
  }
  SpawnPlan plan;
  if (order.has_input) {
    posix_spawn_file_actions_adddup2(&plan.actions, in[0].get(), STDIN_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&plan.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  posix_spawn_file_actions_adddup2(&plan.actions, out[1].get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&plan.actions, err[1].get(), STDERR_FILENO);
  posix_spawn_file_actions_addfchdir_np(&plan.actions, order.directory);
  {
    const DescriptorLimit::Usual usual(*order.limit);
    if (const int error = spawn(order, plan, task.pid); error != 0) return error;
  }
  task.input = std::move(in[1]);
  task.outputs[0] = std::move(out[0]);
  task.outputs[1] = std::move(err[0]);
  return 0;
}

void signal_task(const StepTask& task, int signal) {
  if (task.pid > 0 && !task.released) kill(-task.pid, signal);
}

bool has_exited(StepTask& task, int& exit_code, int& signal) {
  if (task.exited) return false;
  siginfo_t info = {};
  const int options = WEXITED | WNOHANG | WNOWAIT;
  if (waitid(P_PID, static_cast<id_t>(task.pid), &info, options) != 0 || info.si_pid == 0) {
    return false;
  }
  task.exited = true;
  exit_code = info.si_code == CLD_EXITED ? info.si_status : 0;
  signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
  return true;
}

void release_task(StepTask& task) {
  if (task.released) return;
  kill(-task.pid, SIGKILL);
  waitpid(task.pid, nullptr, 0);
  task.released = true;
}

}  // namespace hyades
