// A list in blocks holds what a std::set holds, in the same order, and never says a word too little
// or too much of a block.
#include "core/blocked_list.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "core/prng.hpp"

namespace hyades {
namespace {

struct Item {
  int key = 0;
  int weight = 0;

  friend bool operator<(const Item& a, const Item& b) { return a.key < b.key; }
};

// What waiting jobs are summed up by, and what running ones are.
struct LeastAndTotal {
  int least = std::numeric_limits<int>::max();
  std::int64_t total = 0;

  void add(const Item& item) {
    least = std::min(least, item.weight);
    total += item.weight;
  }
};

using List = BlockedList<Item, LeastAndTotal>;

class BlockedListTest : public testing::Test {
 protected:
  void insert(int key, int weight) {
    list_.insert({key, weight});
    model_.insert({key, weight});
  }
  void erase(int key) {
    list_.erase({key, 0});
    model_.erase({key, 0});
  }
  bool has(int key) const { return model_.count({key, 0}) > 0; }
  // A number that is in the list; it has one.
  int any(Prng& random) const {
    return std::next(model_.begin(), static_cast<std::ptrdiff_t>(random.below(model_.size())))->key;
  }

  // Everything that the list promises.
  void check() const {
    ASSERT_EQ(list_.size(), model_.size());
    ASSERT_EQ(list_.empty(), model_.empty());
    auto expected = model_.begin();
    list_.each([&](const Item& item) {
      ASSERT_NE(expected, model_.end());
      ASSERT_EQ(item.key, expected->key);
      ASSERT_EQ(item.weight, expected->weight);
      ++expected;
    });
    ASSERT_EQ(expected, model_.end());
    for (const List::Block& block : list_.blocks()) check_block(block);
    // Blocks that can be merged are, so that there are never many small ones.
    ASSERT_LE(list_.blocks().size(), 1 + 4 * model_.size() / List::block_most + 1);
  }

  List list_;
  std::set<Item> model_;

 private:
  static void check_block(const List::Block& block) {
    ASSERT_FALSE(block.items.empty());
    ASSERT_LE(block.items.size(), List::block_most);
    LeastAndTotal truth;
    for (const Item& item : block.items) truth.add(item);
    ASSERT_EQ(block.summary.least, truth.least) << "a block of " << block.items.size();
    ASSERT_EQ(block.summary.total, truth.total);
  }
};

TEST_F(BlockedListTest, IsEmptyAtFirstAndAgain) {
  check();
  EXPECT_FALSE(list_.contains({1, 0}));
  insert(1, 5);
  check();
  EXPECT_TRUE(list_.contains({1, 0}));
  erase(1);
  check();
  EXPECT_TRUE(list_.blocks().empty());
  insert(2, 6);
  check();
  list_.clear();
  EXPECT_TRUE(list_.empty());
  EXPECT_TRUE(list_.blocks().empty());
}

TEST_F(BlockedListTest, TakesWhatComesInOrderOrAgainstIt) {
  for (int i = 0; i < 1000; ++i) {
    insert(i, 1000 - i);
    insert(-1 - i, i);
    if (i % 50 == 0) check();
  }
  check();
  EXPECT_GT(list_.blocks().size(), 10u);
  // As a queue is worked off: always the first.
  while (!model_.empty()) {
    erase(model_.begin()->key);
    if (model_.size() % 50 == 0) check();
  }
}

TEST_F(BlockedListTest, ForgetsTheLeastOfABlockWhenThatGoes) {
  for (int i = 0; i < 500; ++i) insert(i, i == 250 ? 1 : 100);
  check();
  erase(250);
  check();
  for (const List::Block& block : list_.blocks()) EXPECT_EQ(block.summary.least, 100);
}

// Grows and shrinks through many splits and merges; sometimes a whole stretch goes at once, as when
// a user cancels all.
TEST_F(BlockedListTest, IsLikeASetWhateverHappens) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Prng random(seed);
    list_.clear();
    model_.clear();
    const std::int64_t keys = random.skewed(200, 5000);
    int grow_per_thousand = 800;
    for (int step = 0; step < 4000; ++step) {
      if (step % 500 == 0) grow_per_thousand = static_cast<int>(random.between(200, 800));
      const int key = static_cast<int>(random.between(0, keys));
      ASSERT_EQ(list_.contains({key, 0}), has(key)) << "seed " << seed << ", step " << step;
      if (random.chance(grow_per_thousand)) {
        if (!has(key)) insert(key, static_cast<int>(random.between(1, 50)));
      } else if (!model_.empty()) {
        erase(any(random));
      }
      if (random.chance(2)) {
        for (int next = key; next < key + 300; ++next) {
          if (has(next)) erase(next);
        }
      }
      check();  // each time: the next removal would mend a wrong summary
      if (HasFatalFailure()) FAIL() << "seed " << seed << ", step " << step;
    }
  }
}

TEST(BlockedListDeath, RefusesTheSameTwiceAndWhatIsNotThere) {
  List list;
  list.insert({1, 1});
  list.insert({3, 1});
  EXPECT_DEATH(list.insert({3, 2}), "item < \\*place");
  EXPECT_DEATH(list.erase({2, 0}), "place");
  EXPECT_DEATH(list.erase({4, 0}), "at < blocks_.size");
}

}  // namespace
}  // namespace hyades
