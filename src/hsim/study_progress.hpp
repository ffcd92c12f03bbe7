// How far a long command has come, on stderr: a line that is written over where a person looks on,
// else one now and then. One thread at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace hyades {

class StudyProgress {
 public:
  explicit StudyProgress(std::string what);  // "replays"
  ~StudyProgress();                          // ends the line
  StudyProgress(const StudyProgress&) = delete;
  StudyProgress& operator=(const StudyProgress&) = delete;

  void say(std::size_t done, std::size_t all);

 private:
  using Clock = std::chrono::steady_clock;

  std::string what_;
  bool terminal_;
  bool open_ = false;  // a line without its end
  Clock::time_point begun_ = Clock::now();
  Clock::time_point said_ = begun_;
};

}  // namespace hyades
