// What goes wrong in a simulated world.
#include "sim/simulation.hpp"

namespace hyades {

namespace {
constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t hour_ms = 60 * minute_ms;
}  // namespace

void Simulation::plan_faults() {
  static constexpr Deed deeds[] = {
      &Simulation::kill_master,    &Simulation::kill_world,    &Simulation::suspend_master,
      &Simulation::replace_master, &Simulation::fill_store,    &Simulation::fail_store,
      &Simulation::kill_agent,     &Simulation::suspend_agent, &Simulation::reboot_node,
      &Simulation::kill_shepherd,  &Simulation::cut_off_node,  &Simulation::step_clock};
  const auto& faults = SimOptions::faults();  // in the same order
  for (std::size_t i = 0; i < faults.size(); ++i) {
    plan_fault(options_.*faults[i].every_ms, deeds[i]);
  }
}

void Simulation::plan_fault(std::int64_t every_ms, Deed deed) {
  if (every_ms <= 0) return;
  events_.after(context_.random.between(1, 2 * every_ms), [this, every_ms, deed] {
    if (context_.healed) return;
    (this->*deed)();
    plan_fault(every_ms, deed);
  });
}

void Simulation::kill_master() {
  SimMaster* const master = current();
  if (!master) return;
  const int soon = static_cast<int>(context_.random.between(1, 6));
  switch (context_.random.below(6)) {
    case 0:
      marks_.hit(Mark::master_killed_at_once);
      return master_died(master->epoch(), "is killed");
    case 1:
      return master->store().die_at(FaultyStore::Death::BeforeCommit);
    case 2:
      return master->store().die_at(FaultyStore::Death::AfterCommit);
    case 3:
      return master->store().die_at(FaultyStore::Death::LoadingPayload);
    case 4:
      return master->link().die_after(soon);
    default:
      return master->door().die_after((soon + 1) / 2);
  }
}

void Simulation::kill_world() {
  marks_.hit(Mark::world_killed);
  for (const auto& node : nodes_) node->kill_worker(context_.random.between(300, 20'000));
  if (SimMaster* const master = current()) master_died(master->epoch(), "dies with its world");
}

void Simulation::suspend_master() {
  SimMaster* const master = current();
  if (!master || master->suspended) return;
  marks_.hit(Mark::master_suspended);
  context_.log("master is suspended");
  master->suspended = true;
  events_.after(context_.random.skewed(2'000, 3 * minute_ms), [this, epoch = master->epoch()] {
    const auto found = masters_.find(epoch);
    if (found != masters_.end() && epoch == epoch_) found->second->suspended = false;
  });
}

// The master sleeps, a new one takes its place, and the old one wakes up and believes that nothing
// has happened.
void Simulation::replace_master() {
  SimMaster* const master = current();
  if (!master || master->suspended) return;
  marks_.hit(Mark::master_replaced_while_suspended);
  context_.log("master is suspended and will be replaced");
  master->suspended = true;
  const Epoch old = master->epoch();
  events_.after(context_.random.skewed(2'000, 2 * minute_ms), [this, old] {
    if (epoch_ != old || !masters_.count(old)) return;
    masters_.at(old)->store().fence();
    start_master(context_.random.chance(300));
  });
  const std::int64_t wakes_ms = 3 * minute_ms + context_.random.skewed(1'000, hour_ms);
  events_.after(wakes_ms, [this, old] {
    const auto found = masters_.find(old);
    if (found == masters_.end()) return;
    marks_.hit(Mark::old_master_woke_up);
    context_.log("master " + std::to_string(old) + " wakes up");
    found->second->suspended = false;
  });
  events_.after(wakes_ms + 20 * minute_ms, [this, old] {
    if (old != epoch_ && masters_.count(old)) master_died(old, "is killed at last");
  });
}

void Simulation::fill_store() {
  disk_.full = true;
  disk_.full_for_jobs_only = context_.random.chance(300);
  context_.log("the disk is full");
  const int filling = ++disk_fillings_;
  events_.after(context_.random.skewed(5'000, 20 * minute_ms), [this, filling] {
    if (filling == disk_fillings_) disk_ = {};
  });
}

void Simulation::fail_store() {
  SimMaster* const master = current();
  if (!master) return;
  if (context_.random.chance(600)) return master->store().fail_next();
  master->store().make_payload_unreadable(static_cast<int>(context_.random.between(1, 3)));
}

void Simulation::kill_agent() {
  SimNode& node = some_node();
  if (context_.random.chance(500)) {
    return node.kill_worker_soon(static_cast<int>(context_.random.between(1, 12)));
  }
  node.kill_worker(context_.random.skewed(200, 5 * minute_ms));
}

void Simulation::suspend_agent() {
  some_node().suspend_worker(context_.random.skewed(2'000, 5 * minute_ms));
}

void Simulation::reboot_node() {
  const bool power_cut = context_.random.chance(500);
  const std::int64_t down_ms = context_.random.skewed(10'000, 10 * minute_ms);
  SimNode& node = some_node();
  node.reboot(down_ms, power_cut);
  if (!context_.random.chance(300)) return;
  // An operator looks while it is off, and says so to the master that is there then.
  events_.after(
      down_ms / 2, [this, name = node.machine().name(), boot = node.machine().boot(), &node] {
        SimMaster* const master = current();
        if (master && !master->suspended && node.machine().boot() == boot && node.is_down()) {
          clients_.confirm_dead(name);
        }
      });
}

// The site's fence command takes its time, cuts the power (or not), and its result may come when
// the node is back already.
void Simulation::fence(SimMaster& master) {
  for (const std::string& node : master.fence().take_orders()) {
    events_.after(context_.random.skewed(500, minute_ms),
                  [this, epoch = master.epoch(), node] { cut_power(epoch, node); });
  }
}

void Simulation::cut_power(Epoch epoch, const std::string& name) {
  const bool fails = context_.strikes(context_.options.fence_fails, Mark::fence_failed);
  if (!fails) {
    for (const auto& node : nodes_) {
      if (node->machine().name() != name) continue;
      node->reboot(context_.random.skewed(1'000, 10 * minute_ms), context_.random.chance(700));
    }
  }
  events_.after(context_.random.skewed(10, 2 * minute_ms), [this, epoch, name, fails] {
    const auto found = masters_.find(epoch);
    if (found == masters_.end()) return;
    found->second->fence().finish({name, !fails, "/fence"});
    plan_turn(epoch, 1);
  });
}

void Simulation::kill_shepherd() {
  if (some_node().kill_a_shepherd()) marks_.hit(Mark::shepherd_killed);
}

void Simulation::cut_off_node() {
  const int node = static_cast<int>(context_.random.below(nodes_.size()));
  if (wires_.is_cut_off(node)) return;
  marks_.hit(Mark::node_cut_off);
  context_.log("node " + std::to_string(node) + " is cut off");
  wires_.cut_off(node, true);
  events_.after(context_.random.skewed(2'000, 20 * minute_ms),
                [this, node] { wires_.cut_off(node, false); });
}

void Simulation::step_clock() {
  marks_.hit(Mark::clock_stepped);
  const std::int64_t by_ms =
      context_.random.skewed(1'000, 2 * hour_ms) * (context_.random.chance(500) ? 1 : -1);
  if (context_.random.chance(500)) return some_node().machine().step_clock(by_ms);
  step_master_clock(by_ms);
}

void Simulation::step_master_clock(std::int64_t by_ms) {
  wall_offset_ms_ += by_ms;
  if (SimMaster* const master = current()) master->clock().step_wall(by_ms);
}

}  // namespace hyades
