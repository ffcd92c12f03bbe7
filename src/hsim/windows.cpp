#include "hsim/windows.hpp"

namespace hyades {

std::vector<Window> evenly_spaced_windows(std::size_t jobs, std::size_t count, std::size_t length) {
  if (jobs == 0 || count == 0 || length == 0) return {};
  if (jobs <= length) return {{0, jobs}};
  std::vector<Window> windows;
  for (std::size_t i = 0; i < count; ++i) {
    windows.push_back({(2 * i + 1) * (jobs - length) / (2 * count), length});
  }
  return windows;
}

}  // namespace hyades
