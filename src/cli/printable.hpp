// Text from users and the network, made fit for a terminal. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace hyades {

// The text with everything that could move the cursor, hide other text or break a line written out:
// control characters as \n, \t, \r, \x1b; bytes that are not UTF-8 as \xff; invisible and
// direction-changing characters as \u{202e}. What is left is one line of well-formed UTF-8.
std::string escape_text(std::string_view text);

// Columns that an escaped text takes on a terminal: wide East Asian characters take two, combining
// marks none.
int display_width(std::string_view text);

// The text when it fits into `columns`, else its beginning and `ellipsis`, together that wide at
// most. Never cuts a character in two.
std::string cut_text(const std::string& text, int columns, const std::string& ellipsis);

// The words joined so that a POSIX shell reads the same words back; plain words stay as they are.
std::string shell_quote(const std::string& word);

}  // namespace hyades
