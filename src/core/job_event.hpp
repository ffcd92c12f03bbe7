// The facts of a job's life, in the order they became true. Events are committed before anything
// is done about them; replaying them gives the same jobs again, and replay never asks a policy.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/core_loan.hpp"
#include "core/exit_record.hpp"
#include "core/ids.hpp"
#include "core/job_spec.hpp"
#include "core/job_state.hpp"
#include "core/node_profile.hpp"
#include "core/placement_why.hpp"
#include "core/power_cap.hpp"
#include "core/resources.hpp"
#include "core/time.hpp"

namespace hyades {

struct Submitted {
  JobSpec spec;
};

// One dependency is decided for good. `met == false` is followed by Ended.
struct DependencySettled {
  Dependency dependency;
  bool met = false;
};

struct HoldChanged {
  bool held = false;
  bool by_admin = false;  // only an operator may release such a hold
  std::string by;
};

// The decision to start: committed before the order leaves for the node.
struct Assigned {
  LaunchKey key;
  Epoch epoch = 0;
  Placement placement;
  StartReason why = StartReason::Immediate;
  int kill_grace_s = 30;  // the configuration's at that moment; no later one changes this attempt's
  std::string policy = {};     // that its queue went by: "index+easy, reserve 0.05"
  std::string chosen_by = {};  // a model's digest, "lookahead"; "": who configured it
  PlacementWhy place_why = {};
};

struct Started {
  LaunchKey key;
  WallMs started_ms = 0;  // by the node's clock
};

// Of jobs on several nodes: the batch script is over and its result is safe; the job ends when
// nothing of it is left on its other nodes.
struct ScriptEnded {
  LaunchKey key;
  ExitRecord exit;
};

// What a node lends to its part of the job is another now. Of changes that came while no master was
// there only the last is known.
struct CoresLent {
  LaunchKey key;
  std::string node;
  CoreLoan loan;
};

// What the processors that its part on a node runs on may draw is another now; as with CoresLent.
struct PowerCapped {
  LaunchKey key;
  std::string node;
  PowerCap cap;
};

struct CancelRequested {
  std::string by;
};

// `hctl requeue`: stop the attempt, then queue the job again.
struct RequeueRequested {
  std::string by;
};

// The attempt is over (or never began) and is known to be dead; the job waits again.
struct Requeued {
  LaunchKey key;
  std::string reason;
  bool had_started = false;
  WallMs not_before_ms = 0;  // back-off after a node could not start it
  std::string avoid_node;    // the node that failed it; "": no node is to blame
};

struct Ended {
  Outcome outcome = Outcome::None;
  int exit_code = 0;
  int signal = 0;
  WallMs started_ms = 0;  // 0: never started
  WallMs ended_ms = 0;
  Usage usage;
  std::string reason;  // for people; "" when there is nothing to add
};

struct JobEvent {
  JobId job = 0;
  WallMs at_ms = 0;  // when the master learned it
  std::variant<Submitted, DependencySettled, HoldChanged, Assigned, Started, ScriptEnded, CoresLent,
               PowerCapped, CancelRequested, RequeueRequested, Requeued, Ended>
      what;
};

// What is remembered about nodes across restarts.
struct NodeDefined {
  Inventory inventory;
  std::string boot_id;
};
struct NodeDrained {
  std::string reason;
  std::string by;
};
struct NodeResumed {
  std::string by;
};
// Proof from outside that nothing of an order of a sequence lower than `below` runs on the node any
// more: its power was cut, or somebody looked. Should the node come back after all, what it still
// runs is ended.
struct NodeDeclaredDead {
  LaunchSequence below = 0;
  std::string proof;  // "fenced", "confirmed by ada"
};
// What the node can do is known now, or forgotten.
struct NodeProfiled {
  std::optional<NodeProfile> profile;
  std::string by;
};
struct NodeEvent {
  std::string node;
  WallMs at_ms = 0;
  std::variant<NodeDefined, NodeDrained, NodeResumed, NodeDeclaredDead, NodeProfiled> what;
};

// "submitted", "assigned", ...: the name under which an event is stored and shown.
const char* event_name(const JobEvent& event);
const char* event_name(const NodeEvent& event);

}  // namespace hyades
