// What the SQLite store does beyond the contract of stores: deaths, full disks, listings.
#include "master/sqlite_store.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "contract/queue_on_disk.hpp"
#include "core/failpoint.hpp"

namespace hyades {
namespace {

class SqliteStoreTest : public testing::Test {
 protected:
  std::string file() const { return temporary_.path() + "/queue.db"; }
  void open() {
    queue_ = {};
    queue_ = open_queue(temporary_.path());
    ASSERT_TRUE(queue_.store) << queue_.error;
  }
  SqliteStore& store() { return *queue_.store; }

  TemporaryDirectory temporary_;
  OpenQueue queue_;
};

// ---- identity --------------------------------------------------------------------------------

TEST_F(SqliteStoreTest, CountsItsMasters) {
  open();
  const std::string cluster = store().cluster_id();
  EXPECT_EQ(cluster.size(), 32u);
  EXPECT_EQ(store().begin_epoch(), 1u);
  open();
  EXPECT_EQ(store().begin_epoch(), 2u);
  open();
  EXPECT_EQ(store().begin_epoch(), 3u);
  EXPECT_EQ(store().cluster_id(), cluster);
  TemporaryDirectory other;
  EXPECT_NE(open_queue(other.path())->cluster_id(), cluster);
}

TEST_F(SqliteStoreTest, NumbersComeBackNeitherAfterADeletionNorAfterARestart) {
  open();
  commit_jobs(store(), 1, 5);
  store().commit(one_event(5, Assigned{sample_key(5, 1, 8), 1, sample_placement(), {}}));
  queue_ = {};
  with_shell(file(),
             "DELETE FROM job WHERE id >= 3; DELETE FROM job_event WHERE job >= 3;"
             "DELETE FROM job_payload WHERE job >= 3;");
  open();
  StoredState state;
  EXPECT_EQ(load_events(store(), &state).size(), 2u);
  EXPECT_EQ(state.next_job, 6u);
  EXPECT_EQ(state.next_sequence, 9u);
}

TEST_F(SqliteStoreTest, NothingHappensToAJobThatHasEnded) {
  open();
  commit_jobs(store(), 1, 1);
  ASSERT_EQ(store().commit(one_event(1, sample_end(Outcome::Failed))), CommitResult::Committed);
  EXPECT_EQ(store().commit(one_event(1, sample_end(Outcome::Completed))), CommitResult::Failed);
  EXPECT_EQ(store().commit(one_event(1, HoldChanged{true, false, "ann"})), CommitResult::Failed);
  EXPECT_NE(store().last_error().find("job 1 does not exist or has ended"), std::string::npos);
  EXPECT_EQ(store().find_ended(1)->outcome, Outcome::Failed);
}

TEST_F(SqliteStoreTest, RefusesAJobWithoutItsSubmission) {
  open();
  Batch batch = one_job(1);
  batch.job_events.clear();
  EXPECT_EQ(store().commit(batch), CommitResult::Failed);
  EXPECT_EQ(store().commit(one_job(1)), CommitResult::Committed);
}

// ---- deaths ----------------------------------------------------------------------------------

TEST_F(SqliteStoreTest, ADeathLeavesTheWholeBatchOrNothing) {
  static std::string strike;
  JobId next = 1;
  for (const std::string point : {"store_before_commit", "store_after_commit"}) {
    strike = point;
    const int status = in_child([&] {
      OpenQueue queue = open_queue(temporary_.path());
      if (!queue.store || queue->begin_epoch() == 0) return 1;
      failpoint_handler = [](const char* name) {
        if (strike == name) raise(SIGKILL);
      };
      Batch batch;
      for (JobId id = next; id < next + 100; ++id) {
        add_job(batch, id, sample_spec(), point + std::to_string(id));
      }
      batch.node_events.push_back({"vn1", 1, NodeDrained{point, "root"}});
      queue->commit(batch);
      return 2;
    });
    ASSERT_TRUE(WIFSIGNALED(status)) << point << " was not passed";
    open();
    const bool committed = point == "store_after_commit";
    StoredState state;
    EXPECT_EQ(load_events(store(), &state).size(), committed ? 100u : 0u) << point;
    EXPECT_EQ(state.node_events.size(), committed ? 1u : 0u);
    EXPECT_EQ(state.next_job, committed ? next + 100 : next);
    EXPECT_EQ(store().find_token(1001, point + std::to_string(next)).has_value(), committed);
    next = state.next_job;
    queue_ = {};
  }
}

TEST_F(SqliteStoreTest, ADeathAtACheckpointLosesNothing) {
  const int status = in_child([&] {
    OpenQueue queue = open_queue(temporary_.path());
    if (!queue.store) return 1;
    failpoint_handler = [](const char* name) {
      if (std::string("store_before_checkpoint") == name) raise(SIGKILL);
    };
    for (JobId id = 1; id < 1000; ++id) {
      Batch batch;
      add_job(batch, id, sample_spec(), "", sample_payload(std::string(100'000, 'x')));
      if (queue->commit(batch) != CommitResult::Committed) return 2;
      write_bytes(temporary_.path() + "/acked", std::to_string(id));
    }
    return 3;
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  open();
  const std::size_t acked = std::stoul(read_bytes(temporary_.path() + "/acked"));
  EXPECT_EQ(load_events(store()).size(), acked + 1);  // the last one was committed, not acked
}

// A child that commits without pause is killed at random moments; what it had acknowledged (by
// writing to a pipe, after the commit) must be there, and nothing twice.
TEST_F(SqliteStoreTest, RandomDeathsLoseNoAcknowledgedJob) {
  JobId acked = 0;
  for (int round = 0; round < 20; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      OpenQueue queue = open_queue(temporary_.path());
      StoredState state;
      if (!queue.store) _exit(1);
      load_events(*queue.store, &state);
      for (JobId id = state.next_job;; ++id) {
        if (queue->commit(one_job(id)) != CommitResult::Committed) _exit(2);
        if (write(ends[1], &id, sizeof id) != sizeof id) _exit(3);
      }
    }
    close(ends[1]);
    JobId id = 0;
    const JobId target = acked + 5 + static_cast<JobId>(round * 7 % 23);
    while (id < target) {
      ASSERT_EQ(read(ends[0], &id, sizeof id), static_cast<ssize_t>(sizeof id));
    }
    kill(child, SIGKILL);
    while (read(ends[0], &id, sizeof id) == static_cast<ssize_t>(sizeof id)) {
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    acked = id;
    open();
    StoredState state;
    const std::vector<JobEvent> events = load_events(store(), &state);
    ASSERT_GE(events.size(), acked);
    ASSERT_LE(events.size(), acked + 1);
    for (std::size_t i = 0; i < events.size(); ++i) ASSERT_EQ(events[i].job, i + 1);
    acked = events.size();
    queue_ = {};
  }
}

// ---- full disks ------------------------------------------------------------------------------

// Commits large jobs until there is no space. Returns how many were committed, or -1.
int fill(SqliteStore& store, JobId first) {
  for (JobId id = first; id < first + 10'000; ++id) {
    Batch batch;
    add_job(batch, id, sample_spec(), "t" + std::to_string(id),
            sample_payload(std::string(50'000, 'x')));
    const CommitResult result = store.commit(batch);
    if (result == CommitResult::Committed) continue;
    const std::string error = store.last_error();
    if (result != CommitResult::Full || error.find("queue storage full: /") != 0 ||
        error.find("free space") == std::string::npos) {
      std::fprintf(stderr, "unexpected: %s\n", error.c_str());
      return -1;
    }
    return static_cast<int>(id - first);
  }
  return -1;
}

// Nothing of the refused batch may be there, and everything else must be.
bool has_exactly(SqliteStore& store, std::size_t jobs) {
  StoredState state;
  return load_events(store, &state).size() == jobs && state.next_job == jobs + 1 &&
         !store.find_token(1001, "t" + std::to_string(jobs + 1)) &&
         store.load_payload(jobs).has_value() && !store.load_payload(jobs + 1);
}

int live_through_a_full_disk(const std::string& path, const std::function<void()>& make_space) {
  OpenQueue queue = open_queue(path);
  if (!queue.store || queue->begin_epoch() == 0) return 10;
  const int first = fill(*queue.store, 1);
  if (first <= 0) return 11;
  if (!has_exactly(*queue.store, static_cast<std::size_t>(first))) return 12;
  if (fill(*queue.store, first + 1) < 0) return 13;  // refuses again, and still works
  make_space();
  StoredState state;
  load_events(*queue.store, &state);
  const JobId next = state.next_job;
  if (queue->commit(one_job(next)) != CommitResult::Committed) return 14;
  queue = {};
  queue = open_queue(path);
  if (!queue.store) return 15;
  if (load_events(*queue.store).size() != next || !queue->load_payload(next)) return 16;
  return 0;
}

TEST_F(SqliteStoreTest, LivesThroughALimitOnTheSizeOfFiles) {
  const int status = in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{3 << 20, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &limit);
    return live_through_a_full_disk(temporary_.path(), [] {
      rlimit none{RLIM_INFINITY, RLIM_INFINITY};
      setrlimit(RLIMIT_FSIZE, &none);
    });
  });
  EXPECT_EQ(status, 0) << WEXITSTATUS(status);
}

// Gives this process mounts of its own, as root or in a user namespace; false: not possible here.
bool isolate_mounts() {
  const uid_t uid = geteuid();
  const std::string gid = std::to_string(getegid());
  if (unshare(CLONE_NEWNS) != 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    write_bytes("/proc/self/setgroups", "deny");
    write_bytes("/proc/self/gid_map", gid + " " + gid + " 1");
    write_bytes("/proc/self/uid_map", std::to_string(uid) + " " + std::to_string(uid) + " 1");
    if (geteuid() != uid || std::to_string(getegid()) != gid) return false;
  }
  return mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

TEST_F(SqliteStoreTest, LivesThroughAFullFileSystem) {
  const std::string mount_point = temporary_.path() + "/disk";
  ASSERT_EQ(mkdir(mount_point.c_str(), 0700), 0);
  const int status = in_child([&] {
    if (!isolate_mounts() ||
        mount("tmpfs", mount_point.c_str(), "tmpfs", 0, "size=4m,mode=0700") != 0) {
      return 77;
    }
    const std::string filler = mount_point + "/filler";
    write_bytes(filler, std::string(1 << 20, 'x'));
    return live_through_a_full_disk(mount_point, [&] { unlink(filler.c_str()); });
  });
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no private mounts here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(SqliteStoreTest, CannotBeCreatedWithoutSpace) {
  const int status = in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{8192, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &limit);
    OpenQueue queue = open_queue(temporary_.path());
    return !queue.store && queue.error.find("free space") != std::string::npos ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(std::filesystem::exists(file()));
  open();
}

// ---- damage that shows late ------------------------------------------------------------------

TEST_F(SqliteStoreTest, SaysSoWhenAScriptIsDamaged) {
  open();
  commit_jobs(store(), 1, 2);
  queue_ = {};
  with_shell(file(), "UPDATE job_payload SET script = x'00' WHERE job = 1;");
  open();
  EXPECT_FALSE(store().load_payload(1));
  EXPECT_NE(store().last_error().find("the script of job 1"), std::string::npos);
  EXPECT_TRUE(store().load_payload(2));
  EXPECT_EQ(store().last_error(), "");
}

TEST_F(SqliteStoreTest, RefusesJobsAndEventsThatWereEdited) {
  for (const char* edit : {"UPDATE job SET spec = '{}' WHERE id = 1;",
                           "UPDATE job_event SET detail = '{\"held\":false}' WHERE seq = 3;",
                           "DELETE FROM job_event WHERE job = 2;",
                           "DELETE FROM job_event WHERE kind = 'submitted' AND job = 1;",
                           "DELETE FROM job_event WHERE kind = 'assigned';",
                           "DELETE FROM job_event WHERE kind = 'started';",
                           "UPDATE job SET phase = 'PENDING' WHERE id = 2;"}) {
    TemporaryDirectory directory;
    {
      OpenQueue queue = open_queue(directory.path());
      commit_jobs(*queue.store, 1, 2);
      queue->commit(one_event(1, HoldChanged{true, false, "ann"}));
      queue->commit(one_event(2, Assigned{sample_key(2, 1, 8), 1, sample_placement(), {}}));
      queue->commit(one_event(2, Started{sample_key(2, 1, 8), 6000}));
    }
    { ASSERT_TRUE(open_queue(directory.path()).store); }
    with_shell(directory.path() + "/queue.db", edit);
    OpenQueue queue = open_queue(directory.path());
    EXPECT_FALSE(queue.store) << edit;
    EXPECT_NE(queue.error.find("is damaged"), std::string::npos) << queue.error;
  }
}

}  // namespace
}  // namespace hyades
