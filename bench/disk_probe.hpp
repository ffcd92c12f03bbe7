// How fast the disk makes things durable, as a measure for everything that waits for it.
#pragma once

#include <string>

#include "sample_set.hpp"

namespace hyades {

// Appends 4 KiB and calls fdatasync, again and again, for so long; each time in milliseconds.
// Throws std::runtime_error.
SampleSet probe_disk(const std::string& directory, double seconds);

}  // namespace hyades
