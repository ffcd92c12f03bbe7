#include "progress.hpp"

#include <cstdio>

#include "load.hpp"

namespace hyades::test {

Progress::Progress() : began_ns_(boot_now_ns()) {}

double Progress::seconds() const { return static_cast<double>(boot_now_ns() - began_ns_) / 1e9; }

void Progress::say(const std::string& text) const {
  std::printf("[%6.1f s] %s\n", seconds(), text.c_str());
  std::fflush(stdout);
}

}  // namespace hyades::test
