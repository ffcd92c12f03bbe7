// Which parts of a log a study replays.
#pragma once

#include <cstddef>
#include <vector>

#include "hsim/replay.hpp"

namespace hyades {

// `count` windows of `length` jobs: what the log has more than one window is divided into `count`
// equal parts, and a window begins in the middle of each, so that no choice is left to anybody.
// They overlap where count * length is more than the log has. A log with fewer jobs than `length`
// is one window.
std::vector<Window> evenly_spaced_windows(std::size_t jobs, std::size_t count, std::size_t length);

}  // namespace hyades
