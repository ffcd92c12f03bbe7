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
#include "core/gang.hpp"
#include "core/job_table.hpp"
#include "core/messages.hpp"
#include "core/policy.hpp"
#include "core/ports.hpp"
#include "core/request.hpp"

namespace hyades {

struct Outgoing {
  PeerId to = 0;
  Message message;  // of a LaunchOrder only key and share: the driver has the controller and the
                    // store complete it
};

// What a turn produced. Order of effect: commit `batch`, then the rest.
struct Step {
  Batch batch;
  std::vector<Reply> replies;
  std::vector<Outgoing> outgoing;
  std::vector<std::string> fences;  // nodes whose power is to be cut
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
  void step(const FenceResult& result, const Now& now, Step& out);
  void tick(const Now& now, Step& out);      // timers: silence, repeats, begin times
  void schedule(const Now& now, Step& out);  // does nothing unless there is news
  // After the turn's batch was committed.
  void committed();

  // Fills in an order of this turn, all but the payload and the step key. False: what came later in
  // the turn has made it void.
  bool complete(LaunchOrder& order) const;

  // What would become of a submission, without queueing it.
  struct Trial {
    ErrorCode error = ErrorCode::None;
    std::string message;
    WallMs start_ms = 0;  // when it would start at the latest; 0: not known
  };
  Trial try_submission(const SubmitRequest& submit, const Caller& caller, const Now& now) const;

  // Why the job waits, as the policy sees it; nothing for one that could not start anyway.
  std::optional<Explanation> explain(const Job& job, const Now& now) const;
  // Whether the waiting job would start at once if it had asked for this.
  bool would_start(const Job& job, const JobSpec& asked, const Now& now) const;
  // Where the last scheduling pass reserved a start for it, "vn1,vn2"; "": nowhere.
  std::string reserved_nodes(JobId job) const;

  const JobTable& jobs() const { return jobs_; }
  const Cluster& cluster() const { return cluster_; }
  // Whose worker that is; nullptr: nobody's who is welcome.
  const Node* node_of(PeerId peer) const;
  const ClusterConfig& config() const { return *config_; }
  Epoch epoch() const { return epoch_; }

  // Why a pending job waits, for people.
  PendingReason pending_reason(const Job& job, WallMs now_ms) const;
  // When the last scheduling pass reserved a start for this job; 0: it has no reservation.
  WallMs expected_start_ms(JobId job) const;
  // True when the job has a part on a node that does not respond: its fate is not known.
  bool fate_unknown(const Job& job) const;
  // Which nodes those are, and what will settle it, for people; "" when the fate is known.
  std::string fate(const Job& job, const Now& now) const;
  // What keeps its nodes from giving it less power, though it has agreed to that, or all of it,
  // whether it has or not; "": nothing, or they have not said it.
  std::string power_obstacle(const Job& job) const;
  // The script is over, and some part of the job is still to be cleaned up.
  bool completing(const Job& job) const;
  // A node has seen a newer master: stop at once.
  bool deposed() const { return deposed_; }

  // Asserts that tables, ledger and indices agree. For tests and simulations.
  void check() const;

 private:
  struct UserCounts {
    int queued = 0;  // all that have not ended
    int running = 0;
    int cores = 0;
  };
  struct Queue {
    QueueConfig config;
    WaitingList eligible;  // in the policy's order
    WallMs busy_since_ms = 0;
    std::map<std::uint32_t, UserCounts> users;
    // By the cluster's nodes, which are its own; look at it through members_of(). Found again
    // whenever there are more nodes, or another configuration.
    mutable std::vector<char> members;
    mutable bool some_are_unknown = false;  // members by the configuration that never were here
  };
  // An order that its node has not answered yet; repeated ever more slowly.
  struct Unanswered {
    BootMs due_ms = 0;
    BootMs interval_ms = 0;
  };
  // Why an attempt came to nothing.
  struct Blame {
    std::string node;
    std::string reason;
    bool node_fault = false;  // the node's own fault, by its word
    bool died = false;        // it was there and died before it could start
    // It started and ended; the job's user may have killed it, so it is no proof against the node.
    bool by_itself = false;
  };
  // A job that failed on a node, at which time.
  enum class BadEndKind {
    Died,  // by a signal that nobody here sent: the node's doing, or the program's
    NotStarted,
    Lost,
  };
  struct BadEnd {
    BootMs at_ms = 0;
    JobId job = 0;
    std::uint32_t uid = 0;
    BadEndKind kind = BadEndKind::Died;
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
  void on(const Request& request, const ConfirmDeadRequest& what, const Now& now, Step& out);
  void on(const Request& request, const ProfileNodeRequest& what, const Now& now, Step& out);
  void on(const Request& request, const ReloadRequest& what, const Now& now, Step& out);
  struct Refusal {
    ErrorCode error = ErrorCode::None;
    std::string message;
  };
  Refusal complete_and_check(const SubmitRequest& submit, const Caller& caller, JobSpec& spec,
                             std::vector<Dependency>& met) const;
  Decision decide_with(Job& job, const Now& now) const;
  Decision plan_with(const Queue& queue, const WaitingList& waiting, const Now& now) const;
  Refusal check_submission(const JobSpec& spec, const Caller& caller) const;
  Refusal check_limits(const JobSpec& spec, const QueueConfig& queue) const;
  Refusal check_dependencies(const JobSpec& spec, std::vector<Dependency>& met) const;
  std::string never_fits(const JobSpec& spec) const;
  const Job* find_for(const Request& request, JobId job, Step& out) const;
  void answer(const Request& request, ErrorCode error, std::string message, Step& out) const;

  // controller_launches.cpp
  static std::size_t share_on(const Job& job, const std::string& node);
  bool rebooted_since(const Job& job, std::size_t share) const;
  Gang new_gang(const Job& job) const;
  static void prove_dead(Gang& gang, std::size_t share, const std::string& proof);
  void on(PeerId from, const LaunchReport& report, const Now& now, Step& out);
  void runs(const Job& job, std::size_t share, const Now& now, Step& out);
  void note_shares(const Job& job, std::size_t share, const Now& now, Step& out);
  void note_loan(const Job& job, std::size_t share, const Now& now, Step& out);
  void note_cap(const Job& job, std::size_t share, const Now& now, Step& out);
  void started(const Job& job, WallMs at_ms, const Now& now, Step& out);
  void script_is_over(const Job& job, const Now& now, Step& out);
  void advance(const Job& job, const Now& now, Step& out);
  void conclude(const Job& job, const Now& now, Step& out);
  void note_epilog(const Job& job, const Gang& gang, std::size_t share, const Now& now, Step& out);
  static Blame blame(const Job& job, const Gang& gang, std::size_t share);
  static std::size_t lost_companion(const Gang& gang);
  static std::string ended_early(const ExitRecord& exit);
  void answered(const Job& job, std::size_t share, const Now& now, Step& out);
  void stray(PeerId from, const LaunchReport& report, const Now& now, Step& out);
  void stop_strays(const Now& now, Step& out);
  void finish_exited(const Job& job, const Gang& gang, const ExitRecord& exit, const Now& now,
                     Step& out);
  Ended ended_as(const Job& job, const Gang& gang, const ExitRecord& exit) const;
  void finish_unstarted(const Job& job, const Blame& blame, const Now& now, Step& out);
  void finish_lost(const Job& job, const Blame& blame, const Now& now, Step& out);
  void hold(const Job& job, const std::string& why, const Now& now, Step& out);
  StopReason stop_reason(const Job& job, std::size_t share) const;
  void send_orders(const Job& job, const Now& now, Step& out);
  void send_order(const Job& job, std::size_t share, const Now& now, Step& out);
  void forget_orders(JobId job);
  void repeat_orders(const Now& now, Step& out);

  // controller_nodes.cpp
  void on(PeerId from, const Hello& hello, const Now& now, Step& out);
  void on(PeerId from, const Heartbeat& heartbeat, const Now& now, Step& out);
  std::string refuse_hello(PeerId from, const Hello& hello) const;
  void welcome(Node& node, BootMs echo_ms, const Now& now, Step& out) const;
  void note_health(Node& node, const std::string& health, const Now& now, Step& out);
  void define_node(const Hello& hello, const Now& now, Step& out);
  void reconcile(const Hello& hello, const Now& now, Step& out);
  void check_silence(const Now& now, Step& out);
  std::vector<LaunchKey> leases_on(const Node& node) const;
  BootMs renewed_ms(const Node& node) const;
  BootMs lease_over_ms(const Job& job, const Node& node) const;
  void check_leases(const Node& node, const Now& now, Step& out);
  void part_is_dead(const Job& job, std::size_t share, const std::string& proof, const Now& now,
                    Step& out);
  void declare_dead(const std::string& name, LaunchSequence below, const std::string& proof,
                    const Now& now, Step& out);
  void ask_for_fence(Node& node, const Now& now, Step& out);
  void forget_peer(Node& node);
  void node_failed_a_launch(const Job& job, const Blame& blame, const Now& now, Step& out);
  void note_good_launch(const Job& job);
  void note_bad_end(const Job& job, const ExitRecord& exit, const Now& now, Step& out);
  void node_failed_a_job(const std::string& name, const Job& job, BadEndKind kind, const Now& now,
                         Step& out);
  void drain_node(const std::string& node, const std::string& reason, const std::string& by,
                  const Now& now, Step& out);

  // controller.cpp
  const Job& record(JobId job, decltype(JobEvent::what) what, const Now& now, Step& out);
  void end_job(JobId job, Ended ended, const Now& now, Step& out);
  void settle_dependents(DependencyNews news, const Now& now, Step& out);
  void apply(const JobEvent& event);
  void apply_in_place(const JobEvent& event);
  void apply(const NodeEvent& event);
  std::vector<JobId> placed_jobs() const;
  void ask_for_hello(PeerId peer, const Now& now, Step& out);
  void index(const Job& job, WallMs at_ms);
  void index_gang(const Job& job);
  void unindex(const Job& job);
  void set_queues(const ClusterConfig& config);
  Queue& queue_of(const JobSpec& spec);
  WaitingJob waiting(const Queue& queue, const Job& job) const;
  void rank_again(Queue& queue);
  void enqueue(Queue& queue, const Job& job, WallMs at_ms);
  bool dequeue(Queue& queue, const Job& job);
  const Queue* find_queue(const std::string& name) const;
  bool within_limits(const Queue& queue, const Job& job) const;
  const std::vector<char>& members_of(const Queue& queue) const;
  std::vector<char> schedulable_nodes(const Queue& queue) const;
  bool waits_for_nodes(const Now& now) const;
  std::vector<QueueView> queue_views() const;
  QueueView view_of(const Queue& queue, const WaitingList& waiting) const;
  ClusterView cluster_view() const { return {&cluster_, &running_, &cluster_.free()}; }
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
  std::map<JobId, Gang> gangs_;                   // of placed jobs, each of them
  std::map<std::pair<JobId, std::size_t>, Unanswered> unanswered_;  // by job and share
  std::map<std::string, std::vector<BadEnd>> bad_ends_;             // by node
  // By user: the nodes on which a launch failed since one of theirs last started anywhere.
  std::map<std::uint32_t, std::set<std::string>> unstarted_;
  std::set<JobId> placed_;
  RunningList running_;                            // the same, by expected end
  std::map<std::string, std::set<JobId>> leased_;  // placed jobs with leases, by node
  std::map<JobId, Reservation> reservations_;
  std::set<JobId> limited_;
  std::set<JobId> kept_back_;
  std::set<JobId> patient_;
  std::map<PeerId, std::string> peers_;
  std::map<PeerId, BootMs> hello_asked_ms_;
  JobId next_job_ = 1;
  LaunchSequence next_sequence_ = 1;
  bool dirty_ = true;
  bool deposed_ = false;
  bool settled_ = false;  // what a restart found over has had its consequences
  BootMs first_tick_ms_ = -1;
};

// Whether a dependency is met by how its target ended.
bool dependency_met(DependencyKind kind, Outcome outcome);

}  // namespace hyades
