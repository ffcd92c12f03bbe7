// A job on several nodes without a cluster: for each node but the first a real hyades-stepd on the
// loopback interface, and the files that a job's script finds.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "node_box.hpp"
#include "step/step_file.hpp"

namespace hyades {

// On a free port. Below 0: errno says why not.
inline int listen_on_loopback(int& port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const place = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, place, size) != 0 || listen(listener, 64) != 0 ||
      getsockname(listener, place, &size) != 0) {
    close(listener);
    return -1;
  }
  port = ntohs(address.sin_port);
  return listener;
}

class StepBox {
 public:
  // tasks[i]: of node vn<i+1>.
  explicit StepBox(const std::vector<int>& tasks) {
    job.key = {7, 1, 9};
    job.step_key = "0123456789abcdef0123456789abcdef";
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      StepNode node{"vn" + std::to_string(i + 1), "127.0.0.1", 0, tasks[i], 4};
      if (i > 0) start_daemon(node);
      job.nodes.push_back(node);
    }
    std::ofstream(file()) << encode(job);
    std::ofstream(hostfile()) << mpi_hostfile(job);
  }
  // As a shepherd does it: mpirun does not wait for its agents, so some may still be cleaning up.
  ~StepBox() {
    for (auto& [node, pid] : daemons) {
      if (pid > 0) kill(pid, SIGTERM);
    }
    for (auto& [node, pid] : daemons) {
      if (wait_until([this, &name = node] { return is_over(name); })) continue;
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
      ADD_FAILURE() << "the daemon of " << node << " did not end";
    }
  }

  std::string file() const { return root / "steps"; }
  std::string hostfile() const { return root / "hosts"; }

  // What a job's script has in its environment, as far as steps need it.
  std::map<std::string, std::string> environment() const {
    return {{"HYADES_STEP_FILE", file()},
            {"HYADES_NODENAME", "vn1"},
            {"HYADES_JOB_ID", "7"},
            {"HYADES_LAUNCH", "box:7.1.9"},
            {"HYADES_NNODES", std::to_string(job.nodes.size())}};
  }

  // Ends it as a shepherd does first; true when it goes within a few seconds.
  bool terminate(const std::string& node) {
    kill(daemons[node], SIGTERM);
    return wait_until([this, &name = node] { return is_over(name); });
  }
  bool is_over(const std::string& node) {
    if (daemons[node] > 0 && waitpid(daemons[node], nullptr, WNOHANG) == daemons[node]) {
      daemons[node] = 0;
    }
    return daemons[node] == 0;
  }

  TemporaryDirectory root;
  StepFile job;
  std::map<std::string, pid_t> daemons;

 private:
  void start_daemon(StepNode& node) {
    const int listener = listen_on_loopback(node.port);
    ASSERT_GE(listener, 0);
    const std::string program = program_beside_me("hyades-stepd");
    const pid_t pid = fork();
    if (pid == 0) {
      const int null = open("/dev/null", O_RDWR);
      dup2(null, 0);
      const int keep = fcntl(listener, F_DUPFD, 10);
      dup2(keep, 3);
      for (int fd = 4; fd < 64; ++fd) close(fd);
      setenv("HYADES_NODENAME", node.node.c_str(), 1);
      setenv("HYADES_LAUNCH", "box:7.1.9", 1);
      setenv("HYADES_STEP_KEY", job.step_key.c_str(), 1);
      unsetenv("HYADES_STEP_FILE");
      if (chdir("/") != 0) _exit(126);
      execl(program.c_str(), "hyades-stepd", nullptr);
      _exit(127);
    }
    close(listener);
    daemons[node.node] = pid;
  }
};

}  // namespace hyades
