// What master and nodes say to each other. The order and the retries are the launch protocol
// (schema/job_states.md); every message is idempotent per LaunchKey, so any of them may be lost,
// repeated or late.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/core_loan.hpp"
#include "core/exit_record.hpp"
#include "core/ids.hpp"
#include "core/job_spec.hpp"
#include "core/node_settings.hpp"
#include "core/power_cap.hpp"
#include "core/resources.hpp"
#include "core/telemetry_report.hpp"

namespace hyades {

// ---- node -> master -------------------------------------------------------------------------

enum class LaunchState {
  Starting,      // claimed; the job has not started yet
  Running,       // started, its shepherd lives
  Exited,        // ended; `exit` is its record
  NeverStarted,  // proof that it did not start and never will
  Lost,          // it started, its end was not recorded, and nothing of it is left on the node
  Absent,        // the node has no record, will refuse it if it comes late, and runs nothing of it
};

std::string_view to_string(LaunchState state);

struct LaunchReport {
  LaunchKey key;
  LaunchState state = LaunchState::Starting;
  WallMs started_ms = 0;
  ExitRecord exit;     // only with Exited
  std::string reason;  // with NeverStarted, Lost, Absent: why, for people
  // NeverStarted or Absent because of the node rather than of the job: no space in its spool, its
  // launcher is gone, ... After several in a row the node is drained for this `reason`.
  bool node_fault = false;
  int step_port = 0;  // with Running: where the node takes tasks of the job from `hrun`; 0: nowhere
  CoreLoan loan;      // with Running
  PowerCap cap;       // likewise
  BootMs sent_ms = 0;  // by the node's boot clock: of a launch that lives, a later word is newer
};

// First words of a worker, repeated until it is welcomed, and whenever the master asks.
struct Hello {
  std::string node;
  std::string boot_id;  // of the machine; differs after a reboot
  Inventory inventory;
  std::int64_t pid = 0;
  std::vector<LaunchReport> launches;  // everything that its spool knows
  std::string address;  // where the other nodes reach it: a host name or an IP address
  BootMs sent_ms = 0;   // by the node's boot clock; leases of the next orders run from there
};

struct Heartbeat {
  BootMs sent_ms = 0;         // by the node's boot clock; comes back in Renewal
  std::string health;         // not "": why nothing new should be started here
  bool health_known = false;  // else the first check is not over, and `health` says nothing
  std::string boot_id;        // by whose clock; the next boot's counts from 0 again
};

// The sender has seen a newer master: whoever sent the lower epoch must exit.
struct EpochRefused {
  Epoch highest = 0;
};

// ---- master -> node -------------------------------------------------------------------------

// Also sent again when the settings have changed.
struct Welcome {
  bool accepted = false;
  std::string reason;  // why not
  NodeSettings settings;
  int cores = 0;  // of the node that jobs may have: the first so many
};

// The answer to a heartbeat: the launches on the node that hold a lease, and that the master still
// counts on. Their leases run from `echo_ms`, the moment at which the node sent that heartbeat:
// however late this arrives, no lease outlives what the master counts from sending it. What is not
// named has been given up, and is never renewed again.
struct Renewal {
  BootMs echo_ms = 0;
  std::vector<LaunchKey> leases;
  WallMs master_ms = 0;  // by the master's clock
};

// "I do not know you": answer with Hello.
struct SayHello {};

// Where a node takes tasks of a job from `hrun`.
struct StepPeer {
  std::string address;
  int port = 0;

  friend bool operator==(const StepPeer&, const StepPeer&) = default;
};

// Start this. Sent again until the node reports on the key. A job of several nodes has a part on
// each: first its companions (every share but the first) are started, and when all of them run, the
// batch script on the node of the first.
struct LaunchOrder {
  LaunchKey key;
  JobSpec spec;
  JobPayload payload;
  Placement placement;
  int share = 0;          // which share of the placement is this node's
  int restarts = 0;       // how often the job had started before
  int kill_grace_s = 30;  // between SIGTERM and SIGKILL
  std::string cluster;
  // With several shares: what proves to a companion that a task comes from this job, and, for the
  // first share, where they all are (in the order of the shares; the first is empty).
  std::string step_key;
  std::vector<StepPeer> peers;
  // The last moment, by this node's boot clock, from which it heard of the master: the job's lease
  // runs from there. 0: it has not in this boot, for all that the master knows.
  BootMs lease_base_ms = 0;

  bool is_companion() const { return share != 0; }
  const NodeShare& own_share() const { return placement.shares[static_cast<std::size_t>(share)]; }
};

// The master believes that this runs here, and the node's Hello did not name it: report on it. A
// node without a record first makes sure that nothing of it is left and that it can never start.
struct QueryOrder {
  LaunchKey key;
};

// SIGTERM, `grace_s`, SIGKILL. If the launch has not started, it must never start.
struct StopOrder {
  LaunchKey key;
  StopReason reason = StopReason::Cancelled;
  int grace_s = 30;
};

struct SignalOrder {
  LaunchKey key;
  int signal = 0;
  bool batch_only = false;
};

// The result is committed: the node may forget the launch.
struct RetireOrder {
  LaunchKey key;
};

// `epoch` is the master's, in both directions: a node answers in the epoch that welcomed it (0
// before that).
struct Message {
  Epoch epoch = 0;
  std::variant<Hello, Heartbeat, EpochRefused, LaunchReport, Welcome, SayHello, Renewal,
               LaunchOrder, QueryOrder, StopOrder, SignalOrder, RetireOrder, TelemetryReport>
      body;
};

}  // namespace hyades
