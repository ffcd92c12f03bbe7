// What nodes have said last about themselves and their jobs. Keeps it in memory for whoever asks,
// and hands what is to last to the store: whole minutes of nodes, and one row for each job when it
// ends. One thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/job_table.hpp"
#include "core/ports.hpp"
#include "core/telemetry_settings.hpp"
#include "hyades.pb.h"
#include "master/telemetry_store.hpp"

namespace hyades {

class TelemetryBoard final : public TelemetrySink {
 public:
  struct Retention {
    int minutes_days = 30;
    int jobs_days = 365;
  };

  // `store` may be nullptr: then nothing lasts. It must outlive the board.
  TelemetryBoard(TelemetryStore* store, Clock& clock) : store_(store), clock_(clock) {}
  // Keeps what is known of jobs that run, for the next master.
  ~TelemetryBoard() override;

  void take(const std::string& node, const TelemetryReport& report) override;
  // Call it every now and then. Jobs whose attempt is over get their row; what is old goes.
  void turn(const Retention& retention, const JobTable& jobs);

  const std::map<std::string, pb::NodeTelemetry>& nodes() const { return nodes_; }
  // With the minutes since then, unless `since_ms` is 0. Nothing of a node that never reported.
  std::optional<pb::NodeTelemetry> find_node(const std::string& node, WallMs since_ms);
  // Of the job's last attempt that was reported on; from the store when it has ended.
  std::optional<pb::JobTelemetry> find_job(JobId job);

  // What the learned policy answered; kept in the store only.
  void add_decision(const pb::PolicyDecision& decision);
  void add_comparison(const std::string& model, bool agreed);
  std::map<std::string, ModelTally> tallies();
  std::vector<pb::PolicyDecision> decisions(int most, bool shadows);
  std::optional<pb::PolicyDecision> find_decision(std::uint64_t id);

  // "", or why what was told last of a node, or of a job that runs, is not how it is now: telemetry
  // is switched off, or nothing has been heard for longer than should be.
  std::string silence_of_node(const std::string& node, const TelemetrySettings& settings) const;
  std::string silence_of_job(const pb::JobTelemetry& job, const TelemetrySettings& settings) const;

  struct State {
    bool stores = false;
    std::string trouble;  // of the store
    std::uint64_t reports = 0;
    std::int64_t bytes = 0;
  };
  State state() const;

  // For the job's figures over all of its nodes: sums, but means of percentages and the highest of
  // peaks.
  static void sum_up(pb::JobTelemetry& job);

 private:
  struct Entry {
    pb::JobTelemetry telemetry;
    BootMs heard_ms = 0;
    BootMs stored_ms = 0;
    bool changed = false;  // since it was stored
  };

  static void put_batch_node_first(Entry& entry, const JobTable& jobs);
  static bool is_live(const Entry& entry, const JobTable& jobs);
  Entry* entry_of(const LaunchKey& key);
  static pb::JobTelemetryNode& part_of(pb::JobTelemetry& job, const std::string& node);
  void store(Entry& entry);

  TelemetryStore* store_;
  Clock& clock_;
  std::string silence(WallMs at_ms, WallMs period_ms, const TelemetrySettings& settings) const;

  std::map<std::string, pb::NodeTelemetry> nodes_;
  std::set<std::string> busy_;  // nodes that had jobs when they reported last
  std::map<JobId, Entry> jobs_;
  std::uint64_t reports_ = 0;
  BootMs written_ms_ = 0;
  BootMs pruned_ms_ = 0;
};

}  // namespace hyades
