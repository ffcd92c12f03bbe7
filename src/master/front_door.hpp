// The Door over the client socket: turns what clients send into requests for the controller,
// answers questions itself from the tables and the store, and keeps those who wait for jobs.
//
// Questions are answered from the state of the last finished turn, which is committed: nobody is
// ever shown something that a crash could take back.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/driver.hpp"
#include "core/ports.hpp"
#include "master/job_history.hpp"
#include "master/late_settings.hpp"
#include "master/model_glance.hpp"
#include "master/queue_meter.hpp"
#include "master/sqlite_store.hpp"
#include "wire/client_server.hpp"

namespace hyades {

class BackfillPolicy;
class ModelKeeper;
class ShadowAdviser;
class TelemetryBoard;

// What clients are shown beside the tables.
struct MasterFacts {
  std::string state_directory;
  std::string version;
  WallMs started_ms = 0;
  std::vector<LateSetting> next_start;  // what the file says and is not in effect
};

// Whose answers learned queues go by.
struct LearnedParts {
  ModelKeeper* models = nullptr;
  const ShadowAdviser* shadow = nullptr;
};

class FrontDoor final : public Door {
 public:
  // Reads the configuration file again; nullptr and the errors in `errors` when it is bad.
  using LoadConfig = std::function<std::shared_ptr<const ClusterConfig>(std::string& errors)>;

  // References must outlive the door.
  FrontDoor(ClientServer& server, SqliteStore& store, Clock& clock, MasterFacts facts,
            LoadConfig load_config);

  // The driver whose tables are shown; call once, before the first poll.
  void attach(const Driver& driver) { driver_ = &driver; }
  // Nobody's: questions about what was measured find nothing. Must outlive the door.
  void attach(TelemetryBoard& telemetry) { telemetry_ = &telemetry; }
  // Whose health is shown; must outlive the door.
  void attach(const BackfillPolicy& policy) { policy_ = &policy; }
  // Likewise; call once, before the first poll.
  void attach(const LearnedParts& learned) { learned_ = learned; }
  // Where /metrics is served, and why it is not ("": it is).
  void set_metrics(const std::string& places, const std::string& trouble) {
    metrics_state_ = places;
    metrics_trouble_ = trouble;
  }
  // The loop's statistics.
  void count_turn() { ++turns_; }
  std::uint64_t turns() const { return turns_; }
  std::uint64_t commits() const { return commits_; }
  const JobCounts& job_counts() const { return job_counts_; }

  void poll(std::vector<Request>& out) override;
  void reply(const Reply& reply) override;
  void committed(const Batch& batch) override;

 private:
  using JobIds = google::protobuf::RepeatedField<std::uint64_t>;

  struct Waiter {
    std::vector<JobId> jobs;
    std::set<JobId> open;   // not ended yet
    BootMs give_up_ms = 0;  // 0: never
    Caller caller;
  };

  // What goes with the answer to a change that was made.
  struct Note {
    std::string message;
    std::optional<std::vector<LateSetting>> next_start;  // of a reload
  };

  void take(const ClientRequest& request, std::vector<Request>& out);
  Caller caller_of(const ClientRequest& request);
  std::string account_of(std::uint32_t uid);  // "": there is none on this host
  std::string user_name(std::uint32_t uid);   // else the number
  void submit(const ClientRequest& request, std::vector<Request>& out);
  void test_submission(const ClientRequest& request, const SubmitRequest& submit);
  void act_on_job(const ClientRequest& request, std::vector<Request>& out);
  void act_on_node(const ClientRequest& request, std::vector<Request>& out);
  void reload(const ClientRequest& request, std::vector<Request>& out);
  std::string about_cancel(JobId id) const;
  std::string about_node(const pb::ActOnNode& act) const;
  std::string about_death(const Node& node) const;
  void add_note(RequestId id, ErrorCode error, pb::ClientReply& reply);
  void list_jobs(const ClientRequest& request);
  void show_events(const ClientRequest& request);
  void show_script(const ClientRequest& request);
  void list_nodes(const ClientRequest& request);
  void list_queues(const ClientRequest& request);
  void show_status(const ClientRequest& request);
  // Why the model that a configuration names cannot be used, behind a sentence; "": it can.
  std::string model_trouble(const ClusterConfig& config);
  void add_learned(pb::StatusInfo& status) const;
  void add_shadow(pb::LearnedPolicy& learned) const;
  void show_models(const ClientRequest& request);
  void act_on_model(const ClientRequest& request);
  void answer_about_models(WallMs now_ms);
  void show_config(const ClientRequest& request);
  void show_job_telemetry(const ClientRequest& request);
  void show_node_telemetry(const ClientRequest& request);
  void show_layers(const ClientRequest& request);
  void show_features(const ClientRequest& request);
  bool add_features(JobId id, pb::ClientReply& reply);
  void explain_jobs(const ClientRequest& request);
  void show_decisions(const ClientRequest& request);
  void explain(const Job& job, pb::JobExplanation& out) const;
  void wait_jobs(const ClientRequest& request);
  void answer_waiter(RequestId id, const Waiter& waiter);
  void expire_waiters(BootMs now);
  void refuse(RequestId id, ErrorCode code, const std::string& message);
  bool uses_a_role(const ClientRequest& request);
  bool may_see_jobs(const ClientRequest& request, const JobIds& ids, int most,
                    const std::string& what);
  bool may_see_details(const ClientRequest& request, std::uint32_t owner);
  void add_stored_jobs(const ClientRequest& request, pb::ClientReply& reply);
  void add_live_jobs(const ClientRequest& request, pb::ClientReply& reply);
  void add_details(pb::JobInfo& info);
  static bool may_see_reasons(const Caller& caller, std::uint32_t owner);
  static void hide_reason(const Caller& caller, pb::JobInfo& info);

  ClientServer& server_;
  SqliteStore& store_;
  Clock& clock_;
  MasterFacts facts_;
  LoadConfig load_config_;
  const Driver* driver_ = nullptr;
  const BackfillPolicy* policy_ = nullptr;
  TelemetryBoard* telemetry_ = nullptr;
  LearnedParts learned_;
  ModelGlance model_glance_;
  std::string metrics_state_;
  std::string metrics_trouble_;
  JobHistory history_;
  std::vector<ClientRequest> arrived_;
  std::map<RequestId, Waiter> waiters_;
  std::map<RequestId, Note> notes_;
  std::map<std::uint32_t, std::string> user_names_;
  std::uint64_t turns_ = 0;
  std::uint64_t commits_ = 0;
  JobCounts job_counts_;
};

}  // namespace hyades
