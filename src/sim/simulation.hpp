// One simulated world, from one seed: the real controller, driver, policy and agents on simulated
// ports. First a load with faults; then everything is healed and all jobs must end.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/memory_store.hpp"
#include "sim/sim_clients.hpp"
#include "sim/sim_master.hpp"
#include "sim/sim_node.hpp"

namespace hyades {

class Simulation {
 public:
  struct Summary {
    std::uint64_t hash = 0;  // of everything that happened
    std::int64_t simulated_ms = 0;
    std::size_t jobs = 0;
    std::size_t processes = 0;
    std::uint64_t events = 0;
  };

  // Everything follows from `seed` (and `options`, which were drawn from it by the caller).
  // `trace`: where to print what happens; nullptr: nowhere.
  Simulation(std::uint64_t seed, SimOptions options, std::FILE* trace = nullptr);

  // Called after every turn of the master that owns the directory.
  void watch(std::function<void(const Controller&)> watcher) { watcher_ = std::move(watcher); }

  // Throws Violation when a promise is broken.
  Summary run();

  const Marks& marks() const { return marks_; }

 private:
  using Deed = void (Simulation::*)();

  // ---- masters
  void start_master(bool renumber);
  void master_died(Epoch epoch, const std::string& why);
  void plan_turn(Epoch epoch, std::int64_t delay_ms);
  void turn(Epoch epoch);
  void keep_turning(Epoch epoch);
  SimMaster* current();
  void committed(const Batch& batch);

  // ---- faults
  void plan_faults();
  void plan_fault(std::int64_t every_ms, Deed deed);
  void kill_master();
  void kill_world();
  void suspend_master();
  void replace_master();
  void fill_store();
  void fail_store();
  void kill_agent();
  void suspend_agent();
  void reboot_node();
  void kill_shepherd();
  void cut_off_node();
  void fence(SimMaster& master);
  void cut_power(Epoch epoch, const std::string& node);
  void step_clock();
  void step_master_clock(std::int64_t by_ms);
  SimNode& some_node() { return *nodes_[context_.random.below(nodes_.size())]; }

  // ---- phases
  void run_until(std::int64_t until_ms);
  void heal();
  void run_to_the_end();
  void check_spools();

  SimOptions options_;
  EventQueue events_;
  Marks marks_;
  Trace trace_;
  Oracle oracle_;
  SimContext context_;
  MemoryStore store_;
  FaultyStore::Disk disk_;
  FaultyWires wires_;
  SimClients clients_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::map<Epoch, std::unique_ptr<SimMaster>> masters_;
  std::map<Epoch, bool> turn_planned_;
  Epoch epoch_ = 0;  // of the last master
  std::int64_t wall_offset_ms_ = 0;
  std::int64_t last_commit_ms_ = 0;
  int disk_fillings_ = 0;
  std::function<void(const Controller&)> watcher_;
};

}  // namespace hyades
