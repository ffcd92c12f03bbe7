#include "master/telemetry_store.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "wire/unique_fd.hpp"

namespace hyades {

// schema/telemetry.sql
extern const char* const kTelemetrySchema;

namespace {

constexpr std::int64_t kApplicationId = 0x4859544d;  // "HYTM"
constexpr std::int64_t kVersion = 3;
constexpr int kIdBytes = 4;
constexpr int kValueBytes = 8;
constexpr std::size_t kEntryBytes = kIdBytes + kValueBytes;
constexpr std::size_t kMetricsMax = 100'000;  // names that jobs have made up among them

void append(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
}

std::uint64_t read_bytes(const std::string& in, std::size_t at, int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(in[at + static_cast<std::size_t>(i)])}
             << (8 * i);
  }
  return value;
}

double as_double(std::uint64_t bits) {
  double value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

std::uint64_t as_bits(double value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

void configure(Database& database) {
  // Nobody else's business while we have it. A power cut may take the last minutes, not more.
  database.run(
      "PRAGMA locking_mode = EXCLUSIVE;"
      "PRAGMA journal_mode = WAL;"
      "PRAGMA synchronous = NORMAL;"
      "PRAGMA cache_size = -2048;"
      "PRAGMA journal_size_limit = 16777216");
}

// What version 2 has and version 1 had not.
constexpr const char* kToVersion2 =
    "CREATE TABLE decision (id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, "
    "decision BLOB NOT NULL) STRICT;"
    "CREATE INDEX decision_by_time ON decision (at_ms);"
    "PRAGMA user_version = 2";
// Likewise version 3.
constexpr const char* kToVersion3 =
    "ALTER TABLE decision ADD COLUMN shadow INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE model_tally (model TEXT PRIMARY KEY, decisions INTEGER NOT NULL DEFAULT 0, "
    "shadow INTEGER NOT NULL DEFAULT 0, compared INTEGER NOT NULL DEFAULT 0, "
    "agreed INTEGER NOT NULL DEFAULT 0) STRICT;"
    "PRAGMA user_version = 3";

// Throws SqliteError when the file is not one of ours.
Database open_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) throw SqliteError(SQLITE_CANTOPEN, errno, path + ": " + std::strerror(errno));
  Database database = Database::open(path, 1000);
  configure(database);
  if (database.number("SELECT count(*) FROM sqlite_schema") == 0) {
    Transaction transaction(database);
    database.run(kTelemetrySchema);
    transaction.commit();
  }
  if (database.number("PRAGMA application_id") == kApplicationId) {
    Transaction transaction(database);
    if (database.number("PRAGMA user_version") == 1) database.run(kToVersion2);
    if (database.number("PRAGMA user_version") == 2) database.run(kToVersion3);
    transaction.commit();
  }
  if (database.number("PRAGMA application_id") != kApplicationId ||
      database.number("PRAGMA user_version") != kVersion) {
    throw SqliteError(SQLITE_NOTADB, 0, path + " is of another version, or not ours");
  }
  if (database.text("PRAGMA quick_check(1)") != "ok") {
    throw SqliteError(SQLITE_CORRUPT, 0, path + " is damaged");
  }
  return database;
}

void put_aside(const std::string& path) {
  for (const char* part : {"", "-wal", "-shm"}) {
    rename((path + part).c_str(), (path + ".old" + part).c_str());
  }
}

}  // namespace

struct TelemetryStore::Statements {
  explicit Statements(const Database& database)
      : add_metric(database, "INSERT INTO metric (name, unit, modelled) VALUES (?1, ?2, ?3)"),
        add_node(database, "INSERT INTO node (name) VALUES (?1)"),
        put_minute(database, "INSERT OR REPLACE INTO node_minute VALUES (?1, ?2, ?3)"),
        minutes(database,
                "SELECT at_ms, figures FROM node_minute WHERE node = ?1 AND at_ms >= ?2 "
                "ORDER BY at_ms DESC LIMIT ?3"),
        put_job(database, "INSERT OR REPLACE INTO job VALUES (?1, ?2, ?3)"),
        find_job(database, "SELECT telemetry FROM job WHERE id = ?1"),
        add_decision(database,
                     "INSERT INTO decision (at_ms, decision, shadow) VALUES (?1, ?2, ?3)"),
        count_model(database,
                    "INSERT INTO model_tally VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (model) DO "
                    "UPDATE SET decisions = decisions + ?2, shadow = shadow + ?3, "
                    "compared = compared + ?4, agreed = agreed + ?5"),
        tallies(database, "SELECT model, decisions, shadow, compared, agreed FROM model_tally"),
        decisions(database,
                  "SELECT id, decision FROM decision WHERE shadow <= ?2 ORDER BY id DESC LIMIT ?1"),
        find_decision(database, "SELECT id, decision FROM decision WHERE id = ?1"),
        prune_decisions(database, "DELETE FROM decision WHERE at_ms < ?1"),
        prune_minutes(database, "DELETE FROM node_minute WHERE at_ms < ?1"),
        prune_jobs(database, "DELETE FROM job WHERE at_ms < ?1") {}

  Statement add_metric;
  Statement add_node;
  Statement put_minute;
  Statement minutes;
  Statement put_job;
  Statement find_job;
  Statement add_decision;
  Statement count_model;
  Statement tallies;
  Statement decisions;
  Statement find_decision;
  Statement prune_decisions;
  Statement prune_minutes;
  Statement prune_jobs;
};

std::unique_ptr<TelemetryStore> TelemetryStore::open(const std::string& state_directory,
                                                     std::string& trouble) {
  const std::string path = state_directory + "/telemetry.db";
  for (const bool again : {false, true}) {
    try {
      return std::unique_ptr<TelemetryStore>(new TelemetryStore(open_file(path)));
    } catch (const SqliteError& error) {
      trouble = error.what();
      if (again || !error.damaged()) return nullptr;
      trouble += "; it is now " + path + ".old, and a new one is begun";
      put_aside(path);
    }
  }
  return nullptr;
}

TelemetryStore::TelemetryStore(Database database)
    : database_(std::move(database)), statements_(std::make_unique<Statements>(database_)) {
  load_names();
}

void TelemetryStore::load_names() {
  metric_ids_.clear();
  metrics_.clear();
  node_ids_.clear();
  const Statement metrics(database_, "SELECT id, name, unit, modelled FROM metric");
  for (Execution row(metrics); row.step();) {
    const MetricName name{row.column_text(1), row.column_text(2), row.column_number(3) != 0};
    metric_ids_[name] = row.column_number(0);
    metrics_[row.column_number(0)] = name;
  }
  const Statement nodes(database_, "SELECT id, name FROM node");
  for (Execution row(nodes); row.step();) node_ids_[row.column_text(1)] = row.column_number(0);
}

TelemetryStore::~TelemetryStore() { flush(); }

// What was written since the last flush is lost with a failure; ids that were given out in it too.
template <typename Action>
void TelemetryStore::attempt(const Action& action) {
  try {
    action();
  } catch (const SqliteError& error) {
    trouble_ = error.what();
    roll_back();
  }
}

void TelemetryStore::roll_back() {
  if (!transaction_) return;
  transaction_.reset();
  try {
    load_names();
  } catch (const SqliteError& error) {
    trouble_ = error.what();
  }
}

void TelemetryStore::begin() {
  if (!transaction_) transaction_ = std::make_unique<Transaction>(database_);
}

void TelemetryStore::flush() {
  if (!transaction_) return;
  attempt([&] {
    transaction_->commit();
    transaction_.reset();
  });
}

std::int64_t TelemetryStore::metric_id(const Figure& figure) {
  const MetricName name{figure.name, figure.unit, figure.modelled};
  const auto found = metric_ids_.find(name);
  if (found != metric_ids_.end()) return found->second;
  if (metric_ids_.size() >= kMetricsMax) return 0;
  Execution(statements_->add_metric)
      .text(figure.name)
      .text(figure.unit)
      .number(figure.modelled ? 1 : 0)
      .run();
  const std::int64_t id = sqlite3_last_insert_rowid(database_.handle());
  metric_ids_[name] = id;
  metrics_[id] = name;
  return id;
}

std::int64_t TelemetryStore::node_id(const std::string& node) {
  const auto found = node_ids_.find(node);
  if (found != node_ids_.end()) return found->second;
  Execution(statements_->add_node).text(node).run();
  return node_ids_[node] = sqlite3_last_insert_rowid(database_.handle());
}

void TelemetryStore::add_minute(const std::string& node, WallMs at_ms,
                                const std::vector<Figure>& figures) {
  attempt([&] {
    begin();
    std::string packed;
    for (const Figure& figure : figures) {
      const std::int64_t id = metric_id(figure);
      if (id == 0) continue;
      append(packed, static_cast<std::uint64_t>(id), kIdBytes);
      append(packed, as_bits(figure.value), kValueBytes);
    }
    Execution(statements_->put_minute).number(node_id(node)).number(at_ms).blob(packed).run();
  });
}

void TelemetryStore::put_job(const pb::JobTelemetry& job) {
  attempt([&] {
    begin();
    const std::string packed = job.SerializeAsString();
    Execution(statements_->put_job)
        .number(static_cast<std::int64_t>(job.job()))
        .number(job.at_ms())
        .blob(packed)
        .run();
  });
}

std::vector<pb::NodeMinute> TelemetryStore::minutes(const std::string& node, WallMs since_ms,
                                                    int most) {
  std::vector<pb::NodeMinute> found;
  const auto id = node_ids_.find(node);
  if (id == node_ids_.end()) return found;
  attempt([&] {
    Execution row(statements_->minutes);
    row.number(id->second).number(since_ms).number(most);
    while (row.step()) {
      pb::NodeMinute& minute = found.emplace_back();
      minute.set_at_ms(row.column_number(0));
      unpack(row.column_text(1), minute);
    }
  });
  std::reverse(found.begin(), found.end());
  return found;
}

void TelemetryStore::unpack(const std::string& packed, pb::NodeMinute& minute) const {
  for (std::size_t at = 0; at + kEntryBytes <= packed.size(); at += kEntryBytes) {
    const auto metric = metrics_.find(static_cast<std::int64_t>(read_bytes(packed, at, kIdBytes)));
    if (metric == metrics_.end()) continue;
    const auto& [name, unit, modelled] = metric->second;
    pb::Figure& figure = *minute.add_figures();
    figure.set_name(name);
    figure.set_unit(unit);
    figure.set_modelled(modelled);
    figure.set_value(as_double(read_bytes(packed, at + kIdBytes, kValueBytes)));
  }
}

std::optional<pb::JobTelemetry> TelemetryStore::find_job(JobId job) {
  std::optional<pb::JobTelemetry> found;
  attempt([&] {
    Execution row(statements_->find_job);
    row.number(static_cast<std::int64_t>(job));
    if (!row.step()) return;
    pb::JobTelemetry telemetry;
    if (telemetry.ParseFromString(row.column_text(0))) found = std::move(telemetry);
  });
  return found;
}

void TelemetryStore::add_decision(const pb::PolicyDecision& decision) {
  if (!decision.model().empty()) {  // it was no looking ahead
    count(decision.model(),
          decision.shadow() ? ModelTally{.shadow = 1} : ModelTally{.decisions = 1});
  }
  attempt([&] {
    begin();
    const std::string packed = decision.SerializeAsString();
    Execution row(statements_->add_decision);
    row.number(decision.at_ms()).blob(packed).number(decision.shadow() ? 1 : 0).run();
  });
}

void TelemetryStore::add_comparison(const std::string& model, bool agreed) {
  count(model, {.compared = 1, .agreed = agreed ? 1u : 0u});
}

void TelemetryStore::count(const std::string& model, const ModelTally& more) {
  attempt([&] {
    begin();
    Execution row(statements_->count_model);
    row.text(model);
    for (const std::uint64_t value : {more.decisions, more.shadow, more.compared, more.agreed}) {
      row.number(static_cast<std::int64_t>(value));
    }
    row.run();
  });
}

std::map<std::string, ModelTally> TelemetryStore::tallies() {
  std::map<std::string, ModelTally> found;
  attempt([&] {
    for (Execution row(statements_->tallies); row.step();) {
      const auto number = [&](int column) {
        return static_cast<std::uint64_t>(row.column_number(column));
      };
      found[row.column_text(0)] = {number(1), number(2), number(3), number(4)};
    }
  });
  return found;
}

std::optional<pb::PolicyDecision> TelemetryStore::decision_in(const Execution& row) {
  pb::PolicyDecision decision;
  if (!decision.ParseFromString(row.column_text(1))) return std::nullopt;
  decision.set_id(static_cast<std::uint64_t>(row.column_number(0)));
  return decision;
}

std::vector<pb::PolicyDecision> TelemetryStore::decisions(int most, bool shadows) {
  std::vector<pb::PolicyDecision> found;
  attempt([&] {
    Execution row(statements_->decisions);
    row.number(most).number(shadows ? 1 : 0);
    while (row.step()) {
      if (auto decision = decision_in(row)) found.push_back(std::move(*decision));
    }
  });
  return found;
}

std::optional<pb::PolicyDecision> TelemetryStore::find_decision(std::uint64_t id) {
  std::optional<pb::PolicyDecision> found;
  attempt([&] {
    Execution row(statements_->find_decision);
    if (row.number(static_cast<std::int64_t>(id)).step()) found = decision_in(row);
  });
  return found;
}

void TelemetryStore::prune(WallMs minutes_before_ms, WallMs jobs_before_ms) {
  attempt([&] {
    begin();
    Execution(statements_->prune_minutes).number(minutes_before_ms).run();
    Execution(statements_->prune_jobs).number(jobs_before_ms).run();
    Execution(statements_->prune_decisions).number(jobs_before_ms).run();
  });
}

std::int64_t TelemetryStore::bytes() {
  std::int64_t bytes = 0;
  attempt([&] {
    bytes = database_.number("PRAGMA page_count") * database_.number("PRAGMA page_size");
  });
  return bytes;
}

}  // namespace hyades
