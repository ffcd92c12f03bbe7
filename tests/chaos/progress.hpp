// What a test that kills says while it runs, each line with its time.
#pragma once

#include <cstdint>
#include <string>

namespace hyades::test {

class Progress {
 public:
  Progress();

  // Since it began.
  double seconds() const;
  void say(const std::string& text) const;

 private:
  std::int64_t began_ns_;
};

}  // namespace hyades::test
