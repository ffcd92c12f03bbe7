// Finds the program that a step names, as execvp(3) would: on the node, by the step's PATH, seen
// from the step's directory.
#pragma once

#include <string>
#include <string_view>

namespace hyades {

struct TaskProgram {
  std::string path;   // "": not found, or not to be run
  int exit_code = 0;  // then 127 or 126, as shells have it
  std::string problem;
};

// `directory`: a descriptor of the directory from which relative paths lead on.
TaskProgram find_task_program(const std::string& name, std::string_view path, int directory);

}  // namespace hyades
