// A picture of too many jobs, divided into cells. Pure; one thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "hsim/processor_layout.hpp"

namespace hyades {

struct CellSize {
  int columns = 1;  // time
  int rows = 1;     // processors
  int groups = 1;   // colours
};

// Neighbouring cells of one row.
struct CellRun {
  int row = 0;  // 0: the lowest processors
  int column = 0;
  int count = 0;
};

// All cells of one group that are as busy.
struct CellLayer {
  int group = 0;
  double busy = 1;  // a quarter, half, three quarters, all
  std::vector<CellRun> runs;
};

class GanttCells {
 public:
  GanttCells(CellSize size, std::int64_t begin_s, std::int64_t end_s, int procs);

  void add(int group, std::int64_t start_s, std::int64_t end_s, const ProcessorRange& range);

  // Each cell once: with the group that used most of it, and how much of it all used together.
  // Cells of which less than an eighth was used are left out.
  std::vector<CellLayer> layers() const;

 private:
  struct Cell {
    int group = -1;
    int quarters = 0;
  };
  Cell cell(int row, int column) const;
  float& used(int row, int column, int group);

  CellSize size_;
  std::int64_t begin_s_;
  double column_s_;          // how long a column is
  double row_procs_;         // how many processors a row is
  std::vector<float> used_;  // share of each cell by each group
};

}  // namespace hyades
