#include "master/queue_check.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "core/checksum.hpp"
#include "master/file_checks.hpp"
#include "master/migrations.hpp"

namespace hyades {
namespace {

std::string damaged(const std::string& path, const std::string& what) {
  return path + " is damaged (" + what +
         "). Hyades does not start on it and has not changed it. The way out" + way_out(path);
}

std::string newer(const std::string& path, std::int64_t version, int newest) {
  return path + " was written by a newer Hyades (schema version " + std::to_string(version) +
         "; this one knows up to " + std::to_string(newest) +
         "). It has not been changed: start the newer Hyades, or put back the copy "
         "queue.db.backup-v" +
         std::to_string(newest) + " that it made";
}

std::uint32_t big_endian(const unsigned char* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | bytes[3];
}

// "": whole. Otherwise the first few findings of SQLite in one line.
std::string sqlite_findings(Database& database, const char* pragma) {
  const Statement statement(database, pragma);
  Execution execution(statement);
  std::string findings;
  for (int i = 0; i < 3 && execution.step(); ++i) {
    std::string finding = execution.column_text(0);
    if (finding == "ok") return "";
    for (char& c : finding) {
      if (c == '\n') c = ' ';
    }
    findings += (findings.empty() ? "" : "; ") + finding;
  }
  return findings;
}

std::string check_structure(Database& database, std::int64_t small_bytes) {
  struct stat status {};
  if (stat(database.path().c_str(), &status) == 0 && status.st_size <= small_bytes) {
    return sqlite_findings(database, "PRAGMA integrity_check(3)");
  }
  for (const char* pragma : {"PRAGMA integrity_check(meta)", "PRAGMA integrity_check(job)",
                             "PRAGMA integrity_check(job_event)", "PRAGMA integrity_check(node)"}) {
    const std::string findings = sqlite_findings(database, pragma);
    if (!findings.empty()) return findings;
  }
  return "";
}

std::string check_live_jobs(Database& database) {
  const Statement statement(database,
                            "SELECT id, uid, coalesce(token, ''), user, name, queue, spec, "
                            "submit_ms, checksum FROM job WHERE phase <> 'ENDED'");
  Execution row(statement);
  while (row.step()) {
    Checksum sum;
    sum.add(row.column_number(0)).add(row.column_number(1));
    for (int column = 2; column <= 6; ++column) sum.add(row.column_text(column));
    sum.add(row.column_number(7));
    if (sum.value() != row.column_number(8)) {
      return "wrong checksum of job " + std::to_string(row.column_number(0));
    }
  }
  return "";
}

// The phase after an event of this kind, as in schema/job_states.md; "" where it cannot happen.
std::string next_phase(const std::string& phase, const std::string& kind) {
  const bool placed = phase == "LAUNCHING" || phase == "RUNNING";
  if (kind == "submitted") return phase.empty() ? "PENDING" : "";
  if (kind == "assigned") return phase == "PENDING" ? "LAUNCHING" : "";
  if (kind == "started") return phase == "LAUNCHING" ? "RUNNING" : "";
  if (kind == "requeued") return placed ? "PENDING" : "";
  return kind == "ended" ? "" : phase;
}

// One live job's events, as they are read: each whole, and none missing. The master replays them
// and stops at the first that makes no sense, which is too late for a clear message.
class History {
 public:
  std::string add(const Execution& row) {
    const std::string name = "job " + std::to_string(row.column_number(0));
    Checksum sum;
    sum.add(row.column_number(0)).add(row.column_number(1));
    sum.add(row.column_text(2)).add(row.column_text(3));
    if (sum.value() != row.column_number(4)) return "wrong checksum of an event of " + name;
    if (row.column_number(0) != job_) {
      const std::string gap = finish();
      if (!gap.empty()) return gap;
      *this = History{};
      job_ = row.column_number(0);
    }
    phase_ = next_phase(phase_, row.column_text(2));
    attempts_ += row.column_text(2) == "assigned" ? 1 : 0;
    stored_phase_ = row.column_text(5);
    stored_attempts_ = row.column_number(6);
    return phase_.empty() ? "events of " + name + " are missing" : "";
  }
  std::string finish() const {
    if (job_ == 0 || (phase_ == stored_phase_ && attempts_ == stored_attempts_)) return "";
    return "events of job " + std::to_string(job_) + " are missing";
  }

 private:
  std::int64_t job_ = 0;
  std::string phase_;
  std::string stored_phase_;
  std::int64_t attempts_ = 0;
  std::int64_t stored_attempts_ = 0;
};

std::string check_live_events(Database& database) {
  const Statement statement(database,
                            "SELECT e.job, e.at_ms, e.kind, e.detail, e.checksum, j.phase, "
                            "j.attempts FROM job j CROSS JOIN job_event e ON e.job = j.id "
                            "WHERE j.phase <> 'ENDED' ORDER BY j.id, e.seq");
  Execution row(statement);
  History history;
  while (row.step()) {
    const std::string problem = history.add(row);
    if (!problem.empty()) return problem;
  }
  return history.finish();
}

// A job without any event is seen by no other check.
std::string check_completeness(Database& database) {
  const std::int64_t job = database.number(
      "SELECT j.id FROM job j WHERE j.phase <> 'ENDED' AND NOT EXISTS "
      "(SELECT 1 FROM job_event e WHERE e.job = j.id AND e.kind = 'submitted') LIMIT 1");
  if (job != 0) return "job " + std::to_string(job) + " has no submission";
  const std::int64_t rows = database.number("SELECT count(*) FROM meta");
  if (rows < 4) return "the table meta is incomplete";
  return "";
}

}  // namespace

std::string way_out(const std::string& path) {
  std::string text = ": ";
  std::string newest;
  std::time_t newest_time = 0;
  std::error_code ignored;
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    const std::string& name = entry.path().native();
    struct stat status {};
    if (name.rfind(path + ".backup", 0) == 0 && stat(name.c_str(), &status) == 0 &&
        status.st_mtime >= newest_time) {
      newest = name;
      newest_time = status.st_mtime;
    }
  }
  if (!newest.empty()) {
    char when[32] = "";
    struct tm parts {};
    std::strftime(when, sizeof when, "%Y-%m-%d %H:%M", localtime_r(&newest_time, &parts));
    text += "restore the newest backup, " + newest + " (of " + when + "), or ";
  }
  // Not ".recover": the sqlite3 of Debian 12 cannot do it.
  return text + "keep what is readable: (sqlite3 " + path +
         " .dump | sed 's/^ROLLBACK.*/COMMIT;/'; echo 'PRAGMA application_id = " +
         std::to_string(kQueueApplicationId) +
         "; PRAGMA user_version = " + std::to_string(newest_version(embedded_migrations())) +
         ";') | sqlite3 " + path +
         ".recovered. Either way copy the directory first, then put the file in place as " + path +
         " with mode 600 and remove " + path + "-wal and " + path +
         ".note; job ids go on with a gap";
}

std::string check_header(const std::string& path, int newest_version) {
  // Closed again before SQLite opens the file: closing any descriptor of it later would drop
  // SQLite's locks.
  const int fd = open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return system_error("cannot read " + path, errno);
  std::array<unsigned char, 100> header{};
  const ssize_t size = read(fd, header.data(), header.size());
  const int error = errno;
  close(fd);
  if (size < 0) return system_error("cannot read " + path, error);
  if (size == 0) return damaged(path, "it is empty");
  if (size < static_cast<ssize_t>(header.size())) return damaged(path, "it is cut off");
  if (std::memcmp(header.data(), "SQLite format 3", 16) != 0) {
    return damaged(path, "it does not begin like an SQLite file");
  }
  if (big_endian(&header[68]) != static_cast<std::uint32_t>(kQueueApplicationId)) {
    return path +
           " is an SQLite file, but not a Hyades queue: move it away, or put the queue back" +
           way_out(path);
  }
  const auto version = static_cast<std::int32_t>(big_endian(&header[60]));
  if (version > newest_version) return newer(path, version, newest_version);
  return "";
}

std::string check_queue(Database& database, int newest_version, std::int64_t small_bytes) {
  const std::string& path = database.path();
  // The log may hold a newer header than the file.
  const std::int64_t version = schema_version(database);
  if (version > newest_version) return newer(path, version, newest_version);
  if (database.number("PRAGMA application_id") != kQueueApplicationId || version < 1) {
    return damaged(path, "its header is not a queue's");
  }
  std::string findings = check_structure(database, small_bytes);
  if (findings.empty()) findings = check_completeness(database);
  if (findings.empty()) findings = check_live_jobs(database);
  if (findings.empty()) findings = check_live_events(database);
  return findings.empty() ? "" : damaged(path, findings);
}

std::string check_against_note(Database& database, const QueueNote::Content& found,
                               const QueueNote::Content& note) {
  const std::string& path = database.path();
  if (found.cluster_id != note.cluster_id) {
    return path + " belongs to cluster " + found.cluster_id + ", but this directory to cluster " +
           note.cluster_id + ": put the right file back" + way_out(path);
  }
  if (found.last_event < note.last_event || found.epoch < note.epoch ||
      found.last_job < note.last_job || found.next_sequence < note.next_sequence) {
    return path + " lacks its newest part: event " + std::to_string(note.last_event) +
           " of master " + std::to_string(note.epoch) + " was committed, the file ends at event " +
           std::to_string(found.last_event) + " of master " + std::to_string(found.epoch) + ". " +
           path +
           "-wal was removed or damaged, or an older copy was put back. To go on without "
           "that part, remove " +
           path + ".note. Else" + way_out(path);
  }
  return "";
}

std::string explain(const SqliteError& error, const std::string& path) {
  if (error.busy()) {
    return path +
           " is locked by another process (an sqlite3 shell, a backup tool?): end it, then "
           "start the master again";
  }
  if (error.damaged()) return damaged(path, error.what());
  if (error.no_space()) {
    return std::string("queue storage full: ") + error.what() + ": free space for " + path;
  }
  return std::string(error.what()) + ": " + path + " must be readable and writable";
}

}  // namespace hyades
