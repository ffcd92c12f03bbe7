// The disk fails at the k-th write or sync, for every k: nothing that was acknowledged may be lost,
// nothing that failed may be half there, and after a failed sync nothing may be acknowledged.
#include <cstring>
#include <new>

#include "contract/queue_on_disk.hpp"

namespace hyades {
namespace {

// ---- a file system that fails on demand, below SQLite ----------------------------------------

struct FaultPlan {
  int countdown = 0;  // the operation that fails, counted from 1; 0: none
  int code = SQLITE_IOERR_WRITE;
  bool only_syncs = false;
  int operations = 0;  // seen so far
  bool struck = false;

  bool strikes(bool is_sync) {
    if (only_syncs && !is_sync) return false;
    ++operations;
    if (operations != countdown) return false;
    struck = true;
    return true;
  }
};
FaultPlan plan;

struct FaultyFile {
  sqlite3_file base;
  sqlite3_file* real;
};

sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<FaultyFile*>(file)->real; }

int write_or_fail(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  if (!plan.strikes(false)) return real(file)->pMethods->xWrite(real(file), data, size, offset);
  // Half of it gets there, as on a real disk.
  real(file)->pMethods->xWrite(real(file), data, size / 2, offset);
  return plan.code;
}

int sync_or_fail(sqlite3_file* file, int flags) {
  if (plan.strikes(true)) return SQLITE_IOERR_FSYNC;
  return real(file)->pMethods->xSync(real(file), flags);
}

const sqlite3_io_methods kFaultyMethods = {
    1,
    [](sqlite3_file* file) {
      const int result = real(file)->pMethods->xClose(real(file));
      ::operator delete(real(file));
      return result;
    },
    [](sqlite3_file* file, void* data, int size, sqlite3_int64 offset) {
      return real(file)->pMethods->xRead(real(file), data, size, offset);
    },
    write_or_fail,
    [](sqlite3_file* file, sqlite3_int64 size) {
      return real(file)->pMethods->xTruncate(real(file), size);
    },
    sync_or_fail,
    [](sqlite3_file* file, sqlite3_int64* size) {
      return real(file)->pMethods->xFileSize(real(file), size);
    },
    [](sqlite3_file* file, int level) { return real(file)->pMethods->xLock(real(file), level); },
    [](sqlite3_file* file, int level) { return real(file)->pMethods->xUnlock(real(file), level); },
    [](sqlite3_file* file, int* held) {
      return real(file)->pMethods->xCheckReservedLock(real(file), held);
    },
    [](sqlite3_file* file, int operation, void* argument) {
      return real(file)->pMethods->xFileControl(real(file), operation, argument);
    },
    [](sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); },
    [](sqlite3_file* file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); },
};

// The system's file system, with kFaultyMethods for every file that is opened through it. Without
// shared memory (io methods version 1), which the store does not use.
void install_faulty_vfs() {
  static sqlite3_vfs* system = sqlite3_vfs_find(nullptr);
  static sqlite3_vfs faulty = *system;
  faulty.zName = "faulty";
  faulty.szOsFile = sizeof(FaultyFile);
  faulty.xOpen = [](sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
    auto* opened =
        static_cast<sqlite3_file*>(::operator new(static_cast<std::size_t>(system->szOsFile)));
    std::memset(opened, 0, static_cast<std::size_t>(system->szOsFile));
    const int result = system->xOpen(system, name, opened, flags, out);
    if (result != SQLITE_OK) {
      ::operator delete(opened);
      file->pMethods = nullptr;
      return result;
    }
    *reinterpret_cast<FaultyFile*>(file) = {{&kFaultyMethods}, opened};
    return result;
  };
  ASSERT_EQ(sqlite3_vfs_register(&faulty, 1), SQLITE_OK);
}

// ---- the scenario ----------------------------------------------------------------------------

class StoreFaultsTest : public testing::Test {
 protected:
  void SetUp() override {
    install_faulty_vfs();
    plan = {};
  }

  // Commits jobs in batches of three until all are in or the store gives up. What was acknowledged.
  static JobId run_jobs(SqliteStore& store, JobId last, std::size_t script_bytes) {
    JobId acked = 0;
    for (JobId id = 1; id + 2 <= last; id += 3) {
      Batch batch;
      for (JobId job = id; job < id + 3; ++job) {
        add_job(batch, job, sample_spec(), std::to_string(job),
                sample_payload(std::string(script_bytes, 'x')));
      }
      const CommitResult result = store.commit(batch);
      if (result == CommitResult::Committed) {
        EXPECT_EQ(acked + 1, id) << "acknowledged after a failure";
        acked = id + 2;
      } else {
        EXPECT_NE(store.last_error(), "");
      }
      if (result == CommitResult::Failed) break;
      if (result == CommitResult::Full) id -= 3;  // space came back: the same once more
    }
    return acked;
  }

  // Returns whether the fault struck at all.
  static bool try_one(const FaultPlan& faults, JobId jobs, std::size_t script_bytes) {
    TemporaryDirectory temporary;
    JobId acked = 0;
    {
      plan = {};
      { open_queue(temporary.path()); }
      plan = faults;
      OpenQueue queue = open_queue(temporary.path());
      if (queue.store) acked = run_jobs(*queue.store, jobs, script_bytes);
      if (queue.store && plan.struck && plan.code != SQLITE_FULL) {
        // Nothing is acknowledged by a store that has seen its disk fail, whenever that was.
        const CommitResult result = queue->commit(one_job(9999));
        EXPECT_NE(result, CommitResult::Committed);
      }
    }
    const bool struck = plan.struck;
    plan = {};
    OpenQueue queue = open_queue(temporary.path());
    EXPECT_TRUE(queue.store) << queue.error;
    if (!queue.store) return struck;
    const std::vector<JobEvent> events = load_events(*queue.store);
    EXPECT_GE(events.size(), acked);
    EXPECT_EQ(events.size() % 3, 0u) << "half a batch";
    for (std::size_t i = 0; i < events.size(); ++i) {
      EXPECT_EQ(events[i].job, i + 1);
      EXPECT_TRUE(queue->load_payload(i + 1));
    }
    EXPECT_FALSE(queue->load_payload(events.size() + 1));
    return struck;
  }

  static void try_all(FaultPlan faults, JobId jobs, std::size_t script_bytes, int step) {
    int tried = 0;
    for (faults.countdown = 1;; faults.countdown += step, ++tried) {
      ASSERT_LT(tried, 2000);
      if (!try_one(faults, jobs, script_bytes)) break;
      ASSERT_FALSE(HasFailure()) << "operation " << faults.countdown;
    }
    EXPECT_GT(tried, 5);
  }
};

TEST_F(StoreFaultsTest, EveryWriteFailsOnce) { try_all({.code = SQLITE_IOERR_WRITE}, 15, 100, 1); }

TEST_F(StoreFaultsTest, EveryWriteMeetsAFullDiskOnce) {
  try_all({.code = SQLITE_FULL}, 15, 100, 1);
}

TEST_F(StoreFaultsTest, EverySyncFailsOnce) { try_all({.only_syncs = true}, 15, 100, 1); }

// Large scripts: the log is written back to the main file again and again.
TEST_F(StoreFaultsTest, CheckpointsFail) {
  try_all({.only_syncs = true}, 60, 100'000, 1);
  try_all({.code = SQLITE_IOERR_WRITE}, 60, 100'000, 397);
  try_all({.code = SQLITE_FULL}, 60, 100'000, 401);
}

}  // namespace
}  // namespace hyades
