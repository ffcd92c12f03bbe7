// What the core needs from outside. Each port has a real implementation (SQLite, MPI, disk,
// processes) and a simulated one; all are used from one thread. None of them blocks except
// Store::commit, which returns when the data is durable.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/exit_record.hpp"
#include "core/job_event.hpp"
#include "core/messages.hpp"
#include "core/power_cap.hpp"
#include "core/request.hpp"
#include "core/time.hpp"

namespace hyades {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Now now() = 0;
};

// ---- Store: the queue's memory ---------------------------------------------------------------

struct EndedJob {
  Outcome outcome = Outcome::None;
  bool started = false;
};

// Looks into the past; what a decision needs to know about jobs that are no longer in memory.
class Archive {
 public:
  virtual ~Archive() = default;
  // Nothing when the job never existed or has not ended.
  virtual std::optional<EndedJob> find_ended(JobId job) const = 0;
  // The job that this user submitted with this token, if any.
  virtual std::optional<JobId> find_token(std::uint32_t uid, const std::string& token) const = 0;
};

struct NewJob {
  JobId job = 0;
  std::uint32_t uid = 0;
  std::string token;  // "": none
  std::shared_ptr<const JobPayload> payload;
};

// Everything that became true in one turn. All of it is committed, or nothing.
struct Batch {
  std::vector<NewJob> new_jobs;  // each also has its Submitted event
  std::vector<JobEvent> job_events;
  std::vector<NodeEvent> node_events;

  bool empty() const { return new_jobs.empty() && job_events.empty() && node_events.empty(); }
};

enum class CommitResult {
  Committed,
  Full,    // no space; nothing of the batch is stored, and a later batch may succeed
  Failed,  // unknown what the disk holds: the process must exit and replay
};

// What a fresh controller is built from. Events of ended jobs are left out.
struct StoredState {
  JobId next_job = 1;
  LaunchSequence next_sequence = 1;
  std::vector<NodeEvent> node_events;  // the last inventory and admin state of each node
};

class Store : public Archive {
 public:
  // Durable on return. Job ids and launch sequences of committed batches are never given out again.
  virtual CommitResult commit(const Batch& batch) = 0;

  // Fills `state`, then hands over the events of every job that has not ended, in the order in
  // which they were committed.
  virtual void load(StoredState& state, const std::function<void(const JobEvent&)>& event) = 0;

  // The payload of a committed job; nothing when the store cannot be read.
  virtual std::optional<JobPayload> load_payload(JobId job) = 0;

  // The secret of one launch, 32 hexadecimal digits: the same whenever it is asked for, and told to
  // the launch's nodes only. "" when there is none to give.
  virtual std::string step_key(const LaunchKey& key) = 0;

  // Why the last commit or load did not succeed; "" otherwise.
  virtual std::string last_error() const = 0;
};

// ---- Link: between master and nodes ----------------------------------------------------------

// 0 is the master, nodes are 1..N. Valid for one life of the control plane.
using PeerId = int;

struct Delivery {
  PeerId from = 0;
  Message message;
};

class Link {
 public:
  virtual ~Link() = default;
  // Never blocks and never fails: a message may be lost, the protocol repeats what matters.
  // What is not lost arrives in the order sent, for each pair of peers.
  virtual void send(PeerId to, const Message& message) = 0;
  // Appends whatever has arrived.
  virtual void poll(std::vector<Delivery>& out) = 0;
};

// ---- Door: between master and clients --------------------------------------------------------

class Door {
 public:
  virtual ~Door() = default;
  virtual void poll(std::vector<Request>& out) = 0;
  // Called only after everything that the answer rests on is committed.
  virtual void reply(const Reply& reply) = 0;
  // The batch is durable; for clients that wait for jobs to end.
  virtual void committed(const Batch& batch) = 0;
};

// ---- Fence: the site's way to cut a node's power ------------------------------------------------

struct FenceResult {
  std::string node;
  bool ok = false;   // the power is off: nothing runs there
  std::string what;  // what was run, or why it failed
};

class Fence {
 public:
  virtual ~Fence() = default;
  virtual void start(const std::string& node) = 0;
  // Appends the results that are there.
  virtual void poll(std::vector<FenceResult>& out) = 0;
};

// ---- TelemetrySink: what nodes say of themselves -----------------------------------------------

class TelemetrySink {
 public:
  virtual ~TelemetrySink() = default;
  virtual void take(const std::string& node, const TelemetryReport& report) = 0;
};

// ---- Spool and Spawner: a node's memory and hands --------------------------------------------

// What a node knows about one launch.
struct SpoolRecord {
  LaunchKey key;
  bool held = false;      // a shepherd, or an order on its way to one, holds the record's lock
  bool same_boot = true;  // written since this machine was booted
  WallMs started_ms = 0;  // 0: the job has not started
  std::optional<ExitRecord> exit;
  std::string refusal;  // why the node could not start it, when neither of these was written
  int step_port = 0;    // where a companion takes tasks
  IdSet cores;          // that the launch holds here; empty: not known
  int elastic = 0;      // JobSpec::elastic
};

enum class ClaimResult {
  Claimed,
  Exists,
  Full,    // no space
  Failed,  // any other error
};

class Spool {
 public:
  virtual ~Spool() = default;

  // Raises `high_sequence` to the key's, durably against the death of processes, and then creates
  // the record, atomically, with its lock held until the launch is over.
  virtual ClaimResult claim(const LaunchKey& key) = 0;

  // Lets go of a claim that no shepherd took over.
  virtual void release(const LaunchKey& key) = 0;

  virtual std::optional<SpoolRecord> look(const LaunchKey& key) = 0;
  virtual std::vector<SpoolRecord> records() = 0;

  // Removes the record of a launch that is over. Not having one is fine.
  virtual void remove(const LaunchKey& key) = 0;

  // The highest launch sequence and master epoch this node has ever seen. Raising to a lower
  // value changes nothing.
  virtual LaunchSequence high_sequence() const = 0;
  virtual void raise_sequence(LaunchSequence sequence) = 0;
  virtual Epoch high_epoch() const = 0;
  virtual void raise_epoch(Epoch epoch) = 0;

  // The launch's lease runs from `from_ms`, by the boot clock. Going back changes nothing.
  virtual void renew_lease(const LaunchKey& key, BootMs from_ms) = 0;

  // Why the last call failed; "" otherwise.
  virtual std::string last_error() const = 0;
};

class Spawner {
 public:
  virtual ~Spawner() = default;

  // Hands a claimed launch to a shepherd. False: it did not and will not start. True says only
  // that the order is on its way; the spool tells the rest.
  virtual bool start(const LaunchOrder& order) = 0;

  // For a launch whose record says that it started. SIGTERM, `grace_s`, SIGKILL.
  virtual void stop(const LaunchKey& key, StopReason reason, int grace_s) = 0;
  virtual void signal(const LaunchKey& key, int signal, bool batch_only) = 0;

  // The launch may use these cores from now on, its own and others, and no more; before any start
  // that is asked for later. Nothing comes of it when the launch is over.
  virtual void set_cores(const LaunchKey& key, const IdSet& cores) = 0;
  // Why launches cannot be told what cores to use here; "" when they can. What set_cores() did in
  // vain shows here, later.
  virtual std::string fixed_cores() const = 0;

  // Kills whatever still carries the launch's mark after its shepherd is gone. True when nothing
  // is left.
  virtual bool sweep(const LaunchKey& key) = 0;
};

// ---- PowerCaps: what a node's processors may draw ----------------------------------------------

class PowerCaps {
 public:
  virtual ~PowerCaps() = default;

  // Those that can be capped.
  virtual const std::vector<PowerZone>& zones() const = 0;
  // The zone (its index) may draw so much of what it could when this was made; 100 is as it was.
  virtual void set(std::size_t zone, int percent) = 0;
  // Why caps cannot be set; "" when they can. What set() did in vain shows here.
  virtual std::string fixed() const = 0;
  // What could not be given back so far, for people; "": nothing.
  virtual std::string withheld() const = 0;
};

}  // namespace hyades
