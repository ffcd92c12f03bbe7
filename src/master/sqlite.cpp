#include "master/sqlite.hpp"

#include <cerrno>
#include <cstring>

namespace hyades {
namespace {

// Why the system refused the last write; 0: unknown. sqlite3_system_errno() does not know it when
// a COMMIT fails, the file that was written to does: the log, else the main file.
int last_errno(sqlite3* handle) {
  int error = 0;
  sqlite3_file* log = nullptr;
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log != nullptr && log->pMethods != nullptr) {
    log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &error);
  }
  if (error == 0) sqlite3_file_control(handle, "main", SQLITE_FCNTL_LAST_ERRNO, &error);
  return error == 0 ? sqlite3_system_errno(handle) : error;
}

std::string describe(sqlite3* handle, const std::string& doing) {
  std::string message = doing + ": " + sqlite3_errmsg(handle);
  const int code = sqlite3_errcode(handle) & 0xff;
  const int error = last_errno(handle);
  if (error != 0 && (code == SQLITE_IOERR || code == SQLITE_FULL || code == SQLITE_CANTOPEN)) {
    message += std::string(" (") + std::strerror(error) + ")";
  }
  return message;
}

}  // namespace

SqliteError::SqliteError(sqlite3* handle, const std::string& doing)
    : SqliteError(sqlite3_extended_errcode(handle), last_errno(handle), describe(handle, doing)) {}

bool SqliteError::no_space() const {
  // SQLite knows only ENOSPC as "full"; a quota or a limit is the same to whoever has to free
  // space. Only for writing: after a sync that failed nobody knows what the disk holds.
  return code() == SQLITE_FULL || (extended_code_ == SQLITE_IOERR_WRITE &&
                                   (system_errno_ == EDQUOT || system_errno_ == EFBIG));
}

Database Database::open(const std::string& path, int busy_timeout_ms) {
  Database database;
  database.path_ = path;
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
                    SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  database.handle_.reset(handle);
  if (code != SQLITE_OK) throw SqliteError(handle, "cannot open " + path);

  sqlite3_busy_timeout(handle, busy_timeout_ms);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  int persist = 1;
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
  return database;
}

void Database::run(const char* script) {
  while (*script != '\0') {
    sqlite3_stmt* statement = nullptr;
    const char* rest = nullptr;
    if (sqlite3_prepare_v2(handle(), script, -1, &statement, &rest) != SQLITE_OK) {
      throw SqliteError(handle(), path_);
    }
    script = rest;
    if (statement == nullptr) continue;  // only blanks or a comment
    int code = SQLITE_ROW;
    while (code == SQLITE_ROW) code = sqlite3_step(statement);
    if (sqlite3_finalize(statement) != SQLITE_OK) throw SqliteError(handle(), path_);
  }
}

std::int64_t Database::number(const char* query) {
  const Statement statement(*this, query);
  Execution execution(statement);
  return execution.step() ? execution.column_number(0) : 0;
}

std::string Database::text(const char* query) {
  const Statement statement(*this, query);
  Execution execution(statement);
  return execution.step() ? execution.column_text(0) : "";
}

Statement::Statement(const Database& database, const char* sql) {
  sqlite3_stmt* handle = nullptr;
  const int code =
      sqlite3_prepare_v3(database.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) throw SqliteError(database.handle(), database.path());
}

Execution::~Execution() {
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
}

void Execution::check(int code, const char* doing) {
  if (code != SQLITE_OK) throw SqliteError(sqlite3_db_handle(handle_), doing);
}

Execution& Execution::number(std::int64_t value) {
  check(sqlite3_bind_int64(handle_, ++bound_, value), "binding a number");
  return *this;
}

Execution& Execution::text(std::string_view value) {
  // A null pointer would bind NULL.
  const char* data = value.data() == nullptr ? "" : value.data();
  check(sqlite3_bind_text64(handle_, ++bound_, data, value.size(), SQLITE_STATIC, SQLITE_UTF8),
        "binding a text");
  return *this;
}

Execution& Execution::blob(std::string_view value) {
  const char* data = value.data() == nullptr ? "" : value.data();
  check(sqlite3_bind_blob64(handle_, ++bound_, data, value.size(), SQLITE_STATIC),
        "binding a blob");
  return *this;
}

Execution& Execution::null() {
  check(sqlite3_bind_null(handle_, ++bound_), "binding NULL");
  return *this;
}

bool Execution::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  throw SqliteError(sqlite3_db_handle(handle_), "queue database");
}

int Execution::run() {
  while (step()) {
  }
  return sqlite3_changes(sqlite3_db_handle(handle_));
}

std::int64_t Execution::column_number(int column) const {
  return sqlite3_column_int64(handle_, column);
}

std::string Execution::column_text(int column) const {
  // Blob access returns the stored bytes of texts as well, whatever they are.
  const void* data = sqlite3_column_blob(handle_, column);
  const int size = sqlite3_column_bytes(handle_, column);
  return data == nullptr ? std::string()
                         : std::string(static_cast<const char*>(data), std::size_t(size));
}

bool Execution::column_is_null(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

Transaction::Transaction(Database& database) : database_(database) {
  database_.run("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  // After some errors (no space, no memory) SQLite has rolled back by itself.
  if (!open_ || sqlite3_get_autocommit(database_.handle()) != 0) return;
  try {
    database_.run("ROLLBACK");
  } catch (const SqliteError&) {
    // The statement that failed before has told why; a transaction that is still open makes the
    // next BEGIN fail loudly.
  }
}

void Transaction::commit() {
  database_.run("COMMIT");
  open_ = false;
}

}  // namespace hyades
