// Has a file of a model tried by the program that would answer with it, so that the master links no
// Torch and waits for nobody. One file at a time.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "core/time.hpp"
#include "wire/plain_child.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {

class ModelCheck {
 public:
  // It is killed when it takes longer than `most_ms`: a second, unless its library has to be read
  // from a busy disk.
  explicit ModelCheck(std::string program = program_beside_us("hyades-advisor"),
                      BootMs most_ms = 100'000)
      : program_(std::move(program)), most_ms_(most_ms) {}
  // One that still runs is killed.
  ~ModelCheck();
  ModelCheck(const ModelCheck&) = delete;
  ModelCheck& operator=(const ModelCheck&) = delete;

  void begin(const std::string& path);
  bool idle() const { return !running_; }
  // Once for each begin(), sooner or later; does not wait. "": it can be used, else why it cannot.
  std::optional<std::string> finished();

 private:
  std::string program_;
  BootMs most_ms_;
  bool running_ = false;
  pid_t process_ = 0;  // 0: it could not be started
  UniqueFd errors_;
  BootMs deadline_ms_ = 0;
  std::string trouble_;
};

}  // namespace hyades
