// fork() that gives a shortage of processes a moment to pass.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace hyades {

// Tries for a sixth of a second; errno is fork's when it returns -1.
inline pid_t fork_patiently() {
  pid_t child = fork();
  for (int pause_ms = 5; child < 0 && pause_ms <= 80; pause_ms *= 2) {
    poll(nullptr, 0, pause_ms);
    child = fork();
  }
  return child;
}

}  // namespace hyades
