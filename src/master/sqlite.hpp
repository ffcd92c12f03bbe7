// The little of SQLite's C API that Hyades uses, with owners for its handles. SQL texts are
// constants: values are only ever bound. One thread. Every failure is a SqliteError, which the
// store catches at its edge.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace hyades {

class SqliteError : public std::runtime_error {
 public:
  // `code` may be an extended result code.
  SqliteError(int code, int system_errno, const std::string& message)
      : std::runtime_error(message), extended_code_(code), system_errno_(system_errno) {}
  SqliteError(sqlite3* handle, const std::string& doing);

  int code() const { return extended_code_ & 0xff; }  // primary result code
  int system_errno() const { return system_errno_; }  // 0 unless the system refused something
  // The disk, a quota or a limit on the file's size; nothing was stored.
  bool no_space() const;
  bool busy() const { return code() == SQLITE_BUSY || code() == SQLITE_LOCKED; }
  // What the file holds makes no sense (as opposed to: it could not be read).
  bool damaged() const { return code() == SQLITE_CORRUPT || code() == SQLITE_NOTADB; }

 private:
  int extended_code_;
  int system_errno_;
};

// One connection. Closing neither checkpoints nor removes the log: whoever wants that says so.
class Database {
 public:
  // The file must exist, be no symbolic link, and have its final mode. Waits at most
  // `busy_timeout_ms` for locks of others, now and in every later call.
  static Database open(const std::string& path, int busy_timeout_ms);

  sqlite3* handle() const { return handle_.get(); }
  const std::string& path() const { return path_; }

  // Runs constant statements one after the other, results ignored. `script` may hold several.
  void run(const char* script);
  // The first column of the first row of a constant query; 0 or "" when there is none.
  std::int64_t number(const char* query);
  std::string text(const char* query);

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  Database() = default;

  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

// A prepared statement, kept for many executions. Must not outlive its database.
class Statement {
 public:
  Statement(const Database& database, const char* sql);
  sqlite3_stmt* handle() const { return handle_.get(); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

// One execution of a statement: bind, step, read columns. The statement is ready for the next one
// when this goes out of scope. Bound strings must live that long.
class Execution {
 public:
  explicit Execution(const Statement& statement) : handle_(statement.handle()) {}
  ~Execution();
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  // Values for ?1, ?2, ... in the order of the calls.
  Execution& number(std::int64_t value);
  Execution& text(std::string_view value);  // bytes are kept as they are
  Execution& blob(std::string_view value);
  Execution& null();

  bool step();  // true: there is a row
  // Runs a statement that returns no rows; how many rows it changed.
  int run();

  std::int64_t column_number(int column) const;
  std::string column_text(int column) const;  // text or blob; "" for NULL
  bool column_is_null(int column) const;

 private:
  void check(int code, const char* doing);

  sqlite3_stmt* handle_;
  int bound_ = 0;
};

// Rolls back unless committed.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace hyades
