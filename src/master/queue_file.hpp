// Opens the queue's database, or says why it must not be used. Nothing here ever starts an empty
// queue where there was one, and a file that is refused is left exactly as it was.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "master/migrations.hpp"
#include "master/queue_note.hpp"
#include "master/sqlite.hpp"
#include "master/state_directory.hpp"

namespace hyades {

class QueueFile {
 public:
  struct Options {
    // How long to wait for another process that has the file open before refusing.
    int busy_timeout_ms = 5000;
    // A backup that is older than this is renewed at the start; -1: never.
    std::int64_t backup_every_s = 86400;
    // Larger queues are not copied while people wait for the start, and only their important
    // tables are checked.
    std::int64_t small_bytes = std::int64_t{1} << 30;
    const std::vector<Migration>* migrations = nullptr;  // nullptr: the embedded ones
  };

  // Takes the file for this process alone (no other can even read it while we live, so that no
  // tool can checkpoint or write behind our back; SQLite 3.40 may corrupt a log with two
  // checkpointers). Creates it in a fresh directory. nullptr: `error` says why, with the way out.
  static std::unique_ptr<QueueFile> open(const StateDirectory& directory, const Options& options,
                                         std::string& error);

  Database& database() { return database_; }
  QueueNote& note() { return note_; }
  // How far the queue had got when it was opened.
  const QueueNote::Content& content() const { return content_; }
  const std::string& path() const { return path_; }

  // Copies the queue as it is now to queue.db.backup, replacing the last copy only when the new
  // one is complete and synced. "" or why it failed. Takes as long as reading and writing the
  // file; the master should call it when nobody waits.
  std::string backup();

  // Not "": something that people should know, though the queue is fine (no backup possible, ...).
  const std::string& warning() const { return warning_; }

 private:
  QueueFile(std::string path, Database database, const QueueNote::Content& content);
  void back_up_if_old(const Options& options);

  std::string path_;
  Database database_;
  QueueNote::Content content_;
  QueueNote note_;
  std::string warning_;
};

}  // namespace hyades
