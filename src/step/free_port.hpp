// A TCP port for the programs of a step to meet at.
#pragma once

#include <cstdint>

namespace hyades {

// One that nobody on this node listens on now, below those that the kernel gives out by itself, so
// that it is not taken by chance; 0 when there is none. Another seed leads to another one: steps
// that start at the same time do not meet.
int free_port(std::uint64_t seed);

}  // namespace hyades
