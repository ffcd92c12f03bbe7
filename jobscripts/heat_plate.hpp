#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hyades::jobscripts {

/// How heat spreads over a square plate whose edges are kept hot and cold: Jacobi steps on a
/// grid. Each step follows from the one before bit by bit, so a computation that was stopped and
/// resumed ends with the same bits as one that ran through.
class HeatPlate {
 public:
  explicit HeatPlate(std::size_t side);

  /// Moves every inner point to the mean of its neighbours.
  void step();

  std::size_t side() const { return side_; }
  std::int64_t steps_done() const { return steps_done_; }
  /// How often this computation went on from a checkpoint.
  std::int64_t times_resumed() const { return times_resumed_; }
  std::uint64_t checksum() const;

  void write_checkpoint(const std::string& path) const;

  /// Goes on from where write_checkpoint() left off; counts as one resumption.
  /// Throws FileError for a damaged file and for a plate of another side.
  static HeatPlate resume(const std::string& path, std::size_t side);

 private:
  std::size_t side_;
  std::int64_t steps_done_ = 0;
  std::int64_t times_resumed_ = 0;
  std::vector<double> heat_;
  std::vector<double> next_;
};

}  // namespace hyades::jobscripts
