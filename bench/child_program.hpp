// Runs another program to its end.
#pragma once

#include <string>
#include <vector>

namespace hyades {

struct ProgramResult {
  int exit_code = -1;  // -1: it could not be started, or a signal ended it
  std::string output;  // its standard output
};

// `words[0]` is the path. Standard error is ours; standard input is /dev/null. Blocks.
ProgramResult run_program(const std::vector<std::string>& words);

}  // namespace hyades
