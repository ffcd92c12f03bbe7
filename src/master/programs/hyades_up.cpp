// hyades up: checks what can be checked, becomes a supervisor in the background, and waits until
// the cluster is up or has said why it cannot be.
#include <fcntl.h>
#include <signal.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <thread>

#include "master/cluster_status.hpp"
#include "master/config_file.hpp"
#include "master/log_directory.hpp"
#include "master/networks.hpp"
#include "master/node_place.hpp"
#include "master/programs/hyades_command.hpp"
#include "master/supervisor.hpp"
#include "wire/drop_privileges.hpp"
#include "wire/failpoint_env.hpp"

namespace hyades {

namespace {

using namespace std::chrono_literals;
using Options = HyadesOptions;

constexpr int kMostNodes = 256;
constexpr auto kUpPatience = 60s;
constexpr auto kStopPatience = 15s;

std::atomic<bool> stop_requested{false};
void request_stop(int) { stop_requested = true; }

[[noreturn]] void give_up(const std::string& reason) {
  std::cerr << "hyades: " << reason << "\n";
  std::exit(kFailed);
}

std::string own_directory() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
}

// mpirun takes blanks and colons in the name of its launch agent apart.
std::string program_beside(const char* name) {
  const std::string path = own_directory() + "/" + name;
  if (access(path.c_str(), X_OK) != 0) {
    give_up("cannot run " + path + ": " + std::strerror(errno));
  }
  return path;
}

void add_hosts(const Options& options, SupervisorOptions& supervisor) {
  HostfileResult file = load_hostfile(options.hostfile);
  if (!file.errors.empty()) {
    for (const std::string& error : file.errors) std::cerr << "hyades: " << error << "\n";
    std::exit(kFailed);
  }
  supervisor.hosts = std::move(file.hosts);
  supervisor.launch_agent = options.launch_agent;
  supervisor.remote_program = program_beside(HYADES_REMOTE);
  if (supervisor.remote_program.find_first_of(" :\t") != std::string::npos) {
    give_up("mpirun cannot run " + supervisor.remote_program +
            ": install Hyades at a path without blanks and colons");
  }
}

// Open MPI ends every world in which a host knows one of them not, and does not say so clearly.
void check_networks(const SupervisorOptions& supervisor) {
  std::string missing;
  for (const std::string& network : supervisor.networks) {
    if (!is_own_network(network)) missing += (missing.empty() ? "'" : ", '") + network + "'";
  }
  if (!supervisor.on_hosts() || missing.empty()) return;
  give_up("the cluster did not start: networks in [cluster]: this host has no interface in " +
          missing + "; it has " + own_networks());
}

// What the supervisor itself needs of the configuration. The master says what is wrong with it; but
// with root it must not come so far, because nobody knows then whom it should become.
void add_config(const Options& options, SupervisorOptions& supervisor) {
  const bool named = !supervisor.config_path.empty();
  const ConfigResult result =
      load_config(named ? supervisor.config_path : options.directory + "/hyades.toml", named);
  if (result.config) {
    supervisor.networks = result.config->networks;
    check_networks(supervisor);
    if (geteuid() == 0) supervisor.user = result.config->daemon_user;
  } else if (geteuid() == 0) {
    std::string errors;
    for (const std::string& error : result.errors) errors += (errors.empty() ? "" : "\n") + error;
    give_up("the cluster did not start: " + errors);
  }
}

// Makes it for the daemons' user. An old one must belong to that user already: handing over what
// another one has made is for an admin to decide.
void make_own(const std::string& path, mode_t mode, const std::optional<UserIdentity>& user) {
  if (mkdir(path.c_str(), mode) == 0) {
    if (user && lchown(path.c_str(), user->uid, user->gid) != 0) {
      give_up("cannot give " + path + " to its user: " + std::strerror(errno));
    }
    return;
  }
  if (errno != EEXIST) give_up("cannot create " + path + ": " + std::strerror(errno));
  struct stat facts {};
  if (user && (lstat(path.c_str(), &facts) != 0 || facts.st_uid != user->uid)) {
    give_up(path + " belongs to uid " + std::to_string(facts.st_uid) +
            ", but [security] user has uid " + std::to_string(user->uid) +
            "; to hand the cluster over: chown -R " + std::to_string(user->uid) + " " + path);
  }
}

// Else it would be said whose it should be, and that is not what is wrong.
void check_kind(const Options& options, const SupervisorOptions& supervisor) {
  struct stat facts {};
  if (!options.hostfile.empty() || stat(options.directory.c_str(), &facts) != 0) return;
  if (access((options.directory + "/run/hosts").c_str(), F_OK) != 0) return;
  std::optional<UserIdentity> user;
  if (!supervisor.user.empty()) user = find_user(supervisor.user);
  if (facts.st_uid == (user ? user->uid : geteuid())) return;
  give_up(options.directory +
          " is the directory of a cluster with a host file, whose user is another one; start it "
          "with --hostfile and its --config, or name another directory with --dir");
}

void make_directories(const Options& options, const SupervisorOptions& supervisor) {
  std::optional<UserIdentity> user;
  if (!supervisor.user.empty()) user = find_user(supervisor.user);
  std::error_code error;
  const auto parent = std::filesystem::path(options.directory).parent_path();
  std::filesystem::create_directories(parent, error);
  // Jobs of other users, which only root can start, must be able to reach their scripts.
  make_own(options.directory, geteuid() == 0 ? 0711 : 0700, user);
  // Written by the supervisor and mpirun, not by the daemons themselves.
  mkdir((options.directory + "/log").c_str(), 0700);
  if (options.spool.empty()) mkdir(supervisor.spool_root.c_str(), geteuid() == 0 ? 0711 : 0700);
  if (!supervisor.user.empty()) mkdir(kRootPlace, 0755);
}

void check_size(const Options& options) {
  if (!options.hostfile.empty() && options.given.contains("local")) {
    usage_error("up takes --local or --hostfile, not both");
  }
  if (options.hostfile.empty() && (options.local < 1 || options.local > kMostNodes)) {
    usage_error("up needs --local N with N from 1 to " + std::to_string(kMostNodes) +
                ", or --hostfile FILE");
  }
  if (options.hostfile.empty() && !options.launch_agent.empty()) {
    usage_error("--launch-agent goes with --hostfile");
  }
}

std::string absolute(const std::string& path) {
  return path.empty() ? "" : std::filesystem::absolute(path).lexically_normal().string();
}

bool is_supervised(const std::string& directory) {
  return access((directory + "/run").c_str(), F_OK) == 0 &&
         SupervisorLock::holder(RunFiles(directory)).pid != 0;
}

// Checks what can be checked before anything is started. Exits with a message otherwise.
SupervisorOptions prepare(const Options& options, bool& created) {
  check_size(options);
  const std::string problem = directory_problem(options.directory, R_OK | W_OK | X_OK);
  if (!problem.empty()) give_up(problem);
  SupervisorOptions supervisor{
      .state_directory = options.directory,
      .config_path = absolute(options.config),
      .hyadesd = program_beside(HYADES_DAEMON),
      .create = true,
      .spool_root = options.spool.empty() ? options.directory + "/spool" : absolute(options.spool)};
  if (options.hostfile.empty()) {
    supervisor.nodes = options.local;
    supervisor.node_names = "vn[1-" + std::to_string(options.local) + "]";
  } else {
    add_hosts(options, supervisor);
  }
  if (!is_supervised(options.directory)) {
    add_config(options, supervisor);
    check_kind(options, supervisor);
  } else if (!options.config.empty()) {
    // That of the directory is of no interest to who only looks whether the cluster runs.
    const ConfigResult result = load_config(supervisor.config_path, true);
    for (const std::string& error : result.errors) std::cerr << "hyades: " << error << "\n";
    if (!result.config) give_up("a cluster runs in this directory already, with what it has read");
  }
  created = !std::filesystem::exists(options.directory + "/queue.db");
  make_directories(options, supervisor);
  return supervisor;
}

void log_to_file(const std::string& directory) {
  static const LogDirectory logs(directory);
  auto log = spdlog::basic_logger_mt("supervisor", logs.path("supervisor.log"));
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%e supervisor %l: %v");
  log->flush_on(spdlog::level::info);
  spdlog::set_default_logger(log);
}

int supervise(const SupervisorOptions& options, const RunFiles& files, const SupervisorLock& lock) {
  struct sigaction action {};
  action.sa_handler = request_stop;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  signal(SIGHUP, SIG_IGN);
  install_failpoints_from_env("supervisor");
  lock.sign();
  return Supervisor(options, files).run(stop_requested);
}

[[noreturn]] void become_supervisor(const SupervisorOptions& options, const RunFiles& files,
                                    const SupervisorLock& lock) {
  setsid();
  const int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd < 3; ++fd) dup2(null, fd);
  if (null > 2) close(null);
  if (chdir("/") != 0) _exit(kFailed);
  int code = kFailed;
  try {
    log_to_file(options.state_directory);
    code = supervise(options, files, lock);
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
  }
  spdlog::shutdown();
  _exit(code);
}

// One line that changes, for virtual nodes; a line for every change of a host otherwise.
class Progress {
 public:
  explicit Progress(int nodes) : nodes_(nodes), tty_(isatty(2) != 0) {}

  void show(const ClusterStatus& status) {
    if (nodes_ > 0) return count(status);
    for (const HostsNote::Host& host : status.hosts) {
      // The master knows it a moment before the supervisor does, and then nothing more is shown.
      const ClusterStatus::Worker* const worker = status.worker_of(host.name);
      const std::string now = worker != nullptr && worker->responding ? "up"
                              : host.why.empty()                      ? host.state
                                                 : host.state + ": " + host.why;
      if (said_[host.name] == now) continue;
      said_[host.name] = now;
      std::cerr << host.name << " " << now << "\n";
    }
  }
  void end() const {
    if (tty_ && nodes_ > 0) std::cerr << "\r\x1b[K";
  }

 private:
  void count(const ClusterStatus& status) const {
    if (!tty_) return;
    int responding = 0;
    for (const auto& worker : status.workers) responding += worker.responding ? 1 : 0;
    std::cerr << "\rstarting: master " << (status.master ? "up" : "...") << ", " << responding
              << "/" << nodes_ << " nodes " << std::flush;
  }

  int nodes_;  // 0: hosts
  bool tty_;
  std::map<std::string, std::string> said_;
};

// Until the cluster is up, has said why it cannot be, or `supervised` is false.
ClusterStatus await_up(const Options& options, const RunFiles& files,
                       bool (ClusterStatus::*enough)() const,
                       const std::function<bool()>& supervised) {
  Progress progress(options.local);
  const auto until = std::chrono::steady_clock::now() + kUpPatience;
  ClusterStatus status;
  while (std::chrono::steady_clock::now() < until) {
    status = read_status(options.directory, 1000);
    progress.show(status);
    if ((status.*enough)() || !files.failure().empty() || !supervised()) break;
    std::this_thread::sleep_for(50ms);
  }
  progress.end();
  return status;
}

// Returns when it has gone: the next `up` must not meet it.
void stop_supervisor(pid_t supervisor) {
  kill(supervisor, SIGTERM);
  const auto until = std::chrono::steady_clock::now() + kStopPatience;
  while (waitpid(supervisor, nullptr, WNOHANG) == 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(20ms);
  }
}

// True when the cluster is up; else the supervisor is stopped again and the reason printed.
bool wait_until_up(const Options& options, const RunFiles& files, pid_t supervisor) {
  bool gone = false;
  const auto supervised = [&] {
    gone = gone || waitpid(supervisor, nullptr, WNOHANG) != 0;
    return !gone;
  };
  const ClusterStatus status = await_up(options, files, &ClusterStatus::complete, supervised);
  const bool no_host = !status.hosts.empty() && status.workers.empty();
  if (status.complete() && !no_host) return true;
  if (supervised()) stop_supervisor(supervisor);
  std::string failure = files.failure();
  if (failure.empty() && no_host) failure = "none of its hosts can be used";
  for (const HostsNote::Host& host : status.hosts) {
    if (failure.empty() && !host.why.empty()) failure = "host " + host.name + " " + host.why;
  }
  std::cerr << "hyades: the cluster did not start: "
            << (failure.empty() ? "see " + options.directory + "/log/cluster.log" : failure)
            << "\n";
  return false;
}

// The names and addresses, in any order.
std::map<std::string, std::string> addresses(const auto& hosts) {
  std::map<std::string, std::string> all;
  for (const auto& host : hosts) all[host.name] = host.address;
  return all;
}

// How the running cluster is another one than what was asked for; "" when it is the same, or when
// it is not known yet.
std::string difference(const Options& options, const SupervisorOptions& wanted,
                       const ClusterStatus& status, const RunFiles& files) {
  const bool on_hosts = !status.hosts.empty();
  const auto world = files.world();
  if (!world && !on_hosts) return "";
  if (wanted.on_hosts() != on_hosts) {
    return std::string("it was started with ") + (on_hosts ? "--hostfile" : "--local");
  }
  if (on_hosts && addresses(wanted.hosts) != addresses(status.hosts)) {
    return "the host file differs from that of the running cluster";
  }
  if (!on_hosts && status.nodes_expected != options.local && status.nodes_expected != 0) {
    return "it has " + std::to_string(status.nodes_expected) + " nodes, not " +
           std::to_string(options.local);
  }
  if (!world || wanted.config_path.empty() || world->config == wanted.config_path) return "";
  return world->config.empty() ? "it was started without --config"
                               : "it was started with --config " + world->config;
}

int already_up(const Options& options, const SupervisorOptions& wanted, const RunFiles& files) {
  ClusterStatus status = read_status(options.directory, 1000);
  if (difference(options, wanted, status, files).empty()) {
    status = await_up(options, files, &ClusterStatus::up,
                      [&] { return SupervisorLock::holder(files).pid != 0; });
  }
  std::cout << "A supervisor (process " << SupervisorLock::holder(files).pid
            << ") runs in this directory already.\n"
            << to_text(status) << std::flush;
  const std::string different = difference(options, wanted, status, files);
  if (!different.empty()) {
    std::cerr << "hyades: " << different << "; `hyades down` first\n";
    return kFailed;
  }
  if (status.up()) return kOk;
  std::cerr << "hyades: but the cluster is not up; `hyades status` says how it is, and "
            << options.directory << "/log/cluster.log why\n";
  return kFailed;
}

// Those of an earlier cluster would be taken for this one's.
void forget_hosts(const RunFiles& files) {
  const auto world = files.world();
  if (!world || !open_process(world->mpirun)) files.clear_hosts();
}

}  // namespace

int hyades_up(const HyadesOptions& options) {
  bool created = false;
  const SupervisorOptions supervisor = prepare(options, created);
  const RunFiles files(options.directory);
  const auto lock = SupervisorLock::take(files);
  if (!lock) return already_up(options, supervisor, files);
  files.write_failure("");
  forget_hosts(files);
  if (options.foreground) return supervise(supervisor, files, *lock);
  std::cout.flush();
  const pid_t child = fork();
  if (child < 0) {
    std::cerr << "hyades: cannot fork: " << strerror(errno) << "\n";
    return kFailed;
  }
  if (child == 0) become_supervisor(supervisor, files, *lock);
  if (!wait_until_up(options, files, child)) return kFailed;
  if (created) std::cout << "New, empty cluster in " << options.directory << "\n";
  std::cout << to_text(read_status(options.directory, 2000))
            << "\nSubmit jobs with:  HYADES_DIR=" << options.directory << " " << own_directory()
            << "/hsub SCRIPT\n";
  return kOk;
}

}  // namespace hyades
