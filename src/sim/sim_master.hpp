// One life of the master: the real driver and controller on simulated ports.
#pragma once

#include <memory>
#include <optional>

#include "core/driver.hpp"
#include "policy/backfill_policy.hpp"
#include "sim/faulty_link.hpp"
#include "sim/faulty_store.hpp"
#include "sim/sim_clock.hpp"
#include "sim/sim_door.hpp"
#include "sim/sim_fence.hpp"

namespace hyades {

class SimMaster {
 public:
  SimMaster(SimContext& context, Epoch epoch, FaultyWires& wires, Store& disk_store,
            const FaultyStore::Disk& disk, std::int64_t wall_offset_ms,
            std::function<void(const Batch&)> committed, std::function<void(const Reply&)> answer);

  // One turn, with every check that holds after a turn. Nothing: it died.
  std::optional<Driver::Turn> turn();

  Epoch epoch() const { return epoch_; }
  Driver& driver() { return *driver_; }
  FaultyStore& store() { return store_; }
  FaultyLink& link() { return link_; }
  SimDoor& door() { return door_; }
  SimClock& clock() { return clock_; }
  SimFence& fence() { return fence_; }

  bool suspended = false;

 private:
  SimContext& context_;
  Epoch epoch_;
  SimClock clock_;
  FaultyStore store_;
  FaultyLink link_;
  SimDoor door_;
  BackfillPolicy policy_;
  SimFence fence_;
  std::unique_ptr<Driver> driver_;
};

}  // namespace hyades
