#include "progress.hpp"

#include <unistd.h>

#include <cstdio>

namespace hyades {

Progress::Progress() : tty_(isatty(STDERR_FILENO) != 0) {}

void Progress::say(const std::string& text) {
  if (!tty_) return;
  std::fprintf(stderr, "\r\x1b[K%s", text.c_str());
  std::fflush(stderr);
}

void Progress::clear() { say(""); }

}  // namespace hyades
