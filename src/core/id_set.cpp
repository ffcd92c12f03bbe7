#include "core/id_set.hpp"

#include <algorithm>
#include <charconv>

#include "core/assert.hpp"

namespace hyades {

IdSet IdSet::first(int count) {
  IdSet set;
  if (count > 0) set.insert_range(0, count - 1);
  return set;
}

namespace {

// Reads digits only (no sign) and moves `at` behind them.
bool read_id(const char*& at, const char* end, int& value) {
  if (at == end || *at < '0' || *at > '9') return false;
  const auto [next, error] = std::from_chars(at, end, value);
  at = next;
  return error == std::errc() && value <= 1'000'000'000;
}

}  // namespace

bool IdSet::parse(const std::string& text, IdSet& out) {
  IdSet parsed;
  const char* at = text.data();
  const char* const end = at + text.size();
  int floor = -1;  // every range starts above the end of the one before
  while (at != end) {
    int first = 0;
    if (!read_id(at, end, first)) return false;
    int last = first;
    if (at != end && *at == '-' && !read_id(++at, end, last)) return false;
    if (first <= floor || last < first) return false;
    parsed.insert_range(first, last);
    floor = last;
    if (at != end && (*at != ',' || ++at == end)) return false;
  }
  out = std::move(parsed);
  return true;
}

bool IdSet::contains(int id) const {
  const auto after =
      std::upper_bound(ranges_.begin(), ranges_.end(), id,
                       [](int value, const auto& range) { return value < range.first; });
  return after != ranges_.begin() && std::prev(after)->second >= id;
}

bool IdSet::contains_all(const IdSet& other) const {
  auto mine = ranges_.begin();
  for (const auto& [first, last] : other.ranges_) {
    while (mine != ranges_.end() && mine->second < first) ++mine;
    if (mine == ranges_.end() || mine->first > first || mine->second < last) return false;
  }
  return true;
}

void IdSet::insert_range(int first, int last) {
  HYADES_ASSERT(first >= 0 && first <= last);
  auto next = std::lower_bound(ranges_.begin(), ranges_.end(), first,
                               [](const auto& range, int value) { return range.first < value; });
  HYADES_ASSERT(next == ranges_.end() || last < next->first);
  HYADES_ASSERT(next == ranges_.begin() || std::prev(next)->second < first);
  size_ += last - first + 1;
  const bool joins_left = next != ranges_.begin() && std::prev(next)->second + 1 == first;
  const bool joins_right = next != ranges_.end() && last + 1 == next->first;
  if (joins_left && joins_right) {
    std::prev(next)->second = next->second;
    ranges_.erase(next);
  } else if (joins_left) {
    std::prev(next)->second = last;
  } else if (joins_right) {
    next->first = first;
  } else {
    ranges_.insert(next, {first, last});
  }
}

void IdSet::insert_all(const IdSet& other) {
  for (const auto& [first, last] : other.ranges_) insert_range(first, last);
}

void IdSet::erase_all(const IdSet& other) {
  HYADES_ASSERT(contains_all(other));
  for (const auto& [first, last] : other.ranges_) {
    auto range = std::upper_bound(ranges_.begin(), ranges_.end(), first,
                                  [](int value, const auto& r) { return value < r.first; });
    --range;
    const auto [low, high] = *range;
    size_ -= last - first + 1;
    if (low == first && high == last) {
      ranges_.erase(range);
    } else if (low == first) {
      range->first = last + 1;
    } else if (high == last) {
      range->second = first - 1;
    } else {
      range->second = first - 1;
      ranges_.insert(std::next(range), {last + 1, high});
    }
  }
}

IdSet IdSet::lowest(int count) const {
  HYADES_ASSERT(count >= 0 && count <= size_);
  IdSet chosen;
  for (const auto& [first, last] : ranges_) {
    const int wanted = count - chosen.size_;
    if (wanted == 0) break;
    chosen.insert_range(first, std::min(last, first + wanted - 1));
  }
  return chosen;
}

IdSet IdSet::highest(int count) const {
  HYADES_ASSERT(count >= 0 && count <= size_);
  return without(lowest(size_ - count));
}

IdSet IdSet::common(const IdSet& other) const {
  IdSet both;
  auto mine = ranges_.begin();
  auto theirs = other.ranges_.begin();
  while (mine != ranges_.end() && theirs != other.ranges_.end()) {
    const int first = std::max(mine->first, theirs->first);
    const int last = std::min(mine->second, theirs->second);
    if (first <= last) both.insert_range(first, last);
    (mine->second < theirs->second ? mine : theirs)++;
  }
  return both;
}

std::vector<int> IdSet::members() const {
  std::vector<int> ids;
  ids.reserve(static_cast<std::size_t>(size_));
  for (const auto& [first, last] : ranges_) {
    for (int id = first; id <= last; ++id) ids.push_back(id);
  }
  return ids;
}

std::string IdSet::to_string() const {
  std::string text;
  for (const auto& [first, last] : ranges_) {
    if (!text.empty()) text += ',';
    text += std::to_string(first);
    if (last > first) text += '-' + std::to_string(last);
  }
  return text;
}

}  // namespace hyades
