// What a scheduler must reach to be better than a careful admin, and what each one reached. Pure;
// any thread.
#pragma once

#include <string>

#include "hsim/learned_figures.hpp"

namespace hyades {

// A Markdown table: a line for each bar, a column for each scheduler that was tried.
std::string bars_table(const LearnedFigures& figures);

}  // namespace hyades
