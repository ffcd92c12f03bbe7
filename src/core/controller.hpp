// The master's decisions, without I/O: inputs in, facts (to be committed) and messages (to be sent
// after that) out. `step` takes inputs and only marks what they make dirty; `schedule` decides,
// once a turn.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/cluster.hpp"
#include "core/config.hpp"
#include "core/job_table.hpp"
#include "core/messages.hpp"
#include "core/policy.hpp"
#include "core/ports.hpp"
#include "core/request.hpp"

namespace hyades {

struct Outgoing {
  PeerId to = 0;
  Message message;  // a LaunchOrder's payload and step key are empty: the driver fills
                    // them in from the store
};

// What a turn produced. Order of effect: commit `batch`, then `replies` and `outgoing`.
struct Step {
  Batch batch;
  std::vector<Reply> replies;
  std::vector<Outgoing> outgoing;
};

class Controller {
 public:
  // `archive` and `policy` must outlive the controller. `epoch` is this master's.
  Controller(std::shared_ptr<const ClusterConfig> config, Epoch epoch, const Archive& archive,
             Policy& policy);

  // Rebuilds the tables from what the store holds. Call once, before anything else.
  void restore(const StoredState& state);
  void restore(const JobEvent& event);
  void restored();

  // What `other` heard of the nodes still stands, so that nobody takes a restart of the tables for
  // an outage. They are asked for a Hello all the same.
  void remember_nodes(const Controller& other);

  void step(const Request& request, const Now& now, Step& out);
  void step(const Delivery& delivery, const Now& now, Step& out);
  void tick(const Now& now, Step& out);      // timers: silence, repeats, begin times
  void schedule(const Now& now, Step& out);  // does nothing unless something changed
  // After the turn's batch was committed.
  void committed();

  // What would become of a submission, without queueing it.
  struct Trial {
    ErrorCode error = ErrorCode::None;
    std::string message;
    WallMs start_ms = 0;  // when it would start at the latest; 0: not known
  };
  Trial try_submission(const SubmitRequest& submit, const Caller& caller, const Now& now) const;

  const JobTable& jobs() const { return jobs_; }
  const Cluster& cluster() const { return cluster_; }
  const ClusterConfig& config() const { return *config_; }
  Epoch epoch() const { return epoch_; }

  // Why a pending job waits, for people.
  PendingReason pending_reason(const Job& job, WallMs now_ms) const;
  // When the last scheduling pass reserved a start for this job; 0: it has no reservation.
  WallMs expected_start_ms(JobId job) const;
  // True when the job is placed on a node that does not respond: its fate is not known.
  bool fate_unknown(const Job& job) const;
  // A node has seen a newer master: stop at once.
  bool deposed() const { return deposed_; }

  // Asserts that tables, ledger and indices agree. For tests and simulations.
  void check() const;

 private:
  // Eligible jobs in order: priority, then submission.
  struct Place {
    int priority;
    JobId id;
    friend bool operator<(const Place& a, const Place& b) {
      return a.priority != b.priority ? a.priority > b.priority : a.id < b.id;
    }
  };
  struct UserCounts {
    int queued = 0;  // all that have not ended
    int running = 0;
    int cores = 0;
  };
  struct Queue {
    QueueConfig config;
    std::set<Place> eligible;
    std::map<std::uint32_t, UserCounts> users;
  };
  // An order that its node has not answered yet; repeated ever more slowly.
  struct Unanswered {
    BootMs due_ms = 0;
    BootMs interval_ms = 0;
  };
  struct DependencyNews {
    JobId target;
    bool ended;  // else: started
    Outcome outcome;
  };

  // controller_requests.cpp
  void on(const Request& request, const SubmitRequest& what, const Now& now, Step& out);
  void on(const Request& request, const CancelRequest& what, const Now& now, Step& out);
  void on(const Request& request, const SignalRequest& what, const Now& now, Step& out);
  void on(const Request& request, const HoldRequest& what, const Now& now, Step& out);
  void on(const Request& request, const ReleaseRequest& what, const Now& now, Step& out);
  void on(const Request& request, const RequeueRequest& what, const Now& now, Step& out);
  void on(const Request& request, const DrainRequest& what, const Now& now, Step& out);
  void on(const Request& request, const ResumeRequest& what, const Now& now, Step& out);
  void on(const Request& request, const ReloadRequest& what, const Now& now, Step& out);
  struct Refusal {
    ErrorCode error = ErrorCode::None;
    std::string message;
  };
  Refusal complete_and_check(const SubmitRequest& submit, const Caller& caller, JobSpec& spec,
                             std::vector<Dependency>& met) const;
  Refusal check_submission(const JobSpec& spec, const Caller& caller) const;
  Refusal check_limits(const JobSpec& spec, const QueueConfig& queue) const;
  Refusal check_dependencies(const JobSpec& spec, std::vector<Dependency>& met) const;
  std::string never_fits(const JobSpec& spec) const;
  const Job* find_for(const Request& request, JobId job, Step& out) const;
  void answer(const Request& request, ErrorCode error, std::string message, Step& out) const;

  // controller_nodes.cpp
  void on(PeerId from, const Hello& hello, const Now& now, Step& out);
  void on(PeerId from, const LaunchReport& report, const Now& now, Step& out);
  std::string refuse_hello(PeerId from, const Hello& hello) const;
  bool rebooted_since(const Job& job) const;
  void define_node(const Hello& hello, const Now& now, Step& out);
  void reconcile(const Hello& hello, const Now& now, Step& out);
  void answered(const Job& job, const Now& now, Step& out);
  void stray(PeerId from, const LaunchReport& report, Step& out) const;
  void finish_exited(const Job& job, const LaunchReport& report, const Now& now, Step& out);
  void finish_unstarted(const Job& job, const LaunchReport& report, const Now& now, Step& out);
  void finish_lost(const Job& job, const LaunchReport& report, const Now& now, Step& out);
  void hold(const Job& job, const std::string& why, const Now& now, Step& out);
  void node_failed_a_launch(const std::string& name, const std::string& reason, const Now& now,
                            Step& out);
  void drain_node(const std::string& node, const std::string& reason, const std::string& by,
                  const Now& now, Step& out);
  void send_orders(const Job& job, const Now& now, Step& out);
  LaunchOrder launch_order(const Job& job) const;
  void check_silence(const Now& now);
  void repeat_orders(const Now& now, Step& out);

  // controller.cpp
  const Job& record(JobId job, decltype(JobEvent::what) what, const Now& now, Step& out);
  void end_job(JobId job, Ended ended, const Now& now, Step& out);
  void settle_dependents(DependencyNews news, const Now& now, Step& out);
  void apply(const JobEvent& event);
  void apply(const NodeEvent& event);
  void index(const Job& job);
  void unindex(const Job& job);
  void set_queues(const ClusterConfig& config);
  Queue& queue_of(const JobSpec& spec);
  const Queue* find_queue(const std::string& name) const;
  bool within_limits(const Queue& queue, const Job& job) const;
  std::vector<char> usable_nodes(const QueueConfig& queue, bool must_be_schedulable) const;
  bool waits_for_nodes(const Now& now) const;
  std::vector<QueueView> queue_views(const Job* extra) const;
  ClusterView cluster_view() const;
  void start_job(const Start& start, const Now& now, Step& out);

  std::shared_ptr<const ClusterConfig> config_;
  Epoch epoch_;
  const Archive& archive_;
  Policy& policy_;

  JobTable jobs_;
  Cluster cluster_;
  std::vector<std::unique_ptr<Queue>> queues_;    // by priority, then order of configuration
  std::set<std::pair<JobId, JobId>> dependents_;  // target, who waits for it
  std::set<std::pair<WallMs, JobId>> begins_;     // jobs that become eligible later
  std::map<JobId, Unanswered> unanswered_;
  std::set<JobId> placed_;
  std::map<JobId, Reservation> reservations_;
  std::set<JobId> limited_;
  std::map<PeerId, std::string> peers_;
  JobId next_job_ = 1;
  LaunchSequence next_sequence_ = 1;
  bool dirty_ = true;
  bool deposed_ = false;
  BootMs first_tick_ms_ = -1;
};

// Whether a dependency is met by how its target ended.
bool dependency_met(DependencyKind kind, Outcome outcome);

}  // namespace hyades
