#include "test_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace hyades::jobscripts {
namespace {

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> with_inherited(std::vector<std::string> environment) {
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    if (!text.starts_with("HYADES_") && !text.starts_with("SLURM_")) environment.push_back(text);
  }
  return environment;
}

}  // namespace

TestProcess::TestProcess(const std::string& directory, const std::vector<std::string>& command,
                         const std::vector<std::string>& environment)
    : output_path_(directory + "/output") {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  posix_spawn_file_actions_addopen(&actions, 1, output_path_.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  std::vector<std::string> words = command;
  std::vector<std::string> variables = with_inherited(environment);
  const int error = posix_spawn(&pid_, words.front().c_str(), &actions, nullptr,
                                pointers_to(words).data(), pointers_to(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + command.front());
}

TestProcess::~TestProcess() {
  if (pid_ <= 0) return;
  send(SIGKILL);
  wait();
}

bool TestProcess::wait_for_output(const std::string& text) const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (output().find(text) == std::string::npos) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

void TestProcess::send(int signal) const { kill(pid_, signal); }

int TestProcess::wait() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::string TestProcess::output() const {
  std::ostringstream text;
  text << std::ifstream(output_path_).rdbuf();
  return text.str();
}

std::string TestProcess::result() const {
  std::istringstream lines(output());
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("RESULT ")) result = line;
  }
  return result;
}

}  // namespace hyades::jobscripts
