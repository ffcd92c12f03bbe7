// Jobs that end themselves when their node has not heard of the master for too long.
#include <fcntl.h>

#include <fstream>

#include "node_box.hpp"
#include "worker/boot_clock.hpp"
#include "worker/lease_file.hpp"

namespace hyades {
namespace {

const LaunchKey key = {1, 1, 101};

TEST(LeaseFile, IsOnlyEverRaised) {
  const TemporaryDirectory directory;
  EXPECT_EQ(read_lease(directory.path(), key), 0);
  EXPECT_TRUE(write_lease(directory.path(), key, 5000));
  EXPECT_EQ(read_lease(directory.path(), key), 5000);
  EXPECT_TRUE(write_lease(directory.path(), key, 4000));
  EXPECT_EQ(read_lease(directory.path(), key), 5000);
  EXPECT_EQ(read_lease(directory.path(), {1, 2, 102}), 0);
}

// Better a job that ends too early than one that runs twice.
TEST(LeaseFile, WhatCannotBeGivesNoTime) {
  const TemporaryDirectory directory;
  const std::string path = lease_path(directory.path(), key);
  std::ofstream(path) << "short";
  EXPECT_EQ(read_lease(directory.path(), key), 0);
  ASSERT_TRUE(write_lease(directory.path(), key, boot_now_ms() + 3'600'000));
  EXPECT_EQ(read_lease(directory.path(), key), 0);
  ASSERT_EQ(unlink(path.c_str()), 0);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(read_lease(directory.path(), key), 0);  // and does not hang
}

TEST(LeaseFile, OutlivesTheWorkerButNeitherTheRecordNorTheBoot) {
  const TemporaryDirectory directory;
  const std::string path = directory / "spool";
  const LaunchKey other = {2, 1, 102};
  {
    DiskSpool spool(path, "boot-1");
    for (const LaunchKey& one : {key, other}) {
      ASSERT_EQ(spool.claim(one), ClaimResult::Claimed);
      spool.renew_lease(one, 5000);
      EXPECT_EQ(spool.last_error(), "");
    }
    spool.remove(other);
    EXPECT_FALSE(std::filesystem::exists(lease_path(path, other)));
    std::ofstream(lease_path(path, {3, 1, 103})) << "of a record that is gone";
    EXPECT_EQ(spool.records().size(), 1u);
  }
  {
    DiskSpool spool(path, "boot-1");
    EXPECT_EQ(read_lease(path, key), 5000);
    EXPECT_FALSE(std::filesystem::exists(lease_path(path, {3, 1, 103})));
  }
  DiskSpool spool(path, "boot-2");
  EXPECT_EQ(read_lease(path, key), 0);
}

class Lease : public testing::Test {
 protected:
  LaunchRecord job(const std::string& script, int lease_s) {
    LaunchRecord record = box_.plain_record(script);
    record.lease_s = lease_s;
    record.lease_base_ms = boot_now_ms();
    return record;
  }

  NodeBox box_;
};

constexpr const char* long_job = "#!/bin/bash\ntouch here; while :; do sleep 0.1; done\n";

TEST_F(Lease, AJobThatNobodyRenewsEndsWithItsGrace) {
  const LaunchRecord record = job(
      "#!/bin/bash\ntrap 'sleep 0.3; touch saved; exit 5' TERM\nwhile :; do sleep 0.1; done\n", 1);
  box_.start(record);
  const SpoolRecord end = box_.wait_for_end(record.key);
  ASSERT_TRUE(end.exit);
  EXPECT_EQ(end.exit->stopped, StopReason::LeaseExpired);
  EXPECT_EQ(end.exit->exit_code, 5);
  EXPECT_TRUE(std::filesystem::exists(box_.root / "saved"));
  EXPECT_GE(boot_now_ms(), record.lease_base_ms + 1000);
}

TEST_F(Lease, WhatIgnoresSigtermIsKilled) {
  const LaunchRecord record = job("#!/bin/bash\ntrap '' TERM; while :; do sleep 0.1; done\n", 1);
  box_.start(record);
  const SpoolRecord end = box_.wait_for_end(record.key);
  ASSERT_TRUE(end.exit);
  EXPECT_EQ(end.exit->stopped, StopReason::LeaseExpired);
  EXPECT_EQ(end.exit->signal, SIGKILL);
}

TEST_F(Lease, RenewalsKeepAJobAlive) {
  const LaunchRecord record = job(long_job, 2);
  box_.start(record);
  BootMs renewed = 0;
  while (boot_now_ms() < record.lease_base_ms + 5000) {
    renewed = boot_now_ms();
    box_.spool->renew_lease(record.key, renewed);
    poll(nullptr, 0, 20);
  }
  EXPECT_TRUE(box_.spool->look(record.key)->held);
  EXPECT_FALSE(box_.spool->look(record.key)->exit);
  const SpoolRecord end = box_.wait_for_end(record.key);
  ASSERT_TRUE(end.exit);
  EXPECT_EQ(end.exit->stopped, StopReason::LeaseExpired);
  EXPECT_GE(boot_now_ms(), renewed + 2000);
}

// What the master has given up does not live on because another launch of the node is renewed.
TEST_F(Lease, IsNotRenewedByAnothers) {
  const LaunchRecord record = job(long_job, 1);
  box_.start(record);
  const LaunchKey other = {1000, 1, 1000};
  EXPECT_TRUE(wait_until([&] {
    box_.spool->renew_lease(other, boot_now_ms());
    return !box_.spool->look(record.key)->held;
  }));
  EXPECT_EQ(box_.spool->look(record.key)->exit->stopped, StopReason::LeaseExpired);
}

TEST_F(Lease, EndsWithoutWorkerAndLauncher) {
  const LaunchRecord record = job(long_job, 1);
  box_.start(record);
  box_.wait_for_file("here");
  box_.spawner.reset();
  box_.spool.reset();
  box_.launcher.reset();
  EXPECT_TRUE(wait_until([&] { return box_.content(record.key).exit.has_value(); }));
  EXPECT_EQ(box_.content(record.key).exit->stopped, StopReason::LeaseExpired);
  box_.start_launcher();
  box_.start_worker();
}

// A stop with a long grace does not lengthen it.
TEST_F(Lease, RunsOnDuringAStop) {
  const LaunchRecord record =
      job("#!/bin/bash\ntrap '' TERM; touch here; while :; do sleep 0.1; done\n", 1);
  box_.start(record);
  box_.wait_for_file("here");
  box_.spawner->stop(record.key, StopReason::Cancelled, 1000);
  const SpoolRecord end = box_.wait_for_end(record.key);
  ASSERT_TRUE(end.exit);
  EXPECT_EQ(end.exit->stopped, StopReason::Cancelled);
  EXPECT_EQ(end.exit->signal, SIGKILL);
}

TEST_F(Lease, AJobWhoseLeaseIsOverDoesNotStart) {
  LaunchRecord record = job("#!/bin/sh\ntouch ran\n", 1);
  record.lease_base_ms = boot_now_ms() - 2000;
  box_.start(record);
  const SpoolRecord end = box_.wait_for_end(record.key);
  EXPECT_FALSE(end.exit);
  EXPECT_EQ(end.started_ms, 0);
  EXPECT_EQ(end.refusal, "the job's lease ran out before it could start here");
  EXPECT_FALSE(std::filesystem::exists(box_.root / "ran"));
}

TEST_F(Lease, TheOrderSaysHowLong) {
  LaunchOrder order = box_.order(long_job);
  order.spec.lease_s = 1;
  order.lease_base_ms = boot_now_ms();
  EXPECT_EQ(box_.run(order).stopped, StopReason::LeaseExpired);
  order = box_.order("#!/bin/sh\nexit 4\n");
  order.spec.lease_s = -1;  // for ever, whatever the queue says
  EXPECT_EQ(box_.run(order).exit_code, 4);
}

TEST_F(Lease, WithoutOneNobodyAsks) {
  LaunchRecord record = job("#!/bin/sh\nexit 3\n", 0);
  record.lease_base_ms = 0;
  box_.start(record);
  EXPECT_EQ(box_.wait_for_end(record.key).exit->exit_code, 3);
}

}  // namespace
}  // namespace hyades
