#include "sim/sim_master.hpp"

namespace hyades {
namespace {

// Each master may find another grace in its configuration than the one before it.
std::shared_ptr<const ClusterConfig> edited(SimContext& context) {
  auto config = std::make_shared<ClusterConfig>(*context.options.config);
  if (context.random.chance(500)) {
    config->kill_grace_s = static_cast<int>(context.random.between(0, 60));
  }
  return config;
}

}  // namespace

SimMaster::SimMaster(SimContext& context, Epoch epoch, FaultyWires& wires, Store& disk_store,
                     const FaultyStore::Disk& disk, std::int64_t wall_offset_ms,
                     std::function<void(const Batch&)> committed,
                     std::function<void(const Reply&)> answer)
    : context_(context),
      epoch_(epoch),
      store_(context, disk_store, disk, std::move(committed)),
      link_(wires, epoch, context),
      door_(context, std::move(answer)) {
  clock_.step_wall(wall_offset_ms);
  clock_.set_elapsed(context.events.now_ms());
  driver_ = std::make_unique<Driver>(edited(context), epoch, clock_, store_, link_, door_, policy_,
                                     fence_);
}

std::optional<Driver::Turn> SimMaster::turn() {
  clock_.set_elapsed(context_.events.now_ms());
  Driver::Turn turn;
  try {
    turn = driver_->turn();
  } catch (const ProcessDied&) {
    return std::nullopt;
  }
  if (!driver_->degraded().empty()) context_.marks.hit(Mark::master_degraded);
  if (turn == Driver::Turn::Worked) {
    driver_->controller().check();
    const bool owner = !store_.fenced();
    if (owner && context_.random.chance(20)) {
      context_.oracle.check_live(driver_->controller().jobs(), store_);
    }
  }
  return turn;
}

}  // namespace hyades
