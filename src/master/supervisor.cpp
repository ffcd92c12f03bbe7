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
#include <stdexcept>

#include "core/failpoint.hpp"

namespace hyades {

namespace {

using namespace std::chrono_literals;

// A world that lived this long did not die at birth: the next one is started at once.
constexpr auto kHealthy = 2s;
constexpr auto kPauseMin = 100ms;
constexpr auto kPauseMax = 5'000ms;
constexpr auto kRankAppears = 30s;  // MPI_Init and the first note of a rank

bool wait_readable(int fd, int timeout_ms) {
  pollfd item{fd, POLLIN, 0};
  return poll(&item, 1, timeout_ms) > 0;
}

std::string lock_path(const RunFiles& files) { return files.directory() + "/supervisor.lock"; }
std::string scratch_path(const RunFiles& files) { return files.directory() + "/mpi"; }

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

void kill_and_wait(const ProcessIdentity& process) {
  const UniqueFd handle = open_process(process);
  if (!handle) return;
  syscall(SYS_pidfd_send_signal, handle.get(), SIGKILL, nullptr, 0);
  if (!wait_readable(handle.get(), 10'000)) {
    spdlog::warn("process {} does not die; it may be stuck in the kernel", process.pid);
  }
}

// Nobody else may look into it or plant anything there.
bool is_private_directory(const std::string& path) {
  struct stat facts {};
  return lstat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) && facts.st_uid == geteuid() &&
         (facts.st_mode & 077) == 0;
}

std::string shared_memory_path(const std::string& state_directory) {
  struct stat facts {};
  if (stat(state_directory.c_str(), &facts) != 0) return "";
  return "/dev/shm/hyades-" + std::to_string(geteuid()) + "-" + std::to_string(facts.st_dev) + "-" +
         std::to_string(facts.st_ino);
}

// Runs in the child between fork and exec.
[[noreturn]] void exec_mpirun(const std::vector<std::string>& command, const std::string& log,
                              const std::string& scratch) {
  setsid();
  const int in = open("/dev/null", O_RDONLY);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) _exit(126);
  close_range(3, ~0u, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // mpirun's session files have predictable names: they go where nobody else may plant anything.
  setenv("TMPDIR", scratch.c_str(), 1);
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
  UniqueFd file(open(lock_path(files).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file) throw std::runtime_error("cannot open " + lock_path(files) + ": " + strerror(errno));
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
    : options_(std::move(options)), files_(std::move(files)) {}

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
    pause(stop);
  }
  spdlog::info("stopping; jobs run on");
  end_world(files_);
  kill_and_wait(mpirun_);
  std::error_code ignored;
  std::filesystem::remove_all(shared_memory_path(options_.state_directory), ignored);
  return 0;
}

void Supervisor::cycle(bool& alive, const std::atomic<bool>& stop) {
  if (!alive) {
    end_world(files_);
    HYADES_FAILPOINT("supervisor_before_start");
    alive = start();
  }
  if (alive) watch(stop);
}

bool Supervisor::adopt() {
  const auto world = files_.world();
  if (!world || !open_process(world->mpirun)) return false;
  mpirun_ = world->mpirun;
  options_.nodes = world->nodes;
  formed_ = Clock::now() - kHealthy;
  spdlog::info("adopted the running world: mpirun {}, {} nodes", mpirun_.pid, world->nodes);
  return true;
}

std::vector<std::string> Supervisor::mpirun_command(const std::string& shared_memory) const {
  std::vector<std::string> command = {"mpirun", "--oversubscribe", "--bind-to", "none"};
  if (geteuid() == 0) command.push_back("--allow-run-as-root");
  // All ranks are on this host: shared memory, and no port that anybody could connect to.
  for (const char* word :
       {"--mca", "btl", "self,vader", "--mca", "pml", "ob1", "--mca", "oob_tcp_if_include", "lo"}) {
    command.emplace_back(word);
  }
  if (!shared_memory.empty()) {
    command.insert(command.end(), {"--mca", "btl_vader_backing_directory", shared_memory});
  }
  command.insert(command.end(),
                 {"-n", std::to_string(options_.nodes + 1), options_.hyadesd, "--dir",
                  options_.state_directory, "--node-names", options_.node_names});
  if (!options_.config_path.empty()) {
    command.insert(command.end(), {"--config", options_.config_path});
  }
  if (options_.create) command.emplace_back("--init");
  return command;
}

// With nothing in it: an mpirun that was killed leaves megabytes of session files.
bool Supervisor::make_scratch() {
  const std::string scratch = scratch_path(files_);
  std::error_code ignored;
  std::filesystem::remove_all(scratch, ignored);
  mkdir(scratch.c_str(), 0700);
  if (is_private_directory(scratch)) return true;
  const std::string reason = scratch + " must be a directory of ours with mode 0700";
  spdlog::error("{}", reason);
  files_.write_failure(reason);
  return false;
}

// The ranks' shared memory, in a directory of its own: a world that was killed leaves 4 MB a rank,
// which nobody else would ever remove. "" when there is no such place; Open MPI chooses one then.
std::string Supervisor::make_shared_memory() const {
  const std::string path = shared_memory_path(options_.state_directory);
  if (path.empty()) return "";
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return "";
  // The name can be guessed, and anybody may make a directory there.
  if (!is_private_directory(path)) {
    spdlog::warn("{} is not a directory of ours with mode 0700 and is not used", path);
    return "";
  }
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(path, ignored)) {
    std::filesystem::remove(entry.path(), ignored);
  }
  return path;
}

bool Supervisor::start() {
  ++worlds_;
  formed_ = Clock::now();
  if (!make_scratch()) return false;
  // Before anything runs: what is started must be noted, and notes need space.
  files_.reserve(options_.nodes);
  const std::vector<std::string> command = mpirun_command(make_shared_memory());
  const std::string log = options_.state_directory + "/log/cluster.log";
  const pid_t pid = fork();
  if (pid < 0) {
    spdlog::error("cannot fork: {}", std::strerror(errno));
    return false;
  }
  if (pid == 0) exec_mpirun(command, log, scratch_path(files_));
  note_start(pid);
  HYADES_FAILPOINT("supervisor_after_start");
  spdlog::info("world {} started: mpirun {}, {} nodes", worlds_, pid, options_.nodes);
  return true;
}

void Supervisor::note_start(pid_t mpirun) {
  mpirun_ = identify(mpirun);
  if (mpirun_.start_ticks == 0) {
    // Nobody could find it again. The number is still its own: it has not been waited for.
    kill(mpirun, SIGKILL);
    throw std::runtime_error("mpirun, process " + std::to_string(mpirun) +
                             ", ended at once or cannot be looked at");
  }
  files_.write_world({mpirun_, options_.nodes, options_.config_path});
}

// Polls the pidfds of mpirun and of every rank that has left its note. mpirun itself ends when a
// rank dies, but takes a second to; seeing the rank saves it.
bool Supervisor::watch(const std::atomic<bool>& stop) {
  std::vector<pollfd> items;
  std::vector<UniqueFd> handles;
  std::vector<RankNote> known;
  const auto add = [&](const ProcessIdentity& process) {
    handles.push_back(open_process(process));
    items.push_back({handles.back().get(), POLLIN, 0});
    return static_cast<bool>(handles.back());
  };
  bool all_alive = add(mpirun_);
  while (all_alive && !stop) {
    const bool complete = known.size() == static_cast<std::size_t>(options_.nodes) + 1;
    if (!complete) {
      for (const RankNote& note : files_.ranks()) {
        const bool is_new = std::none_of(known.begin(), known.end(), [&](const RankNote& other) {
          return other.process == note.process;
        });
        if (!is_new) continue;
        known.push_back(note);
        all_alive = add(note.process) && all_alive;
      }
      if (Clock::now() - formed_ > kRankAppears && known.empty()) {
        spdlog::error("no rank has appeared; see {}/log/cluster.log", options_.state_directory);
        return true;
      }
    }
    // A signal that sets `stop` interrupts the poll; the timeout only bounds the case in which it
    // came just before.
    const int ready = poll(items.data(), items.size(), complete ? 1000 : 50);
    if (ready > 0) all_alive = false;
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }
  if (stop) return false;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (handles[i] && items[i].revents == 0) continue;
    if (i == 0) {
      spdlog::warn("mpirun {} has ended", mpirun_.pid);
    } else {
      spdlog::warn("{} (process {}) has ended",
                   known[i - 1].node.empty() ? "the master" : "the worker of " + known[i - 1].node,
                   known[i - 1].process.pid);
    }
  }
  return true;
}

// Worlds that die at birth are started ever more slowly.
void Supervisor::pause(const std::atomic<bool>& stop) {
  const bool healthy = Clock::now() - formed_ >= kHealthy;
  pause_ = healthy ? 0ms : std::clamp<std::chrono::milliseconds>(pause_ * 2, kPauseMin, kPauseMax);
  const auto until = Clock::now() + pause_;
  if (pause_ > 0ms) spdlog::info("starting again in {} ms", pause_.count());
  end_world(files_);
  while (waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  while (!stop && Clock::now() < until) poll(nullptr, 0, 20);
}

}  // namespace hyades
