#include "sim/sim_machine.hpp"

#include <algorithm>
#include <vector>

namespace hyades {

SimMachine::SimMachine(SimContext& context, std::string name, int cores,
                       std::function<void(const LaunchKey&)> changed)
    : context_(context), name_(std::move(name)), changed_(std::move(changed)) {
  const IdSet all = IdSet::first(cores);
  const IdSet lower = IdSet::first((cores + 1) / 2);
  zones_ = {{0, lower}, {1, all.without(lower)}};
  power_percent_.assign(zones_.size(), 100);
  clock_.step_wall(context_.random.between(-3000, 3000));  // no two clocks agree
}

Now SimMachine::now() {
  clock_.set_elapsed(context_.events.now_ms());
  return clock_.now();
}

void SimMachine::later(std::int64_t delay_ms, std::function<void()> action) {
  context_.events.after(delay_ms, [this, boot = boot_, action = std::move(action)] {
    if (boot == boot_) action();
  });
}

void SimMachine::changed(const LaunchKey& key) {
  later(context_.random.between(1, 30), [this, key] { changed_(key); });
}

void SimMachine::accept_order(const LaunchOrder& order) {
  records_.at(order.key).holder = Holder::Order;
  const bool slow = context_.strikes(context_.options.slow_start, Mark::slow_start);
  const std::int64_t delay_ms =
      slow ? context_.random.skewed(1'000, 90'000) : context_.random.between(1, 40);
  later(delay_ms, [this, order] { shepherd(order); });
}

void SimMachine::shepherd(const LaunchOrder& order) {
  const auto found = records_.find(order.key);
  if (found == records_.end()) {
    throw Violation("spool", "the record of " + to_string(order.key) + " was removed while held");
  }
  Record& record = found->second;
  if (context_.strikes(context_.options.lose_order, Mark::order_lost_in_launcher)) {
    record.holder = Holder::Nobody;
    return changed(order.key);
  }
  record.holder = Holder::Shepherd;
  if (context_.strikes(context_.options.kill_shepherd_early, Mark::shepherd_killed_before_start)) {
    record.holder = Holder::Nobody;
    return changed(order.key);
  }
  if (!order.is_companion() &&
      context_.strikes(context_.options.launch_error, Mark::launch_error)) {
    record.holder = Holder::Nobody;
    ExitRecord exit;
    exit.launch_error = "cannot open the output file";
    exit.ended_ms = now().wall_ms;
    record.exit = exit;
    context_.log(name_ + " launch error " + to_string(order.key));
    context_.oracle.launch_failed(order.key);
    return changed(order.key);
  }
  start(order);
}

// A job with a lease may live until then, for all that this machine has heard.
BootMs SimMachine::lease_end_ms(const LaunchOrder& order) {
  return std::max(order.lease_base_ms, records_.at(order.key).lease_from_ms) +
         BootMs{order.spec.lease_s} * 1000;
}

void SimMachine::watch_lease(const LaunchKey& key) {
  if (!is_alive(key)) return;
  const LaunchOrder& order = processes_.at(key).order;
  const BootMs rest_ms = lease_end_ms(order) - now().boot_ms;
  if (rest_ms <= 0) {
    context_.marks.hit(Mark::lease_expired);
    return stop(key, StopReason::LeaseExpired, order.kill_grace_s);
  }
  later(rest_ms, [this, key] { watch_lease(key); });
}

void SimMachine::start(const LaunchOrder& order) {
  const LaunchKey key = order.key;
  if (order.spec.lease_s > 0 && lease_end_ms(order) <= now().boot_ms) {
    context_.marks.hit(Mark::lease_over_before_start);
    records_.at(key).holder = Holder::Nobody;
    return changed(key);
  }
  check_alone(order);
  check_power(order);
  Process process{.order = order,
                  .plan = SimJobPlan::parse(order.payload.script),
                  .cores = order.own_share().cores};
  process.started_ms = now().wall_ms;
  Record& record = records_.at(key);
  record.started_ms = process.started_ms;
  record.cores = process.cores;
  record.elastic = std::max(0, order.spec.elastic);
  if (order.is_companion()) {
    records_.at(key).step_port = static_cast<int>(context_.random.between(30'000, 60'000));
    process.plan.on_term = SimJobPlan::Dies;
    context_.log(name_ + " starts a companion of " + to_string(key));
    context_.oracle.companion_started(name_, order);
    processes_.emplace(key, std::move(process));
    if (order.spec.lease_s > 0) watch_lease(key);
    if (context_.strikes(context_.options.companion_dies, Mark::companion_died)) {
      later(context_.random.skewed(10, 600'000), [this, key] {
        if (is_alive(key)) end(key, 1, 0);
      });
    }
    return changed(key);
  }
  context_.log(name_ + " starts " + to_string(key));
  context_.oracle.process_started(name_, order, process.started_ms);
  later(process.plan.run_ms, [this, key, plan = process.plan] {
    if (is_alive(key)) end(key, plan.exit_code, plan.signal);
  });
  const int grace_s = order.kill_grace_s;
  later(std::int64_t{order.spec.time_limit_s} * 1000, [this, key, grace_s] {
    if (is_alive(key)) stop(key, StopReason::TimeLimit, grace_s);
  });
  processes_.emplace(key, std::move(process));
  if (order.spec.lease_s > 0) watch_lease(key);
  changed(key);
}

// Nobody may use the cores of a job that starts; those who were lent some have given them back.
void SimMachine::check_alone(const LaunchOrder& order) const {
  for (const auto& [key, process] : processes_) {
    if (process.cores.common(order.own_share().cores).empty()) continue;
    throw Violation("P8 lent cores", to_string(order.key) + " starts on cores of " + name_ +
                                         " that " + to_string(key) + " may still use");
  }
}

void SimMachine::set_cores(const LaunchKey& key, const IdSet& cores) {
  const auto found = processes_.find(key);
  if (found == processes_.end()) return;
  Process& process = found->second;
  const std::string who = to_string(key) + " on " + name_;
  if (!cores.contains_all(process.order.own_share().cores)) {
    throw Violation("P8 lent cores", who + " loses cores of its own");
  }
  if (cores != process.order.own_share().cores && cores.size() > process.order.spec.elastic) {
    throw Violation("P8 lent cores", who + " may use more cores than it has asked for");
  }
  for (const auto& [other, its] : processes_) {
    if (other == key || its.cores.common(cores).empty()) continue;
    throw Violation("P8 lent cores", who + " is lent cores of " + to_string(other));
  }
  process.cores = cores;
  check_agreement(key, process);
}

// The least that any of them has.
int SimMachine::power_of(const IdSet& cores) const {
  int least = 100;
  for (std::size_t zone = 0; zone < zones_.size(); ++zone) {
    if (zones_[zone].cores.common(cores).empty()) continue;
    least = std::min(least, power_percent_[zone]);
  }
  return least;
}

// What starts has not been asked yet how much it can do without.
void SimMachine::check_power(const LaunchOrder& order) const {
  if (power_of(order.own_share().cores) == 100) return;
  throw Violation("power", to_string(order.key) + " starts on capped processors of " + name_);
}

void SimMachine::set_power(std::size_t zone, int percent) {
  power_percent_.at(zone) = percent;
  if (percent == 100) return;
  for (const auto& [key, process] : processes_) check_agreement(key, process);
}

void SimMachine::check_agreement(const LaunchKey& key, const Process& process) const {
  const bool agrees =
      process.order.spec.power_margin > 0 && process.order.placement.shares.size() == 1;
  if (agrees || power_of(process.cores) == 100) return;
  throw Violation("power", to_string(key) + " on " + name_ + " has not agreed to a cap");
}

std::vector<JobFigures> SimMachine::look_at_jobs() {
  std::vector<JobFigures> all;
  for (auto& [key, process] : processes_) {
    // Some lose speed with their power, others none.
    process.done += key.job % 2 == 0 ? power_of(process.order.own_share().cores) : 100;
    // Some can use whatever they get, others not even what they have.
    const double most =
        key.job % 3 == 0 ? process.cores.size() : 1.0 + static_cast<double>(key.job % 4);
    const double busy = std::min<double>(process.cores.size(), most);
    all.push_back(
        {key, {{kCoresBusyFigure, "cores", busy}, {kInstructionsFigure, "count", process.done}}});
  }
  return all;
}

void SimMachine::stop(const LaunchKey& key, StopReason reason, int grace_s) {
  const auto found = processes_.find(key);
  if (found == processes_.end() || found->second.orphan) return;
  Process& process = found->second;
  if (process.stopped != StopReason::None) return;
  process.stopped = reason;
  context_.log(name_ + " stops " + to_string(key) + " " + std::string(to_string(reason)));
  if (process.plan.on_term == SimJobPlan::Ignores) {
    context_.marks.hit(Mark::job_ignored_sigterm);
    later(std::int64_t{grace_s} * 1000, [this, key] {
      if (is_alive(key)) end(key, 0, 9);
    });
    return;
  }
  const bool dies = process.plan.on_term == SimJobPlan::Dies;
  later(context_.random.between(1, 500), [this, key, dies] {
    if (is_alive(key)) end(key, 0, dies ? 15 : 0);
  });
}

void SimMachine::end(const LaunchKey& key, int exit_code, int signal) {
  const Process& process = processes_.at(key);
  if (process.orphan) return destroy(key, "ends unseen");
  ExitRecord exit;
  exit.exit_code = exit_code;
  exit.signal = signal;
  exit.stopped = process.stopped;
  exit.started_ms = process.started_ms;
  exit.ended_ms = now().wall_ms;
  const bool companion = process.order.is_companion();
  if (!companion) {
    exit.usage.user_ms = static_cast<std::int64_t>(context_.random.below(100'000));
    exit.usage.max_rss_kib = static_cast<std::int64_t>(context_.random.below(1'000'000));
    exit.usage.minor_faults = exit.usage.max_rss_kib / 4 + 1;
    exit.usage.voluntary_switches = exit.usage.user_ms / 3;
    exit.usage.read_bytes = exit.usage.user_ms * 4096;
    exit.usage.write_bytes = exit.usage.user_ms * 512;
  }
  Record& record = records_.at(key);
  record.exit = exit;
  record.holder = Holder::Nobody;
  processes_.erase(key);
  context_.log(name_ + " ended " + to_string(key) + " " + std::to_string(exit_code) + "/" +
               std::to_string(signal));
  if (!companion) {
    context_.oracle.process_ended(name_, key, exit);
  } else if (exit.stopped == StopReason::LeaseExpired) {
    context_.oracle.companion_destroyed(name_, key);  // nobody had asked for that
  } else {
    context_.oracle.companion_ended(name_, key);
  }
  changed(key);
}

void SimMachine::destroy(const LaunchKey& key, const char* how) {
  const bool companion = processes_.at(key).order.is_companion();
  processes_.erase(key);
  context_.log(name_ + " " + how + " " + to_string(key));
  if (companion) {
    context_.oracle.companion_destroyed(name_, key);
  } else {
    context_.oracle.process_ended(name_, key, std::nullopt);
  }
}

bool SimMachine::sweep(const LaunchKey& key) {
  const auto record = records_.find(key);
  if (record != records_.end() && record->second.holder != Holder::Nobody) {
    throw Violation("spool", to_string(key) + " was swept away while its shepherd lives");
  }
  if (!is_alive(key)) return true;
  if (context_.strikes(context_.options.slow_sweep, Mark::sweep_took_long)) return false;
  destroy(key, "sweeps");
  return true;
}

bool SimMachine::kill_a_shepherd(bool watched) {
  std::vector<LaunchKey> herded;
  for (const auto& [key, process] : processes_) {
    const bool spared = !watched && process.order.spec.lease_s > 0;
    if (!process.orphan && !spared) herded.push_back(key);
  }
  if (herded.empty()) return false;
  const LaunchKey key = context_.random.pick(herded);
  context_.log(name_ + " loses the shepherd of " + to_string(key));
  records_.at(key).holder = Holder::Nobody;
  processes_.at(key).orphan = true;
  if (context_.random.chance(300)) destroy(key, "loses");
  changed(key);
  return true;
}

void SimMachine::worker_died() {
  for (auto& [key, record] : records_) {
    if (record.holder == Holder::Worker) record.holder = Holder::Nobody;
    if (record.holder == Holder::Order) context_.marks.hit(Mark::agent_died_during_start);
  }
}

void SimMachine::reboot() {
  context_.marks.hit(Mark::node_rebooted);
  if (!processes_.empty()) context_.marks.hit(Mark::node_rebooted_with_jobs);
  while (!processes_.empty()) destroy(LaunchKey(processes_.begin()->first), "reboots under");
  for (auto& [key, record] : records_) record.holder = Holder::Nobody;
  ++boot_;
  now();  // as of which it begins anew
  clock_.reboot();
  std::fill(power_percent_.begin(), power_percent_.end(), 100);
  sequence_at_boot_ = high_sequence;
  epoch_at_boot_ = high_epoch;
  context_.oracle.rebooted(name_, boot_id());
}

void SimMachine::lose_power() {
  context_.marks.hit(Mark::node_lost_power);
  for (auto at = records_.begin(); at != records_.end();) {
    Record& record = at->second;
    const bool this_boot = record.boot == boot_;
    if (record.exit || !this_boot || context_.random.chance(300)) {
      ++at;
    } else if (record.started_ms != 0 && context_.random.chance(500)) {
      context_.marks.hit(Mark::start_lost_with_power);
      record.started_ms = 0;
      ++at;
    } else {
      context_.marks.hit(Mark::claim_lost_with_power);
      at = records_.erase(at);
    }
  }
  // A counter may be as old as the boot, or of any time since.
  high_sequence = context_.random.between(sequence_at_boot_, high_sequence);
  high_epoch = context_.random.between(epoch_at_boot_, high_epoch);
  reboot();
}

}  // namespace hyades
