// Small pictures made of characters: bars and lines of bars. As wide as they are asked to be, with
// block characters where the terminal knows them. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal.hpp"

namespace hyades {

// "[#####...............]" for 0.25 and 22 columns. More than 1 is full; less than 0 and NaN are
// empty. Fewer than 4 columns: "".
std::string bar(double share, int columns, const Terminal& terminal);

// One character for each value, the newest last, scaled from 0 (or the lowest value, where that is
// less) to `highest` (0: the highest of the values). NaN is a blank. More values than columns: the
// last ones.
std::string sparkline(const std::vector<double>& values, int columns, double highest,
                      const Terminal& terminal);

// Words put into lines of at most so many columns, each after the first led by `indent` blanks.
// 0 columns: one line. A word that is longer stands alone. The text must be escaped already.
std::string wrap_text(const std::string& text, int columns, int indent);

}  // namespace hyades
