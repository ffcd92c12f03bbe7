// The spawner of a simulated worker: hands orders to its machine, which keeps them when the worker
// dies.
#pragma once

#include "core/ports.hpp"
#include "sim/sim_machine.hpp"

namespace hyades {

class SimSpawner : public Spawner {
 public:
  SimSpawner(SimContext& context, SimMachine& machine, DeathWish& wish)
      : context_(context), machine_(machine), wish_(wish) {}

  bool start(const LaunchOrder& order) override;
  void stop(const LaunchKey& key, StopReason reason, int grace_s) override;
  void signal(const LaunchKey& key, int signal, bool batch_only) override;
  void set_cores(const LaunchKey& key, const IdSet& cores) override;
  std::string fixed_cores() const override { return ""; }
  bool sweep(const LaunchKey& key) override;

  // While a message of an old epoch is handled, nothing may be done.
  void forbid(bool forbidden) { forbidden_ = forbidden; }

 private:
  void check_allowed(const LaunchKey& key) const;

  SimContext& context_;
  SimMachine& machine_;
  DeathWish& wish_;
  bool forbidden_ = false;
};

}  // namespace hyades
