// Limits of power in a tree that stands for /sys: which can be set, and that they come back.
#include "worker/power_limits.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "fixture_tree.hpp"

namespace hyades {
namespace {

const std::string powercap = "/sys/class/powercap/";
const std::string zone = powercap + "intel-rapl:0";
const std::string long_term = zone + "/constraint_1_power_limit_uw";

class PowerLimitsTest : public testing::Test {
 protected:
  FixtureTree tree_;
  std::optional<PowerLimits> limits_;
  std::string trouble_;

  void SetUp() override {
    tree_.make_directory("/run");
    add(zone, "package-0");
  }
  void add(const std::string& directory, const std::string& name) {
    tree_.write(directory + "/name", name + "\n");
    tree_.write(directory + "/enabled", "1\n");
    tree_.write(directory + "/constraint_0_name", "short_term\n");
    tree_.write(directory + "/constraint_0_power_limit_uw", "250000000\n");
    tree_.write(directory + "/constraint_1_name", "long_term\n");
    tree_.write(directory + "/constraint_1_power_limit_uw", "200000000\n");
  }
  PowerLimits& start() { return limits_.emplace(tree_.root()); }
  // As kill -9 would leave it: what it tidies up on its way out comes back.
  void kill() {
    const std::string left = read(long_term);
    const std::string known = read("/run/hyades-power-limits");
    limits_.reset();
    tree_.write(long_term, left);
    tree_.write("/run/hyades-power-limits", known);
  }
  std::string read(const std::string& path) const {
    std::ifstream in(tree_.root() + path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  long long limit() const {
    const std::string text = read(long_term);
    return text.empty() ? -1 : std::stoll(text);
  }
  bool remembers() const {
    return std::filesystem::exists(tree_.root() + "/run/hyades-power-limits");
  }
  std::size_t found() { return find_package_limits(tree_.root(), trouble_).size(); }
};

TEST_F(PowerLimitsTest, TheLongTermLimitOfAPackage) {
  add(powercap + "intel-rapl:1", "package-1");
  ASSERT_EQ(found(), 2u);
  EXPECT_EQ(trouble_, "");
  PowerLimits& limits = start();
  EXPECT_FALSE(remembers());
  EXPECT_EQ(limits.set(0, 75), "");
  EXPECT_EQ(limit(), 150'000'000);
  EXPECT_EQ(read(zone + "/constraint_0_power_limit_uw"), "250000000\n");
  EXPECT_EQ(read(powercap + "intel-rapl:1/constraint_1_power_limit_uw"), "200000000\n");
  EXPECT_EQ(limits.set(0, 80), "");
  EXPECT_EQ(limit(), 160'000'000);
  EXPECT_TRUE(remembers());
  EXPECT_EQ(limits.set(0, 100), "");
  EXPECT_EQ(limit(), 200'000'000);
  EXPECT_FALSE(remembers()) << "what the site sets from now on is its own";
}

TEST_F(PowerLimitsTest, WhoSetsNothingWritesNothing) {
  start();
  tree_.write(long_term, "190000000\n");  // by the site
  EXPECT_EQ(limits_->set(0, 100), "");
  limits_.reset();
  EXPECT_EQ(limit(), 190'000'000);
}

TEST_F(PowerLimitsTest, GivesAllPowerBackWhenItGoes) {
  start().set(0, 60);
  EXPECT_TRUE(remembers());
  limits_.reset();
  EXPECT_EQ(limit(), 200'000'000);
  EXPECT_FALSE(remembers());
}

TEST_F(PowerLimitsTest, TheNextOneRestoresWhatAKilledOneLeft) {
  start().set(0, 60);
  kill();
  ASSERT_EQ(limit(), 120'000'000);
  PowerLimits& next = start();
  EXPECT_EQ(limit(), 200'000'000);
  EXPECT_EQ(next.restored(), tree_.root() + long_term);
  EXPECT_FALSE(remembers());
  next.set(0, 50);
  EXPECT_EQ(limit(), 100'000'000) << "of what it was at first";
  kill();
  start();
  EXPECT_EQ(limit(), 200'000'000);
}

TEST_F(PowerLimitsTest, WritesNowhereElseWhateverIsRemembered) {
  tree_.write("/secret", "1\n");
  tree_.write("/run/hyades-power-limits", "999 " + tree_.root() + "/secret\nnonsense\n7\n-3 " +
                                              tree_.root() + long_term + "\n5 " + tree_.root() +
                                              long_term + "\n");
  start();
  limits_.reset();
  EXPECT_EQ(read("/secret"), "1\n");
  EXPECT_EQ(limit(), 200'000'000);
}

TEST_F(PowerLimitsTest, NotWhatIsNoWholePackage) {
  tree_.remove(zone);
  add(powercap + "intel-rapl:0", "package-0-die-1");
  add(powercap + "intel-rapl:0:0", "core");
  add(powercap + "intel-rapl:1", "psys");
  add(powercap + "intel-rapl-mmio:0", "package-0");
  EXPECT_EQ(found(), 0u);
  EXPECT_NE(trouble_.find("no package that can be capped"), std::string::npos) << trouble_;
  EXPECT_EQ(start().set(0, 60), "package-0 cannot be capped");
}

TEST_F(PowerLimitsTest, NotALimitThatIsNotInForceOrNoNumber) {
  tree_.write(zone + "/enabled", "0\n");
  EXPECT_EQ(found(), 0u);
  EXPECT_EQ(trouble_, tree_.root() + zone + ": no long-term limit is in force");
  tree_.write(zone + "/enabled", "1\n");
  for (const char* const bad : {"", "0\n", "-5\n", "12x\n"}) {
    tree_.write(long_term, bad);
    EXPECT_EQ(found(), 0u) << bad;
    EXPECT_NE(trouble_.find("not a number of microwatts"), std::string::npos) << trouble_;
  }
}

TEST_F(PowerLimitsTest, WithoutAnyItSaysSo) {
  tree_.remove("/sys");
  EXPECT_EQ(found(), 0u);
  EXPECT_NE(trouble_.find("no package that can be capped"), std::string::npos) << trouble_;
}

TEST_F(PowerLimitsTest, NothingIsLoweredThatCouldNotBeRestored) {
  tree_.remove("/run");
  PowerLimits& limits = start();
  EXPECT_NE(limits.set(0, 60).find("hyades-power-limits"), std::string::npos);
  EXPECT_EQ(limit(), 200'000'000);
  tree_.make_directory("/run");
  EXPECT_NE(limits.set(0, 60), "") << "once is enough";
  EXPECT_EQ(limit(), 200'000'000);
}

TEST_F(PowerLimitsTest, WhatCouldNotBeGivenBackIsTriedAgain) {
  PowerLimits& limits = start();
  limits.set(0, 60);
  tree_.remove(zone);
  EXPECT_NE(limits.set(0, 100), "");
  EXPECT_EQ(limits.withheld(), "package 0 could not be given all power back yet");
  EXPECT_TRUE(remembers());
  add(zone, "package-0");
  tree_.write(long_term, "120000000\n");
  EXPECT_NE(limits.set(0, 100), "") << "what went wrong is not forgotten";
  EXPECT_EQ(limits.withheld(), "");
  EXPECT_EQ(limit(), 200'000'000);
  EXPECT_FALSE(remembers());
}

}  // namespace
}  // namespace hyades
