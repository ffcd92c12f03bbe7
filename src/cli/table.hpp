// A table for people: columns as wide as they need to be, cut to the terminal where that is
// allowed. Every cell is escaped, so that a row is always one line.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal.hpp"

namespace hyades {

enum class Colour { None, Green, Yellow, Red, Blue, Grey };

// The text in that colour where the terminal shows any. The text must be escaped already.
std::string paint(const std::string& text, Colour colour, const Terminal& terminal);

struct Cell {
  Cell(std::string text, Colour colour = Colour::None) : text(std::move(text)), colour(colour) {}
  Cell(const char* text) : text(text) {}

  std::string text;
  Colour colour = Colour::None;
};

struct Column {
  std::string title;
  bool right = false;  // flush right: numbers and times
  int narrowest = 0;   // may be cut down to this on a terminal; 0: never cut
  int spare = 0;       // where cutting is not enough, columns go, the highest first; 0: never
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // One cell for each column.
  void add(std::vector<Cell> row);

  bool empty() const { return rows_.empty(); }

  // The whole table, each line ended by a newline and without blanks at its end.
  std::string render(const Terminal& terminal, bool header = true) const;

  // Every column, for scripts: "ID|NAME|..." lines, nothing cut, a "|" in a cell written as "_".
  std::string lines(bool header = true) const;

 private:
  // 0: the column is left out.
  std::vector<int> widths(const Terminal& terminal, bool header) const;
  void leave_out(std::vector<int>& widths, int columns) const;
  std::string line(const std::vector<Cell>& cells, const std::vector<int>& widths,
                   const Terminal& terminal) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace hyades
