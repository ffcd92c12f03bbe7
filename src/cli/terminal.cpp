#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace hyades {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

int terminal_columns() {
  if (const int columns = std::atoi(variable("COLUMNS").c_str()); columns > 0) return columns;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

int terminal_rows() {
  if (variable("TERM").empty() || variable("TERM") == "dumb") return 0;
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

// The first locale variable that is set decides, as in the C library.
bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = variable(name);
    if (value.empty()) continue;
    return value.find("UTF-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

}  // namespace

bool parse_colour_choice(const std::string& word, ColourChoice& out) {
  if (word == "auto") {
    out = ColourChoice::Auto;
  } else if (word == "always") {
    out = ColourChoice::Always;
  } else if (word == "never") {
    out = ColourChoice::Never;
  } else {
    return false;
  }
  return true;
}

Terminal detect_terminal(ColourChoice choice) {
  const bool tty = isatty(STDOUT_FILENO) == 1;
  Terminal terminal;
  terminal.columns = tty ? terminal_columns() : 0;
  terminal.utf8 = locale_is_utf8();
  terminal.rows = tty ? terminal_rows() : 0;
  terminal.colour = choice == ColourChoice::Always ||
                    (choice == ColourChoice::Auto && tty && variable("NO_COLOR").empty() &&
                     variable("TERM") != "dumb");
  return terminal;
}

}  // namespace hyades
