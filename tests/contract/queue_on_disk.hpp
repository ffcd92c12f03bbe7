// A queue in a directory of its own, for the tests of what happens on the disk.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <sstream>

#include "contract/store_samples.hpp"
#include "master/sqlite_store.hpp"
#include "master/state_directory.hpp"

namespace hyades {

// The right to a directory together with the queue in it.
struct OpenQueue {
  std::unique_ptr<StateDirectory> directory;
  std::unique_ptr<SqliteStore> store;  // nullptr: error says why
  std::string error;

  SqliteStore* operator->() const { return store.get(); }
};

inline QueueFile::Options quick_options() {
  QueueFile::Options options;
  options.busy_timeout_ms = 100;
  options.backup_every_s = -1;
  return options;
}

inline OpenQueue open_queue(const std::string& path,
                            const QueueFile::Options& options = quick_options()) {
  OpenQueue queue;
  queue.directory = StateDirectory::open(path, StateDirectory::IfMissing::Refuse, queue.error);
  if (queue.directory) queue.store = SqliteStore::open(*queue.directory, queue.error, options);
  return queue;
}

inline std::vector<JobEvent> load_events(SqliteStore& store, StoredState* state = nullptr) {
  std::vector<JobEvent> events;
  StoredState unused;
  store.load(state == nullptr ? unused : *state,
             [&](const JobEvent& event) { events.push_back(event); });
  return events;
}

inline void commit_jobs(SqliteStore& store, JobId first, JobId last) {
  for (JobId id = first; id <= last; ++id) {
    ASSERT_EQ(store.commit(one_job(id, "token " + std::to_string(id))), CommitResult::Committed)
        << store.last_error();
  }
}

inline std::string read_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// Runs `script` the way an admin with an sqlite3 shell could.
inline void with_shell(const std::string& database, const char* script) {
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(database.c_str(), &handle), SQLITE_OK);
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(handle, script, nullptr, nullptr, &error), SQLITE_OK) << error;
  sqlite3_free(error);
  sqlite3_close(handle);
}

// Runs `body` in a child; its wait status.
inline int in_child(const std::function<int()>& body) {
  const pid_t pid = fork();
  if (pid == 0) _exit(body());
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return status;
}

// Makes a queue, and says what becomes of it when it is opened again.
class QueueOnDisk : public testing::Test {
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

}  // namespace hyades
