#include "master/queue_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "core/failpoint.hpp"
#include "master/file_checks.hpp"
#include "master/queue_check.hpp"

namespace hyades {
namespace {

using Options = QueueFile::Options;

// Numbers that may have been given out after a copy was made and then lost with the original:
// never used again.
constexpr const char* kSkipNumbers =
    "UPDATE sqlite_sequence SET seq = seq + 10000 WHERE name = 'job';"
    "UPDATE meta SET value = value + 1000000 WHERE key = 'next_sequence';"
    "UPDATE meta SET value = value + 1000 WHERE key = 'epoch';";

std::int64_t file_size(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? status.st_size : 0;
}

// Copies every page; `to` must exist and be empty.
void copy_database(Database& from, const std::string& to) {
  Database target = Database::open(to, 0);
  target.run("PRAGMA synchronous = FULL");
  sqlite3_backup* copy = sqlite3_backup_init(target.handle(), "main", from.handle(), "main");
  if (copy == nullptr) throw SqliteError(target.handle(), to);
  sqlite3_backup_step(copy, -1);
  if (sqlite3_backup_finish(copy) != SQLITE_OK) throw SqliteError(target.handle(), to);
}

bool make_empty_file(const std::string& path) {
  // A journal that an earlier try left behind would be taken for the new file's.
  for (const char* ending : {"", "-journal", "-wal"}) unlink((path + ending).c_str());
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  close(fd);
  return true;
}

// "" or why there is no complete, synced copy at `to`.
std::string copy_to(Database& from, const std::string& to) {
  const std::string fresh = to + ".new";
  const std::string directory = to.substr(0, to.rfind('/'));
  struct statvfs space {};
  const std::int64_t size = file_size(from.path());
  if (statvfs(directory.c_str(), &space) == 0 &&
      static_cast<std::int64_t>(space.f_bavail * space.f_frsize) < 2 * size) {
    return "no backup of " + from.path() + ": not enough free space in " + directory;
  }
  if (!make_empty_file(fresh)) return system_error("cannot create " + fresh, errno);
  try {
    copy_database(from, fresh);
  } catch (const SqliteError& error) {
    unlink(fresh.c_str());
    return std::string("no backup of ") + from.path() + ": " + error.what();
  }
  if (rename(fresh.c_str(), to.c_str()) != 0 || !sync_directory(directory)) {
    return system_error("cannot put " + to + " in place", errno);
  }
  return "";
}

// A database appears under its own name only when it is complete.
std::string create_database(const std::string& path, const std::vector<Migration>& migrations) {
  const std::string fresh = path + ".new";
  if (!make_empty_file(fresh)) return system_error("cannot create " + fresh, errno);
  try {
    Database database = Database::open(fresh, 0);
    database.run("PRAGMA synchronous = FULL");
    migrate(database, migrations);
  } catch (const SqliteError& error) {
    unlink(fresh.c_str());
    return "cannot create " + path + ": " + error.what() +
           (error.no_space() ? ": free space in its directory" : "");
  }
  HYADES_FAILPOINT("queue_before_create");
  const bool placed =
      rename(fresh.c_str(), path.c_str()) == 0 && sync_directory(path.substr(0, path.rfind('/')));
  return placed ? "" : system_error("cannot put " + path + " in place", errno);
}

// Sets up what the master relies on. After this the file may have changed.
void configure(Database& database) {
  database.run(
      "PRAGMA journal_mode = WAL;"
      "PRAGMA synchronous = FULL;"
      "PRAGMA cache_size = -2048;"
      "PRAGMA temp_store = MEMORY;"
      "PRAGMA journal_size_limit = 67108864;"
      "PRAGMA wal_autocheckpoint = 0");  // the store checkpoints itself and looks at the result
  if (database.text("PRAGMA journal_mode") != "wal") {
    throw SqliteError(SQLITE_ERROR, 0, "the file system cannot hold a write-ahead log");
  }
}

QueueNote::Content content_of(Database& database) {
  return {database.text("SELECT value FROM meta WHERE key = 'cluster_id'"),
          static_cast<Epoch>(database.number("SELECT value FROM meta WHERE key = 'epoch'")),
          static_cast<std::uint64_t>(
              database.number("SELECT seq FROM sqlite_sequence WHERE name = 'job_event'")),
          static_cast<JobId>(database.number("SELECT seq FROM sqlite_sequence WHERE name = 'job'")),
          static_cast<LaunchSequence>(
              database.number("SELECT value FROM meta WHERE key = 'next_sequence'"))};
}

// A queue without its note was restored by hand (or its creation was cut off).
void adopt(Database& database) {
  if (database.number("SELECT count(*) FROM (SELECT 1 FROM job LIMIT 1)") == 0) return;
  Transaction transaction(database);
  database.run(kSkipNumbers);
  transaction.commit();
}

// Throws SqliteError; returns what else is wrong.
std::string prepare(Database& database, const Options& options,
                    const std::vector<Migration>& migrations,
                    const std::optional<QueueNote::Content>& note) {
  // Before the first access: then the log's index is in our memory and the file is ours alone.
  database.run("PRAGMA locking_mode = EXCLUSIVE");
  std::string problem = check_queue(database, newest_version(migrations), options.small_bytes);
  if (problem.empty() && note) problem = check_against_note(database, content_of(database), *note);
  if (!problem.empty()) return problem;

  configure(database);
  const std::int64_t version = schema_version(database);
  if (version < newest_version(migrations)) {
    problem = copy_to(database, database.path() + ".backup-v" + std::to_string(version));
    if (!problem.empty()) {
      return problem + ". Without one its schema is not upgraded from version " +
             std::to_string(version);
    }
    migrate(database, migrations);
  }
  if (!note) adopt(database);
  // Everything into the main file, so that a copy of it is complete. The log keeps its space: when
  // the disk is full, the queue can go on in it for a while.
  const int code = sqlite3_wal_checkpoint_v2(database.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                             nullptr, nullptr);
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_FULL) {
    throw SqliteError(database.handle(), "cannot write " + database.path());
  }
  return "";
}

std::string check_files(const std::string& path) {
  for (const char* ending :
       {"", "-wal", "-shm", "-journal", ".note", ".note.new", ".new", ".backup", ".backup.new"}) {
    const std::string problem = check_private_file(path + ending);
    if (!problem.empty()) return problem;
  }
  return "";
}

// There is no database: may one be made?
std::string check_absence(const std::string& path) {
  for (const char* ending : {".note", "-wal", ".backup"}) {
    if (exists(path + ending)) {
      return path + " is missing, but " + path + ending +
             " is there, so this directory has held a queue. Put the queue back" + way_out(path) +
             ". To start an empty queue on purpose, first let the running jobs end (or stop them); "
             "then move everything else that is called queue.* and the directory spool, which "
             "remembers the old queue, away";
    }
  }
  return "";
}

}  // namespace

std::unique_ptr<QueueFile> QueueFile::open(const StateDirectory& directory, const Options& options,
                                           std::string& error) {
  const std::string path = directory.path() + "/queue.db";
  const std::string note_path = path + ".note";
  const std::vector<Migration>& migrations =
      options.migrations != nullptr ? *options.migrations : embedded_migrations();
  error = check_files(path);
  if (!error.empty()) return nullptr;
  if (!exists(path)) {
    error = check_absence(path);
    if (error.empty()) error = create_database(path, migrations);
    if (!error.empty()) return nullptr;
  }
  error = check_header(path, newest_version(migrations));
  if (!error.empty()) return nullptr;
  try {
    const std::optional<QueueNote::Content> note = QueueNote::read(note_path);
    Database database = Database::open(path, options.busy_timeout_ms);
    error = prepare(database, options, migrations, note);
    if (!error.empty()) return nullptr;
    const QueueNote::Content content = content_of(database);
    // A note that is there is only overwritten: a full disk must not keep the master away.
    if (!note && !QueueNote::create(note_path, content)) {
      error = system_error("cannot write " + note_path, errno) + ": free space in its directory";
      return nullptr;
    }
    std::unique_ptr<QueueFile> file(new QueueFile(path, std::move(database), content));
    file->note().advance(content);
    file->back_up_if_old(options);
    return file;
  } catch (const SqliteError& failure) {
    error = explain(failure, path);
    return nullptr;
  }
}

QueueFile::QueueFile(std::string path, Database database, const QueueNote::Content& content)
    : path_(std::move(path)),
      database_(std::move(database)),
      content_(content),
      note_(path_ + ".note", content.cluster_id) {}

std::string QueueFile::backup() { return copy_to(database_, path_ + ".backup"); }

void QueueFile::back_up_if_old(const Options& options) {
  const std::string copy = path_ + ".backup";
  struct stat status {};
  const bool fresh = stat(copy.c_str(), &status) == 0 &&
                     std::time(nullptr) - status.st_mtime < options.backup_every_s;
  if (options.backup_every_s < 0 || fresh || file_size(path_) > options.small_bytes) return;
  // Now is the moment: the queue has just been checked, and nobody is connected yet. One copy is
  // enough to come back from damage to the file; it is no substitute for a copy elsewhere.
  warning_ = backup();
}

}  // namespace hyades
