// Numbers from repeated measurements, and what is said about them.
#pragma once

#include <cstddef>
#include <vector>

namespace hyades {

class SampleSet {
 public:
  void add(double value) { values_.push_back(value); }
  void add(const SampleSet& other);
  bool empty() const { return values_.empty(); }
  std::size_t size() const { return values_.size(); }

  // The smallest value that at least `part` (0..1) of all values do not exceed; 0 when empty.
  double quantile(double part) const;
  // The middle one, or the mean of the two in the middle; 0 when empty.
  double median() const;
  double lowest() const { return quantile(0); }
  double highest() const { return quantile(1); }

 private:
  std::vector<double> sorted() const;
  std::vector<double> values_;
};

}  // namespace hyades
