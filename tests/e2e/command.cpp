#include "command.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "wait_until.hpp"

extern char** environ;

namespace hyades::test {
namespace {

// Files in memory rather than pipes: a daemon that inherits one must not keep the test waiting.
UniqueFd memory_file(const std::string& content = "") {
  UniqueFd file(memfd_create("test", MFD_CLOEXEC));
  if (!content.empty() && write(file.get(), content.data(), content.size()) < 0) {
    ADD_FAILURE() << "memfd: " << std::strerror(errno);
  }
  // Processes that share it write at its end: unlike those of a file on a disk, the kernel does not
  // let writes to a memfd wait for each other, and one would overwrite what another one wrote.
  fcntl(file.get(), F_SETFL, O_APPEND);
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::string content_of(int fd) {
  struct stat facts {};
  fstat(fd, &facts);
  std::string text(static_cast<std::size_t>(facts.st_size), '\0');
  const ssize_t size = pread(fd, text.data(), text.size(), 0);
  text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return text;
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& extra) {
  std::map<std::string, std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    all[text.substr(0, text.find('='))] = text.substr(text.find('=') + 1);
  }
  for (const auto& [name, value] : extra) all[name] = value;
  std::vector<std::string> list;
  for (const auto& [name, value] : all) list.push_back(name + "=" + value);
  return list;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> list;
  for (std::string& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

}  // namespace

Json CommandResult::json() const {
  Json parsed = Json::parse(out, nullptr, false);
  if (!parsed.is_discarded()) return parsed;
  ADD_FAILURE() << "not JSON: " << text();
  return nullptr;
}

std::string CommandResult::text() const {
  return "exit code " + std::to_string(exit_code) +
         (signal == 0 ? "" : ", signal " + std::to_string(signal)) +
         (timed_out ? ", timed out" : "") + "\nstdout: " + out + "\nstderr: " + err;
}

RunningCommand::RunningCommand(const std::vector<std::string>& words, const CommandOptions& options)
    : out_(memory_file()), err_(memory_file()) {
  const UniqueFd in = memory_file(options.input);
  std::vector<std::string> arguments = words;
  std::vector<std::string> environment = environment_with(options.environment);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);
  pid_ = fork();
  if (pid_ == 0) {
    dup2(in.get(), 0);
    dup2(out_.get(), 1);
    dup2(err_.get(), 2);
    if (!options.directory.empty() && chdir(options.directory.c_str()) != 0) _exit(126);
    execvpe(argv[0], argv.data(), envp.data());
    dprintf(2, "cannot run %s: %s\n", argv[0], std::strerror(errno));
    _exit(127);
  }
}

RunningCommand::~RunningCommand() {
  if (!running()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void RunningCommand::collect() {
  if (!ended_ && waitpid(pid_, &status_, WNOHANG) == pid_) ended_ = true;
}

bool RunningCommand::running() {
  collect();
  return !ended_;
}

std::string RunningCommand::out() const { return content_of(out_.get()); }
std::string RunningCommand::err() const { return content_of(err_.get()); }

CommandResult RunningCommand::finish(int timeout_ms) {
  CommandResult result;
  result.timed_out = !wait_until([this] { return !running(); }, timeout_ms, 2);
  if (result.timed_out) {
    kill(pid_, SIGKILL);
    waitpid(pid_, &status_, 0);
    ended_ = true;
  }
  if (WIFEXITED(status_)) result.exit_code = WEXITSTATUS(status_);
  if (WIFSIGNALED(status_)) result.signal = WTERMSIG(status_);
  result.out = out();
  result.err = err();
  return result;
}

CommandResult run_command(const std::vector<std::string>& words, const CommandOptions& options) {
  return RunningCommand(words, options).finish(options.timeout_ms);
}

}  // namespace hyades::test
