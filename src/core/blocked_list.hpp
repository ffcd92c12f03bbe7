// A sorted list in blocks of some hundred neighbours, each with a summary: an insertion moves no
// more than a block, and a search that looks for something rare passes whole blocks by their
// summaries. Elements are ordered by `<` and no two are equal.
//
// Summary is built by default and told of elements by add(element); it may only ever say too much
// of a block (after a removal it is built anew).
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/assert.hpp"

namespace hyades {

template <typename T, typename Summary>
class BlockedList {
 public:
  static constexpr std::size_t block_most = 128;

  struct Block {
    Summary summary;
    std::vector<T> items;
  };

  const std::vector<Block>& blocks() const { return blocks_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void insert(const T& item) {
    ++size_;
    if (blocks_.empty()) blocks_.emplace_back();
    std::size_t at = block_of(item);
    if (at == blocks_.size()) --at;
    Block& block = blocks_[at];
    const auto place = std::lower_bound(block.items.begin(), block.items.end(), item);
    HYADES_ASSERT(place == block.items.end() || item < *place);
    block.items.insert(place, item);
    block.summary.add(item);
    if (block.items.size() > block_most) split(at);
  }

  // Asserts that it is there.
  void erase(const T& item) {
    const std::size_t at = block_of(item);
    HYADES_ASSERT(at < blocks_.size());
    Block& block = blocks_[at];
    const auto place = std::lower_bound(block.items.begin(), block.items.end(), item);
    HYADES_ASSERT(place != block.items.end() && !(item < *place));
    block.items.erase(place);
    --size_;
    if (block.items.empty()) {
      blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(at));
      return;
    }
    summarise(block);
    merge(at);
  }

  bool contains(const T& item) const {
    const std::size_t at = block_of(item);
    return at < blocks_.size() &&
           std::binary_search(blocks_[at].items.begin(), blocks_[at].items.end(), item);
  }

  void clear() {
    blocks_.clear();
    size_ = 0;
  }

  template <typename Visit>
  void each(const Visit& visit) const {
    for (const Block& block : blocks_) {
      for (const T& item : block.items) visit(item);
    }
  }

 private:
  // The first block whose last element is not before `item`.
  std::size_t block_of(const T& item) const {
    return static_cast<std::size_t>(std::lower_bound(blocks_.begin(), blocks_.end(), item,
                                                     [](const Block& block, const T& value) {
                                                       return !block.items.empty() &&
                                                              block.items.back() < value;
                                                     }) -
                                    blocks_.begin());
  }

  static void summarise(Block& block) {
    block.summary = Summary();
    for (const T& item : block.items) block.summary.add(item);
  }

  void split(std::size_t at) {
    blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(at) + 1, Block());
    std::vector<T>& left = blocks_[at].items;
    const auto middle = left.begin() + static_cast<std::ptrdiff_t>(left.size() / 2);
    blocks_[at + 1].items.assign(middle, left.end());
    left.erase(middle, left.end());
    summarise(blocks_[at]);
    summarise(blocks_[at + 1]);
  }

  // With the next block, where both are small.
  void merge(std::size_t at) {
    if (at + 1 >= blocks_.size()) return;
    std::vector<T>& next = blocks_[at + 1].items;
    if (blocks_[at].items.size() + next.size() > block_most / 2) return;
    for (const T& item : next) {
      blocks_[at].items.push_back(item);
      blocks_[at].summary.add(item);
    }
    blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }

  std::vector<Block> blocks_;  // none of them empty, except while the first element comes
  std::size_t size_ = 0;
};

}  // namespace hyades
