#include "worker/pam_keeper.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "worker/boot_clock.hpp"
#include "worker/fork_patiently.hpp"

namespace hyades {
namespace {

constexpr const char* keeper_name = "hyades-pam";
constexpr std::size_t answer_bytes_max = 700;

ssize_t receive(int channel, void* to, std::size_t size) {
  ssize_t got = -1;
  do {
    got = recv(channel, to, size, 0);
  } while (got < 0 && errno == EINTR);
  return got;
}

[[noreturn]] void keep(PamSession& session, int channel) {
  prctl(PR_SET_NAME, keeper_name);
  setsid();  // out of the reach of signals to the job's and the shepherds' groups
  session.restore_limits();
  const pid_t self = getpid();
  send(channel, &self, sizeof self, MSG_NOSIGNAL);
  char word = 0;
  receive(channel, &word, 1);  // or the end: the shepherd has gone
  const std::string answer = '.' + session.close();
  send(channel, answer.data(), std::min(answer.size(), answer_bytes_max), MSG_NOSIGNAL);
  _exit(0);
}

// False: not in time.
bool await_input(int channel, int timeout_s) {
  const BootMs deadline = boot_now_ms() + 1000ll * timeout_s;
  pollfd wait = {channel, POLLIN, 0};
  for (BootMs left = 1; left > 0; left = deadline - boot_now_ms()) {
    const BootMs most = std::min<BootMs>(deadline - boot_now_ms(), 3'600'000);
    if (poll(&wait, 1, static_cast<int>(std::max<BootMs>(0, most))) > 0) return true;
  }
  return false;
}

}  // namespace

// By way of a process that ends at once: the keeper is an orphan then, and the shepherd's, and the
// job has no child that it does not know of.
std::string leave_keeper(PamSession& session, int channel, int other) {
  const pid_t between = fork_patiently();
  if (between == 0) {
    const pid_t keeper = fork_patiently();
    if (keeper != 0) _exit(keeper > 0 ? 0 : 1);
    close(other);
    keep(session, channel);
  }
  int status = between < 0 ? -1 : 0;
  while (between > 0 && waitpid(between, &status, 0) < 0 && errno == EINTR) continue;
  if (status == 0) return "";
  session.close();
  return "cannot create the process that keeps the PAM session";
}

UniqueFd PamKeeper::prepare() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return UniqueFd();
  channel_.reset(ends[0]);
  return UniqueFd(ends[1]);
}

bool PamKeeper::await(int timeout_s) {
  if (!await_input(channel_.get(), timeout_s)) return false;
  pid_t pid = 0;
  if (receive(channel_.get(), &pid, sizeof pid) == sizeof pid) pid_ = pid;
  return true;
}

std::string PamKeeper::close(const std::string& service, int timeout_s) {
  if (pid_ == 0) return "";
  pid_ = 0;
  const std::string which = "the session of PAM service \"" + service + '"';
  send(channel_.get(), "c", 1, MSG_NOSIGNAL);
  if (!await_input(channel_.get(), timeout_s)) {
    return "closing " + which + " did not finish within " + std::to_string(timeout_s) + " s";
  }
  std::array<char, answer_bytes_max> answer;
  const ssize_t size = receive(channel_.get(), answer.data(), answer.size());
  if (size <= 0) return which + " was not closed: the process that kept it has been killed";
  return std::string(answer.data() + 1, static_cast<std::size_t>(size - 1));
}

}  // namespace hyades
