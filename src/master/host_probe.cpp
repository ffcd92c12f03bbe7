#include "master/host_probe.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>

#include "master/remote_words.hpp"

namespace hyades {

namespace {

constexpr std::size_t kKept = 64u << 10;
constexpr std::size_t kShown = 300;

std::string last_line(const std::string& text) {
  std::istringstream lines(text);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
    if (!line.empty()) last = line;
  }
  // Of a machine that we do not know yet: nothing for terminals in it.
  for (char& c : last) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  return last.substr(0, kShown);
}

std::string line_with(const std::string& text, const std::string& beginning) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(beginning)) return line;
  }
  return "";
}

std::string fact(const std::string& line, const std::string& key) {
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    if (word.starts_with(key + "=")) return word.substr(key.size() + 1);
  }
  return "";
}

std::string silence(int exit_code, const std::string& err, const std::string& program) {
  const std::string said = last_line(err);
  const std::string tail = said.empty() ? "" : ": " + said;
  if (exit_code == 124) return "does not answer in time" + tail;
  if (exit_code == 126 || exit_code == 127) {
    return "has no " + program + "; install the same Hyades there, at the same path" + tail;
  }
  return "does not answer" +
         (tail.empty() ? " (the launch agent's exit code is " + std::to_string(exit_code) + ")"
                       : tail);
}

}  // namespace

ProbeResult read_probe(int exit_code, const std::string& out, const std::string& err,
                       const std::string& version, const std::string& program) {
  const std::string greeting = line_with(out, std::string(kRemoteGreeting) + " ");
  if (greeting.empty()) return {.why = silence(exit_code, err, program)};
  const std::string theirs = fact(greeting, "version");
  if (theirs != version) {
    return {.why = "has Hyades " + last_line(theirs) + ", but this is " + version +
                   "; install the same there"};
  }
  const std::string problem = line_with(out, kRemoteProblem);
  const bool served = fact(greeting, "served") == "1";
  const int progress = std::atoi(fact(greeting, "progress").c_str());
  if (!problem.empty()) {
    return {.served = served,
            .why = "cannot be used: " + last_line(problem.substr(std::strlen(kRemoteProblem)))};
  }
  if (exit_code != 0) return {.served = served, .why = silence(exit_code, err, program)};
  return {.good = true,
          .served = served,
          .progress = progress,
          .machine = fact(greeting, "machine"),
          .why = ""};
}

std::string why_not_started(int exit_code, const std::string& err, const std::string& program) {
  const std::string own = "hyades-remote: ";
  const std::string said = last_line(err);
  if (exit_code == 1 && said.starts_with(own)) {
    return "cannot be started: " + said.substr(own.size());
  }
  return silence(exit_code, err, program);
}

// ---- the command ------------------------------------------------------------------------------

BackgroundCommand::BackgroundCommand(const std::vector<std::string>& words,
                                     std::chrono::milliseconds limit)
    : until_(Clock::now() + limit) {
  int out[2];
  int err[2];
  if (pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error(std::strerror(errno));
  out_pipe_.reset(out[0]);
  const UniqueFd out_end(out[1]);
  if (pipe2(err, O_CLOEXEC) != 0) throw std::runtime_error(std::strerror(errno));
  err_pipe_.reset(err[0]);
  const UniqueFd err_end(err[1]);
  fcntl(out_pipe_.get(), F_SETFL, O_NONBLOCK);
  fcntl(err_pipe_.get(), F_SETFL, O_NONBLOCK);
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error(std::strerror(errno));
  if (pid_ > 0) return;
  setpgid(0, 0);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, 0);
  dup2(out_end.get(), 1);
  dup2(err_end.get(), 2);
  close_range(3, ~0u, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execvp(argv[0], argv.data());
  dprintf(2, "cannot run %s: %s\n", argv[0], std::strerror(errno));
  _exit(255);
}

BackgroundCommand::~BackgroundCommand() {
  if (!finished_) end(-1);
}

void BackgroundCommand::end(int code) {
  kill(-pid_, SIGKILL);
  kill(pid_, SIGKILL);  // perhaps it has no group of its own yet
  waitpid(pid_, nullptr, 0);
  finished_ = true;
  exit_code_ = code;
}

void BackgroundCommand::read_some() {
  for (auto [pipe, text] : {std::pair{&out_pipe_, &out_}, std::pair{&err_pipe_, &err_}}) {
    char bytes[4096];
    for (ssize_t size = 0; *pipe && (size = read(pipe->get(), bytes, sizeof bytes)) > 0;) {
      text->append(bytes, std::min(static_cast<std::size_t>(size), kKept - text->size()));
    }
  }
}

bool BackgroundCommand::finished() {
  if (finished_) return true;
  int status = 0;
  // Before the last look into the pipes: what it has written is there when it has ended.
  const pid_t ended = waitpid(pid_, &status, WNOHANG);
  read_some();
  if (ended == pid_ || (ended < 0 && errno == ECHILD)) {
    finished_ = true;
    exit_code_ = ended == pid_ && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  } else if (Clock::now() >= until_) {
    end(124);
  }
  return finished_;
}

}  // namespace hyades
