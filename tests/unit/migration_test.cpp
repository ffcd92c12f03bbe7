// Queues of older versions: upgraded in one step or not at all, never without a copy.
#include "contract/queue_on_disk.hpp"
#include "core/failpoint.hpp"
#include "master/migrations.hpp"

namespace hyades {
namespace {

class MigrationTest : public QueueOnDisk {
 protected:
  QueueFile::Options options(const std::vector<Migration>& migrations) {
    QueueFile::Options options = quick_options();
    options.migrations = &migrations;
    return options;
  }
  // Those of this program and one that is still to come.
  std::vector<Migration> with_next(const std::string& sql) {
    std::vector<Migration> migrations = embedded_migrations();
    migrations.push_back({next_, "9999_test", sql.c_str()});
    return migrations;
  }
  const int known_ = embedded_migrations().back().version;
  const int next_ = known_ + 1;
  const std::string good_ =
      "ALTER TABLE job ADD COLUMN energy_mj INTEGER NOT NULL DEFAULT 7; "
      "PRAGMA user_version = " +
      std::to_string(next_) + ";";
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
  const std::vector<Migration> migrations = with_next(good_);
  {
    OpenQueue queue = open_queue(temporary_.path(), options(migrations));
    ASSERT_TRUE(queue.store) << queue.error;
    EXPECT_EQ(load_events(*queue.store).size(), events_.size());
    commit_jobs(*queue.store, 31, 31);
  }
  expect_refused("schema version " + std::to_string(next_) + "; this one knows up to " +
                 std::to_string(known_));
  // The way back that the message names: the copy is a whole queue.
  write_bytes(file(), read_bytes(file(".backup-v" + std::to_string(known_))));
  unlink(file("-wal").c_str());
  unlink(file(".note").c_str());
  expect_whole();
}

TEST_F(MigrationTest, TheFirstVersionBecomesTheNewest) {
  with_shell(file(), embedded_migrations().front().sql);
  with_shell(file(), "INSERT INTO node (name, inventory) VALUES ('vn1', '{\"cores\":4}')");
  ASSERT_EQ(chmod(file().c_str(), 0600), 0);
  OpenQueue queue = open_queue(temporary_.path(), quick_options());
  ASSERT_TRUE(queue.store) << queue.error;
  StoredState state;
  queue.store->load(state, [](const JobEvent&) {});
  ASSERT_EQ(state.node_events.size(), 1u);
  EXPECT_EQ(std::get<NodeDefined>(state.node_events[0].what).boot_id, "");
}

TEST_F(MigrationTest, AFailureLeavesTheOldVersion) {
  make_queue();
  for (const std::string sql : {"ALTER TABLE job ADD COLUMN x INTEGER; SELECT nonsense;",
                                "ALTER TABLE job ADD COLUMN x INTEGER;"}) {
    const std::vector<Migration> migrations = with_next(sql);
    refusal(options(migrations));
    expect_whole();
  }
}

TEST_F(MigrationTest, ADeathLeavesTheOldOrTheNewVersion) {
  make_queue();
  const std::vector<Migration> migrations = with_next(good_);
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
  expect_refused("schema version " + std::to_string(next_));
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

}  // namespace
}  // namespace hyades
