// What the agent relies on, from any spool. A spool is tested by instantiating the suite with a
// SpoolMaker; "reopen" stands for the death of the worker and the start of a new one.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "core/ports.hpp"
#include "worker/disk_spool.hpp"

namespace hyades {
namespace {

class SpoolUnderTest {
 public:
  virtual ~SpoolUnderTest() = default;
  virtual Spool& spool() = 0;
  virtual void reopen() = 0;
  virtual void reboot() = 0;
};

struct SpoolMaker {
  const char* name;
  std::function<std::unique_ptr<SpoolUnderTest>()> make;
};

std::ostream& operator<<(std::ostream& out, const SpoolMaker& maker) { return out << maker.name; }

class DiskSpoolUnderTest : public SpoolUnderTest {
 public:
  DiskSpoolUnderTest() {
    std::string path = (std::filesystem::temp_directory_path() / "hyades-test-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp failed: " + path);
    root_ = path;
    reopen();
  }
  ~DiskSpoolUnderTest() override {
    spool_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  Spool& spool() override { return *spool_; }
  void reopen() override {
    spool_.reset();
    spool_ = std::make_unique<DiskSpool>(root_ + "/vn1", "boot-" + std::to_string(boot_));
  }
  void reboot() override {
    ++boot_;
    reopen();
  }

 private:
  std::string root_;
  int boot_ = 1;
  std::unique_ptr<DiskSpool> spool_;
};

class SpoolContract : public testing::TestWithParam<SpoolMaker> {
 protected:
  Spool& spool() { return under_test_->spool(); }
  void reopen() { under_test_->reopen(); }
  void reboot() { under_test_->reboot(); }

 private:
  std::unique_ptr<SpoolUnderTest> under_test_ = GetParam().make();
};

constexpr LaunchKey key = {42, 1, 77};
constexpr LaunchKey next_attempt = {42, 2, 78};

TEST_P(SpoolContract, StartsEmpty) {
  EXPECT_TRUE(spool().records().empty());
  EXPECT_FALSE(spool().look(key));
  EXPECT_EQ(spool().high_sequence(), 0u);
  EXPECT_EQ(spool().high_epoch(), 0u);
  EXPECT_EQ(spool().last_error(), "");
}

TEST_P(SpoolContract, AClaimIsMadeOnce) {
  EXPECT_EQ(spool().claim(key), ClaimResult::Claimed);
  EXPECT_EQ(spool().claim(key), ClaimResult::Exists);
  EXPECT_EQ(spool().claim(next_attempt), ClaimResult::Claimed);
  reopen();
  EXPECT_EQ(spool().claim(key), ClaimResult::Exists);
  reboot();
  EXPECT_EQ(spool().claim(key), ClaimResult::Exists);
}

TEST_P(SpoolContract, AFreshClaimIsHeldAndNotStarted) {
  ASSERT_EQ(spool().claim(key), ClaimResult::Claimed);
  const auto record = spool().look(key);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->key, key);
  EXPECT_TRUE(record->held);
  EXPECT_TRUE(record->same_boot);
  EXPECT_EQ(record->started_ms, 0);
  EXPECT_FALSE(record->exit);
}

TEST_P(SpoolContract, AReleasedClaimStaysAsARecord) {
  ASSERT_EQ(spool().claim(key), ClaimResult::Claimed);
  spool().release(key);
  ASSERT_TRUE(spool().look(key));
  EXPECT_FALSE(spool().look(key)->held);
  EXPECT_EQ(spool().claim(key), ClaimResult::Exists);
  spool().release(key);           // twice is fine
  spool().release(next_attempt);  // so is nothing
}

TEST_P(SpoolContract, AClaimThatNobodyTookOverEndsWithItsWorker) {
  ASSERT_EQ(spool().claim(key), ClaimResult::Claimed);
  reopen();
  const auto record = spool().look(key);
  ASSERT_TRUE(record);
  EXPECT_FALSE(record->held);
  EXPECT_TRUE(record->same_boot);
}

TEST_P(SpoolContract, KnowsRecordsFromBeforeAReboot) {
  ASSERT_EQ(spool().claim(key), ClaimResult::Claimed);
  reboot();
  ASSERT_TRUE(spool().look(key));
  EXPECT_FALSE(spool().look(key)->same_boot);
  EXPECT_FALSE(spool().look(key)->held);
  ASSERT_EQ(spool().claim(next_attempt), ClaimResult::Claimed);
  EXPECT_TRUE(spool().look(next_attempt)->same_boot);
}

TEST_P(SpoolContract, ListsEveryRecord) {
  ASSERT_EQ(spool().claim(key), ClaimResult::Claimed);
  ASSERT_EQ(spool().claim(next_attempt), ClaimResult::Claimed);
  const auto records = spool().records();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_NE(records[0].key, records[1].key);
}

TEST_P(SpoolContract, WhatIsRemovedIsForgottenButForItsSequence) {
  ASSERT_EQ(spool().claim(key), ClaimResult::Claimed);
  spool().remove(key);
  spool().remove(key);  // not having it is fine
  EXPECT_EQ(spool().last_error(), "");
  EXPECT_FALSE(spool().look(key));
  EXPECT_TRUE(spool().records().empty());
  reopen();
  EXPECT_FALSE(spool().look(key));
  EXPECT_EQ(spool().high_sequence(), key.sequence);
}

TEST_P(SpoolContract, NumbersOnlyRise) {
  spool().raise_sequence(10);
  spool().raise_sequence(9);
  spool().raise_epoch(5);
  spool().raise_epoch(4);
  EXPECT_EQ(spool().high_sequence(), 10u);
  EXPECT_EQ(spool().high_epoch(), 5u);
  reopen();
  EXPECT_EQ(spool().high_sequence(), 10u);
  EXPECT_EQ(spool().high_epoch(), 5u);
  ASSERT_EQ(spool().claim({1, 1, 8}), ClaimResult::Claimed);  // the caller decides about order
  EXPECT_EQ(spool().high_sequence(), 10u);
  ASSERT_EQ(spool().claim({1, 2, UINT64_MAX}), ClaimResult::Claimed);
  reopen();
  EXPECT_EQ(spool().high_sequence(), UINT64_MAX);
}

INSTANTIATE_TEST_SUITE_P(Disk, SpoolContract,
                         testing::Values(SpoolMaker{
                             "Disk", [] { return std::make_unique<DiskSpoolUnderTest>(); }}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace hyades
