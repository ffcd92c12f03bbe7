// The state directory in trouble: full, locked, damaged, missing, too new, open to others. Hyades
// refuses with the reason and the way out; it never starts with an empty queue instead.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>

#include "census.hpp"
#include "cluster.hpp"
#include "wait_until.hpp"

namespace hyades::test {
namespace {

void run_sql(const std::string& file, const std::string& sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK)
      << (error == nullptr ? "" : error);
  sqlite3_free(error);
  sqlite3_close(database);
}

int schema_version(const std::string& file) {
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
  sqlite3_stmt* query = nullptr;
  sqlite3_prepare_v2(database, "PRAGMA user_version", -1, &query, nullptr);
  const int version = sqlite3_step(query) == SQLITE_ROW ? sqlite3_column_int(query, 0) : -1;
  sqlite3_finalize(query);
  sqlite3_close(database);
  return version;
}

// A cluster that has had two jobs and is down.
class Storage : public testing::Test {
 protected:
  void SetUp() override {
    cluster_.must_up();
    done_ = cluster_.must_wrap("exit 3", {"-o", "/dev/null"});
    held_ = cluster_.must_wrap("true", {"--hold", "-o", "/dev/null"});
    cluster_.must_wait(done_);
    cluster_.must_down();
  }

  std::string database() const { return cluster_.directory() + "/queue.db"; }

  // `hyades up` fails, says all of `parts`, and starts nothing.
  void expect_refused(const std::vector<std::string>& parts) {
    const CommandResult result = cluster_.up();
    EXPECT_EQ(result.exit_code, 1) << result.text();
    for (const std::string& part : parts) {
      EXPECT_NE(result.err.find(part), std::string::npos) << part << "\n" << result.text();
    }
    EXPECT_TRUE(wait_until([&] {
      reap_orphans();
      return cluster_.status()["state"] == "down";
    }));
  }

  // Repaired, the cluster still knows both jobs.
  void expect_good() {
    cluster_.must_up();
    EXPECT_EQ(cluster_.job(done_)["exit_code"], 3);
    EXPECT_EQ(cluster_.job(held_)["reason"], "JobHeldUser");
    EXPECT_EQ(cluster_.run({"hcancel", std::to_string(held_)}).exit_code, 0);
    const JobId next = cluster_.must_wrap("true", {"-o", "/dev/null"});
    EXPECT_GT(next, held_);
    EXPECT_EQ(cluster_.must_wait(next)["state"], "COMPLETED");
  }

  Cluster cluster_;
  JobId done_ = 0;
  JobId held_ = 0;
};

// ---- F20: damaged -----------------------------------------------------------------------------

TEST_F(Storage, DamagedDatabaseIsRefusedAndLeftAlone) {
  // While the log is beside it, everything could be had from there.
  run_sql(database(), "PRAGMA wal_checkpoint(TRUNCATE)");
  const std::string good = read_whole(database());
  const struct {
    const char* how;
    std::function<void(std::string&)> damage;
    const char* said;
  } cases[] = {
      {"empty", [](std::string& file) { file.clear(); }, "queue.db"},
      {"not a database", [](std::string& file) { file.assign(8192, 'x'); }, "queue.db"},
      {"cut in half", [](std::string& file) { file.resize(file.size() / 2); }, "is damaged"},
      {"a page of garbage",
       [](std::string& file) {
         for (std::size_t i = 4096; i < 8192; ++i) file[i] = static_cast<char>(i * 37);
       },
       "is damaged"},
  };
  for (const auto& each : cases) {
    std::string bad = good;
    each.damage(bad);
    cluster_.write_file(database(), bad, 0600);
    expect_refused({database(), each.said, "queue.db.backup"});
    EXPECT_TRUE(read_whole(database()) == bad) << each.how << ": the file was changed";
  }
  cluster_.write_file(database(), good, 0600);
  expect_good();
}

TEST_F(Storage, MissingDatabaseIsNotReplacedByAnEmptyOne) {
  std::filesystem::rename(database(), cluster_.path("away"));
  expect_refused(
      {"queue.db is missing, but ", "Put the queue back", "To start an empty queue on purpose"});
  EXPECT_FALSE(std::filesystem::exists(database()));
  std::filesystem::rename(cluster_.path("away"), database());
  expect_good();
}

// The last commits are in the log alone.
TEST_F(Storage, LogThatWasRemovedAfterACrashIsMissed) {
  cluster_.must_up();
  const JobId last = cluster_.must_wrap("true", {"--hold", "-o", "/dev/null"});
  const Json status = cluster_.status();
  for (const char* key : {"supervisor_pid", "mpirun_pid", "master_pid"}) {
    ASSERT_EQ(kill(status[key].get<pid_t>(), SIGKILL), 0) << key;
  }
  ASSERT_TRUE(wait_until([&] {
    reap_orphans();
    return cluster_.status()["state"] == "down";
  }));
  std::filesystem::rename(database() + "-wal", cluster_.path("wal"));
  expect_refused({database(), "-wal was removed or damaged"});
  std::filesystem::rename(cluster_.path("wal"), database() + "-wal");
  expect_good();
  EXPECT_EQ(cluster_.state_of(last), "PENDING");
}

// F41.
TEST_F(Storage, NewerSchemaIsRefusedAndUnchanged) {
  const std::string version = "PRAGMA user_version = " + std::to_string(schema_version(database()));
  run_sql(database(), "PRAGMA user_version = 1000");
  const std::string before = read_whole(database());
  expect_refused({"was written by a newer Hyades (schema version 1000; this one knows up to ",
                  "start the newer Hyades"});
  EXPECT_TRUE(read_whole(database()) == before);
  run_sql(database(), version);
  expect_good();
}

// ---- F18: locked by somebody else --------------------------------------------------------------

TEST_F(Storage, ForeignLockIsRefusedAfterAWhile) {
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(database().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr), SQLITE_OK);
  expect_refused({database(), "lock"});
  sqlite3_close(other);
  expect_good();
}

// ---- F21, S21: the directory --------------------------------------------------------------------

TEST_F(Storage, OpenModesAreRefusedWithThePath) {
  chmod(database().c_str(), 0666);
  expect_refused(
      {database() + " has mode 0666, so others may read or change it", "chmod 600 " + database()});
  chmod(database().c_str(), 0600);
  chmod(cluster_.directory().c_str(), 0777);
  expect_refused({cluster_.directory() + " has mode 0777, so others may put files there"});
  chmod(cluster_.directory().c_str(), 0700);
  const std::string above = cluster_.directory().substr(0, cluster_.directory().rfind('/'));
  chmod(above.c_str(), 0777);
  expect_refused({cluster_.directory() + " lies below " + above + ", which has mode 0777"});
  chmod(above.c_str(), 0700);
  const std::string spool = cluster_.directory() + "/spool/vn1";
  chmod(spool.c_str(), 0777);
  expect_refused({"node vn1: others may write to the spool directory " + spool});
  chmod(spool.c_str(), 0700);
  const std::string config = cluster_.directory() + "/hyades.toml";
  chmod(config.c_str(), 0666);
  expect_refused({config + " has mode 0666, so everybody may change it"});
  chmod(config.c_str(), 0600);
  expect_good();
}

TEST_F(Storage, LinkInPlaceOfTheDatabaseIsRefused) {
  std::filesystem::rename(database(), cluster_.path("away"));
  std::filesystem::create_symlink(cluster_.path("away"), database());
  expect_refused({database() + " is a symbolic link"});
  std::filesystem::remove(database());
  std::filesystem::rename(cluster_.path("away"), database());
  expect_good();
}

TEST_F(Storage, DirectoryOfAnotherUserIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_EQ(chown(cluster_.directory().c_str(), 65534, 65534), 0);
  expect_refused({cluster_.directory() + " belongs to uid 65534, but this master runs as uid 0"});
  ASSERT_EQ(chown(cluster_.directory().c_str(), 0, 0), 0);
  expect_good();
}

TEST_F(Storage, BadConfigurationIsRefusedWithItsLine) {
  const std::string config = cluster_.directory() + "/hyades.toml";
  const std::string good = read_whole(config);
  cluster_.write_file(config, "[cluster]\nkill_grase_s = 3\n", 0600);
  expect_refused({config + ":2: unknown key 'kill_grase_s'", "did you mean 'kill_grace_s'?"});
  cluster_.write_file(config, good, 0600);
  expect_good();
}

// ---- F12: full --------------------------------------------------------------------------------

class FullDisk : public testing::Test {
 protected:
  void SetUp() override {
    // In a mount namespace of our own: it goes away with us, whatever happens.
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      GTEST_SKIP() << "needs root and a mount namespace";
    }
    cluster_ = std::make_unique<Cluster>();
    ASSERT_EQ(mount("tmpfs", cluster_->directory().c_str(), "tmpfs", 0, "size=12m,mode=0700"), 0)
        << std::strerror(errno);
    cluster_->configure("[health]\ndisk_free = 0\n");  // or the nodes would be drained
    cluster_->must_up();
  }
  void TearDown() override {
    if (!cluster_) return;
    const std::string directory = cluster_->directory();
    cluster_->run({"hyades", "down", "--cancel-jobs"});
    umount2(directory.c_str(), MNT_DETACH);
    cluster_.reset();
  }

  std::string filler() const { return cluster_->directory() + "/filler"; }

  // Until not one byte more fits.
  void fill() {
    const int file = open(filler().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const std::string block(4096, 'x');
    while (write(file, block.data(), block.size()) > 0) continue;
    while (write(file, "x", 1) > 0) continue;
    close(file);
  }

  std::unique_ptr<Cluster> cluster_;
};

TEST_F(FullDisk, SubmissionsAreRefusedAndJobsGoOn) {
  const JobId running = cluster_->must_wrap(
      "echo ready; while [ ! -e gate.go ]; do sleep 0.05; done; exit 8", {"-o", "gate.out"});
  ASSERT_TRUE(cluster_->wait_for_output("gate.out", "ready"));
  fill();
  // The log of the queue has some space left over in it; then it is full, too.
  const std::string big = "#!/bin/sh\n#" + std::string(1u << 20, 'x') + "\n";
  CommandResult refused;
  std::vector<JobId> accepted;
  for (int i = 0; i < 200; ++i) {
    refused = cluster_->run({"hsub", "--parsable", "--hold"}, {.input = big});
    if (refused.exit_code != 0) break;
    accepted.push_back(std::stoull(refused.out));
  }
  EXPECT_EQ(refused.exit_code, 1) << refused.text();
  EXPECT_NE(refused.err.find("full"), std::string::npos) << refused.text();
  const Json status = cluster_->status();
  EXPECT_FALSE(status["degraded"].is_null()) << status.dump(2);
  // Commands that read still work, and the job runs, and its end is kept until there is space.
  EXPECT_EQ(cluster_->run({"hstat"}).exit_code, 0);
  EXPECT_TRUE(cluster_->wait_for_state(running, "RUNNING"));
  cluster_->write_file("gate.go", "");
  ASSERT_TRUE(wait_until([&] {
    reap_orphans();
    for (const Kin& kin : family()) {
      if (kin.name == "hyades-shep") return false;
    }
    return true;
  }));
  std::filesystem::remove(filler());
  EXPECT_EQ(cluster_->must_wait(running)["exit_code"], 8);
  EXPECT_TRUE(wait_until([&] { return cluster_->status()["degraded"].is_null(); }));
  for (const JobId id : accepted) EXPECT_EQ(cluster_->state_of(id), "PENDING");
  const JobId next = cluster_->must_wrap("exit 9", {"-o", "/dev/null"});
  EXPECT_EQ(cluster_->must_wait(next)["exit_code"], 9);
}

// The control plane dies while nothing can be written: it stays away at most until there is space.
TEST_F(FullDisk, DeathsOfTheControlPlaneHealWhenThereIsSpace) {
  const JobId running = cluster_->must_wrap(
      "echo ready; while [ ! -e gate.go ]; do sleep 0.05; done; exit 8", {"-o", "gate.out"});
  ASSERT_TRUE(cluster_->wait_for_output("gate.out", "ready"));
  for (const char* victim : {"master_pid", "mpirun_pid"}) {
    fill();
    const Json before = cluster_->status();
    ASSERT_EQ(kill(before[victim].get<pid_t>(), SIGKILL), 0) << before.dump(2);
    // A cycle of the supervisor has passed when this world's mpirun is gone.
    ASSERT_TRUE(wait_until([&] {
      reap_orphans();
      return cluster_->status()["mpirun_pid"] != before["mpirun_pid"];
    }));
    fill();  // should the dead have left some space
    poll(nullptr, 0, 1000);
    EXPECT_EQ(cluster_->pid_of("supervisor_pid"), before["supervisor_pid"]);
    std::filesystem::remove(filler());
    ASSERT_TRUE(wait_until([&] {
      reap_orphans();
      return cluster_->is_up();
    })) << cluster_->status().dump(2)
        << cluster_->log();
  }
  cluster_->write_file("gate.go", "");
  const Json job = cluster_->must_wait(running);
  EXPECT_EQ(job["exit_code"], 8);
  EXPECT_EQ(job["attempts"], 1);
}

}  // namespace
}  // namespace hyades::test
