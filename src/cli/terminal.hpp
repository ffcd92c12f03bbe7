// What standard output can show.
#pragma once

#include <string>

namespace hyades {

struct Terminal {
  int columns = 0;  // 0: not a terminal, nothing is cut
  bool colour = false;
  bool utf8 = false;
  int rows = 0;  // 0: what was printed cannot be printed over

  std::string ellipsis() const { return utf8 ? "\u2026" : "~"; }
};

enum class ColourChoice { Auto, Always, Never };

// "auto", "always", "never"; false for anything else.
bool parse_colour_choice(const std::string& word, ColourChoice& out);

// Looks at standard output, COLUMNS, NO_COLOR, TERM and the locale variables.
Terminal detect_terminal(ColourChoice choice);

}  // namespace hyades
