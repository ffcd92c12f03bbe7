// The spool of a simulated worker: a view on its machine's disk. The worker may die in any call,
// before or after it had its effect.
#pragma once

#include "core/ports.hpp"
#include "sim/sim_machine.hpp"

namespace hyades {

class SimSpool : public Spool {
 public:
  SimSpool(SimContext& context, SimMachine& machine, DeathWish& wish)
      : context_(context), machine_(machine), wish_(wish) {}

  ClaimResult claim(const LaunchKey& key) override;
  void release(const LaunchKey& key) override;
  std::optional<SpoolRecord> look(const LaunchKey& key) override;
  std::vector<SpoolRecord> records() override;
  void remove(const LaunchKey& key) override;
  LaunchSequence high_sequence() const override { return machine_.high_sequence; }
  void raise_sequence(LaunchSequence sequence) override;
  Epoch high_epoch() const override { return machine_.high_epoch; }
  void raise_epoch(Epoch epoch) override;
  void renew_lease(const LaunchKey& key, BootMs from_ms) override;
  std::string last_error() const override { return last_error_; }

 private:
  SpoolRecord view(const LaunchKey& key, const SimMachine::Record& record) const;

  SimContext& context_;
  SimMachine& machine_;
  DeathWish& wish_;
  std::string last_error_;
};

}  // namespace hyades
