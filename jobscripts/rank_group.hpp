#pragma once

#include <cstddef>
#include <vector>

namespace hyades::jobscripts {

/// The processes that train together, each of them a rank: 0 .. size - 1. All of them call the
/// same functions in the same order, with arrays of the same length.
class RankGroup {
 public:
  virtual ~RankGroup() = default;
  int rank() const { return rank_; }
  int size() const { return size_; }

  /// Adds up the arrays of all ranks, rank after rank, and those of each rank in their order. So
  /// the total is the same, bit for bit, however many ranks share the arrays among themselves.
  std::vector<float> sum(const std::vector<std::vector<float>>& arrays, std::size_t length);

  /// Rank 0's values, for every rank.
  void copy_from_first(std::vector<float>& values);

 protected:
  RankGroup(int rank, int size) : rank_(rank), size_(size) {}
  /// One of the two ranks is 0. Throw std::runtime_error, naming the rank, when it is gone.
  virtual void send(int to, const std::vector<float>& values) = 0;
  virtual void receive(int from, std::vector<float>& values) = 0;

 private:
  int rank_;
  int size_;
};

/// A process that trains alone.
class LoneRank final : public RankGroup {
 public:
  LoneRank() : RankGroup(0, 1) {}

 private:
  void send(int, const std::vector<float>&) override {}
  void receive(int, std::vector<float>&) override {}
};

}  // namespace hyades::jobscripts
