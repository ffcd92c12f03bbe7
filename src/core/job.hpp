// A job as the master remembers it while it has not ended. Only JobTable::replay changes one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/core_loan.hpp"
#include "core/exit_record.hpp"
#include "core/ids.hpp"
#include "core/job_spec.hpp"
#include "core/job_state.hpp"
#include "core/placement_why.hpp"
#include "core/power_cap.hpp"
#include "core/resources.hpp"
#include "core/time.hpp"

namespace hyades {

struct Job {
  JobId id = 0;
  JobSpec spec;
  JobPhase phase = JobPhase::Pending;
  Outcome outcome = Outcome::None;

  WallMs submitted_ms = 0;
  WallMs assigned_ms = 0;
  WallMs started_ms = 0;  // of the current or last attempt
  WallMs ended_ms = 0;
  WallMs not_before_ms = 0;  // --begin, or the back-off after a failed launch

  LaunchKey key;                // the current attempt; sequence 0: none
  Attempt attempts = 0;         // how often it was assigned
  int restarts = 0;             // how often an attempt that had started was requeued
  int launch_failures = 0;      // attempts in a row that could not be started; 0 again at a release
  int losses = 0;               // attempts that their nodes lost; 0 again at a release
  Placement placement;          // empty while pending
  std::vector<NodeLoan> loans;  // of the current attempt, by node; none without cores
  std::vector<NodeCap> caps;    // likewise; none of 100 %
  StartReason why = StartReason::Immediate;
  PlacementWhy place_why;  // what the place of the current attempt was expected to cost
  int kill_grace_s = 30;   // of the current attempt, between SIGTERM and SIGKILL on its nodes

  bool held = false;
  bool held_by_admin = false;
  bool cancel_requested = false;
  bool requeue_requested = false;
  std::vector<Dependency> unmet;  // dependencies that are not decided yet

  std::optional<ExitRecord> script;  // of a job on several nodes: its batch script is over
  int exit_code = 0;
  int signal = 0;
  Usage usage;
  std::string reason;  // last word about it: why it was requeued, held or ended
  std::string avoid_node;

  // Pending and nothing of its own keeps it from starting.
  bool eligible(WallMs now_ms) const {
    return phase == JobPhase::Pending && !held && unmet.empty() && not_before_ms <= now_ms;
  }
  bool placed() const { return phase == JobPhase::Launching || phase == JobPhase::Running; }
  // When the job will have been stopped at the latest.
  WallMs expected_end_ms() const {
    return (started_ms != 0 ? started_ms : assigned_ms) + WallMs{spec.time_limit_s} * 1000;
  }
};

}  // namespace hyades
