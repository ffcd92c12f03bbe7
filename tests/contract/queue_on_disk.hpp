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

}  // namespace hyades
