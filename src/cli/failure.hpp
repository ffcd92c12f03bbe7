// How a command gives up: thrown anywhere, caught once by `run_command`.
#pragma once

#include <stdexcept>
#include <string>

namespace hyades {

enum ExitCode : int { kExitGood = 0, kExitFailed = 1, kExitUsage = 2 };

// `what()` is a sentence for people, without the command's name; "" when all was said already.
class Failure : public std::runtime_error {
 public:
  explicit Failure(const std::string& text, int exit_code = kExitFailed)
      : std::runtime_error(text), exit_code(exit_code) {}

  const int exit_code;
};

}  // namespace hyades
