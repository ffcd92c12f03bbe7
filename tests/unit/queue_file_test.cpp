// Queues that must not be used: damaged, missing, foreign, too new, in use, open to others. None of
// them is ever replaced by an empty one.
#include "master/queue_file.hpp"

#include <sys/stat.h>

#include <random>

#include "contract/queue_on_disk.hpp"
#include "core/failpoint.hpp"

namespace hyades {
namespace {

class QueueFileTest : public testing::Test {
 protected:
  std::string file(const std::string& ending = "") const {
    return temporary_.path() + "/queue.db" + ending;
  }
  // A closed queue with `jobs` jobs, every third of which has ended; all of it in the main file.
  void make_queue(JobId jobs = 30) {
    {
      OpenQueue queue = open_queue(temporary_.path());
      ASSERT_TRUE(queue.store) << queue.error;
      ASSERT_EQ(queue->begin_epoch(), 1u);
      commit_jobs(*queue.store, 1, jobs);
      for (JobId id = 3; id <= jobs; id += 3) {
        const LaunchKey key = sample_key(id, 1, id);
        queue->commit(one_event(id, Assigned{key, 1, sample_placement(), {}}));
        queue->commit(one_event(id, sample_end()));
      }
    }
    OpenQueue queue = open_queue(temporary_.path());
    ASSERT_TRUE(queue.store) << queue.error;
    events_ = load_events(*queue.store, &state_);
  }
  void expect_whole() {
    OpenQueue queue = open_queue(temporary_.path());
    ASSERT_TRUE(queue.store) << queue.error;
    EXPECT_EQ(load_events(*queue.store).size(), events_.size());
  }
  std::string refusal(const QueueFile::Options& options = quick_options()) {
    OpenQueue queue = open_queue(temporary_.path(), options);
    EXPECT_FALSE(queue.store);
    EXPECT_NE(queue.error.find(file()), std::string::npos) << queue.error;
    EXPECT_EQ(queue.error.find('\n'), std::string::npos) << queue.error;
    return queue.error;
  }
  void expect_refused(const std::string& part,
                      const QueueFile::Options& options = quick_options()) {
    const std::string before = read_bytes(file());
    const std::string error = refusal(options);
    EXPECT_NE(error.find(part), std::string::npos) << error;
    EXPECT_TRUE(read_bytes(file()) == before) << "a refused file must stay as it is";
  }
  void expect_refused_as_damaged() {
    expect_refused("is damaged");
    EXPECT_NE(refusal().find("sqlite3 " + file() + " .dump"), std::string::npos);
  }

  TemporaryDirectory temporary_;
  std::vector<JobEvent> events_;
  StoredState state_;
};

TEST_F(QueueFileTest, IsPrivate) {
  make_queue(1);
  for (const char* ending : {"", "-wal", ".note"}) {
    struct stat status {};
    ASSERT_EQ(stat(file(ending).c_str(), &status), 0) << ending;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << ending;
  }
}

TEST_F(QueueFileTest, RefusesFilesThatOthersCanReadOrChange) {
  make_queue();
  for (const char* ending : {"", "-wal", ".note"}) {
    for (const mode_t mode : {0666, 0777, 0640, 0602}) {
      ASSERT_EQ(chmod(file(ending).c_str(), mode), 0);
      expect_refused("chmod 600 " + file(ending));
    }
    ASSERT_EQ(chmod(file(ending).c_str(), 0600), 0);
  }
  expect_whole();
}

TEST_F(QueueFileTest, RefusesFilesOfSomebodyElse) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  make_queue();
  ASSERT_EQ(chown(file().c_str(), 12345, 12345), 0);
  expect_refused(file() + " belongs to uid 12345");
}

TEST_F(QueueFileTest, RefusesLinks) {
  make_queue();
  for (const char* ending : {"", "-wal", ".note"}) {
    const std::string target = temporary_.path() + "/elsewhere";
    ASSERT_EQ(rename(file(ending).c_str(), target.c_str()), 0);
    ASSERT_EQ(symlink(target.c_str(), file(ending).c_str()), 0);
    EXPECT_NE(refusal().find(file(ending) + " is a symbolic link"), std::string::npos);
    ASSERT_EQ(rename(target.c_str(), file(ending).c_str()), 0);
  }
  expect_whole();
}

TEST_F(QueueFileTest, RefusesAMissingQueue) {
  make_queue();
  ASSERT_EQ(rename(file().c_str(), (temporary_.path() + "/away").c_str()), 0);
  const std::string error = refusal();
  EXPECT_NE(error.find("is missing"), std::string::npos) << error;
  EXPECT_FALSE(std::filesystem::exists(file()));
  // Nor when only one trace of it is left.
  ASSERT_EQ(unlink(file(".note").c_str()), 0);
  EXPECT_NE(refusal().find(file("-wal") + " is there"), std::string::npos);
  ASSERT_EQ(rename((temporary_.path() + "/away").c_str(), file().c_str()), 0);
  expect_whole();
}

TEST_F(QueueFileTest, RefusesAnEmptyFile) {
  make_queue();
  write_bytes(file(), "");
  expect_refused_as_damaged();
  // Also when it is all there is: no master leaves an empty file behind.
  ASSERT_EQ(unlink(file(".note").c_str()), 0);
  expect_refused_as_damaged();
}

TEST_F(QueueFileTest, RefusesATruncatedFile) {
  make_queue();
  const std::string whole = read_bytes(file());
  write_bytes(file("-wal"), "");  // which could still have what is cut off
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{99}, std::size_t{100}, std::size_t{512}, std::size_t{4096},
        std::size_t{5000}, whole.size() / 2, whole.size() - 4096}) {
    write_bytes(file(), whole.substr(0, size));
    expect_refused_as_damaged();
  }
  write_bytes(file(), whole);
  expect_whole();
}

TEST_F(QueueFileTest, RefusesOtherFiles) {
  make_queue();
  write_bytes(file(), std::string(10000, 'x'));
  expect_refused_as_damaged();
  ASSERT_EQ(unlink(file().c_str()), 0);
  with_shell(file(), "CREATE TABLE job (id INTEGER); PRAGMA user_version = 1;");
  ASSERT_EQ(chmod(file().c_str(), 0600), 0);
  expect_refused("is an SQLite file, but not a Hyades queue");
}

TEST_F(QueueFileTest, RefusesANewerSchema) {
  make_queue();
  with_shell(file(), "PRAGMA user_version = 99;");
  expect_refused("written by a newer Hyades (schema version 99; this one knows up to 1)");
  // The same when the newer version is still in the log only.
  with_shell(file(), "PRAGMA user_version = 1;");
  expect_whole();
  sqlite3* shell = nullptr;
  ASSERT_EQ(sqlite3_open(file().c_str(), &shell), SQLITE_OK);
  sqlite3_db_config(shell, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  EXPECT_EQ(sqlite3_exec(shell, "PRAGMA user_version = 98", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(shell);
  const std::string log = read_bytes(file("-wal"));
  expect_refused("schema version 98");
  EXPECT_TRUE(read_bytes(file("-wal")) == log);
}

TEST_F(QueueFileTest, NoticesThatTheLogIsGone) {
  make_queue(3);
  {
    OpenQueue queue = open_queue(temporary_.path());
    commit_jobs(*queue.store, 4, 6);
  }
  const std::string log = read_bytes(file("-wal"));
  ASSERT_GT(log.size(), 4096u);
  ASSERT_EQ(unlink(file("-wal").c_str()), 0);
  expect_refused("lacks its newest part");
  write_bytes(file("-wal"), log.substr(0, log.size() / 2));
  chmod(file("-wal").c_str(), 0600);
  expect_refused("lacks its newest part");
  std::string flipped = log;
  flipped[100] ^= 1;
  write_bytes(file("-wal"), flipped);
  expect_refused("lacks its newest part");
  write_bytes(file("-wal"), log);
  OpenQueue queue = open_queue(temporary_.path());
  ASSERT_TRUE(queue.store) << queue.error;
  EXPECT_EQ(load_events(*queue.store).size(), 5u);
}

TEST_F(QueueFileTest, NoticesThatOnlyTheEpochIsGone) {
  make_queue(3);
  {
    OpenQueue queue = open_queue(temporary_.path());
    EXPECT_EQ(queue->begin_epoch(), 2u);
  }
  ASSERT_EQ(unlink(file("-wal").c_str()), 0);
  expect_refused("lacks its newest part");
}

TEST_F(QueueFileTest, AnSqliteShellWhileNoMasterRunsDoesNoHarm) {
  make_queue();
  with_shell(file(), "SELECT count(*) FROM job;");  // checkpoints and removes the log
  EXPECT_FALSE(std::filesystem::exists(file("-wal")));
  expect_whole();
}

TEST_F(QueueFileTest, RefusesTheQueueOfAnotherCluster) {
  make_queue();
  TemporaryDirectory other;
  { ASSERT_TRUE(open_queue(other.path()).store); }
  write_bytes(file(), read_bytes(other.path() + "/queue.db"));
  write_bytes(file("-wal"), "");
  expect_refused("belongs to cluster");
}

TEST_F(QueueFileTest, ARestoredQueueGoesOnWithFreshNumbers) {
  make_queue(3);
  {
    OpenQueue queue = open_queue(temporary_.path());
    ASSERT_EQ(queue->backup(), "");
    commit_jobs(*queue.store, 4, 6);
    queue->commit(one_event(6, Assigned{sample_key(6, 1, 50), 1, sample_placement(), {}}));
  }
  write_bytes(file(), read_bytes(file(".backup")));
  ASSERT_EQ(unlink(file("-wal").c_str()), 0);
  expect_refused("lacks its newest part");
  ASSERT_EQ(unlink(file(".note").c_str()), 0);
  OpenQueue queue = open_queue(temporary_.path());
  ASSERT_TRUE(queue.store) << queue.error;
  StoredState state;
  EXPECT_EQ(load_events(*queue.store, &state).size(), 2u);
  EXPECT_GT(state.next_job, 1000u);
  EXPECT_GT(state.next_sequence, 1000u);
  EXPECT_GT(queue->begin_epoch(), 100u);
}

TEST_F(QueueFileTest, NamesTheNewestBackup) {
  make_queue();
  { ASSERT_EQ(open_queue(temporary_.path())->backup(), ""); }
  write_bytes(file(), "");
  expect_refused("restore the newest backup, " + file(".backup"));
}

// The command in the message is tried as it stands.
TEST_F(QueueFileTest, TheWayOutWorks) {
  if (access("/usr/bin/sqlite3", X_OK) != 0) GTEST_SKIP() << "no sqlite3 shell here";
  make_queue(300);
  std::string bytes = read_bytes(file());
  // Page by page until one is found without which the queue is damaged but mostly readable.
  const std::string whole = bytes;
  std::string error;
  for (std::size_t page = 40; error.find("is damaged") == std::string::npos; ++page) {
    ASSERT_LT(page * 4096, whole.size());
    bytes = whole;
    bytes.replace(page * 4096, 4096, std::string(4096, '\x55'));
    write_bytes(file(), bytes);
    write_bytes(file("-wal"), "");
    error = open_queue(temporary_.path()).error;
  }
  const std::size_t begin = error.find("(sqlite3 ");
  const std::size_t end = error.find(".recovered", begin);
  ASSERT_NE(end, std::string::npos) << error;
  const std::string command = error.substr(begin, end - begin) + ".recovered 2>/dev/null";
  in_child([&] {
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    return 1;
  });
  ASSERT_EQ(rename(file(".recovered").c_str(), file().c_str()), 0);
  ASSERT_EQ(chmod(file().c_str(), 0600), 0);
  unlink(file("-wal").c_str());
  unlink(file(".note").c_str());
  OpenQueue queue = open_queue(temporary_.path());
  ASSERT_TRUE(queue.store) << queue.error;
  EXPECT_GT(load_events(*queue.store).size(), 100u);
  commit_jobs(*queue.store, 20'001, 20'001);
}

TEST_F(QueueFileTest, IsNotStartedWhileSomebodyElseHasIt) {
  make_queue();
  sqlite3* shell = nullptr;
  ASSERT_EQ(sqlite3_open(file().c_str(), &shell), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(shell, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr), SQLITE_OK);
  expect_refused("is locked by another process");
  sqlite3_close(shell);
  expect_whole();
}

TEST_F(QueueFileTest, NobodyElseGetsItWhileWeHaveIt) {
  OpenQueue queue = open_queue(temporary_.path());
  ASSERT_TRUE(queue.store) << queue.error;
  commit_jobs(*queue.store, 1, 1);
  sqlite3* shell = nullptr;
  ASSERT_EQ(sqlite3_open(file().c_str(), &shell), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(shell, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr), SQLITE_BUSY);
  EXPECT_EQ(sqlite3_exec(shell, "SELECT * FROM job", nullptr, nullptr, nullptr), SQLITE_BUSY);
  EXPECT_EQ(sqlite3_exec(shell, "PRAGMA wal_checkpoint", nullptr, nullptr, nullptr), SQLITE_BUSY);
  commit_jobs(*queue.store, 2, 2);
  sqlite3_close(shell);
  commit_jobs(*queue.store, 3, 3);
}

// ---- random damage ---------------------------------------------------------------------------

// Refused with a reason, or harmless: whatever is read is what was written.
class DamageTest : public QueueFileTest {
 protected:
  void expect_refused_or_whole(const std::string& what) {
    OpenQueue queue = open_queue(temporary_.path());
    if (!queue.store) {
      ++refused_;
      EXPECT_NE(queue.error.find(file()), std::string::npos) << what << queue.error;
      return;
    }
    ++opened_;
    StoredState state;
    const std::vector<JobEvent> events = load_events(*queue.store, &state);
    ASSERT_EQ(queue->last_error(), "") << what;
    ASSERT_EQ(events.size(), events_.size()) << what;
    for (std::size_t i = 0; i < events.size(); ++i) {
      EXPECT_TRUE(same(events[i], events_[i])) << what;
    }
    EXPECT_GE(state.next_job, state_.next_job) << what;
    EXPECT_GE(state.next_sequence, state_.next_sequence) << what;
    for (JobId id = 1; id <= 30; ++id) {
      const std::optional<JobPayload> payload = queue->load_payload(id);
      EXPECT_TRUE(payload ? *payload == sample_payload() : !queue->last_error().empty()) << what;
    }
  }
  void flip(std::string& bytes, std::size_t at) {
    bytes[at] = static_cast<char>(bytes[at] ^ (1 + random_() % 255));
  }

  std::mt19937 random_{20240607};
  int refused_ = 0;
  int opened_ = 0;
};

TEST_F(DamageTest, FlippedBytesInTheFile) {
  make_queue();
  const std::string whole = read_bytes(file());
  const std::string note = read_bytes(file(".note"));
  for (int i = 0; i < 200; ++i) {
    std::string bytes = whole;
    const std::size_t at = random_() % bytes.size();
    flip(bytes, at);
    write_bytes(file(), bytes);
    write_bytes(file(".note"), note);
    write_bytes(file("-wal"), "");
    expect_refused_or_whole("byte " + std::to_string(at) + ": ");
  }
  EXPECT_GT(refused_, 20);
  EXPECT_GT(opened_, 20);  // free space, ended jobs, scripts
}

TEST_F(DamageTest, FlippedBytesInTheLog) {
  make_queue(1);
  {
    OpenQueue queue = open_queue(temporary_.path());
    commit_jobs(*queue.store, 2, 30);
    events_ = load_events(*queue.store, &state_);
  }
  const std::string whole = read_bytes(file());
  const std::string log = read_bytes(file("-wal"));
  const std::string note = read_bytes(file(".note"));
  for (int i = 0; i < 100; ++i) {
    std::string bytes = log;
    const std::size_t at = random_() % bytes.size();
    flip(bytes, at);
    write_bytes(file(), whole);
    write_bytes(file("-wal"), bytes);
    write_bytes(file(".note"), note);
    expect_refused_or_whole("byte " + std::to_string(at) + " of the log: ");
  }
  EXPECT_GT(refused_, 50);
}

TEST_F(DamageTest, FlippedBytesInTheNote) {
  make_queue();
  const std::string whole = read_bytes(file());
  const std::string note = read_bytes(file(".note"));
  for (int i = 0; i < 100; ++i) {
    std::string bytes = note;
    flip(bytes, random_() % bytes.size());
    write_bytes(file(), whole);
    write_bytes(file("-wal"), "");
    write_bytes(file(".note"), bytes);
    expect_refused_or_whole("note: ");
  }
}

// ---- schema upgrades -------------------------------------------------------------------------

class MigrationTest : public QueueFileTest {
 protected:
  QueueFile::Options options(const std::vector<Migration>& migrations) {
    QueueFile::Options options = quick_options();
    options.migrations = &migrations;
    return options;
  }
  std::vector<Migration> with_second(const char* sql) {
    std::vector<Migration> migrations = embedded_migrations();
    migrations.push_back({2, "0002_test", sql});
    return migrations;
  }
  const char* good_ =
      "ALTER TABLE job ADD COLUMN energy_mj INTEGER NOT NULL DEFAULT 7; PRAGMA user_version = 2;";
};

TEST_F(MigrationTest, EmbeddedOnesHaveNoGaps) {
  int expected = 1;
  for (const Migration& migration : embedded_migrations()) {
    EXPECT_EQ(migration.version, expected++);
  }
  EXPECT_EQ(embedded_migrations().front().name, std::string("0001_queue"));
}

TEST_F(MigrationTest, UpgradesAndKeepsTheOldVersion) {
  make_queue();
  const std::vector<Migration> migrations = with_second(good_);
  {
    OpenQueue queue = open_queue(temporary_.path(), options(migrations));
    ASSERT_TRUE(queue.store) << queue.error;
    EXPECT_EQ(load_events(*queue.store).size(), events_.size());
    commit_jobs(*queue.store, 31, 31);
  }
  expect_refused("schema version 2; this one knows up to 1");
  // The way back that the message names: the copy is a whole queue.
  write_bytes(file(), read_bytes(file(".backup-v1")));
  unlink(file("-wal").c_str());
  unlink(file(".note").c_str());
  expect_whole();
}

TEST_F(MigrationTest, AFailureLeavesTheOldVersion) {
  make_queue();
  for (const char* sql : {"ALTER TABLE job ADD COLUMN x INTEGER; SELECT nonsense;",
                          "ALTER TABLE job ADD COLUMN x INTEGER;"}) {
    const std::vector<Migration> migrations = with_second(sql);
    refusal(options(migrations));
    expect_whole();
  }
}

TEST_F(MigrationTest, ADeathLeavesTheOldOrTheNewVersion) {
  make_queue();
  const std::vector<Migration> migrations = with_second(good_);
  for (const std::string point : {"migration_before_commit", "migration_after_commit"}) {
    static std::string strike;
    strike = point;
    const int status = in_child([&] {
      failpoint_handler = [](const char* name) {
        if (strike == name) raise(SIGKILL);
      };
      open_queue(temporary_.path(), options(migrations));
      return 1;
    });
    ASSERT_TRUE(WIFSIGNALED(status)) << point;
    if (point == "migration_before_commit") expect_whole();
  }
  expect_refused("schema version 2");
  OpenQueue queue = open_queue(temporary_.path(), options(migrations));
  ASSERT_TRUE(queue.store) << queue.error;
  EXPECT_EQ(load_events(*queue.store).size(), events_.size());
}

TEST_F(MigrationTest, ADeathWhileCreatingLeavesAFreshDirectory) {
  const int status = in_child([&] {
    failpoint_handler = [](const char* name) {
      if (std::string("queue_before_create") == name) raise(SIGKILL);
    };
    open_queue(temporary_.path());
    return 1;
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(std::filesystem::exists(file()));
  make_queue(3);
}

// ---- backups ---------------------------------------------------------------------------------

TEST_F(QueueFileTest, BacksUpAtTheStartWhenTheCopyIsOld) {
  make_queue();
  QueueFile::Options options = quick_options();
  options.backup_every_s = 86400;
  EXPECT_FALSE(std::filesystem::exists(file(".backup")));
  { EXPECT_EQ(open_queue(temporary_.path(), options)->warning(), ""); }
  ASSERT_TRUE(std::filesystem::exists(file(".backup")));
  struct stat status {};
  ASSERT_EQ(stat(file(".backup").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const auto inode = status.st_ino;
  { open_queue(temporary_.path(), options); }
  ASSERT_EQ(stat(file(".backup").c_str(), &status), 0);
  EXPECT_EQ(status.st_ino, inode) << "a fresh copy is kept";
  options.backup_every_s = 0;
  { open_queue(temporary_.path(), options); }
  ASSERT_EQ(stat(file(".backup").c_str(), &status), 0);
  EXPECT_NE(status.st_ino, inode);
}

}  // namespace
}  // namespace hyades
