#include "worker/health_program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "wire/plain_child.hpp"
#include "wire/utf8.hpp"
#include "worker/trusted_path.hpp"

namespace hyades {
namespace {

constexpr std::size_t output_bytes_max = 4096;  // the rest is read and dropped
constexpr std::size_t reason_bytes_max = 200;

// The first line with anything in it, fit to be shown.
std::string first_line(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return "";
  std::string line = text.substr(begin, std::min(text.find('\n', begin) - begin, reason_bytes_max));
  for (char& letter : line) {
    if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) letter = ' ';
  }
  return to_utf8(line.substr(0, line.find_last_not_of(' ') + 1));
}

}  // namespace

HealthProgram::~HealthProgram() { stop(); }

void HealthProgram::start(const std::string& path, int timeout_s, BootMs now_ms) {
  path_ = path;
  running_ = true;
  launched_ = false;
  timeout_s_ = timeout_s;
  deadline_ms_ = now_ms + BootMs{timeout_s} * 1000;
  launch_when_possible();
}

// One that was killed and does not die (it hangs in the kernel) is the finding, when the time is
// over: a second one would hang as well.
void HealthProgram::launch_when_possible() {
  if (launched_ || !reap()) return;
  launched_ = true;
  text_.clear();
  refusal_ = launch();
}

std::string HealthProgram::launch() {
  if (const std::string why = distrust(path_); !why.empty()) return why;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return std::strerror(errno);
  output_.reset(ends[0]);
  const UniqueFd input(ends[1]);
  fcntl(output_.get(), F_SETFL, O_NONBLOCK);
  const int error = hyades::start({.words = {path_},
                                   .environment = {"HYADES_NODENAME=" + node_},
                                   .output = input.get(),
                                   .error = input.get()},
                                  process_);
  if (error == 0) return "";
  process_ = 0;
  return "cannot run " + path_ + ": " + std::strerror(error);
}

std::optional<std::string> HealthProgram::poll(BootMs now_ms) {
  if (!running_) return std::nullopt;
  launch_when_possible();
  if (launched_ && !refusal_.empty()) {
    running_ = false;
    return "health program: " + refusal_;
  }
  read_output();
  if (launched_ && reap()) {
    read_output();
    running_ = false;
    output_.reset();
    return verdict();
  }
  if (now_ms < deadline_ms_) return std::nullopt;
  stop();
  return "health program took longer than " + std::to_string(timeout_s_) + " s";
}

void HealthProgram::stop() {
  if (process_ != 0) kill(-process_, SIGKILL);
  reap();  // if it is gone already; else the next start looks again
  running_ = false;
  output_.reset();
}

// True when there is no process of ours (any more). Never waits.
bool HealthProgram::reap() {
  if (process_ == 0) return true;
  siginfo_t info = {};
  // It is left unreaped, so that its number stays its own, until what it left behind is killed.
  if (waitid(P_PID, static_cast<id_t>(process_), &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
    if (info.si_pid == 0) return false;
    kill(-process_, SIGKILL);
    waitpid(process_, &status_, WNOHANG);
  } else {
    status_ = 0;  // somebody else reaped it; nothing is known against the node
  }
  process_ = 0;
  return true;
}

void HealthProgram::read_output() {
  char buffer[4096];
  ssize_t size = 0;
  // What prints without end must not hold up the worker.
  for (int reads = 0; reads < 16 && (size = read(output_.get(), buffer, sizeof buffer)) > 0;
       ++reads) {
    const std::size_t room = output_bytes_max - text_.size();
    text_.append(buffer, std::min(static_cast<std::size_t>(size), room));
  }
}

std::string HealthProgram::verdict() const {
  if (WIFEXITED(status_) && WEXITSTATUS(status_) == 0) return "";
  const std::string line = first_line(text_);
  if (!line.empty()) return line;
  return WIFEXITED(status_) ? "health program: exit code " + std::to_string(WEXITSTATUS(status_))
                            : "health program: signal " + std::to_string(WTERMSIG(status_));
}

}  // namespace hyades
