#include "hsim/study_progress.hpp"

#include <unistd.h>

#include <cstdio>

#include "core/units.hpp"

namespace hyades {

StudyProgress::StudyProgress(std::string what)
    : what_(std::move(what)), terminal_(isatty(STDERR_FILENO) == 1) {}

StudyProgress::~StudyProgress() {
  if (open_) std::fputc('\n', stderr);
}

void StudyProgress::say(std::size_t done, std::size_t all) {
  using std::chrono::duration;
  const Clock::time_point now = Clock::now();
  const double pause_s = terminal_ ? 0.2 : 30;
  if (done < all && duration<double>(now - said_).count() < pause_s) return;
  said_ = now;
  const double taken_s = duration<double>(now - begun_).count();
  const double left_s = taken_s / static_cast<double>(done) * static_cast<double>(all - done);
  const std::string text =
      std::to_string(done) + " of " + std::to_string(all) + " " + what_ + ", " +
      (done < all ? "about " + format_duration(static_cast<std::int64_t>(left_s)) + " left"
                  : format_duration(static_cast<std::int64_t>(taken_s)));
  std::fprintf(stderr, terminal_ ? "\r%s\x1b[K" : "%s\n", text.c_str());
  open_ = terminal_;
}

}  // namespace hyades
