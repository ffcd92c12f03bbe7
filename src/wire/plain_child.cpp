#include "wire/plain_child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <filesystem>

namespace hyades {
namespace {

constexpr char fixed_path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";

// How it shall begin, in the form that posix_spawn wants.
class Plan {
 public:
  Plan() {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawn_file_actions_init(&actions);
  }
  ~Plan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  void files(const PlainChild& child) {
    if (child.input < 0) {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    } else {
      posix_spawn_file_actions_adddup2(&actions, child.input, 0);
    }
    if (child.output >= 0) posix_spawn_file_actions_adddup2(&actions, child.output, 1);
    if (child.error >= 0) posix_spawn_file_actions_adddup2(&actions, child.error, 2);
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  }

  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
};

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

}  // namespace

int start(const PlainChild& child, pid_t& process) {
  std::vector<std::string> environment = child.environment;
  environment.emplace_back(fixed_path);
  Plan plan;
  plan.files(child);
  return posix_spawn(&process, child.words.at(0).c_str(), &plan.actions, &plan.attributes,
                     pointers(child.words).data(), pointers(environment).data());
}

std::string program_beside_us(const std::string& name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

std::string end_text(int status) {
  if (WIFEXITED(status)) return "exit code " + std::to_string(WEXITSTATUS(status));
  return "signal " + std::to_string(WTERMSIG(status));
}

}  // namespace hyades
