#include "master/supervisor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "core/failpoint.hpp"
#include "core/hostlist.hpp"
#include "master/log_directory.hpp"
#include "master/mpirun_command.hpp"
#include "master/node_place.hpp"
#include "master/watch_list.hpp"

namespace hyades {

namespace {

using namespace std::chrono_literals;

// A world that lived this long did not die at birth: the next one is started at once.
constexpr auto kHealthy = 2s;
constexpr auto kPauseMin = 100ms;
constexpr auto kPauseMax = 5'000ms;
constexpr auto kRankAppears = 30s;  // MPI_Init and the first note of a rank
constexpr int kTend_ms = 200;       // how often hosts are looked after
constexpr int kInVain = 3;          // worlds that do not come up, before that is a failure

bool wait_readable(int fd, int timeout_ms) {
  pollfd item{fd, POLLIN, 0};
  return poll(&item, 1, timeout_ms) > 0;
}

std::string lock_path(const RunFiles& files) { return files.directory() + "/supervisor.lock"; }

// Blank at the end: rewriting it needs no space and leaves nothing of a longer one.
std::string signature(const ProcessIdentity& process) {
  char text[64];
  std::snprintf(text, sizeof text, "%-10d %-20llu\n", static_cast<int>(process.pid),
                static_cast<unsigned long long>(process.start_ticks));
  return text;
}

bool put(int file, const std::string& text) {
  return pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

void write_host_list(const WorldPlan& plan) {
  mkdir(plan.failures.c_str(), 0700);
  const std::string text = host_list_text(plan.members);
  const UniqueFd file(
      open(plan.host_list.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file || !put(file.get(), text)) {
    throw std::runtime_error("cannot write " + plan.host_list + ": " + std::strerror(errno));
  }
}

void kill_and_wait(const ProcessIdentity& process) {
  const UniqueFd handle = open_process(process);
  if (!handle) return;
  syscall(SYS_pidfd_send_signal, handle.get(), SIGKILL, nullptr, 0);
  if (!wait_readable(handle.get(), 10'000)) {
    spdlog::warn("process {} does not die; it may be stuck in the kernel", process.pid);
  }
}

// Only this child: host_keeper collects its own.
void reap(const ProcessIdentity& mpirun) {
  if (mpirun.pid > 0) waitpid(mpirun.pid, nullptr, WNOHANG);
}

std::string shared_memory_path(const std::string& state_directory) {
  struct stat facts {};
  if (stat(state_directory.c_str(), &facts) != 0) return "";
  return "/dev/shm/hyades-" + std::to_string(geteuid()) + "-" + std::to_string(facts.st_dev) + "-" +
         std::to_string(facts.st_ino);
}

// The first line of a log beyond `offset` that says something, and its number; 0: there is none.
std::pair<std::string, std::size_t> first_words(const std::string& log, std::uintmax_t offset) {
  std::ifstream file(log);
  std::uintmax_t at = 0;
  std::size_t number = 0;
  std::pair<std::string, std::size_t> found;
  for (std::string line; std::getline(file, line); at += line.size() + 1) {
    ++number;
    // mpirun draws lines above and below what it says.
    if (at < offset || line.find_first_not_of("-= \t\r") == line.npos) continue;
    for (char& c : line) c = static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c;
    // "[host:pid] file and line": of no use to people when there is anything else.
    if (found.second == 0 || line[0] != '[') found = {line.substr(0, 300), number};
    if (line[0] != '[') break;
  }
  return found;
}

// Runs in the child between fork and exec.
[[noreturn]] void exec_mpirun(const std::vector<std::string>& command,
                              const std::map<std::string, std::string>& environment,
                              const std::string& log, const std::string& scratch) {
  setsid();
  const int in = open("/dev/null", O_RDONLY);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
  if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) _exit(126);
  close_range(3, ~0u, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // mpirun's session files have predictable names: they go where nobody else may plant anything.
  setenv("TMPDIR", scratch.c_str(), 1);
  for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  dprintf(2, "cannot run %s: %s\n", argv[0], std::strerror(errno));
  _exit(127);
}

}  // namespace

// ---- the lock ---------------------------------------------------------------------------------

std::optional<SupervisorLock> SupervisorLock::take(const RunFiles& files) {
  UniqueFd file = files.open_lock();
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) return std::nullopt;
  if (!put(file.get(), signature({}))) {
    throw std::runtime_error("cannot write " + lock_path(files) + ": " + strerror(errno));
  }
  return SupervisorLock(std::move(file));
}

void SupervisorLock::sign() const {
  if (!put(file_.get(), signature(own_identity()))) {
    throw std::runtime_error(std::string("cannot write supervisor.lock: ") + strerror(errno));
  }
}

bool SupervisorLock::may_see(const RunFiles& files) {
  return access(lock_path(files).c_str(), R_OK) == 0 || errno != EACCES;
}

ProcessIdentity SupervisorLock::holder(const RunFiles& files) {
  const UniqueFd file(open(lock_path(files).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || flock(file.get(), LOCK_SH | LOCK_NB) == 0) return {};
  char text[64] = "";
  if (pread(file.get(), text, sizeof text - 1, 0) <= 0) return {};
  int pid = 0;
  unsigned long long ticks = 0;
  std::sscanf(text, "%d %llu", &pid, &ticks);
  const ProcessIdentity process{pid, ticks};
  return open_process(process) ? process : ProcessIdentity{};
}

// ---- the world --------------------------------------------------------------------------------

void end_world(const RunFiles& files) {
  if (const auto world = files.world()) kill_and_wait(world->mpirun);
  for (const RankNote& rank : files.ranks()) kill_and_wait(rank.process);
  files.clear_ranks();
  files.clear_world();
}

Supervisor::Supervisor(SupervisorOptions options, RunFiles files)
    : options_(std::move(options)), files_(std::move(files)) {
  if (!options_.on_hosts()) return;
  hosts_ =
      std::make_unique<HostKeeper>(options_, files_, shared_memory_path(options_.state_directory));
}

int Supervisor::nodes() const {
  return hosts_ ? static_cast<int>(members_.size()) : options_.nodes;
}

int Supervisor::run(const std::atomic<bool>& stop) {
  bool alive = adopt();
  while (!stop) {
    try {
      cycle(alive, stop);
    } catch (const std::exception& error) {
      spdlog::error("{}", error.what());
      kill_and_wait(mpirun_);  // perhaps there is no note of it
    }
    if (stop) break;
    alive = false;
    served_ = served_ || (came_up_ && files_.failure().empty());
    pause(stop);
    if (hosts_) hosts_->ended(came_up_, failures_path());
    judge();
  }
  spdlog::info("stopping; jobs run on");
  end_world(files_);
  kill_and_wait(mpirun_);
  if (const auto hosts = files_.hosts(); hosts && hosts_) {
    for (const std::string& host : end_hosts(*hosts)) spdlog::warn("host {}", host);
  }
  remove_private_directory(shared_memory_path(options_.state_directory));
  remove_private_directory(scratch_path());
  return 0;
}

void Supervisor::cycle(bool& alive, const std::atomic<bool>& stop) {
  if (!alive) {
    end_world(files_);
    HYADES_FAILPOINT("supervisor_before_start");
    if (hosts_) hosts_->gather(stop);
    alive = !stop && start();
  }
  if (alive) watch(stop);
}

bool Supervisor::adopt() {
  const auto world = files_.world();
  if (!world || !open_process(world->mpirun)) return false;
  mpirun_ = world->mpirun;
  // A world of another kind is not what was asked for; its jobs are adopted all the same.
  if (world->hosts != options_.on_hosts()) return false;
  options_.nodes = world->nodes;
  formed_ = Clock::now() - kHealthy;
  came_up_ = true;
  if (const auto hosts = files_.hosts(); hosts && hosts_) {
    for (const HostsNote::Host& host : hosts->hosts) {
      if (host.member) members_.push_back(host.name);
    }
    hosts_->adopted(*hosts);
  }
  spdlog::info("adopted the running world: mpirun {}, {} nodes", mpirun_.pid, world->nodes);
  return true;
}

std::string Supervisor::scratch_path() const {
  return options_.user.empty() ? files_.directory() + "/mpi"
                               : root_place("mpi", options_.state_directory);
}

// With nothing in it: an mpirun that was killed leaves megabytes of session files.
bool Supervisor::make_scratch() {
  const std::string problem = make_private_directory(scratch_path());
  if (problem.empty()) return true;
  spdlog::error("{}", problem);
  files_.write_failure(problem);
  return false;
}

// Daemons that have become another user could not make the directories themselves. On hosts
// hyades-remote does this.
bool Supervisor::make_virtual_nodes() {
  std::vector<std::string> names;
  std::string problem;
  if (hosts_ || options_.user.empty() || !expand_hostlist(options_.node_names, names, problem)) {
    return true;
  }
  for (const std::string& name : names) {
    const NodePlace place({options_.spool_root, name, "", options_.user});
    problem = place.prepare();
    if (problem.empty()) continue;
    spdlog::error("{}", problem);
    files_.write_failure(problem);
    return false;
  }
  return true;
}

// The ranks' shared memory, in a directory of its own: a world that was killed leaves 4 MB a rank,
// which nobody else would ever remove. "" when there is no such place; Open MPI chooses one then.
std::string Supervisor::make_shared_memory() const {
  const std::string path = shared_memory_path(options_.state_directory);
  if (path.empty()) return "";
  // The name can be guessed, and anybody may make a directory there.
  const std::string problem = make_private_directory(path);
  if (problem.empty()) return path;
  spdlog::warn("{}; it is not used", problem);
  return "";
}

bool Supervisor::start() {
  ++worlds_;
  formed_ = Clock::now();
  came_up_ = false;
  if (!make_scratch() || !make_virtual_nodes()) return false;
  if (hosts_) members_ = hosts_->members();
  // Before anything runs: what is started must be noted, and notes need space.
  files_.reserve(nodes());
  files_.clear_heard();
  const WorldPlan plan{members_, scratch_path() + "/hosts", failures_path(), make_shared_memory(),
                       served_};
  if (hosts_) write_host_list(plan);
  const std::vector<std::string> command = mpirun_command(options_, plan);
  const LogDirectory logs(options_.state_directory);
  const std::string log = logs.path("cluster.log");
  std::error_code none;
  log_at_ = std::filesystem::exists(log, none) ? std::filesystem::file_size(log, none) : 0;
  const pid_t pid = fork();
  if (pid < 0) {
    spdlog::error("cannot fork: {}", std::strerror(errno));
    return false;
  }
  if (pid == 0) exec_mpirun(command, mpirun_environment(options_, plan), log, scratch_path());
  note_start(pid, nodes());
  HYADES_FAILPOINT("supervisor_after_start");
  if (hosts_) hosts_->formed(members_, planned_);
  planned_ = false;
  spdlog::info("world {} started: mpirun {}, {} nodes", worlds_, pid, nodes());
  return true;
}

void Supervisor::note_start(pid_t mpirun, int nodes) {
  mpirun_ = identify(mpirun);
  if (mpirun_.start_ticks == 0) {
    // Nobody could find it again. The number is still its own: it has not been waited for.
    kill(mpirun, SIGKILL);
    throw std::runtime_error("mpirun, process " + std::to_string(mpirun) +
                             ", ended at once or cannot be looked at");
  }
  files_.write_world({mpirun_, nodes, options_.config_path, options_.on_hosts()});
}

// Polls pidfds. mpirun itself ends when a rank dies, but takes a second to (or, with hosts, does
// not); seeing the rank saves it.
bool Supervisor::watch(const std::atomic<bool>& stop) {
  WatchList list(mpirun_);
  bool all_alive = list.mpirun_lives();
  while (all_alive && !stop) {
    // Of the ranks elsewhere there are no notes here.
    const bool complete = list.ranks() == static_cast<std::size_t>(nodes()) + 1;
    if (!complete) all_alive = list.take(files_.ranks());
    came_up_ = came_up_ || list.ranks() > 0;
    if (!came_up_ && Clock::now() - formed_ > kRankAppears) {
      spdlog::error("no rank has appeared; see {}/log/cluster.log", options_.state_directory);
      if (hosts_) hosts_->find_culprits(stop);
      return true;
    }
    if (hosts_ && came_up_ && all_alive && hosts_->tend()) {
      planned_ = true;
      return true;
    }
    // A signal that sets `stop` interrupts the poll; the timeout only bounds the case in which it
    // came just before.
    const int idle_ms = hosts_ ? kTend_ms : 1000;
    if (list.wait(came_up_ && (complete || hosts_) ? idle_ms : 50)) all_alive = false;
    reap(mpirun_);
  }
  if (stop) return false;
  for (const std::string& who : list.ended()) spdlog::warn("{} has ended", who);
  return true;
}

void Supervisor::judge() {
  const std::size_t left_out = hosts_ ? hosts_->left_out() : 0;
  // Without the host that was to blame the next one may well come up.
  const bool found_one = left_out > left_out_;
  left_out_ = left_out;
  if (came_up_ || found_one) in_vain_ = 0;
  if (came_up_ || found_one || ++in_vain_ != kInVain) return;
  const std::string log = options_.state_directory + "/log/cluster.log";
  const auto [words, number] = first_words(log, log_at_);
  std::string text = std::to_string(in_vain_) + " times in a row the daemons did not come up: ";
  text += number == 0 ? "none has reported; see " + log
                      : words + " (" + log + ", line " + std::to_string(number) + ")";
  spdlog::error("{}", text);
  // A master that gave up has said more; one that comes up clears it.
  if (!files_.failure().empty()) return;
  try {
    files_.write_failure(text);
  } catch (const std::exception& error) {
    spdlog::warn("{}", error.what());
  }
}

// Worlds that die at birth are started ever more slowly.
void Supervisor::pause(const std::atomic<bool>& stop) {
  const bool healthy = Clock::now() - formed_ >= kHealthy;
  pause_ = healthy || planned_
               ? 0ms
               : std::clamp<std::chrono::milliseconds>(pause_ * 2, kPauseMin, kPauseMax);
  const auto until = Clock::now() + pause_;
  if (pause_ > 0ms) spdlog::info("starting again in {} ms", pause_.count());
  end_world(files_);
  reap(mpirun_);
  while (!stop && Clock::now() < until) poll(nullptr, 0, 20);
}

}  // namespace hyades
