#include "hsim/gantt_cells.hpp"

#include <algorithm>
#include <cmath>

namespace hyades {
namespace {

constexpr int kLevels = 4;

// How much of cell `at` lies between the two, both in cells.
double overlap(int at, double from, double to) {
  return std::max(0.0, std::min<double>(at + 1, to) - std::max<double>(at, from));
}

}  // namespace

GanttCells::GanttCells(CellSize size, std::int64_t begin_s, std::int64_t end_s, int procs)
    : size_(size),
      begin_s_(begin_s),
      column_s_(static_cast<double>(std::max<std::int64_t>(1, end_s - begin_s)) / size.columns),
      row_procs_(static_cast<double>(std::max(1, procs)) / size.rows),
      used_(static_cast<std::size_t>(size.columns) * static_cast<std::size_t>(size.rows) *
            static_cast<std::size_t>(size.groups)) {}

float& GanttCells::used(int row, int column, int group) {
  return used_[(static_cast<std::size_t>(row) * static_cast<std::size_t>(size_.columns) +
                static_cast<std::size_t>(column)) *
                   static_cast<std::size_t>(size_.groups) +
               static_cast<std::size_t>(group)];
}

void GanttCells::add(int group, std::int64_t start_s, std::int64_t end_s,
                     const ProcessorRange& range) {
  const double left = static_cast<double>(start_s - begin_s_) / column_s_;
  const double right = static_cast<double>(end_s - begin_s_) / column_s_;
  const double low = range.first / row_procs_, high = (range.first + range.count) / row_procs_;
  const int last_row = std::min(size_.rows - 1, static_cast<int>(high));
  const int last_column = std::min(size_.columns - 1, static_cast<int>(right));
  for (int row = std::max(0, static_cast<int>(low)); row <= last_row; ++row) {
    const double share = overlap(row, low, high);
    for (int column = std::max(0, static_cast<int>(left)); column <= last_column; ++column) {
      used(row, column, group) += static_cast<float>(share * overlap(column, left, right));
    }
  }
}

GanttCells::Cell GanttCells::cell(int row, int column) const {
  const auto begin =
      used_.begin() + (static_cast<std::ptrdiff_t>(row) * size_.columns + column) * size_.groups;
  float sum = 0;
  for (int group = 0; group < size_.groups; ++group) sum += begin[group];
  Cell out;
  out.group = static_cast<int>(std::max_element(begin, begin + size_.groups) - begin);
  out.quarters = std::min(kLevels, static_cast<int>(std::lround(sum * kLevels)));
  return out;
}

std::vector<CellLayer> GanttCells::layers() const {
  std::vector<CellLayer> layers;
  for (int group = 0; group < size_.groups; ++group) {
    for (int level = 1; level <= kLevels; ++level) {
      layers.push_back({group, static_cast<double>(level) / kLevels, {}});
    }
  }
  for (int row = 0; row < size_.rows; ++row) {
    for (int column = 0; column < size_.columns; ++column) {
      const Cell now = cell(row, column);
      if (now.quarters == 0) continue;
      auto& runs = layers[static_cast<std::size_t>(now.group * kLevels + now.quarters - 1)].runs;
      const bool goes_on = !runs.empty() && runs.back().row == row &&
                           runs.back().column + runs.back().count == column;
      if (!goes_on) runs.push_back({row, column, 0});
      ++runs.back().count;
    }
  }
  std::erase_if(layers, [](const CellLayer& layer) { return layer.runs.empty(); });
  return layers;
}

}  // namespace hyades
