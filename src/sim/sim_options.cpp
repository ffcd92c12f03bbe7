#include "sim/sim_options.hpp"

#include <algorithm>
#include <sstream>

namespace hyades {

namespace {

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t hour_ms = 60 * minute_ms;

SimOptions::SimNodeOptions random_node(Prng& random, int number) {
  SimOptions::SimNodeOptions node;
  node.name = "n" + std::to_string(number);
  node.inventory.cores = static_cast<int>(random.between(2, 12));
  node.inventory.memory_mib = 1024 * random.between(4, 32);
  if (random.chance(500)) {
    node.inventory.devices.push_back({"gpu", static_cast<int>(random.between(1, 4))});
  }
  if (random.chance(400)) node.inventory.features.push_back("fast");
  return node;
}

std::shared_ptr<const ClusterConfig> random_config(Prng& random, const SimOptions& options) {
  auto config = std::make_shared<ClusterConfig>();
  config->name = "sim";
  for (const auto& node : options.nodes) config->nodes.push_back({node.name, node.inventory});
  config->node_timeout_ms = static_cast<int>(random.between(10'000, 60'000));
  config->resend_ms = static_cast<int>(random.between(500, 5'000));
  config->kill_grace_s = static_cast<int>(random.between(5, 60));
  config->max_restarts = static_cast<int>(random.between(1, 4));
  config->max_launch_failures = static_cast<int>(random.between(2, 4));
  config->admin_uids = {0};
  config->queues.front().default_time_s = 1800;
  config->node_settings.cap_power = true;
  if (options.plain) return config;
  if (random.chance(400)) {
    config->fence_command = {"/fence"};
    config->fence_after_s = static_cast<int>(random.between(20, 600));
  }
  if (random.chance(200))
    config->queues.front().lease_s = static_cast<int>(random.between(20, 300));
  for (QueueConfig& queue : config->queues) {
    if (random.chance(500)) queue.order = random.pick(fixed_queue_orders());
    if (random.chance(400)) queue.backfill = random.pick(all_backfills());
  }
  config->guard.after_s = 60;
  if (random.chance(300)) config->queues.front().max_queued_per_user = 30;
  if (random.chance(300)) config->queues.front().max_running_per_user = 5;
  if (random.chance(300)) config->queues.front().max_cores_per_user = 16;
  if (random.chance(500)) {
    QueueConfig urgent{.name = "urgent"};
    urgent.priority = 10;
    urgent.default_time_s = 600;
    urgent.max_time_s = 7200;
    if (random.chance(500)) urgent.nodes = {options.nodes.front().name};
    config->queues.push_back(urgent);
  }
  return config;
}

SimOptions random_load(Prng& random, bool plain) {
  SimOptions options;
  options.plain = plain;
  const int nodes = static_cast<int>(random.between(2, 5));
  for (int number = 1; number <= nodes; ++number) {
    options.nodes.push_back(random_node(random, number));
  }
  options.config = random_config(random, options);
  options.jobs = static_cast<int>(random.between(40, 160));
  options.load_ms = random.between(4, 20) * hour_ms;
  options.runtime_ms_max = random.between(2, 60) * minute_ms;
  options.dependent = static_cast<int>(random.between(0, 300));
  options.infeasible = static_cast<int>(random.between(0, 60));
  options.no_requeue = static_cast<int>(random.between(0, 400));
  options.meddling = static_cast<int>(random.between(0, 500));
  options.large = static_cast<int>(random.between(0, 300));
  options.leased = static_cast<int>(random.between(0, 400));
  if (plain) options.dependent = options.infeasible = options.meddling = 0;
  return options;
}

// Off in about half of the seeds, else anything up to `most`.
int some(Prng& random, int most) {
  return random.chance(500) ? 0 : static_cast<int>(random.between(1, most));
}

std::int64_t every(Prng& random, std::int64_t least_ms, std::int64_t most_ms) {
  return random.chance(500) ? 0 : random.skewed(least_ms, most_ms);
}

}  // namespace

const std::vector<SimOptions::Fault>& SimOptions::faults() {
  static const std::vector<Fault> all = {
      {"kill_master", &SimOptions::kill_master_ms},
      {"kill_world", &SimOptions::kill_world_ms},
      {"suspend_master", &SimOptions::suspend_master_ms},
      {"replace_master", &SimOptions::replace_master_ms},
      {"fill_store", &SimOptions::fill_store_ms},
      {"fail_store", &SimOptions::fail_store_ms},
      {"kill_agent", &SimOptions::kill_agent_ms},
      {"suspend_agent", &SimOptions::suspend_agent_ms},
      {"reboot_node", &SimOptions::reboot_node_ms},
      {"kill_shepherd", &SimOptions::kill_shepherd_ms},
      {"cut_off_node", &SimOptions::cut_off_node_ms},
      {"step_clock", &SimOptions::step_clock_ms},
  };
  return all;
}

SimOptions SimOptions::swarm(Prng& random) {
  SimOptions options = random_load(random, false);
  options.drop = some(random, 200);
  options.repeat = some(random, 200);
  options.repeat_late = some(random, 100);
  options.delay = some(random, 100);
  options.refuse_launch = some(random, 100);
  options.lose_order = some(random, 100);
  options.launch_error = some(random, 100);
  options.kill_shepherd_early = some(random, 100);
  options.slow_start = some(random, 300);
  options.spool_full = some(random, 60);
  options.spool_failed = some(random, 40);
  options.reply_lost = some(random, 200);
  options.client_gives_up = some(random, 100);
  options.slow_sweep = some(random, 800);
  options.companion_dies = some(random, 200);
  options.fence_fails = some(random, 500);
  options.kill_master_ms = every(random, 5 * minute_ms, 3 * hour_ms);
  options.kill_world_ms = every(random, 20 * minute_ms, 5 * hour_ms);
  options.suspend_master_ms = every(random, 20 * minute_ms, 5 * hour_ms);
  options.replace_master_ms = every(random, 20 * minute_ms, 5 * hour_ms);
  options.fill_store_ms = every(random, 20 * minute_ms, 5 * hour_ms);
  options.fail_store_ms = every(random, 20 * minute_ms, 5 * hour_ms);
  options.kill_agent_ms = every(random, 5 * minute_ms, 3 * hour_ms);
  options.suspend_agent_ms = every(random, 20 * minute_ms, 5 * hour_ms);
  options.reboot_node_ms = every(random, 5 * minute_ms, 3 * hour_ms);
  options.kill_shepherd_ms = every(random, 20 * minute_ms, 5 * hour_ms);
  options.cut_off_node_ms = every(random, 10 * minute_ms, 3 * hour_ms);
  options.step_clock_ms = every(random, 20 * minute_ms, 5 * hour_ms);
  options.agent_tick_ms = random.between(2000, 6000);
  options.master_tick_ms = random.between(1000, 4000);
  return options;
}

SimOptions SimOptions::calm(Prng& random) {
  SimOptions options = random_load(random, true);
  options.load_ms /= 6;  // so that jobs wait
  options.agent_tick_ms = 2000;
  options.master_tick_ms = 500;
  return options;
}

std::string SimOptions::describe() const {
  std::ostringstream text;
  text << "nodes";
  for (const auto& node : nodes) {
    text << ' ' << node.name << ':' << node.inventory.cores << 'c' << node.inventory.memory_mib
         << 'M';
    for (const auto& device : node.inventory.devices) text << device.count << device.kind;
  }
  text << "; jobs " << jobs << " in " << load_ms / minute_ms << " min, run up to "
       << runtime_ms_max / minute_ms << " min; per thousand: drop " << drop << " repeat " << repeat
       << " repeat_late " << repeat_late << " delay " << delay << " refuse_launch " << refuse_launch
       << " lose_order " << lose_order << " launch_error " << launch_error
       << " kill_shepherd_early " << kill_shepherd_early << " slow_start " << slow_start
       << " spool_full " << spool_full << " spool_failed " << spool_failed << " reply_lost "
       << reply_lost << "; every so many minutes:";
  for (const Fault& fault : faults()) {
    if (this->*fault.every_ms > 0)
      text << ' ' << fault.name << ' ' << this->*fault.every_ms / minute_ms;
  }
  return text.str();
}

}  // namespace hyades
