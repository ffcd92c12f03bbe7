#include "master/sqlite_store.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <map>

#include "core/failpoint.hpp"
#include "master/event_json.hpp"
#include "master/job_query.hpp"

namespace hyades {
namespace {

// 4 MiB of log: small enough to be written back within a turn, large enough that hot pages are
// written back once for many commits.
constexpr int kLogPagesMax = 1000;

int remember_log_pages(void* pages, sqlite3*, const char*, int count) {
  *static_cast<int*>(pages) = count;
  return SQLITE_OK;
}

}  // namespace

std::unique_ptr<SqliteStore> SqliteStore::open(const StateDirectory& directory, std::string& error,
                                               const QueueFile::Options& options) {
  std::unique_ptr<QueueFile> file = QueueFile::open(directory, options, error);
  if (!file) return nullptr;
  const std::string path = file->path();
  try {
    return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(file)));
  } catch (const SqliteError& failure) {
    error = std::string("cannot use ") + path + ": " + failure.what();
    return nullptr;
  }
}

SqliteStore::SqliteStore(std::unique_ptr<QueueFile> file)
    : file_(std::move(file)),
      jobs_(file_->database()),
      nodes_(file_->database()),
      models_(file_->database()),
      set_epoch_(file_->database(), "UPDATE meta SET value = ?1 WHERE key = 'epoch'"),
      set_next_sequence_(file_->database(),
                         "UPDATE meta SET value = ?1 WHERE key = 'next_sequence'"),
      select_ended_(file_->database(),
                    "SELECT outcome, started FROM job WHERE id = ?1 AND phase = 'ENDED'"),
      select_token_(file_->database(), "SELECT id FROM job WHERE uid = ?1 AND token = ?2"),
      select_owner_(file_->database(), "SELECT uid FROM job WHERE id = ?1") {
  at_ = file_->content();
  step_secret_ = file_->database().text("SELECT value FROM meta WHERE key = 'step_secret'");
  sqlite3_wal_hook(file_->database().handle(), remember_log_pages, &log_pages_);
}

Epoch SqliteStore::begin_epoch() {
  last_error_.clear();
  try {
    Transaction transaction(file_->database());
    Execution(set_epoch_).number(static_cast<std::int64_t>(at_.epoch + 1)).run();
    transaction.commit();
  } catch (const SqliteError& error) {
    failed(error);
    return 0;
  }
  ++at_.epoch;
  file_->note().advance(at_);
  return at_.epoch;
}

// ---- writing ---------------------------------------------------------------------------------

CommitResult SqliteStore::commit(const Batch& batch) {
  last_error_ = broken_;
  if (batch.empty() && broken_.empty()) return CommitResult::Committed;
  return in_transaction([&] { write(batch); });
}

CommitResult SqliteStore::commit(const ModelChange& change) {
  return in_transaction([&] { models_.append(change); });
}

template <typename Write>
CommitResult SqliteStore::in_transaction(const Write& write) {
  last_error_ = broken_;
  if (!broken_.empty()) return CommitResult::Failed;
  const QueueNote::Content before = at_;
  try {
    Transaction transaction(file_->database());
    write();
    HYADES_FAILPOINT("store_before_commit");
    transaction.commit();
  } catch (const SqliteError& error) {
    at_ = before;
    return failed(error);
  }
  HYADES_FAILPOINT("store_after_commit");
  ++commits_;
  file_->note().advance(at_);
  checkpoint_when_large();
  return CommitResult::Committed;
}

void SqliteStore::write(const Batch& batch) {
  std::map<JobId, const NewJob*> origins;
  for (const NewJob& job : batch.new_jobs) {
    if (!origins.emplace(job.job, &job).second) {
      throw SqliteError(SQLITE_CONSTRAINT, 0, "job " + std::to_string(job.job) + " comes twice");
    }
  }
  const LaunchSequence next_sequence = at_.next_sequence;
  for (const JobEvent& event : batch.job_events) {
    const NewJob* origin = nullptr;
    if (std::holds_alternative<Submitted>(event.what)) {
      at_.last_job = std::max(at_.last_job, event.job);
      const auto found = origins.find(event.job);
      if (found != origins.end()) {
        origin = found->second;
        origins.erase(found);
      }
    } else if (const auto* assigned = std::get_if<Assigned>(&event.what)) {
      at_.next_sequence = std::max(at_.next_sequence, assigned->key.sequence + 1);
    }
    jobs_.append(event, origin, at_.epoch);
    at_.last_event =
        static_cast<std::uint64_t>(sqlite3_last_insert_rowid(file_->database().handle()));
  }
  if (!origins.empty()) {
    throw SqliteError(SQLITE_CONSTRAINT, 0,
                      "job " + std::to_string(origins.begin()->first) + " has no Submitted event");
  }
  for (const NodeEvent& event : batch.node_events) nodes_.append(event);
  if (at_.next_sequence != next_sequence) {
    Execution(set_next_sequence_).number(static_cast<std::int64_t>(at_.next_sequence)).run();
  }
}

CommitResult SqliteStore::failed(const SqliteError& error) {
  const std::string& path = file_->path();
  if (error.no_space()) {
    last_error_ =
        "queue storage full: " + path + ": free space on its file system (" + error.what() + ")";
    return CommitResult::Full;
  }
  if (error.busy()) {
    last_error_ = "queue database is locked by another process: " + path +
                  ": end whatever has it open (" + error.what() + ")";
    return CommitResult::Full;
  }
  last_error_ = "queue database failed: " + path + ": " + error.what();
  // A wrong batch leaves the file as it was. Anything else may not have: after a failed sync even
  // a retry that succeeds proves nothing.
  if (error.code() != SQLITE_CONSTRAINT) broken_ = last_error_;
  return CommitResult::Failed;
}

void SqliteStore::checkpoint_when_large() {
  if (log_pages_ < kLogPagesMax) return;
  HYADES_FAILPOINT("store_before_checkpoint");
  const int code = sqlite3_wal_checkpoint_v2(file_->database().handle(), nullptr,
                                             SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  const int primary = code & 0xff;
  if (code == SQLITE_OK) log_pages_ = 0;
  // The batch is durable in the log, whatever happened now. Without space the log goes on growing
  // until a commit reports it; after any other failure the main file cannot be trusted.
  if (code == SQLITE_OK || primary == SQLITE_FULL || primary == SQLITE_BUSY) return;
  const SqliteError error(file_->database().handle(), "checkpoint");
  if (!error.no_space()) {
    broken_ = "queue database failed: " + file_->path() + ": " + error.what();
  }
}

// ---- reading ---------------------------------------------------------------------------------

void SqliteStore::load(StoredState& state, const std::function<void(const JobEvent&)>& event) {
  last_error_.clear();
  try {
    state.next_job = at_.last_job + 1;
    state.next_sequence = at_.next_sequence;
    state.node_events = nodes_.load();
    load_events(event);
  } catch (const std::exception& failure) {
    last_error_ = "cannot read " + file_->path() + ": " + failure.what();
  }
}

ModelRegistry SqliteStore::load_models() {
  last_error_.clear();
  try {
    return models_.load();
  } catch (const SqliteError& failure) {
    last_error_ = "cannot read " + file_->path() + ": " + failure.what();
    return {};
  }
}

void SqliteStore::load_events(const std::function<void(const JobEvent&)>& event) {
  // The list of live events is made first, of numbers only, and sorts them; rows are then read in
  // the order in which they lie in the file.
  const Statement statement(
      file_->database(),
      "SELECT e.job, e.at_ms, e.kind, CASE e.kind WHEN 'submitted' THEN j.spec ELSE e.detail END "
      "FROM job_event e CROSS JOIN job j ON j.id = e.job WHERE e.seq IN "
      "(SELECT live.seq FROM job l CROSS JOIN job_event live ON live.job = l.id "
      "WHERE l.phase <> 'ENDED') ORDER BY e.seq");
  Execution row(statement);
  while (row.step()) {
    event(event_from_json(static_cast<JobId>(row.column_number(0)), row.column_number(1),
                          row.column_text(2), row.column_text(3)));
  }
}

std::optional<JobPayload> SqliteStore::load_payload(JobId job) {
  last_error_.clear();
  try {
    std::optional<JobPayload> payload = jobs_.payload(job);
    if (!payload) last_error_ = "job " + std::to_string(job) + " has no payload";
    return payload;
  } catch (const std::exception& failure) {
    last_error_ = "cannot read the script of job " + std::to_string(job) + " from " +
                  file_->path() + ": " + failure.what();
    return std::nullopt;
  }
}

// HMAC-SHA256 of the launch's name under the queue's own secret, cut to 128 bits: nothing has to be
// stored for each launch, and no launch's key tells anything about another's.
std::string SqliteStore::step_key(const LaunchKey& key) {
  const std::string name = to_string(key);
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), step_secret_.data(), static_cast<int>(step_secret_.size()),
           reinterpret_cast<const unsigned char*>(name.data()), name.size(), mac,
           &size) == nullptr) {
    return "";
  }
  std::string text;
  for (unsigned int i = 0; i < 16; ++i) {
    constexpr const char* digits = "0123456789abcdef";
    text += digits[mac[i] >> 4];
    text += digits[mac[i] & 15];
  }
  return text;
}

std::optional<EndedJob> SqliteStore::find_ended(JobId job) const {
  try {
    Execution row(select_ended_);
    row.number(static_cast<std::int64_t>(job));
    if (!row.step()) return std::nullopt;
    EndedJob ended;
    parse_outcome(row.column_text(0), ended.outcome);
    ended.started = row.column_number(1) != 0;
    return ended;
  } catch (const SqliteError& failure) {
    last_error_ = "cannot read " + file_->path() + ": " + failure.what();
    return std::nullopt;
  }
}

std::optional<JobId> SqliteStore::find_token(std::uint32_t uid, const std::string& token) const {
  // A failure looks like "unknown"; the insertion that follows then meets the unique index.
  try {
    Execution row(select_token_);
    row.number(uid).text(token);
    if (token.empty() || !row.step()) return std::nullopt;
    return static_cast<JobId>(row.column_number(0));
  } catch (const SqliteError& failure) {
    last_error_ = "cannot read " + file_->path() + ": " + failure.what();
    return std::nullopt;
  }
}

std::optional<std::uint32_t> SqliteStore::owner(JobId job) const {
  try {
    Execution row(select_owner_);
    if (!row.number(static_cast<std::int64_t>(job)).step()) return std::nullopt;
    return static_cast<std::uint32_t>(row.column_number(0));
  } catch (const SqliteError& failure) {
    last_error_ = "cannot read " + file_->path() + ": " + failure.what();
    return std::nullopt;
  }
}

std::vector<StoredJob> SqliteStore::list_jobs(const JobQuery& query) const {
  try {
    return find_jobs(file_->database(), query);
  } catch (const SqliteError& failure) {
    last_error_ = "cannot read " + file_->path() + ": " + failure.what();
    return {};
  }
}

std::vector<StoredEvent> SqliteStore::events(JobId job) const {
  try {
    return find_events(file_->database(), job);
  } catch (const SqliteError& failure) {
    last_error_ = "cannot read " + file_->path() + ": " + failure.what();
    return {};
  }
}

}  // namespace hyades
