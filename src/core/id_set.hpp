// A set of small non-negative integers (core numbers, device indices) held as sorted ranges, so
// that "all 8,192 cores of the pool" costs as little as "core 3".
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace hyades {

class IdSet {
 public:
  IdSet() = default;

  // {0, 1, ..., count - 1}
  static IdSet first(int count);

  // Reads "0-3,8,10-11"; false when `text` is malformed, unsorted or overlaps itself.
  static bool parse(const std::string& text, IdSet& out);

  int size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool contains(int id) const;
  bool contains_all(const IdSet& other) const;

  void insert(int id) { insert_range(id, id); }

  // Adds first..last. Ids that are already members are an assertion failure: in a ledger that
  // would mean that something was given back twice.
  void insert_range(int first, int last);

  // Adds every member of `other`; asserts that the two are disjoint.
  void insert_all(const IdSet& other);

  // Removes every member of `other`; asserts that all of them are here.
  void erase_all(const IdSet& other);

  // The `count` lowest members, or the highest; asserts that there are as many.
  IdSet lowest(int count) const;
  IdSet highest(int count) const;

  // Those that are in both, and those that are in this one alone.
  IdSet common(const IdSet& other) const;
  IdSet without(const IdSet& other) const { return difference(common(other)); }

  // Inclusive ranges, ascending, never adjacent.
  const std::vector<std::pair<int, int>>& ranges() const { return ranges_; }
  std::vector<int> members() const;
  std::string to_string() const;  // "0-3,8"; "" when empty

  friend bool operator==(const IdSet& a, const IdSet& b) { return a.ranges_ == b.ranges_; }

 private:
  IdSet difference(const IdSet& part) const {
    IdSet rest = *this;
    rest.erase_all(part);
    return rest;
  }

  std::vector<std::pair<int, int>> ranges_;
  int size_ = 0;
};

}  // namespace hyades
