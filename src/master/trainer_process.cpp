#include "master/trainer_process.hpp"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "wire/plain_child.hpp"
#include "wire/system_clock.hpp"

namespace hyades {
namespace {

constexpr std::size_t kModelBytesMost = std::size_t{64} << 20;

BootMs boot_now_ms() { return SystemClock().now().boot_ms; }

bool write_all(int fd, const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t written = write(fd, bytes.data() + at, bytes.size() - at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += static_cast<std::size_t>(written);
  }
  return lseek(fd, 0, SEEK_SET) == 0;
}

std::string read_all(int fd) {
  const off_t size = lseek(fd, 0, SEEK_END);
  if (size <= 0 || static_cast<std::size_t>(size) > kModelBytesMost) return "";
  std::string bytes(static_cast<std::size_t>(size), '\0');
  const ssize_t count = pread(fd, bytes.data(), bytes.size(), 0);
  return count == size ? bytes : "";
}

}  // namespace

TrainerProcess::~TrainerProcess() {
  if (!running_) return;
  kill(-running_->process, SIGKILL);
  waitpid(running_->process, nullptr, 0);
}

void TrainerProcess::fail(const std::string& why) {
  trouble_ = why;
  running_.reset();
  spdlog::warn("no new model of run times: {}; the last one stays in use", why);
}

void TrainerProcess::begin(std::vector<RunExample> examples) {
  UniqueFd input(memfd_create("hyades-examples", MFD_CLOEXEC));
  Running running;
  running.output = UniqueFd(memfd_create("hyades-model", MFD_CLOEXEC));
  if (input.get() < 0 || running.output.get() < 0 || !write_all(input.get(), to_bytes(examples))) {
    return fail(std::string("no memory for its examples: ") + std::strerror(errno));
  }
  const PlainChild child{
      .words = {program_}, .environment = {}, .input = input.get(), .output = running.output.get()};
  if (const int error = start(child, running.process); error != 0) {
    return fail("cannot run " + program_ + ": " + std::strerror(error));
  }
  running.deadline_ms = boot_now_ms() + most_ms_;
  running_ = std::move(running);
}

std::shared_ptr<const RunModel> TrainerProcess::finished() {
  if (!running_) return nullptr;
  int status = 0;
  const pid_t ended = waitpid(running_->process, &status, WNOHANG);
  if (ended == 0) {
    if (boot_now_ms() < running_->deadline_ms) return nullptr;
    kill(-running_->process, SIGKILL);
    waitpid(running_->process, nullptr, 0);
    fail(program_ + " took too long");
    return nullptr;
  }
  if (ended < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    fail(program_ + ": " + (ended < 0 ? std::strerror(errno) : end_text(status)));
    return nullptr;
  }
  std::optional<RunModel> model = run_model_from(read_all(running_->output.get()));
  if (!model) {
    fail(program_ + " made something that is no model");
    return nullptr;
  }
  trouble_.clear();
  running_.reset();
  spdlog::info("a new model of run times, made from {} jobs", model->jobs);
  return std::make_shared<const RunModel>(std::move(*model));
}

}  // namespace hyades
