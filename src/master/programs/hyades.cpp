// hyades up | down | status: a cluster's life.
#include <fcntl.h>
#include <signal.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/program_options.hpp>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <iostream>
#include <thread>

#include "cli/state_directory.hpp"
#include "master/cluster_status.hpp"
#include "master/supervisor.hpp"
#include "version.hpp"
#include "wire/client_connection.hpp"
#include "wire/failpoint_env.hpp"

namespace {

namespace po = boost::program_options;
using namespace hyades;
using namespace std::chrono_literals;

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsageError = 2;
constexpr int kMostNodes = 256;
constexpr auto kUpPatience = 60s;
constexpr auto kStopPatience = 15s;

constexpr const char* kUsage =
    "Usage: hyades up --local N [--dir DIR] [--config FILE] [--foreground]\n"
    "       hyades down [--dir DIR] [--cancel-jobs]\n"
    "       hyades status [--dir DIR] [--json]\n\n"
    "Starts, stops and shows a cluster. `up --local N` starts one master and N virtual nodes on\n"
    "this machine, in the background, and keeps them running; jobs outlive all of them.\n"
    "`down` leaves running jobs alone unless told otherwise; the next `up` adopts them.\n\n"
    "Exit codes: 0 done (status: the cluster is up), 1 failed (status: it is not), 2 usage.\n\n";

struct Options {
  std::string verb;
  std::string directory;
  std::string config;
  int local = 0;
  bool foreground = false;
  bool cancel_jobs = false;
  bool json = false;
};

std::atomic<bool> stop_requested{false};
void request_stop(int) { stop_requested = true; }

[[noreturn]] void usage_error(const std::string& message) {
  std::cerr << "hyades: " << message << " (hyades --help shows how)\n";
  std::exit(kUsageError);
}

Options parse(int argc, char** argv) {
  Options options;
  po::options_description described("Options");
  described.add_options()("local", po::value(&options.local),
                          "up: number of virtual nodes on this machine")(
      "dir", po::value(&options.directory),
      "state directory (default: $HYADES_DIR, else ~/.local/state/hyades)")(
      "config", po::value(&options.config), "up: configuration (default: DIR/hyades.toml, if any)")(
      "foreground", po::bool_switch(&options.foreground), "up: do not go to the background")(
      "cancel-jobs", po::bool_switch(&options.cancel_jobs), "down: cancel all jobs first")(
      "json", po::bool_switch(&options.json), "status: as JSON")("help,h", "print this help")(
      "version,V", "print the version");
  po::options_description all;
  all.add(described).add_options()("verb", po::value(&options.verb));
  po::positional_options_description positions;
  positions.add("verb", 1);
  try {
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv).options(all).positional(positions).run(), values);
    po::notify(values);
    if (values.count("help") || argc == 1) {
      std::cout << kUsage << described;
      std::exit(argc == 1 ? kUsageError : kOk);
    }
    if (values.count("version")) {
      std::cout << "hyades " << kVersion << "\n";
      std::exit(kOk);
    }
    options.directory = state_directory(options.directory);
  } catch (const std::exception& error) {
    usage_error(error.what());
  }
  return options;
}

// ---- the directory ----------------------------------------------------------------------------

// Why nothing can be done there; "" when something can, or when it does not exist yet.
std::string directory_problem(const std::string& directory, int access_wanted) {
  struct stat what {};
  if (stat(directory.c_str(), &what) != 0) {
    if (errno == ENOENT) return "";
    return "cannot use " + directory + ": " + strerror(errno);
  }
  if (!S_ISDIR(what.st_mode)) return directory + " is not a directory";
  if (access(directory.c_str(), access_wanted) == 0) return "";
  return "you may not use " + directory + " (" + strerror(errno) +
         "): it belongs to another user; name one of yours with --dir";
}

// A directory that holds something else is left as it is: looking must not make it ours.
bool holds_a_cluster(const std::string& directory) {
  return access((directory + "/run").c_str(), F_OK) == 0 ||
         access((directory + "/queue.db").c_str(), F_OK) == 0;
}

// ---- up ---------------------------------------------------------------------------------------

std::string own_directory() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
}

// Checks what can be checked before anything is started. Exits with a message otherwise.
SupervisorOptions prepare(const Options& options, bool& created) {
  if (options.local < 1 || options.local > kMostNodes) {
    usage_error("up needs --local N with N from 1 to " + std::to_string(kMostNodes));
  }
  const std::string problem = directory_problem(options.directory, R_OK | W_OK | X_OK);
  if (!problem.empty()) {
    std::cerr << "hyades: " << problem << "\n";
    std::exit(kFailed);
  }
  std::string config = options.config.empty()
                           ? ""
                           : std::filesystem::absolute(options.config).lexically_normal().string();
  SupervisorOptions supervisor{.state_directory = options.directory,
                               .config_path = config,
                               .nodes = options.local,
                               .node_names = "vn[1-" + std::to_string(options.local) + "]",
                               .hyadesd = own_directory() + "/" HYADES_DAEMON,
                               .create = true};
  if (access(supervisor.hyadesd.c_str(), X_OK) != 0) {
    std::cerr << "hyades: cannot run " << supervisor.hyadesd << ": " << strerror(errno) << "\n";
    std::exit(kFailed);
  }
  created = !std::filesystem::exists(options.directory + "/queue.db");
  std::error_code error;
  const auto parent = std::filesystem::path(options.directory).parent_path();
  std::filesystem::create_directories(parent, error);
  if (mkdir(options.directory.c_str(), 0700) != 0 && errno != EEXIST) {
    std::cerr << "hyades: cannot create " << options.directory << ": " << strerror(errno) << "\n";
    std::exit(kFailed);
  }
  mkdir((options.directory + "/log").c_str(), 0700);
  return supervisor;
}

void log_to_file(const std::string& directory) {
  auto log = spdlog::basic_logger_mt("supervisor", directory + "/log/supervisor.log");
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

void show_progress(const ClusterStatus& status, int nodes, bool tty) {
  if (!tty) return;
  int responding = 0;
  for (const auto& worker : status.workers) responding += worker.responding ? 1 : 0;
  std::cerr << "\rstarting: master " << (status.master ? "up" : "...") << ", " << responding << "/"
            << nodes << " nodes " << std::flush;
}

// Until the cluster is up, has said why it cannot be, or `supervised` is false.
ClusterStatus await_up(const Options& options, const RunFiles& files,
                       const std::function<bool()>& supervised) {
  const bool tty = isatty(2) != 0;
  const auto until = std::chrono::steady_clock::now() + kUpPatience;
  ClusterStatus status;
  while (std::chrono::steady_clock::now() < until) {
    status = read_status(options.directory, 1000);
    show_progress(status, options.local, tty);
    if (status.up() || !files.failure().empty() || !supervised()) break;
    std::this_thread::sleep_for(50ms);
  }
  if (tty) std::cerr << "\r\x1b[K";
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
  if (await_up(options, files, supervised).up()) return true;
  if (supervised()) stop_supervisor(supervisor);
  const std::string failure = files.failure();
  std::cerr << "hyades: the cluster did not start: "
            << (failure.empty() ? "see " + options.directory + "/log/cluster.log" : failure)
            << "\n";
  return false;
}

int already_up(const Options& options, const RunFiles& files) {
  const ClusterStatus status =
      await_up(options, files, [&] { return SupervisorLock::holder(files).pid != 0; });
  std::cout << "A supervisor (process " << SupervisorLock::holder(files).pid
            << ") runs in this directory already.\n"
            << to_text(status) << std::flush;
  if (status.nodes_expected != options.local && status.nodes_expected != 0) {
    std::cerr << "hyades: it has " << status.nodes_expected << " nodes, not " << options.local
              << "; `hyades down` first\n";
    return kFailed;
  }
  if (status.up()) return kOk;
  std::cerr << "hyades: but the cluster is not up; `hyades status` says how it is, and "
            << options.directory << "/log/cluster.log why\n";
  return kFailed;
}

int up(const Options& options) {
  bool created = false;
  const SupervisorOptions supervisor = prepare(options, created);
  const RunFiles files(options.directory);
  const auto lock = SupervisorLock::take(files);
  if (!lock) return already_up(options, files);
  files.write_failure("");
  if (created) std::cout << "New, empty cluster in " << options.directory << "\n";
  if (options.foreground) return supervise(supervisor, files, *lock);
  std::cout.flush();
  const pid_t child = fork();
  if (child < 0) {
    std::cerr << "hyades: cannot fork: " << strerror(errno) << "\n";
    return kFailed;
  }
  if (child == 0) become_supervisor(supervisor, files, *lock);
  if (!wait_until_up(options, files, child)) return kFailed;
  std::cout << to_text(read_status(options.directory, 2000))
            << "\nSubmit jobs with:  HYADES_DIR=" << options.directory << " " << own_directory()
            << "/hsub SCRIPT\n";
  return kOk;
}

// ---- down and status --------------------------------------------------------------------------

bool cancel_all(const std::string& directory) {
  ClientConnection connection(directory);
  pb::ClientRequest request;
  pb::ClientReply jobs;
  std::string error;
  request.mutable_list_jobs()->set_live(true);
  if (connection.call(request, jobs, 10'000, error) != CallResult::Ok) {
    std::cerr << "hyades: cannot cancel jobs: " << error << "\n";
    return false;
  }
  pb::ClientRequest wait;
  for (const pb::JobInfo& job : jobs.jobs()) {
    pb::ClientReply reply;
    request.mutable_act_on_job()->set_job(job.id());
    request.mutable_act_on_job()->set_action(pb::JOB_CANCEL);
    connection.call(request, reply, 10'000, error);
    wait.mutable_wait_jobs()->add_ids(job.id());
  }
  if (jobs.jobs_size() == 0) return true;
  wait.mutable_wait_jobs()->set_timeout_ms(60'000);
  pb::ClientReply reply;
  return connection.call(wait, reply, 70'000, error) == CallResult::Ok;
}

int down(const Options& options) {
  const std::string problem = directory_problem(options.directory, X_OK);
  if (!problem.empty()) {
    std::cerr << "hyades: " << problem << "\n";
    return kFailed;
  }
  if (!holds_a_cluster(options.directory)) {
    std::cerr << "hyades: there is no cluster in " << options.directory << "\n";
    return kFailed;
  }
  const RunFiles files(options.directory);
  const ClusterStatus before = read_status(options.directory, 2000);
  if (before.down()) {
    std::cout << "The cluster in " << options.directory << " is down already.\n";
    return kOk;
  }
  if (options.cancel_jobs && !cancel_all(options.directory)) return kFailed;
  const ProcessIdentity supervisor = SupervisorLock::holder(files);
  if (const UniqueFd handle = open_process(supervisor)) {
    syscall(SYS_pidfd_send_signal, handle.get(), SIGTERM, nullptr, 0);
    for (int i = 0; i < 300 && open_process(supervisor); ++i) std::this_thread::sleep_for(50ms);
    if (open_process(supervisor)) {
      std::cerr << "hyades: supervisor " << supervisor.pid << " does not stop\n";
      return kFailed;
    }
  }
  end_world(files);  // whatever a dead supervisor left
  const int running = before.master && !options.cancel_jobs ? before.master->running() : 0;
  std::cout << "The cluster is down.";
  if (running > 0) {
    std::cout << ' ' << running << (running == 1 ? " job runs" : " jobs run")
              << " on; the next `hyades up` adopts " << (running == 1 ? "it." : "them.");
  }
  std::cout << "\n";
  return kOk;
}

int status(const Options& options) {
  const std::string problem = directory_problem(options.directory, X_OK);
  if (!problem.empty()) {
    std::cerr << "hyades: " << problem << "\n";
    return kFailed;
  }
  if (!holds_a_cluster(options.directory)) {
    if (options.json) std::cout << "{\"state\": \"absent\"}\n";
    std::cerr << "hyades: there is no cluster in " << options.directory
              << "; start one with: hyades up --local 4 --dir " << options.directory << "\n";
    return kFailed;
  }
  const ClusterStatus now = read_status(options.directory, 2000);
  std::cout << (options.json ? to_json(now) + "\n" : to_text(now)) << std::flush;
  if (now.supervisor_pid == 0 && !now.down()) {
    const auto workers = static_cast<std::size_t>(std::max(0, now.nodes_expected));
    std::cerr << "hyades: no supervisor watches it, so nothing that dies is started again; "
              << "`hyades up --local " << std::max<std::size_t>({1, workers, now.workers.size()})
              << "` takes over\n";
  }
  return now.up() ? kOk : kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  try {
    if (options.verb == "up") return up(options);
    if (options.verb == "down") return down(options);
    if (options.verb == "status") return status(options);
  } catch (const std::exception& error) {
    std::cerr << "hyades: " << error.what() << "\n";
    return kFailed;
  }
  usage_error(options.verb.empty()
                  ? "nothing to do"
                  : "unknown command '" + options.verb + "'; use up, down or status");
}
