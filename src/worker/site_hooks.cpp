#include "worker/site_hooks.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "wire/unique_fd.hpp"
#include "worker/boot_clock.hpp"
#include "worker/fork_patiently.hpp"
#include "worker/job_directory.hpp"
#include "worker/trusted_path.hpp"

namespace hyades {
namespace {

constexpr std::size_t output_bytes_max = 16 << 10;  // of one program; the rest is dropped
constexpr std::size_t reason_bytes_max = 300;
constexpr const char* log_name = "hooks.log";
constexpr const char* old_log_name = "hooks.log.old";
constexpr off_t log_bytes_max = 1 << 20;

const char* directory_name(HookKind kind) {
  return kind == HookKind::Prolog ? "/prolog.d" : "/epilog.d";
}

// No shell, however careless the hook, makes anything of these.
bool is_harmless(const std::string& text) {
  constexpr const char* letters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return !text.empty() && text.size() <= 64 && text.front() != '-' && text.front() != '.' &&
         text.find_first_not_of(letters) == text.npos;
}

// One program of the site, from its start to its end.
class Hook {
 public:
  Hook(const HookRun& run, std::string path) : run_(run), path_(std::move(path)) {}

  // Returns "" or what went wrong.
  std::string execute() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return failed(std::strerror(errno));
    output_.reset(ends[0]);
    UniqueFd input(ends[1]);
    fcntl(output_.get(), F_SETFL, O_NONBLOCK);
    child_ = fork_patiently();
    if (child_ == 0) become(input.get());
    input.reset();
    if (child_ < 0) return failed(std::strerror(errno));
    const int status = wait_for_end();
    write_log();
    if (timed_out_) return failed("did not end within " + std::to_string(run_.timeout_s) + " s");
    if (WIFSIGNALED(status)) return failed("signal " + std::to_string(WTERMSIG(status)));
    if (WEXITSTATUS(status) == cannot_run) return failed("it cannot be run");
    return WEXITSTATUS(status) == 0 ? ""
                                    : failed("exit code " + std::to_string(WEXITSTATUS(status)));
  }

 private:
  static constexpr int cannot_run = 127;

  [[noreturn]] void become(int output) {
    setsid();  // and so a process group of its own
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    umask(022);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    close_range(3, ~0u, 0);
    std::vector<char*> environment;
    for (const std::string& text : run_.environment) {
      environment.push_back(const_cast<char*>(text.c_str()));
    }
    environment.push_back(nullptr);
    char* const arguments[] = {path_.data(), nullptr};
    if (chdir("/") == 0) execve(path_.c_str(), arguments, environment.data());
    const std::string why = std::string(std::strerror(errno)) + '\n';
    if (write(STDERR_FILENO, why.data(), why.size()) < 0) _exit(cannot_run);
    _exit(cannot_run);
  }

  // Of the program itself: what it leaves in the background is not waited for.
  int wait_for_end() {
    const UniqueFd handle(static_cast<int>(syscall(SYS_pidfd_open, child_, 0)));
    const BootMs deadline = boot_now_ms() + 1000ll * run_.timeout_s;
    bool listening = true;
    int status = 0;
    while (waitpid(child_, &status, WNOHANG) != child_) {
      const BootMs left = deadline - boot_now_ms();
      if (left <= 0 && !timed_out_) {
        timed_out_ = true;
        kill(-child_, SIGKILL);
      }
      // Without a handle (no descriptor left) it is looked at now and then.
      const BootMs most = handle && !timed_out_ ? left : std::min<BootMs>(left, 50);
      pollfd wait[] = {{handle ? handle.get() : -1, POLLIN, 0},
                       {listening ? output_.get() : -1, POLLIN, 0}};
      poll(wait, 2, static_cast<int>(std::max<BootMs>(most, timed_out_ ? 10 : 0)));
      listening = read_output() && listening;
    }
    read_output();
    return status;
  }

  // False at its end.
  bool read_output() {
    char buffer[4096];
    while (true) {
      const ssize_t size = read(output_.get(), buffer, sizeof buffer);
      if (size <= 0) return size < 0 && (errno == EAGAIN || errno == EINTR);
      const std::size_t room = output_bytes_max - std::min(output_bytes_max, text_.size());
      text_.append(buffer, std::min(static_cast<std::size_t>(size), room));
    }
  }

  // Only a log: what cannot be written is not.
  void write_log() const {
    std::string trouble;
    const UniqueFd directory = open_job_directory(run_.spool_directory, trouble);
    if (!directory || text_.empty()) return;
    const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
    UniqueFd file(openat(directory.get(), log_name, flags, 0600));
    struct stat info = {};
    if (file && fstat(file.get(), &info) == 0 && info.st_size > log_bytes_max) {
      renameat(directory.get(), log_name, directory.get(), old_log_name);
      file.reset(openat(directory.get(), log_name, flags, 0600));
    }
    std::string entry = run_.title + ' ' + path_ + ":\n" + text_;
    if (entry.back() != '\n') entry += '\n';
    if (file && write(file.get(), entry.data(), entry.size()) < 0) return;
  }

  std::string failed(const std::string& how) const {
    std::string reason = path_ + ": " + how;
    const std::string first = text_.substr(0, reason_bytes_max);
    const std::size_t end = first.find_last_not_of(" \n\t");
    if (end != first.npos) reason += "; it said: " + first.substr(0, end + 1);
    return reason;
  }

  const HookRun& run_;
  std::string path_;
  pid_t child_ = 0;
  UniqueFd output_;
  std::string text_;
  bool timed_out_ = false;
};

// False: `trouble` says why.
bool list_programs(const std::string& directory, std::vector<std::string>& programs,
                   std::string& trouble) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string path = entry.path();
    if (entry.path().filename().string().front() == '.') continue;
    trouble = distrust(path);
    if (!trouble.empty()) return false;
    struct stat info = {};
    const bool plain = stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
    if (plain && (info.st_mode & 0111) != 0) programs.push_back(path);
  }
  if (error) trouble = "cannot read the directory " + directory + ": " + error.message();
  std::sort(programs.begin(), programs.end());
  return trouble.empty();
}

}  // namespace

std::vector<std::string> hook_environment(const LaunchRecord& launch, HookKind kind) {
  std::vector<std::string> environment = {
      "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
      std::string("HYADES_HOOK=") + (kind == HookKind::Prolog ? "prolog" : "epilog"),
      "HYADES_JOB_ID=" + std::to_string(launch.key.job),
      "HYADES_JOB_UID=" + std::to_string(launch.uid),
      "HYADES_JOB_GID=" + std::to_string(launch.gid),
      std::string("HYADES_COMPANION=") + (launch.companion ? "1" : "0"),
  };
  const std::pair<const char*, const std::string&> names[] = {
      {"HYADES_JOB_USER=", launch.user},
      {"HYADES_NODENAME=", launch.node_name},
      {"HYADES_JOB_NAME=", launch.job_name}};
  for (const auto& [name, value] : names) {
    if (is_harmless(value)) environment.push_back(name + value);
  }
  return environment;
}

HookRun hooks_of(const LaunchRecord& launch, HookKind kind, const std::string& spool_directory) {
  return {.kind = kind,
          .directory = launch.hook_directory,
          .timeout_s = launch.hook_timeout_s,
          .environment = hook_environment(launch, kind),
          .spool_directory = spool_directory,
          .title = to_string(launch.key)};
}

std::string run_hooks(const HookRun& run) {
  const std::string trouble = distrust(run.directory);
  if (!trouble.empty()) return trouble;
  const std::string directory = run.directory + directory_name(run.kind);
  if (access(directory.c_str(), F_OK) != 0 && errno == ENOENT) return "";
  std::string reason = distrust(directory);
  std::vector<std::string> programs;
  if (!reason.empty() || !list_programs(directory, programs, reason)) return reason;
  for (const std::string& path : programs) {
    reason = Hook(run, path).execute();
    if (!reason.empty()) return reason;
  }
  return "";
}

}  // namespace hyades
