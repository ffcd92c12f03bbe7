// A line on the terminal that says what is going on; nothing when standard error is none.
#pragma once

#include <string>

namespace hyades {

class Progress {
 public:
  Progress();
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void say(const std::string& text);
  void clear();

 private:
  bool tty_;
};

}  // namespace hyades
