#include "scratch_cluster.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "child_program.hpp"
#include "wire/client_connection.hpp"

namespace hyades {

namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr int kStatusPatience_ms = 60'000;

[[noreturn]] void throw_errno(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

// In a process of its own, so that whatever ends the measurement leaves no cluster behind.
[[noreturn]] void guard(int lifeline, const std::string& hyades, const std::string& state,
                        const std::string& root) {
  setsid();
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signal(number, SIG_IGN);
  char byte = 0;
  while (read(lifeline, &byte, 1) < 0 && errno == EINTR) continue;
  const bool down = run_program({hyades, "down", "--dir", state}).exit_code == 0;
  std::error_code ignored;
  if (down) std::filesystem::remove_all(root, ignored);
  if (!down) std::fprintf(stderr, "hyades_bench: the cluster in %s is not down\n", state.c_str());
  _exit(down ? 0 : 1);
}

// Of a worker's child.
std::string role_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::string name;
  std::getline(file, name);
  return name.rfind("hyades-sampler", 0) == 0 ? "sampler " : "launcher ";
}

}  // namespace

std::string program_directory() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
}

ScratchCluster::ScratchCluster(const Options& options) : hyades_(program_directory() + "/hyades") {
  make_directories(options);
  start_guardian();
  const ProgramResult up = run_program({hyades_, "up", "--local", std::to_string(options.nodes),
                                        "--dir", state_, "--config", root_ + "/hyades.toml"});
  if (up.exit_code != 0) {
    throw std::runtime_error("cannot start a cluster in " + state_ + " (" + hyades_ + " up)");
  }
}

ScratchCluster::~ScratchCluster() {
  close(lifeline_);
  int status = 0;
  while (waitpid(guardian_, &status, 0) < 0 && errno == EINTR) continue;
}

void ScratchCluster::make_directories(const Options& options) {
  std::string pattern = options.parent + "/hyades-bench-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) {
    throw_errno("cannot make a directory in " + options.parent + " (choose one with --dir)");
  }
  root_ = pattern;
  state_ = root_ + "/state";
  std::ofstream config(root_ + "/hyades.toml");
  config << "[[node]]\nname = \"vn[1-" << options.nodes << "]\"\ncores = " << options.cores_per_node
         << "\n"
         << options.config;
}

void ScratchCluster::start_guardian() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw_errno("cannot make a pipe");
  guardian_ = fork();
  if (guardian_ < 0) throw_errno("cannot fork");
  if (guardian_ == 0) {
    close(ends[1]);
    guard(ends[0], hyades_, state_, root_);
  }
  close(ends[0]);
  lifeline_ = ends[1];
}

bool ScratchCluster::ask_status(pb::StatusInfo& out, int timeout_ms) const {
  ClientConnection connection({state_, ""});
  pb::ClientRequest request;
  pb::ClientReply reply;
  std::string error;
  request.mutable_show_status();
  if (connection.call(request, reply, timeout_ms, error) != CallResult::Ok) return false;
  if (!reply.has_status()) return false;
  out = reply.status();
  return true;
}

pb::StatusInfo ScratchCluster::status() const {
  pb::StatusInfo info;
  const auto give_up =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(kStatusPatience_ms);
  while (!ask_status(info, kStatusPatience_ms)) {
    if (std::chrono::steady_clock::now() > give_up) {
      throw std::runtime_error("the master in " + state_ + " does not answer");
    }
    std::this_thread::sleep_for(20ms);
  }
  return info;
}

void ScratchCluster::wait_until_empty() const {
  while (true) {
    const pb::StatusInfo info = status();
    if (info.pending() + info.running() == 0) return;
    std::this_thread::sleep_for(20ms);
  }
}

pid_t ScratchCluster::master_pid() const { return static_cast<pid_t>(status().master_pid()); }

std::vector<NamedProcess> ScratchCluster::processes() const {
  const ProgramResult result = run_program({hyades_, "status", "--json", "--dir", state_});
  const Json status = Json::parse(result.output);
  std::vector<NamedProcess> named{{"supervisor", status.at("supervisor_pid")},
                                  {"mpirun", status.at("mpirun_pid")},
                                  {"master", status.at("master_pid")}};
  for (const Json& worker : status.at("workers")) {
    const std::string node = worker.at("node");
    const pid_t pid = worker.at("pid");
    named.push_back({"worker " + node, pid});
    for (const pid_t child : children_of(pid)) named.push_back({role_of(child) + node, child});
  }
  return named;
}

}  // namespace hyades
