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

// How much a model of the learned policy has answered so far.
struct ModelTally {
  std::uint64_t decisions = 0;  // that held
  std::uint64_t shadow = 0;     // as a shadow
  std::uint64_t compared = 0;   // of these, with the answer of the one in use
  std::uint64_t agreed = 0;     // of those, on the rule
};

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

  // Counts it, too.
  void add_decision(const pb::PolicyDecision& decision);
  // A shadow and the model in use answered the same question, whether with the same rule.
  void add_comparison(const std::string& model, bool agreed);
  std::map<std::string, ModelTally> tallies();  // by the models' digests
  // Newest first, those of shadows only if wanted.
  std::vector<pb::PolicyDecision> decisions(int most, bool shadows);
  std::optional<pb::PolicyDecision> find_decision(std::uint64_t id);

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
  void count(const std::string& model, const ModelTally& more);
  static std::optional<pb::PolicyDecision> decision_in(const Execution& row);
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
