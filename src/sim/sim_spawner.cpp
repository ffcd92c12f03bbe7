#include "sim/sim_spawner.hpp"

namespace hyades {

void SimSpawner::check_allowed(const LaunchKey& key) const {
  if (forbidden_) {
    throw Violation(
        "epoch", "the order of a master that had been replaced was obeyed for " + to_string(key));
  }
}

bool SimSpawner::start(const LaunchOrder& order) {
  wish_.pass();
  check_allowed(order.key);
  const auto record = machine_.records().find(order.key);
  if (record == machine_.records().end() || record->second.holder != SimMachine::Holder::Worker) {
    throw Violation("spool", to_string(order.key) + " was started without a claim");
  }
  if (context_.strikes(context_.options.refuse_launch, Mark::launcher_refused)) return false;
  machine_.accept_order(order);
  wish_.pass();
  return true;
}

void SimSpawner::stop(const LaunchKey& key, StopReason reason, int grace_s) {
  wish_.pass();
  check_allowed(key);
  machine_.stop(key, reason, grace_s);
}

void SimSpawner::signal(const LaunchKey& key, int, bool) {
  wish_.pass();
  check_allowed(key);
}

void SimSpawner::set_cores(const LaunchKey& key, const IdSet& cores) {
  wish_.pass();
  machine_.set_cores(key, cores);
  wish_.pass();
}

bool SimSpawner::sweep(const LaunchKey& key) {
  wish_.pass();
  return machine_.sweep(key);
}

}  // namespace hyades
