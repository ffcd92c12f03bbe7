// What one seed's run looks like: its cluster, its load, and which faults it has, how often.
// "Swarm" testing: every fault is on in some seeds and off in others, because faults that are
// always on hide each other.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/prng.hpp"

namespace hyades {

struct SimOptions {
  struct SimNodeOptions {
    std::string name;
    Inventory inventory;
  };

  // ---- the cluster
  std::vector<SimNodeOptions> nodes;
  std::shared_ptr<const ClusterConfig> config;

  // ---- the load
  int jobs = 0;
  std::int64_t load_ms = 0;  // jobs are submitted, and faults happen, for this long
  std::int64_t runtime_ms_max = 0;
  int dependent = 0;  // per thousand jobs, likewise below
  int infeasible = 0;
  int no_requeue = 0;
  int meddling = 0;  // cancel, hold, requeue, ... after a submission
  int large = 0;
  int leased = 0;      // jobs that end when no master is heard
  bool plain = false;  // nothing but resources decides when a job starts, and nobody stops it

  // ---- faults that happen by chance, per thousand chances
  int drop = 0;
  int repeat = 0;
  int repeat_late = 0;
  int delay = 0;
  int refuse_launch = 0;
  int lose_order = 0;
  int launch_error = 0;
  int kill_shepherd_early = 0;
  int slow_start = 0;
  int spool_full = 0;
  int spool_failed = 0;
  int reply_lost = 0;
  int client_gives_up = 0;
  int slow_sweep = 0;
  int companion_dies = 0;
  int fence_fails = 0;

  // ---- faults that happen about every so often; 0: never
  struct Fault {
    const char* name;
    std::int64_t SimOptions::*every_ms;
  };
  std::int64_t kill_master_ms = 0;
  std::int64_t kill_world_ms = 0;
  std::int64_t suspend_master_ms = 0;
  std::int64_t replace_master_ms = 0;
  std::int64_t fill_store_ms = 0;
  std::int64_t fail_store_ms = 0;
  std::int64_t kill_agent_ms = 0;
  std::int64_t suspend_agent_ms = 0;
  std::int64_t reboot_node_ms = 0;
  std::int64_t kill_shepherd_ms = 0;
  std::int64_t cut_off_node_ms = 0;
  std::int64_t step_clock_ms = 0;
  static const std::vector<Fault>& faults();

  // ---- the pace
  std::int64_t agent_tick_ms = 2000;
  std::int64_t master_tick_ms = 1000;

  // A random choice of everything.
  static SimOptions swarm(Prng& random);
  // The same load on a cluster on which nothing ever fails.
  static SimOptions calm(Prng& random);

  // One line for people who look at a failure.
  std::string describe() const;
};

}  // namespace hyades
