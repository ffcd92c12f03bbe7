#include "sample_set.hpp"

#include <algorithm>
#include <cmath>

namespace hyades {

void SampleSet::add(const SampleSet& other) {
  values_.insert(values_.end(), other.values_.begin(), other.values_.end());
}

std::vector<double> SampleSet::sorted() const {
  std::vector<double> copy = values_;
  std::sort(copy.begin(), copy.end());
  return copy;
}

double SampleSet::quantile(double part) const {
  if (values_.empty()) return 0;
  const std::vector<double> all = sorted();
  const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(all.size())));
  return all[std::clamp<std::size_t>(rank, 1, all.size()) - 1];
}

double SampleSet::median() const {
  if (values_.empty()) return 0;
  const std::vector<double> all = sorted();
  const std::size_t middle = all.size() / 2;
  return all.size() % 2 == 1 ? all[middle] : (all[middle - 1] + all[middle]) / 2;
}

}  // namespace hyades
