// What must be true of every run, judged without a look into the controller: by what clients were
// told, by what the simulated machines really ran, and by what was committed.
//
// Promises (as numbered in the documentation): P1 an acknowledged job exists for ever, P2 one token
// one job, P3 never two live attempts and no start without a proof that the last one is dead,
// P4 the stored result is what the process returned, once, P6 ids are unique, P8 nothing is given
// out twice, P9 a cancelled job never starts. Beyond these: dependencies, drains, holds, limits,
// placements and what jobs have agreed to are respected, and the live tables equal those replayed
// from the store.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/job_table.hpp"
#include "core/ports.hpp"
#include "sim/marks.hpp"
#include "sim/sim_options.hpp"

namespace hyades {

// Thrown by the first check that fails. `oracle` is its short name.
struct Violation : std::runtime_error {
  Violation(std::string name, const std::string& what)
      : std::runtime_error(name + ": " + what), oracle(std::move(name)) {}
  std::string oracle;
};

class Oracle {
 public:
  Oracle(const SimOptions& options, Marks& marks) : options_(options), marks_(marks) {}

  // ---- what clients did and were told
  void submit_sent(std::uint32_t uid, const std::string& token, const JobSpec& spec,
                   const JobPayload& payload);
  void submit_acked(std::uint32_t uid, const std::string& token, JobId job);
  void cancel_sent(JobId job) { jobs_[job].cancel_sent = true; }
  void cancel_acked(JobId job);
  void requeue_sent(JobId job) { jobs_[job].requeue_sent = true; }
  void requeue_acked(JobId job) { jobs_[job].to_be_stopped = jobs_[job].open; }

  // ---- what machines did; times by the node's clock
  void process_started(const std::string& node, const LaunchOrder& order, WallMs at_ms);
  // No record: the process was destroyed and nobody could write down how it ended.
  void process_ended(const std::string& node, const LaunchKey& key,
                     const std::optional<ExitRecord>& record);
  // The parts of a job on its other nodes.
  void companion_started(const std::string& node, const LaunchOrder& order);
  void companion_ended(const std::string& node, const LaunchKey& key);
  // Also of one that ended itself because its lease ran out.
  void companion_destroyed(const std::string& node, const LaunchKey& key);
  // Nobody can tell any more whether a launch that was open there had started.
  void rebooted(const std::string& node, const std::string& boot_id) { boots_[node] = boot_id; }
  // A launch that will never become a process, with the record that says so.
  void launch_failed(const LaunchKey& key);

  // ---- what became durable
  void committed(const Batch& batch);

  // `live` is the master's table right after a turn.
  void check_live(const JobTable& live, Store& store) const;
  // Every acknowledged job is in the store.
  void check_kept(Store& store) const;
  // Nothing fails any more and there was time: everything has ended.
  void check_all_ended() const;
  // Nothing has failed for a while: what was to be cancelled or requeued when this was last called
  // has been stopped. That must be longer ago than a job may take over it.
  void check_stopped();

  bool all_ended() const;
  std::size_t committed_jobs() const { return committed_jobs_; }
  std::size_t processes() const { return processes_; }
  bool is_open(const LaunchKey& key) const;
  const std::set<std::string>& drained() const { return drained_; }
  std::vector<JobId> held_jobs() const;
  const std::set<JobId>& living_jobs() const { return living_; }
  // Waiting jobs that no set of nodes could ever hold. (Accepted before all nodes were known.)
  std::vector<JobId> misfits() const;
  bool can_ever_fit(const JobSpec& spec) const;

 private:
  // One process of a job.
  struct Run {
    LaunchKey key;
    Placement placement;
    WallMs started_ms = 0;
    bool alive = true;
    std::optional<ExitRecord> record;

    bool ended_well() const {
      return record && record->exit_code == 0 && record->signal == 0 &&
             record->stopped == StopReason::None;
    }
  };

  // A job by its committed events and by its processes.
  struct JobTruth {
    bool exists = false;
    JobSpec spec;
    std::uint32_t uid = 0;
    bool held = false;
    Attempt attempts = 0;
    std::optional<LaunchKey> open;  // assigned, neither requeued nor ended
    Placement placement;            // while open
    bool reported_started = false;
    bool said_started = false;  // at some time, by the store
    bool cancel_recorded = false;
    std::optional<Ended> ended;

    bool cancel_sent = false;
    bool cancel_acked = false;
    LaunchSequence last_allowed = 0;  // the attempt that was open when the cancel was acked
    bool requeue_sent = false;
    std::set<Attempt> outside_proof;         // over by another's word than the node's
    std::set<Attempt> requeues;              // attempts for which a requeue was recorded
    std::optional<LaunchKey> to_be_stopped;  // by an acknowledged requeue
    bool cancel_due = false;                 // as of the last look
    std::optional<LaunchKey> stop_due;       // likewise
    bool launch_failed = false;              // of the open attempt, by the machine's word
    std::vector<Run> runs;
    std::set<std::string> companions;       // nodes on which one is alive
    LaunchKey boot_doubted;                 // the attempt during which its node named another boot
    std::set<Attempt> companion_lost;       // of which one was destroyed, or its lease ran out
    LaunchKey gang;                         // the attempt of which `companions_seen` tells
    std::set<std::string> companions_seen;  // nodes on which one has started

    const Run* run_of(const LaunchKey& key) const;
    const Run* living() const;
  };

  // The open attempt was placed in another boot of its node than it is in now: whether it started
  // cannot be told, so one that did not may be called started. Never the contrary.
  bool is_doubtful(const JobTruth& job) const;
  // Stopped for a reason that lets it start again.
  static bool may_start_again(const JobTruth& job, const Run& run);

  struct Sent {
    JobSpec spec;
    JobPayload payload;
    JobId committed = 0;
    JobId acked = 0;
  };

  void take_room(const std::string& node, const LaunchOrder& order, const std::string& who);
  void give_room(const std::string& node, const LaunchKey& key);
  void on(JobTruth& job, const Submitted& e, const JobEvent& event);
  void on(JobTruth& job, const DependencySettled& e, const JobEvent& event);
  void on(JobTruth& job, const HoldChanged& e, const JobEvent& event);
  void on(JobTruth& job, const Assigned& e, const JobEvent& event);
  void on(JobTruth& job, const Started& e, const JobEvent& event);
  void on(JobTruth& job, const ScriptEnded& e, const JobEvent& event);
  void on(JobTruth& job, const CoresLent& e, const JobEvent& event);
  void on(JobTruth& job, const PowerCapped& e, const JobEvent& event);
  void on(JobTruth& job, const CancelRequested& e, const JobEvent& event);
  void on(JobTruth& job, const RequeueRequested& e, const JobEvent& event);
  void on(JobTruth& job, const Requeued& e, const JobEvent& event);
  void on(JobTruth& job, const Ended& e, const JobEvent& event);

  void give_up(const std::string& node);
  void doubt(const std::string& node, const NodeDefined& defined);
  void check_new_job(const NewJob& job);
  void check_placement(const JobTruth& job, const Placement& placement, JobId id) const;
  void check_share(const JobTruth& job, const NodeShare& share, const std::string& who) const;
  void check_room(const Placement& mine, const Placement& other, const std::string& who,
                  const std::string& whose, const char* oracle) const;
  void check_memory(const NodeShare& share, const std::vector<const Placement*>& others,
                    const std::string& who, const char* oracle) const;
  void check_limits(const JobTruth& job, JobId id) const;
  void check_dependencies(const JobTruth& job, JobId id) const;
  void check_unplaced_end(const JobTruth& job, const Ended& e, JobId id) const;
  void check_run_end(const JobTruth& job, const Run& run, const Ended& e, JobId id);
  bool dependency_failed(const JobTruth& job) const;
  const Inventory& inventory(const std::string& node) const;
  const QueueConfig& queue(const JobSpec& spec) const;
  void mark_end(const JobTruth& job, const Ended& e);

  const SimOptions& options_;
  Marks& marks_;
  std::map<JobId, JobTruth> jobs_;
  std::map<std::pair<std::uint32_t, std::string>, Sent> sent_;
  std::set<JobId> open_;                                        // assigned by the store
  std::set<JobId> living_;                                      // with a living script
  std::map<std::string, std::map<LaunchKey, NodeShare>> room_;  // held by living parts, by node
  std::set<std::string> drained_;
  std::map<std::string, std::string> boots_;  // of nodes that were rebooted: the one they are in
  JobId last_job_ = 0;
  LaunchSequence last_sequence_ = 0;
  std::size_t committed_jobs_ = 0;
  std::size_t ended_jobs_ = 0;
  std::size_t processes_ = 0;
};

// The first field in which the two differ, or "".
std::string difference(const Job& a, const Job& b);

}  // namespace hyades
