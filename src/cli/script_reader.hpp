// Where the script of a submission comes from.
#pragma once

#include <string>

namespace hyades {

struct ReadScript {
  std::string text;  // byte for byte
  std::string file;  // what messages call it: its path, or "standard input"
};

// Reads a file, or standard input for "-". Throws Failure when it cannot be read or is longer than
// Limits::script_bytes_max; never holds much more than that in memory.
ReadScript read_script(const std::string& path);

// What --wrap runs: a script of its own around the command.
std::string wrap_command(const std::string& command);

}  // namespace hyades
