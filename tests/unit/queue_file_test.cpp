// Queues that must not be used: damaged, missing, foreign, too new, in use, open to others. None of
// them is ever replaced by an empty one.
#include "master/queue_file.hpp"

#include <sys/stat.h>

#include "contract/queue_on_disk.hpp"
#include "master/migrations.hpp"

namespace hyades {
namespace {

using QueueFileTest = QueueOnDisk;

TEST_F(QueueFileTest, IsPrivate) {
  make_queue(1);
  for (const char* ending : {"", "-wal", ".note"}) {
    struct stat status {};
    ASSERT_EQ(stat(file(ending).c_str(), &status), 0) << ending;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << ending;
  }
}

// What somebody has written into the file does not become what we do.
TEST_F(QueueFileTest, ASchemaIsNotTrusted) {
  make_queue(1);
  Database queue = Database::open(file(""), 1000);
  EXPECT_EQ(queue.number("PRAGMA trusted_schema"), 0);
  EXPECT_THROW(queue.run("PRAGMA writable_schema = 1; DELETE FROM sqlite_master"), SqliteError);
  EXPECT_THROW(queue.run("SELECT \"not a column\""), SqliteError);
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
  // The nodes refuse a master that counts from one again.
  EXPECT_NE(error.find("queue.* and the directory spool"), std::string::npos) << error;
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
  const std::string known = std::to_string(embedded_migrations().back().version);
  expect_refused("written by a newer Hyades (schema version 99; this one knows up to " + known +
                 ")");
  // The same when the newer version is still in the log only.
  with_shell(file(), ("PRAGMA user_version = " + known + ";").c_str());
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

// Damage that leaves every value as it was: an index that lost an entry hides a job.
TEST_F(QueueFileTest, RefusesAnIndexThatLostAJob) {
  make_queue();
  const auto define = [&](const char* condition) {
    const std::string script =
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX job_live ON job "
        "(id) WHERE " +
        std::string(condition) + "' WHERE name = 'job_live';";
    with_shell(file(), script.c_str());
  };
  define("phase <> ''ENDED'' AND id <> 2");
  with_shell(file(), "REINDEX job_live;");
  define("phase <> ''ENDED''");
  expect_refused_as_damaged();
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
