// Who is lent which cores, when they come back, and that nobody ever loses what is its own.
#include "core/core_lender.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "core/prng.hpp"

namespace hyades {
namespace {

IdSet ids(const std::string& text) {
  IdSet set;
  EXPECT_TRUE(IdSet::parse(text, set)) << text;
  return set;
}

LaunchKey launch(JobId job) { return {job, 1, job}; }

class CoreLenderTest : public testing::Test {
 protected:
  CoreLender lender_;
  BootMs now_ms_ = 1000;
  std::vector<CoreLender::Change> changes_;

  void SetUp() override { configure(8); }
  void configure(int cores, bool lend = true) {
    NodeSettings settings;
    settings.lend_cores = lend;
    lender_.configure(settings, cores);
  }
  void start(JobId job, const std::string& cores, int elastic) {
    changes_ = lender_.arrives(launch(job), ids(cores), elastic, now_ms_);
  }
  // Time goes by; what the jobs were seen to do meanwhile holds.
  void turn(BootMs by_ms = 10'000, const std::string& fixed = "") {
    now_ms_ += by_ms;
    changes_ = lender_.turn(fixed, now_ms_);
  }
  void uses(JobId job, double busy) { lender_.uses(launch(job), busy); }
  std::string lent(JobId job) const { return lender_.loan(launch(job)).cores.to_string(); }
  std::string why(JobId job) const { return lender_.loan(launch(job)).why; }
};

TEST_F(CoreLenderTest, LendsToWhoIsBusyAndHasAskedForIt) {
  start(1, "0-1", 8);
  start(2, "2", 0);   // has not asked
  start(3, "3", 1);   // for no more than it has
  start(4, "4", -1);  // for none
  for (JobId job = 1; job <= 4; ++job) uses(job, job == 1 ? 1.95 : 1);
  turn();
  ASSERT_EQ(changes_.size(), 1u);
  EXPECT_EQ(changes_[0].key, launch(1));
  EXPECT_EQ(changes_[0].cores, ids("0-1,6-7"));
  EXPECT_EQ(changes_[0].loan.cores,
            ids("6-7"));  // as many again, and the last that will be given out
  EXPECT_EQ(why(1), "it kept its 2 cores 98 % busy, and 3 cores of the node had no job");
  EXPECT_EQ(lender_.state(), "2 cores lent to 1 job");
}

TEST_F(CoreLenderTest, GoesOnWhileItIsUsedAndUpToWhatWasAskedFor) {
  start(1, "0", 5);
  for (const char* const expected : {"7", "5-7", "4-7", "4-7"}) {
    uses(1, 1 + lender_.loan(launch(1)).cores.size());
    turn();
    EXPECT_EQ(lent(1), expected);
  }
  EXPECT_TRUE(changes_.empty());  // the fourth time
}

TEST_F(CoreLenderTest, WhoIsNotBusyGetsNothing) {
  start(1, "0-1", 8);
  turn();  // nobody has looked
  EXPECT_TRUE(changes_.empty());
  uses(1, 2);
  uses(1, 1.7);  // once in between
  turn();
  EXPECT_TRUE(changes_.empty());
  uses(1, std::nan(""));
  turn();
  EXPECT_TRUE(changes_.empty());
}

TEST_F(CoreLenderTest, NotMoreOftenThanConfigured) {
  start(1, "0", 8);
  uses(1, 1);
  turn();
  EXPECT_EQ(lent(1), "7");
  uses(1, 2);
  turn(9'999);
  EXPECT_TRUE(changes_.empty());
  turn(1);
  EXPECT_EQ(lent(1), "5-7");
}

TEST_F(CoreLenderTest, WhoStartsHasItsCoresToItself) {
  start(1, "0", 8);
  start(2, "1", 8);
  uses(1, 1);
  uses(2, 1);
  turn();
  EXPECT_EQ(lent(1), "7");
  EXPECT_EQ(lent(2), "6");
  start(3, "2-6", 0);
  ASSERT_EQ(changes_.size(), 1u);
  EXPECT_EQ(changes_[0].key, launch(2));
  EXPECT_EQ(changes_[0].cores, ids("1"));
  EXPECT_EQ(why(2), "job 3 was given 1 core that it had been lent");
  EXPECT_EQ(lent(1), "7");
}

TEST_F(CoreLenderTest, WaitsEverLongerWhereJobsComeAndGo) {
  start(1, "0", 2);
  JobId next = 2;
  for (const BootMs pause : {10'000, 20'000, 40'000, 60'000, 60'000}) {
    uses(1, 1);
    turn(300'000);
    ASSERT_EQ(lent(1), "7") << pause;
    start(next, "1-7", 0);
    ASSERT_EQ(lent(1), "");
    lender_.leaves(launch(next++));
    uses(1, 1);
    turn(pause - 1);
    EXPECT_EQ(lent(1), "") << pause;
    turn(1);
    EXPECT_EQ(lent(1), "7") << pause;
    lender_.leaves(launch(1));
    start(1, "0", 2);
  }
  turn(600'000);  // no core had to be given back for so long
  uses(1, 1);
  turn();
  start(next, "1-7", 0);
  lender_.leaves(launch(next));
  uses(1, 1);
  turn();
  EXPECT_EQ(lent(1), "7");
}

TEST_F(CoreLenderTest, WhatIsNotUsedGoesToWhoNeedsIt) {
  start(1, "0-1", 8);
  uses(1, 2);
  turn();
  uses(1, 4);
  turn();
  EXPECT_EQ(lent(1), "2-7");
  uses(1, 3.2);  // 4 cores are enough for that
  turn();
  EXPECT_TRUE(changes_.empty());  // nobody else is there
  lender_.leaves(launch(1));
  start(1, "0-1", 6);
  uses(1, 2);
  turn();
  uses(1, 4);
  turn();
  EXPECT_EQ(lent(1), "4-7");
  start(2, "2", 8);
  uses(1, 3.2);
  uses(2, 1);
  turn();
  EXPECT_EQ(lent(1), "4-7");  // one is idle yet
  EXPECT_EQ(lent(2), "3");
  uses(1, 3.2);
  uses(2, 2);
  turn();
  ASSERT_EQ(changes_.size(), 2u);
  EXPECT_EQ(changes_[0].key, launch(1));  // given up first
  EXPECT_EQ(lent(1), "6-7");
  EXPECT_EQ(why(1), "other jobs of the node make more of them");
  EXPECT_EQ(lent(2), "3-5");
}

TEST_F(CoreLenderTest, NearCoresFirst) {
  lender_ = CoreLender({ids("0-3"), ids("4-7")});
  configure(8);
  start(1, "0", 8);
  start(2, "4", 8);
  uses(1, 1);
  uses(2, 1);
  turn();
  EXPECT_EQ(lent(1), "3");
  EXPECT_EQ(lent(2), "7");
}

TEST_F(CoreLenderTest, NothingIsLentWhileSomebodysCoresAreUnknown) {
  start(1, "0", 8);
  uses(1, 1);
  turn();
  EXPECT_EQ(lent(1), "7");
  EXPECT_TRUE(lender_.arrives(launch(9), {}, 0, now_ms_).empty());
  turn(1);
  EXPECT_EQ(lent(1), "");
  EXPECT_EQ(why(1), "it is not known which cores job 9 has");
  start(9, "1", 0);  // now it is
  uses(1, 1);
  turn();
  EXPECT_EQ(lent(1), "7");
}

TEST_F(CoreLenderTest, TakesAllBackWhenItMayNotLend) {
  start(1, "0", 8);
  uses(1, 1);
  turn();
  ASSERT_EQ(lent(1), "7");
  turn(1, "there are no groups");
  ASSERT_EQ(changes_.size(), 1u);
  EXPECT_EQ(changes_[0].cores, ids("0"));
  EXPECT_EQ(lender_.state(), "there are no groups");
  uses(1, 1);
  turn();
  ASSERT_EQ(lent(1), "7");
  configure(8, false);
  turn(1);
  EXPECT_EQ(lent(1), "");
  EXPECT_EQ(why(1), "lend_cores is off");
  configure(8);
  uses(1, 1);
  turn();
  ASSERT_EQ(lent(1), "7");
  configure(4);
  turn(1);
  EXPECT_EQ(lent(1), "");
  EXPECT_EQ(why(1), "the node has fewer cores for jobs than before");
}

TEST_F(CoreLenderTest, WhatMayHaveBeenInVainIsSaidAgain) {
  start(1, "0", 8);
  start(2, "1", 8);
  uses(1, 1);
  turn();
  turn(1, "cannot set");
  ASSERT_EQ(changes_.size(), 1u);
  turn(10'000, "cannot set");
  ASSERT_EQ(changes_.size(), 1u);
  EXPECT_EQ(changes_[0].key, launch(1));
  EXPECT_EQ(changes_[0].cores, ids("0"));
  turn(1, "cannot set");
  EXPECT_TRUE(changes_.empty());
}

TEST_F(CoreLenderTest, WhoseCoresCannotBeWrittenDownIsLentNothing) {
  std::string cores;
  for (int core = 0; core < 400; core += 2) cores += (core == 0 ? "" : ",") + std::to_string(core);
  configure(500);
  start(1, cores, 500);
  uses(1, 200);
  turn();
  EXPECT_TRUE(changes_.empty());
}

TEST_F(CoreLenderTest, SayingItAgainChangesNothing) {
  start(1, "0", 8);
  uses(1, 1);
  turn();
  start(1, "0", 8);
  EXPECT_TRUE(changes_.empty());
  EXPECT_EQ(lent(1), "7");
  EXPECT_TRUE(lender_.arrives(launch(1), {}, 0, now_ms_).empty());
  EXPECT_EQ(lent(1), "7");
}

// The best sum of own x log(cores) that there is, by trying everything.
double best_sum(const std::vector<int>& own, const std::vector<int>& most, std::size_t from,
                int idle) {
  if (from == own.size()) return 0;
  double best = -1e9;
  for (int more = 0; more <= std::min(idle, most[from] - own[from]); ++more) {
    best = std::max(
        best, own[from] * std::log(own[from] + more) + best_sum(own, most, from + 1, idle - more));
  }
  return best;
}

TEST_F(CoreLenderTest, TheSharesAreTheBestThereAre) {
  Prng random(5);
  for (int round = 0; round < 300; ++round) {
    lender_ = CoreLender();
    configure(16);
    int next = 0;
    std::vector<int> own;
    std::vector<int> most;
    while (next < 14 && own.size() < 4) {
      const int size = static_cast<int>(random.between(1, std::min(4, 15 - next)));
      const int elastic = size + static_cast<int>(random.below(8));
      lender_.arrives(launch(own.size() + 1),
                      ids(std::to_string(next) + "-" + std::to_string(next + size - 1)), elastic,
                      now_ms_);
      uses(own.size() + 1, size);
      own.push_back(size);
      most.push_back(std::max(size, std::min(2 * size, elastic)));
      next += size;
    }
    turn();
    double sum = 0;
    for (std::size_t i = 0; i < own.size(); ++i) {
      sum += own[i] * std::log(own[i] + lender_.loan(launch(i + 1)).cores.size());
    }
    EXPECT_NEAR(sum, best_sum(own, most, 0, 16 - next), 1e-9) << round;
  }
}

// Jobs come and go as they like, and what they are seen to do is anything.
TEST_F(CoreLenderTest, NobodyEverLosesOrSharesACore) {
  Prng random(7);
  for (int world = 0; world < 40; ++world) {
    lender_ = CoreLender({ids("0-5"), ids("6-11")});
    configure(12);
    std::map<JobId, std::pair<IdSet, int>> jobs;  // their own cores, and elastic
    std::map<JobId, IdSet> may_use;
    IdSet free = IdSet::first(12);
    const auto obey = [&](const std::vector<CoreLender::Change>& changes) {
      for (const CoreLender::Change& change : changes) {
        const auto& [own, elastic] = jobs.at(change.key.job);
        EXPECT_TRUE(change.cores.contains_all(own));
        EXPECT_TRUE(change.loan.cores.empty() || change.cores.size() <= elastic);
        EXPECT_FALSE(change.loan.why.empty());
        may_use[change.key.job] = change.cores;
        for (const auto& [other, cores] : may_use) {
          EXPECT_TRUE(other == change.key.job || cores.common(change.cores).empty());
        }
      }
    };
    JobId next = 1;
    for (int step = 0; step < 200; ++step) {
      if (random.chance(300) && !free.empty()) {
        const IdSet own =
            random.chance(500)
                ? free.lowest(
                      1 + static_cast<int>(random.below(static_cast<std::uint64_t>(free.size()))))
                : free.highest(1);
        const int elastic = static_cast<int>(random.between(-1, 12));
        const JobId job = next++;
        jobs[job] = {own, elastic};
        obey(lender_.arrives(launch(job), own, elastic, now_ms_));
        for (const auto& [other, cores] : may_use) EXPECT_TRUE(cores.common(own).empty());
        may_use[job] = own;
        free.erase_all(own);
      } else if (random.chance(200) && !jobs.empty()) {
        const JobId job =
            std::next(jobs.begin(), static_cast<long>(random.below(jobs.size())))->first;
        lender_.leaves(launch(job));
        free.insert_all(jobs[job].first);
        may_use.erase(job);
        jobs.erase(job);
      }
      for (const auto& [job, its] : jobs) {
        if (random.chance(600)) uses(job, static_cast<double>(random.below(14)));
      }
      if (random.chance(20)) configure(static_cast<int>(random.between(6, 12)));
      now_ms_ += random.between(100, 60'000);
      obey(lender_.turn(random.chance(30) ? "not now" : "", now_ms_));
    }
  }
}

}  // namespace
}  // namespace hyades
