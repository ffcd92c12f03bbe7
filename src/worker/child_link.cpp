#include "worker/child_link.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <fstream>

#include "worker/boot_clock.hpp"
#include "worker/fork_patiently.hpp"
#include "worker/job_child.hpp"

namespace hyades {

bool ChildLink::open() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return false;
  channel_.reset(ends[0]);
  child_end_.reset(ends[1]);
  return true;
}

pid_t ChildLink::fork_child(const LaunchRecord& launch, const std::string& group,
                            Surroundings& surroundings) {
  const UniqueFd child_end = std::move(child_end_);
  const pid_t shepherd = getpid();
  const bool wants_session = !launch.pam_service.empty();
  const UniqueFd keeper_end = wants_session ? keeper_.prepare() : UniqueFd();
  const pid_t child = wants_session && !keeper_end ? -1 : fork_patiently();
  if (child == 0) {
    // Closes the record with it: its lock must not outlive the shepherd.
    const int for_keeper = wants_session ? fcntl(keeper_end.get(), F_DUPFD_CLOEXEC, 5) : -1;
    dup3(child_end.get(), 3, O_CLOEXEC);
    if (wants_session) dup3(for_keeper, 4, O_CLOEXEC);
    close_range(wants_session ? 5 : 4, ~0u, 0);
    run_job_child(launch, group, surroundings, 3, 4, shepherd);
  }
  return child;
}

// Waits for the session that PAM opens for the job, or until the child has a word to say of it.
// False: it hangs.
bool ChildLink::await_session(const LaunchRecord& launch, JobProcesses& processes) {
  if (launch.pam_service.empty()) return true;
  const bool in_time = keeper_.await(launch.hook_timeout_s);
  processes.set_keeper(keeper_.pid());
  return in_time;
}

// False: it hangs.
bool ChildLink::await_word(const LaunchRecord& launch, ChildWord& word) {
  const BootMs deadline = boot_now_ms() + 1000ll * launch.preparation_limit_s;
  while (true) {
    const BootMs left = deadline - boot_now_ms();
    if (left <= 0) return false;
    pollfd wait = {channel_.get(), POLLIN, 0};
    if (poll(&wait, 1, static_cast<int>(left)) <= 0) continue;
    if (recv(channel_.get(), &word, sizeof word, 0) != sizeof word) {
      word = {Stage::Session, ECHILD};  // somebody killed it
    }
    return true;
  }
}

bool ChildLink::await(const LaunchRecord& launch, JobProcesses& processes, ChildWord& word) {
  if (!await_session(launch, processes) || !await_word(launch, word)) return false;
  const bool has_session = launch.pam_service.empty() || keeper_.pid() != 0;
  if (word.stage == Stage::Ready && !has_session) word = {Stage::Session, ECHILD};
  return true;
}

void ChildLink::let_go() { send(channel_.get(), "g", 1, MSG_NOSIGNAL); }

bool ChildLink::last_word(ChildWord& word) {
  return recv(channel_.get(), &word, sizeof word, MSG_DONTWAIT) == sizeof word;
}

std::string hang_of(const LaunchRecord& launch, pid_t child) {
  std::ifstream file("/proc/" + std::to_string(child) + "/comm");
  std::string name;
  std::getline(file, name);
  return describe_hang(launch, name);
}

}  // namespace hyades
