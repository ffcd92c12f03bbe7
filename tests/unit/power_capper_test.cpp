// How far power is capped, when it is given back, and that nobody is capped who has not agreed.
#include "core/power_capper.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>
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

// Two packages of four cores. Jobs progress by a rule of their own under the caps that are set.
class PowerCapperTest : public testing::Test {
 protected:
  using Speed = std::function<double(int percent)>;

  PowerCapper capper_{{{0, ids("0-3")}, {1, ids("4-7")}}};
  BootMs now_ms_ = 3'000'000'000;  // up for a month
  std::map<std::size_t, int> set_{{0, 100}, {1, 100}};
  std::map<JobId, double> done_;
  std::string unit_ = "steps";
  std::map<JobId, std::pair<std::size_t, Speed>> jobs_;  // where it runs, and how fast

  void SetUp() override { configure(true); }
  void configure(bool cap, int every_s = 10, int least_percent = 50) {
    NodeSettings settings;
    settings.cap_power = cap;
    settings.cap_every_s = every_s;
    settings.cap_least_percent = least_percent;
    capper_.configure(settings);
  }
  void start(JobId job, const std::string& cores, int margin, Speed speed) {
    capper_.arrives(launch(job), ids(cores), margin);
    jobs_[job] = {ids(cores).common(ids("0-3")).empty() ? 1 : 0, std::move(speed)};
  }
  void end(JobId job) {
    capper_.leaves(launch(job));
    jobs_.erase(job);
  }
  void turn(const std::string& fixed = "") {
    for (const PowerCapper::Change& change : capper_.turn(fixed, now_ms_)) {
      set_[change.zone] = change.percent;
    }
  }
  // Each second they are looked at.
  void go_on(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      now_ms_ += 1000;
      for (const auto& [job, where] : jobs_) {
        done_[job] += where.second(set_.at(where.first));
        capper_.progresses(launch(job), unit_, done_[job], now_ms_);
      }
      turn();
    }
  }
  std::string why(JobId job) const { return capper_.cap(launch(job)).why; }
  std::string obstacle(JobId job) const { return capper_.cap(launch(job)).obstacle; }
};

// Waits for memory: loses nothing down to 70 % of the power, and then as much as that is lowered.
double memory_bound(int percent) { return 100 - std::max(0, 70 - percent); }
double compute_bound(int percent) { return percent; }

TEST_F(PowerCapperTest, LowersAsFarAsTheJobCanDoWithout) {
  start(1, "0-3", 6, memory_bound);
  go_on(200);
  EXPECT_EQ(set_[0], 65);  // 5 % slower; at 60 it would be 10
  EXPECT_EQ(set_[1], 100);
  EXPECT_EQ(capper_.cap(launch(1)).percent, 65);
  EXPECT_EQ(why(1), "at 60 % job 1 lost 10 % of its speed, and can do with 6 % less");
  EXPECT_EQ(capper_.state(), "1 of 2 packages capped; package 0 has 65 %");
}

TEST_F(PowerCapperTest, SaysWhatEachStepIsFor) {
  start(1, "0-3", 6, memory_bound);
  go_on(9);
  EXPECT_EQ(set_[0], 100);
  go_on(4);
  EXPECT_EQ(set_[0], 95);
  EXPECT_EQ(why(1), "it is known now how fast it is without a cap");
  go_on(12);
  EXPECT_EQ(set_[0], 90);
  EXPECT_EQ(why(1), "at 95 % job 1 lost 0 % of its speed, and can do with 6 % less");
}

TEST_F(PowerCapperTest, SaysWhyWhoAgreedIsNotCapped) {
  start(1, "0-1", 6, memory_bound);
  go_on(5);
  EXPECT_EQ(obstacle(1), "it is measured how fast it is with all power");
  start(2, "2-3", 0, memory_bound);
  go_on(1);
  EXPECT_EQ(obstacle(1), "job 2 is to run as fast as it can");
  EXPECT_EQ(obstacle(2), "");  // it has not agreed to any
  EXPECT_EQ(capper_.state(),
            "0 of 2 packages capped; package 0 has 100 %: job 2 is to run as fast as it can");
  end(2);
  capper_.arrives(launch(3), ids("2"), 0, "runs on several nodes");
  go_on(1);
  EXPECT_EQ(obstacle(1), "job 3 runs on several nodes");
  EXPECT_EQ(obstacle(3), obstacle(1));
  capper_.leaves(launch(3));
  turn("they are somebody else's");
  EXPECT_EQ(obstacle(1), "they are somebody else's");
}

TEST_F(PowerCapperTest, SaysItWhereNothingCanBeCappedToo) {
  capper_ = PowerCapper();
  configure(true);
  start(1, "0-3", 6, memory_bound);
  turn("no package that can be capped");
  EXPECT_EQ(obstacle(1), "no package that can be capped");
}

TEST_F(PowerCapperTest, SaysThatNoProgressIsSeen) {
  start(1, "0-3", 6, [](int) { return 0; });
  go_on(60);
  EXPECT_EQ(obstacle(1), "job 1 shows no progress (hreport progress=...)");
}

TEST_F(PowerCapperTest, SaysThatTooLittleProgressIsSeen) {
  start(1, "0-3", 6, [this](int) { return now_ms_ % 40'000 == 0 ? 1 : 0; });
  go_on(130);
  EXPECT_EQ(obstacle(1), "job 1 has told too little of its progress yet");
}

TEST_F(PowerCapperTest, SaysWhatCouldNotBeGivenBackToAll) {
  start(1, "0-1", 0, memory_bound);
  capper_.turn("input/output error", now_ms_, "package 0 could not be given all power back yet");
  EXPECT_EQ(obstacle(1), "package 0 could not be given all power back yet");
  turn("input/output error");
  EXPECT_EQ(obstacle(1), "");
}

TEST_F(PowerCapperTest, SaysThatTheSiteAllowsNoLess) {
  start(1, "0-3", 50, [](int) { return 1; });
  go_on(300);
  EXPECT_EQ(set_[0], 50);
  EXPECT_EQ(obstacle(1), "no cap may be lower than 50 % (cap_least)");
}

TEST_F(PowerCapperTest, SaysThatItPauses) {
  start(1, "0-3", 2, compute_bound);
  go_on(40);
  EXPECT_EQ(set_[0], 100);
  EXPECT_EQ(obstacle(1), "the next attempt is made after a pause of 1 min at most");
}

TEST_F(PowerCapperTest, OtherSettingsHoldAtOnce) {
  configure(true, 10, 95);
  start(1, "0-3", 6, memory_bound);
  go_on(60);
  EXPECT_EQ(set_[0], 95);
  configure(true, 10, 50);
  go_on(200);
  EXPECT_EQ(set_[0], 65);
  configure(true, 3600, 50);
  turn();
  EXPECT_EQ(set_[0], 100);
  EXPECT_EQ(why(1), "it is looked for anew, with other settings");
  go_on(60);
  configure(true, 10, 50);
  go_on(200);
  EXPECT_EQ(set_[0], 65);
  configure(true, 10, 50);  // the same
  go_on(1);
  EXPECT_EQ(set_[0], 65);
}

TEST_F(PowerCapperTest, WhoLosesAtOnceKeepsAllPower) {
  start(1, "0-3", 2, compute_bound);
  int least = 100;
  int lowered = 0;
  for (int i = 0; i < 7200; ++i) {
    const int before = set_[0];
    go_on(1);
    least = std::min(least, set_[0]);
    lowered += set_[0] < before ? 1 : 0;
  }
  EXPECT_EQ(least, 95);
  EXPECT_LE(lowered, 8);  // it is tried again ever more rarely
  EXPECT_EQ(set_[0], 100);
}

TEST_F(PowerCapperTest, NeverLowerThanTheSiteSays) {
  start(1, "0-3", 50, [](int) { return 1; });
  int least = 100;
  for (int i = 0; i < 1500; ++i) {
    go_on(1);
    least = std::min(least, set_[0]);
  }
  EXPECT_EQ(least, 50);
}

TEST_F(PowerCapperTest, GivesBackWhatTurnsOutToCostTooMuch) {
  bool computes = false;
  start(1, "0-3", 12,
        [&](int percent) { return computes ? compute_bound(percent) : memory_bound(percent); });
  go_on(300);
  EXPECT_EQ(set_[0], 60);
  computes = true;
  go_on(35);
  EXPECT_EQ(set_[0], 100);
  EXPECT_EQ(why(1), "at 60 % job 1 lost 40 % of its speed, and can do with 12 % less");
}

TEST_F(PowerCapperTest, MeasuresAgainNowAndThenHowFastItIsWithout) {
  double pace = 1;
  start(1, "0-3", 12, [&](int percent) { return pace * memory_bound(percent); });
  go_on(300);
  EXPECT_EQ(set_[0], 60);
  pace = 3;  // a phase in which the same cap costs as little, of more
  bool lifted = false;
  for (int i = 0; i < 2000 && !lifted; ++i) {
    go_on(1);
    lifted = set_[0] == 100;
  }
  EXPECT_TRUE(lifted);
  EXPECT_EQ(why(1), "it is measured again how fast it is without");
  go_on(12);
  EXPECT_EQ(set_[0], 60) << "at once where it was";
  go_on(100);
  EXPECT_EQ(set_[0], 60);
}

// It looks below and above where it was: what was found once need not be true for ever.
TEST_F(PowerCapperTest, FindsALowerCapWhenTheWorkHasChanged) {
  bool computes = true;
  start(1, "0-3", 12,
        [&](int percent) { return computes ? compute_bound(percent) : memory_bound(percent); });
  go_on(300);
  EXPECT_EQ(set_[0], 90);
  computes = false;
  go_on(2400);
  EXPECT_EQ(set_[0], 60);
}

TEST_F(PowerCapperTest, RarelyMakesNews) {
  start(1, "0-3", 12, memory_bound);
  int changes = 0;
  for (int i = 0, before = 100; i < 24 * 3600; ++i) {
    go_on(1);
    changes += set_[0] != before ? 1 : 0;
    before = set_[0];
  }
  EXPECT_LT(changes, 24 * 10);
  EXPECT_GT(changes, 24 * 4);
}

// Where jobs come and go there is no cap to speak of.
TEST_F(PowerCapperTest, PausesEverLongerWhereJobsComeAndGo) {
  start(1, "0-1", 12, memory_bound);
  int capped = 0;
  for (JobId job = 2; job < 100; ++job) {
    start(job, "2", 12, memory_bound);
    for (int i = 0; i < 60; ++i) {
      go_on(1);
      capped += set_[0] != 100 ? 1 : 0;
    }
    end(job);
    go_on(1);
  }
  EXPECT_LT(capped, 200);
  EXPECT_GT(capped, 0);
}

TEST_F(PowerCapperTest, StepsAsRareAsCanBe) {
  configure(true, 3600);
  start(1, "0-3", 2, compute_bound);
  int lowered = 0;
  for (int hour = 0; hour < 30; ++hour) {
    const int before = set_[0];
    go_on(3600);
    lowered += set_[0] < before ? 1 : 0;
  }
  EXPECT_GT(lowered, 0);
  EXPECT_EQ(set_[0], 100);
}

TEST_F(PowerCapperTest, AHigherLeastHoldsAtOnce) {
  start(1, "0-3", 12, memory_bound);
  go_on(300);
  ASSERT_EQ(set_[0], 60);
  configure(true, 10, 80);
  turn();
  EXPECT_EQ(set_[0], 100);
  EXPECT_EQ(why(1), "no cap may be lower than 80 % (cap_least)");
  go_on(300);
  EXPECT_EQ(set_[0], 80);
}

// What it did before it was looked at says nothing of how fast it is now.
TEST_F(PowerCapperTest, MeasuresFromWhenItIsSwitchedOn) {
  configure(false);
  bool begun = false;
  start(1, "0-3", 6, [&](int percent) { return begun ? memory_bound(percent) : 1; });
  go_on(3000);
  begun = true;
  configure(true);
  go_on(300);
  EXPECT_EQ(set_[0], 65);
}

TEST_F(PowerCapperTest, AnotherUnitIsNoOtherSpeed) {
  start(1, "0-3", 6, memory_bound);
  go_on(300);
  ASSERT_EQ(set_[0], 65);
  unit_ = "epochs";
  done_[1] = 0;
  go_on(1);
  EXPECT_EQ(why(1), "the jobs on its processors are others now");
  go_on(400);
  EXPECT_EQ(set_[0], 65);
}

TEST_F(PowerCapperTest, WhoMayUseOtherCoresIsMeasuredAnew) {
  start(1, "0", 12, memory_bound);
  start(5, "4", 0, memory_bound);  // has not agreed
  go_on(300);
  ASSERT_EQ(set_[0], 60);
  capper_.moves(launch(5), ids("2,4"));
  turn();
  EXPECT_EQ(set_[0], 100);
  capper_.moves(launch(5), ids("4"));
  go_on(400);
  EXPECT_EQ(set_[0], 60);
}

TEST_F(PowerCapperTest, WhoHasCoresThatNoPackageHasMayBeAnywhere) {
  start(1, "0-3", 12, memory_bound);
  go_on(300);
  ASSERT_EQ(set_[0], 60);
  start(9, "8-9", 12, memory_bound);
  turn();
  EXPECT_EQ(set_[0], 100);
  go_on(600);
  EXPECT_EQ(set_[0], 100);
}

TEST_F(PowerCapperTest, SaysWhoLostMost) {
  start(1, "0-1", 30, [](int) { return 1; });
  start(2, "2", 6, memory_bound);
  go_on(300);
  EXPECT_EQ(set_[0], 65);
  EXPECT_EQ(why(1), "at 60 % job 2 lost 10 % of its speed, and can do with 6 % less");
}

TEST_F(PowerCapperTest, APauseIsNoReason) {
  bool writes = false;
  start(1, "0-3", 6, [&](int percent) { return writes ? 0 : memory_bound(percent); });
  go_on(300);
  for (int i = 0; i < 5; ++i) {
    writes = true;
    go_on(4);
    writes = false;
    go_on(26);
    EXPECT_EQ(set_[0], 65);
  }
}

TEST_F(PowerCapperTest, WhoComesHasAllPowerAtOnce) {
  start(1, "0-1", 12, memory_bound);
  go_on(300);
  ASSERT_EQ(set_[0], 60);
  start(2, "2", 12, memory_bound);
  turn();
  EXPECT_EQ(set_[0], 100);
  EXPECT_EQ(why(1), "the jobs on its processors are others now");
  EXPECT_EQ(why(2), "");
  go_on(300);
  EXPECT_EQ(set_[0], 60);
}

TEST_F(PowerCapperTest, AllMustAgreeAndTheLeastThatOneGivesCounts) {
  start(1, "0-1", 21, memory_bound);
  start(2, "2", 6, memory_bound);
  start(4, "4", 21, memory_bound);
  start(5, "5", 0, memory_bound);  // says nothing
  go_on(300);
  EXPECT_EQ(set_[0], 65);
  EXPECT_EQ(set_[1], 100);
  end(5);
  go_on(300);
  EXPECT_EQ(set_[1], 50);
}

TEST_F(PowerCapperTest, BesideWhomNobodyKnowsNothingIsCapped) {
  start(1, "0-1", 12, memory_bound);
  go_on(300);
  ASSERT_EQ(set_[0], 60);
  capper_.arrives(launch(2), {}, 0);
  turn();
  EXPECT_EQ(set_[0], 100);
  capper_.arrives(launch(2), ids("4"), 0);  // somewhere else, as is found now
  go_on(300);
  EXPECT_EQ(set_[0], 60);
}

TEST_F(PowerCapperTest, PackagesOfOneJobAreCappedAlike) {
  start(1, "2-5", 12, memory_bound);
  start(2, "7", 12, memory_bound);
  go_on(300);
  EXPECT_EQ(set_[0], 60);
  EXPECT_EQ(set_[1], 60);
  end(1);
  turn();
  EXPECT_EQ(set_[0], 100);
  EXPECT_EQ(set_[1], 100);
}

TEST_F(PowerCapperTest, NothingIsDoneBlindly) {
  start(1, "0-3", 12, [](int) { return 0; });
  go_on(600);
  EXPECT_EQ(set_[0], 100);
  EXPECT_EQ(why(1), "");
}

TEST_F(PowerCapperTest, WhoGoesSilentUnderACapHasAllPowerAgain) {
  bool silent = false;
  start(1, "0-3", 12, [&](int percent) { return silent ? 0 : memory_bound(percent); });
  go_on(300);
  ASSERT_EQ(set_[0], 60);
  silent = true;
  go_on(100);
  EXPECT_EQ(set_[0], 60);
  go_on(60);
  EXPECT_EQ(set_[0], 100);
  EXPECT_EQ(why(1), "its jobs showed no progress by which to tell what it costs");
}

TEST_F(PowerCapperTest, SomeTellOfTheirProgressOnceInAMinute) {
  double hidden = 0;
  int second = 0;
  start(1, "0-3", 6, [&](int percent) {
    hidden += memory_bound(percent);
    return ++second % 60 == 0 ? std::exchange(hidden, 0.0) : 0.0;
  });
  std::set<int> seen;
  for (int minute = 0; minute < 70; ++minute) {
    go_on(60);
    seen.insert(set_[0]);
  }
  EXPECT_EQ(*seen.begin(), 60) << "once, to see that it is too low";
  EXPECT_EQ(set_[0], 65);
}

TEST_F(PowerCapperTest, OffMeansOff) {
  start(1, "0-3", 12, memory_bound);
  go_on(300);
  ASSERT_EQ(set_[0], 60);
  configure(false);
  go_on(1);
  EXPECT_EQ(set_[0], 100);
  EXPECT_EQ(why(1), "cap_power is off");
  EXPECT_EQ(capper_.state(), "cap_power is off");
  go_on(100);
  EXPECT_EQ(set_[0], 100);
}

TEST_F(PowerCapperTest, WhatCannotBeSetIsNotTried) {
  start(1, "0-3", 12, memory_bound);
  go_on(300);
  turn("no such file");
  EXPECT_EQ(set_[0], 100);
  EXPECT_EQ(why(1), "no such file");
  EXPECT_EQ(capper_.state(), "no such file");
  set_[0] = 60;  // the first time it failed
  now_ms_ += 10'000;
  turn("no such file");
  EXPECT_EQ(set_[0], 100);
}

TEST_F(PowerCapperTest, WorkThatBeginsAnewIsNoSpeed) {
  start(1, "0-3", 6, memory_bound);
  for (int i = 0; i < 15; ++i) {
    go_on(20);
    done_[1] = 0;
  }
  EXPECT_EQ(set_[0], 65);
}

// Whatever comes: a cap is set only where everybody agrees, within bounds, and never stays where
// somebody new is.
TEST(PowerCapper, NeverWithoutAgreementInRandomLives) {
  int capped_in_all = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Prng random(seed);
    const int zones = static_cast<int>(random.between(1, 4));
    std::vector<PowerZone> all;
    for (int zone = 0; zone < zones; ++zone) {
      all.push_back({zone, IdSet::first(4 * zone + 4).without(IdSet::first(4 * zone))});
    }
    PowerCapper capper(all);
    NodeSettings settings;
    settings.cap_power = true;
    settings.cap_least_percent = static_cast<int>(random.between(20, 100));
    settings.cap_every_s = static_cast<int>(random.between(1, 10));
    capper.configure(settings);
    std::vector<int> percent(all.size(), 100);
    struct Life {
      IdSet cores;
      int margin;
      double done;
    };
    std::map<LaunchKey, Life> lives;
    BootMs now_ms = random.between(1, 10'000'000'000);
    JobId next = 1;
    int capped = 0;
    for (int step = 0; step < 2000; ++step) {
      std::set<std::size_t> fresh;
      if (random.chance(3) || lives.empty()) {
        const IdSet cores = IdSet::first(static_cast<int>(random.between(1, 4 * zones)))
                                .without(IdSet::first(static_cast<int>(random.between(0, 8))));
        const int margin = random.chance(300) ? 0 : static_cast<int>(random.between(-1, 30));
        lives[launch(next)] = {cores, margin, 0};
        capper.arrives(launch(next), cores, margin);
        for (std::size_t zone = 0; zone < all.size(); ++zone) {
          if (!all[zone].cores.common(cores).empty() || cores.empty()) fresh.insert(zone);
        }
        ++next;
      }
      if (random.chance(3) && !lives.empty()) {
        const LaunchKey gone = lives.begin()->first;
        capper.leaves(gone);
        lives.erase(gone);
      }
      now_ms += random.between(0, 2000);
      for (auto& [key, life] : lives) {
        life.done += static_cast<double>(random.between(0, 100));
        double said = life.done;
        if (random.chance(20)) said = std::nan("");
        if (random.chance(20)) said = -1;
        if (random.chance(5)) said = std::numeric_limits<double>::infinity();
        capper.progresses(key, random.chance(2) ? "a" : "b", said, now_ms);
      }
      for (const PowerCapper::Change& change : capper.turn("", now_ms)) {
        percent.at(change.zone) = change.percent;
      }
      for (std::size_t zone = 0; zone < all.size(); ++zone) {
        if (percent[zone] == 100) continue;
        ++capped;
        ASSERT_GE(percent[zone], settings.cap_least_percent) << seed;
        ASSERT_LT(percent[zone], 100) << seed;
        ASSERT_FALSE(fresh.contains(zone)) << seed << ": somebody new is capped";
        for (const auto& [key, life] : lives) {
          if (!life.cores.empty() && life.cores.common(all[zone].cores).empty()) continue;
          ASSERT_GT(life.margin, 0) << seed << ": " << to_string(key);
          ASSERT_EQ(capper.cap(key).percent, percent[zone]) << seed << ": " << to_string(key);
          ASSERT_NE(capper.cap(key).why, "") << seed;
        }
      }
    }
    capped_in_all += capped > 0 ? 1 : 0;
  }
  EXPECT_GT(capped_in_all, 50);
}

}  // namespace
}  // namespace hyades
