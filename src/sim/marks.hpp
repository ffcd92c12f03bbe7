// Counters of what a simulation really met. A fault or a branch that no seed ever reached was not
// tested, so whoever runs the seeds sums the marks up and fails when one is zero.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace hyades {

// clang-format off
#define HYADES_SIM_MARKS(X) \
  /* faults of the link */ \
  X(message_dropped) X(message_repeated) X(message_delayed) X(message_repeated_late) \
  X(message_of_an_old_world) X(node_cut_off) X(message_into_the_void) \
  /* faults of the master */ \
  X(master_killed_at_once) X(master_killed_before_commit) X(master_killed_after_commit) \
  X(master_killed_while_sending) X(master_killed_while_replying) X(master_killed_loading_payload) \
  X(world_killed) X(master_suspended) X(master_replaced_while_suspended) X(old_master_woke_up) \
  X(old_master_deposed) X(old_master_refused_by_store) X(order_of_an_old_epoch) \
  X(clock_stepped) X(peers_renumbered) \
  /* faults of the store */ \
  X(store_full) X(store_failed_and_lost) X(store_failed_but_stored) X(master_gave_up) \
  X(master_degraded) X(payload_unreadable) \
  /* faults of a node */ \
  X(agent_killed) X(agent_killed_in_a_call) X(agent_suspended) X(node_rebooted) \
  X(node_rebooted_with_jobs) X(shepherd_killed) X(shepherd_killed_before_start) \
  X(node_lost_power) X(claim_lost_with_power) X(start_lost_with_power) \
  X(order_of_an_old_boot) X(order_lost_in_launcher) X(launcher_refused) X(launch_error) X(spool_full) X(spool_failed) \
  X(companion_died) X(lease_expired) X(lease_over_before_start) X(fence_failed) \
  X(sweep_took_long) X(slow_start) X(agent_died_during_start) X(job_ignored_sigterm) \
  /* clients */ \
  X(token_retried) X(token_answered_twice) X(client_gave_up) X(reply_lost) X(refused_storage_full) \
  X(refused_limit) X(refused_infeasible) X(cancel_acked_before_start) X(cancel_acked_while_placed) \
  X(hold_acked) X(release_acked) X(requeue_acked) X(drain_acked) X(resume_acked) X(signal_acked) \
  /* what became true */ \
  X(completed) X(failed) X(cancelled_pending) X(cancelled_running) X(timed_out) X(node_failed) \
  X(launch_failed) X(requeued_after_reboot) X(requeued_after_loss) X(requeued_unstarted) \
  X(requeued_by_request) X(held_after_failures) X(backed_off) X(cores_lent) X(cores_returned) \
  X(power_capped) X(power_lifted) X(backfilled) X(multi_node_started) \
  X(exclusive_started) X(devices_started) X(dependency_met) X(dependency_failed) \
  X(companion_started) X(script_ended) X(requeued_after_companion) X(ended_by_lease) \
  X(fenced) X(confirmed_dead) X(node_drained_by_fault) X(ended_while_agent_was_dead) X(adopted) X(node_joined_late) \
  /* what nodes said */ \
  X(said_starting) X(said_running) X(said_exited) X(said_never_started) X(said_lost) X(said_absent) \
  X(said_exited_again) X(late_order_refused) X(stopped_before_start)
// clang-format on

enum class Mark {
#define HYADES_SIM_MARK(name) name,
  HYADES_SIM_MARKS(HYADES_SIM_MARK)
#undef HYADES_SIM_MARK
};

class Marks {
 public:
#define HYADES_SIM_MARK(name) +1
  static constexpr std::size_t count = 0 HYADES_SIM_MARKS(HYADES_SIM_MARK);
#undef HYADES_SIM_MARK

  void hit(Mark mark) { ++counts_[static_cast<std::size_t>(mark)]; }
  std::uint64_t hits(Mark mark) const { return counts_[static_cast<std::size_t>(mark)]; }

  std::uint64_t& operator[](std::size_t index) { return counts_[index]; }
  std::uint64_t operator[](std::size_t index) const { return counts_[index]; }

  static const char* name(std::size_t index);

 private:
  std::array<std::uint64_t, count> counts_{};
};

}  // namespace hyades
