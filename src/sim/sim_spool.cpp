#include "sim/sim_spool.hpp"

#include <algorithm>

namespace hyades {

ClaimResult SimSpool::claim(const LaunchKey& key) {
  wish_.pass();
  last_error_.clear();
  const SimOptions& options = context_.options;
  if (context_.strikes(options.spool_failed, Mark::spool_failed)) {
    last_error_ = "input/output error";
    return ClaimResult::Failed;
  }
  const bool full = context_.strikes(options.spool_full, Mark::spool_full);
  // A full disk may strike before or after the sequence went up.
  if (!full || context_.random.chance(500)) raise_sequence(key.sequence);
  if (full) {
    last_error_ = "no space left on device";
    return ClaimResult::Full;
  }
  wish_.pass();
  auto& records = machine_.records();
  if (records.count(key)) return ClaimResult::Exists;
  records[key] = {.holder = SimMachine::Holder::Worker, .boot = machine_.boot()};
  wish_.pass();
  return ClaimResult::Claimed;
}

void SimSpool::release(const LaunchKey& key) {
  wish_.pass();
  const auto found = machine_.records().find(key);
  if (found == machine_.records().end()) return;
  if (found->second.holder != SimMachine::Holder::Worker) {
    throw Violation("spool", to_string(key) + " was released by somebody who does not hold it");
  }
  found->second.holder = SimMachine::Holder::Nobody;
  wish_.pass();
}

SpoolRecord SimSpool::view(const LaunchKey& key, const SimMachine::Record& record) const {
  return {.key = key,
          .held = record.holder != SimMachine::Holder::Nobody,
          .same_boot = record.boot == machine_.boot(),
          .started_ms = record.started_ms,
          .exit = record.exit,
          .refusal = "",
          .step_port = record.step_port,
          .cores = record.cores,
          .elastic = record.elastic};
}

std::optional<SpoolRecord> SimSpool::look(const LaunchKey& key) {
  wish_.pass();
  const auto found = machine_.records().find(key);
  if (found == machine_.records().end()) return std::nullopt;
  return view(key, found->second);
}

std::vector<SpoolRecord> SimSpool::records() {
  wish_.pass();
  std::vector<SpoolRecord> all;
  for (const auto& [key, record] : machine_.records()) all.push_back(view(key, record));
  return all;
}

void SimSpool::remove(const LaunchKey& key) {
  wish_.pass();
  const auto found = machine_.records().find(key);
  if (found == machine_.records().end()) return;
  if (found->second.holder != SimMachine::Holder::Nobody || machine_.is_alive(key)) {
    throw Violation("spool", "the record of " + to_string(key) + " was removed while it is alive");
  }
  if (context_.oracle.is_open(key)) {
    throw Violation("P4 result", "the record of " + to_string(key) +
                                     " was removed before its end was committed");
  }
  machine_.records().erase(found);
  wish_.pass();
}

void SimSpool::raise_sequence(LaunchSequence sequence) {
  wish_.pass();
  machine_.high_sequence = std::max(machine_.high_sequence, sequence);
}

// No worker dies of it: whether it was written or not, the shepherd sees an older word at worst.
void SimSpool::renew_lease(const LaunchKey& key, BootMs from_ms) {
  const auto found = machine_.records().find(key);
  if (found == machine_.records().end()) return;
  found->second.lease_from_ms = std::max(found->second.lease_from_ms, from_ms);
}

void SimSpool::raise_epoch(Epoch epoch) {
  wish_.pass();
  machine_.high_epoch = std::max(machine_.high_epoch, epoch);
}

}  // namespace hyades
