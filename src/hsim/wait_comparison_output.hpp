// Who would wait longer or shorter, for people and as JSON. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string>

#include "cli/json_output.hpp"
#include "cli/terminal.hpp"
#include "hsim/wait_comparison.hpp"

namespace hyades {

// One table; of the users only the `users` for whom most changes, and the others as one line.
std::string wait_comparison_text(const WaitComparison& comparison, std::size_t users,
                                 const Terminal& terminal);

// Everything. Waits in seconds.
Json wait_comparison_json(const WaitComparison& comparison);

// The first `count` groups, and the others put together as "62 others". At least 1.
std::vector<WaitGroup> first_groups(const std::vector<WaitGroup>& groups, std::size_t count);

}  // namespace hyades
