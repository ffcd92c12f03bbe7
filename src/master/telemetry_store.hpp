// telemetry.db: the minutes of nodes and one row for each job, kept for a while. Apart from the
// queue, and of no consequence for it: whatever fails here is said in trouble(), and forgotten.
//
// Writes are gathered into one transaction until flush(). One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/ids.hpp"
#include "core/telemetry_report.hpp"
#include "core/time.hpp"
#include "hyades.pb.h"
#include "master/sqlite.hpp"

namespace hyades {

class TelemetryStore {
 public:
  // Opens or creates <state_directory>/telemetry.db. One that is damaged, or of another version, is
  // put aside as telemetry.db.old, and `trouble` says so; nullptr only when none can be made.
  static std::unique_ptr<TelemetryStore> open(const std::string& state_directory,
                                              std::string& trouble);
  ~TelemetryStore();

  // A minute that is there already is replaced.
  void add_minute(const std::string& node, WallMs at_ms, const std::vector<Figure>& figures);
  void put_job(const pb::JobTelemetry& job);

  // In the order of time, the newest `most`.
  std::vector<pb::NodeMinute> minutes(const std::string& node, WallMs since_ms, int most);
  std::optional<pb::JobTelemetry> find_job(JobId job);

  void add_decision(const pb::PolicyDecision& decision);
  // Newest first; the one of that id, if it is not 0.
  std::vector<pb::PolicyDecision> decisions(std::uint64_t id, int most);

  // What is older goes; decisions with the jobs.
  void prune(WallMs minutes_before_ms, WallMs jobs_before_ms);
  // Makes visible to other programs, and safe against our own death, what was written.
  void flush();

  // Why the last call that failed did; "" if none has.
  const std::string& trouble() const { return trouble_; }
  std::int64_t bytes();  // of the file

 private:
  struct Statements;
  using MetricName = std::tuple<std::string, std::string, bool>;

  explicit TelemetryStore(Database database);
  void load_names();
  void begin();
  std::int64_t metric_id(const Figure& figure);
  std::int64_t node_id(const std::string& node);
  template <typename Action>
  void attempt(const Action& action);
  void roll_back();
  void unpack(const std::string& packed, pb::NodeMinute& minute) const;

  Database database_;
  std::unique_ptr<Statements> statements_;
  std::unique_ptr<Transaction> transaction_;
  std::map<MetricName, std::int64_t> metric_ids_;
  std::map<std::int64_t, MetricName> metrics_;
  std::map<std::string, std::int64_t> node_ids_;
  std::string trouble_;
};

}  // namespace hyades
