// For the log of a loop that asks for a state again and again.
#pragma once

#include <string>

namespace hyades {

class News {
 public:
  // True when `text` says something, and not what it said last time.
  bool is(const std::string& text) {
    const bool same = text == last_;
    if (!same) last_ = text;
    return !same && !text.empty();
  }

 private:
  std::string last_;
};

}  // namespace hyades
