#include "master/model_check.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "wire/system_clock.hpp"

namespace hyades {
namespace {

BootMs boot_now_ms() { return SystemClock().now().boot_ms; }

// Its last line: libraries may have complained before.
std::string last_line(int fd) {
  std::array<char, 4096> buffer;
  const off_t size = lseek(fd, 0, SEEK_END);
  const off_t from = std::max<off_t>(size - static_cast<off_t>(buffer.size()), 0);
  const ssize_t count = pread(fd, buffer.data(), buffer.size(), from);
  std::string text(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

ModelCheck::~ModelCheck() {
  if (!running_ || process_ == 0) return;
  kill(-process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

void ModelCheck::begin(const std::string& path) {
  running_ = true;
  process_ = 0;
  trouble_.clear();
  deadline_ms_ = boot_now_ms() + most_ms_;
  errors_ = UniqueFd(memfd_create("model-check", MFD_CLOEXEC));
  const PlainChild child{.words = {program_, "--check", path},
                         .environment = {"OMP_NUM_THREADS=1"},
                         .output = errors_.get(),
                         .error = errors_.get()};
  const int error = errors_ ? start(child, process_) : errno;
  if (error == 0) return;
  process_ = 0;
  trouble_ = "the model cannot be checked: " + program_ + ": " + std::strerror(error);
}

std::optional<std::string> ModelCheck::finished() {
  if (!running_) return std::nullopt;
  if (process_ != 0) {
    int status = 0;
    const bool late = boot_now_ms() >= deadline_ms_;
    if (late) kill(-process_, SIGKILL);
    if (waitpid(process_, &status, late ? 0 : WNOHANG) != process_) return std::nullopt;
    process_ = 0;
    if (late) {
      trouble_ = "the model was not checked in time";
    } else if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) {
      trouble_ = "the model could not be checked: the advisor ended: " + end_text(status);
    } else if (WEXITSTATUS(status) == 1) {
      trouble_ = last_line(errors_.get());
    }
    if (trouble_.empty() && status != 0) trouble_ = "the model was refused without a reason";
  }
  running_ = false;
  errors_ = UniqueFd();
  return trouble_;
}

}  // namespace hyades
