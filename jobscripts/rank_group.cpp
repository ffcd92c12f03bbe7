#include "rank_group.hpp"

namespace hyades::jobscripts {

std::vector<float> RankGroup::sum(const std::vector<std::vector<float>>& arrays,
                                  std::size_t length) {
  std::vector<float> total(length, 0.0F);
  const auto add_own = [&] {
    for (const std::vector<float>& array : arrays) {
      for (std::size_t i = 0; i < length; ++i) total[i] += array[i];
    }
  };
  // It goes round: 0, 1, 0, 2, 0, 3, ... Rank 0 is the only one that all others can reach.
  if (rank_ != 0) receive(0, total);
  add_own();
  if (rank_ != 0) send(0, total);
  for (int other = 1; rank_ == 0 && other < size_; ++other) {
    send(other, total);
    receive(other, total);
  }
  copy_from_first(total);
  return total;
}

void RankGroup::copy_from_first(std::vector<float>& values) {
  if (rank_ != 0) receive(0, values);
  for (int other = 1; rank_ == 0 && other < size_; ++other) send(other, values);
}

}  // namespace hyades::jobscripts
