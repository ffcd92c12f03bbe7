// Starts a program of the site's, or a helper of ours, that shall have nothing of the process which
// starts it: a process group of its own (so that all of it can be ended), default signals, none
// blocked, the working directory `/`, no other files than its three, a fixed environment.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace hyades {

struct PlainChild {
  std::vector<std::string> words;        // the program's path and its arguments
  std::vector<std::string> environment;  // NAME=VALUE; nothing else but PATH is set
  // Files of the caller's that become its standard ones.
  int input = -1;   // -1: /dev/null
  int output = -1;  // -1: the caller's own
  int error = -1;   // -1: the caller's own
};

// Does not wait for it; the caller reaps `process`. Returns 0, or the errno of why there is none.
int start(const PlainChild& child, pid_t& process);

// The path of the program of that name that is installed beside the one that runs.
std::string program_beside_us(const std::string& name);

// How it ended, by what waitpid() says: "exit code 3", "signal 9".
std::string end_text(int status);

}  // namespace hyades
