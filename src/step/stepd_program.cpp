// hyades-stepd: runs a node's tasks of a job's steps for hrun.
//
//   fd 3 a listening TCP socket, HYADES_STEP_KEY set: the daemon of a node of a job, started by the
//        node's shepherd; serves until SIGTERM.
//   --connected, fd 3 a connected socket: hrun's own, for the tasks on the node where it runs.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "step/step_file.hpp"
#include "step/step_server.hpp"

extern char** environ;

namespace hyades {
namespace {

constexpr int socket_fd = 3;

bool socket_option(int option, int expected) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(socket_fd, SOL_SOCKET, option, &value, &size) == 0 && value == expected;
}

// Signals to a whole node part or a terminal's group: hrun decides which of them the tasks get.
void prepare_signals() {
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGCHLD);
  sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_SETMASK, &blocked, nullptr);
  for (int ignored :
       {SIGPIPE, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTSTP, SIGTTIN, SIGTTOU}) {
    std::signal(ignored, SIG_IGN);
  }
  std::signal(SIGCHLD, SIG_DFL);  // an inherited "ignored" would take the exit codes away
}

// So that no socket or pipe ever gets one of these numbers.
bool occupy_standard_streams() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) return false;
  }
  return true;
}

int serve(bool connected) {
  StepNodeFacts facts;
  const char* node = std::getenv("HYADES_NODENAME");
  if (node != nullptr) facts.node = node;
  if (!connected) {
    const char* key = std::getenv("HYADES_STEP_KEY");
    if (key == nullptr || !is_step_key(key) || !socket_option(SO_ACCEPTCONN, 1)) {
      std::fprintf(stderr,
                   "hyades-stepd: part of Hyades, which starts it on the nodes of a job with a "
                   "listening socket and a key; it does nothing by itself\n");
      return 2;
    }
    facts.key = key;
  }
  unsetenv("HYADES_STEP_KEY");
  for (char** entry = environ; *entry != nullptr; ++entry) facts.environment.push_back(*entry);
  prepare_signals();
  StepServer server(std::move(facts));
  if (connected) {
    server.serve_one(UniqueFd(socket_fd));
  } else {
    server.serve(UniqueFd(socket_fd));
  }
  return 0;
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  const bool connected = argc == 2 && std::strcmp(argv[1], "--connected") == 0;
  if ((argc != 1 && !connected) || !hyades::occupy_standard_streams()) {
    std::fprintf(stderr, "usage: hyades-stepd [--connected]\n");
    return 2;
  }
  try {
    return hyades::serve(connected);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hyades-stepd: %s\n", error.what());
    return 1;
  }
}
