#include "cli/table.hpp"

#include <algorithm>
#include <numeric>

#include "cli/printable.hpp"

namespace hyades {
namespace {

const char* colour_code(Colour colour) {
  switch (colour) {
    case Colour::Green:
      return "\x1b[32m";
    case Colour::Yellow:
      return "\x1b[33m";
    case Colour::Red:
      return "\x1b[31m";
    case Colour::Blue:
      return "\x1b[34m";
    case Colour::Grey:
      return "\x1b[90m";
    case Colour::None:
      break;
  }
  return "";
}

// With a blank between columns.
int total(const std::vector<int>& widths) {
  const auto shown =
      std::count_if(widths.begin(), widths.end(), [](int width) { return width > 0; });
  return std::accumulate(widths.begin(), widths.end(), std::max(static_cast<int>(shown) - 1, 0));
}

}  // namespace

std::string paint(const std::string& text, Colour colour, const Terminal& terminal) {
  if (!terminal.colour || colour == Colour::None) return text;
  return colour_code(colour) + text + "\x1b[0m";
}

void Table::add(std::vector<Cell> row) {
  for (Cell& cell : row) cell.text = escape_text(cell.text);
  row.resize(columns_.size(), Cell(""));
  rows_.push_back(std::move(row));
}

// Columns, until the others fit when they are cut as far as they may be.
void Table::leave_out(std::vector<int>& widths, int columns) const {
  while (true) {
    std::vector<int> least = widths;
    int next = -1;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].narrowest > 0) least[i] = std::min(least[i], columns_[i].narrowest);
      const bool spare = widths[i] > 0 && columns_[i].spare > 0;
      if (spare && (next < 0 || columns_[i].spare > columns_[next].spare))
        next = static_cast<int>(i);
    }
    if (next < 0 || total(least) <= columns) return;
    widths[next] = 0;
  }
}

std::vector<int> Table::widths(const Terminal& terminal, bool header) const {
  std::vector<int> result(columns_.size(), 1);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (header) result[i] = display_width(columns_[i].title);
    for (const auto& row : rows_) result[i] = std::max(result[i], display_width(row[i].text));
  }
  if (terminal.columns == 0) return result;
  leave_out(result, terminal.columns);
  int excess = total(result) - terminal.columns;
  // The widest column that may shrink gives way first: short ones keep all their text.
  while (excess > 0) {
    int widest = -1;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const bool shrinks = columns_[i].narrowest > 0 && result[i] > columns_[i].narrowest;
      if (shrinks && (widest < 0 || result[i] > result[widest])) widest = static_cast<int>(i);
    }
    if (widest < 0) break;
    --result[widest];
    --excess;
  }
  return result;
}

std::string Table::line(const std::vector<Cell>& cells, const std::vector<int>& widths,
                        const Terminal& terminal) const {
  std::string out;
  std::string pending;  // blanks that are only wanted when something follows them
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (widths[i] == 0) continue;
    // Off a terminal nothing is cut, so the width is never short.
    const std::string text = cut_text(cells[i].text, widths[i], terminal.ellipsis());
    const std::string padding(std::max(0, widths[i] - display_width(text)), ' ');
    if (columns_[i].right) pending += padding;
    if (!text.empty()) {
      out += pending;
      pending.clear();
      out += paint(text, cells[i].colour, terminal);
    }
    if (!columns_[i].right) pending += padding;
    pending += ' ';
  }
  return out + "\n";
}

std::string Table::lines(bool header) const {
  std::string out;
  const auto add = [&](std::string text, bool first) {
    std::replace(text.begin(), text.end(), '|', '_');  // would look like one more column
    out += (first ? "" : "|") + text;
  };
  if (header) {
    for (const Column& column : columns_) add(column.title, &column == &columns_.front());
    out += "\n";
  }
  for (const auto& row : rows_) {
    for (const Cell& cell : row) add(cell.text, &cell == &row.front());
    out += "\n";
  }
  return out;
}

std::string Table::render(const Terminal& terminal, bool header) const {
  const std::vector<int> columns = widths(terminal, header);
  std::string out;
  if (header) {
    std::vector<Cell> titles;
    for (const Column& column : columns_) titles.emplace_back(column.title);
    out += line(titles, columns, terminal);
  }
  for (const auto& row : rows_) out += line(row, columns, terminal);
  return out;
}

}  // namespace hyades
