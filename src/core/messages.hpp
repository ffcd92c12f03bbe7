// What master and nodes say to each other. The order and the retries are the launch protocol
// (schema/job_states.md); every message is idempotent per LaunchKey, so any of them may be lost,
// repeated or late.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/exit_record.hpp"
#include "core/ids.hpp"
#include "core/job_spec.hpp"
#include "core/resources.hpp"

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
};

// First words of a worker, repeated until it is welcomed, and whenever the master asks.
struct Hello {
  std::string node;
  std::string boot_id;  // of the machine; differs after a reboot
  Inventory inventory;
  std::int64_t pid = 0;
  std::vector<LaunchReport> launches;  // everything that its spool knows
};

struct Heartbeat {};

// The sender has seen a newer master: whoever sent the lower epoch must exit.
struct EpochRefused {
  Epoch highest = 0;
};

// ---- master -> node -------------------------------------------------------------------------

struct Welcome {
  bool accepted = false;
  std::string reason;  // why not
};

// "I do not know you": answer with Hello.
struct SayHello {};

// Start this. Sent again until the node reports on the key.
struct LaunchOrder {
  LaunchKey key;
  JobSpec spec;
  JobPayload payload;
  Placement placement;
  int share = 0;          // which share of the placement is this node's
  int restarts = 0;       // how often the job had started before
  int kill_grace_s = 30;  // between SIGTERM and SIGKILL
  std::string cluster;

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
  std::variant<Hello, Heartbeat, EpochRefused, LaunchReport, Welcome, SayHello, LaunchOrder,
               QueryOrder, StopOrder, SignalOrder, RetireOrder>
      body;
};

}  // namespace hyades
