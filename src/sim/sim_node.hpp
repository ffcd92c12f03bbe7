// A simulated node: its machine and, while it lives, the worker with the real agent.
#pragma once

#include <deque>
#include <memory>
#include <utility>

#include "core/agent.hpp"
#include "sim/faulty_link.hpp"
#include "sim/sim_machine.hpp"
#include "sim/sim_power.hpp"
#include "sim/sim_spawner.hpp"
#include "sim/sim_spool.hpp"

namespace hyades {

class SimNode {
 public:
  SimNode(SimContext& context, FaultyWires& wires, int number);

  // A message of the master of `epoch` has arrived.
  void deliver(const Message& message, Epoch epoch);
  void start_worker();

  // ---- faults
  void kill_worker(std::int64_t down_ms);  // kill -9, and started again after that
  void kill_worker_soon(int calls);        // in the middle of a call of a port
  void suspend_worker(std::int64_t for_ms);
  void reboot(std::int64_t down_ms, bool power_cut);
  bool kill_a_shepherd() { return machine_.kill_a_shepherd(alive() && !suspended()); }
  // Switched off, or still booting.
  bool is_down() const { return booting_; }
  SimMachine& machine() { return machine_; }
  bool alive() const { return agent_ != nullptr; }
  void heal();

 private:
  struct Mail {
    Message message;
    Epoch epoch;
  };

  // Runs `work` on the agent and sends what it wants to say; the worker may die in it.
  template <typename Work>
  void with_agent(Epoch answer_to, const Work& work);
  void handle(const Mail& mail);
  void tick();
  void look_at_jobs(Agent& agent);
  void record_changed(const LaunchKey& key);
  void restart_after(std::int64_t delay_ms);
  void mark_said(const Message& message);
  void mark_said(const LaunchReport& report);
  bool suspended() const { return context_.events.now_ms() < suspended_until_ms_; }

  SimContext& context_;
  FaultyWires& wires_;
  int number_;
  DeathWish wish_;
  SimMachine machine_;
  SimSpool spool_;
  SimSpawner spawner_;
  SimPower power_;
  std::unique_ptr<Agent> agent_;
  std::uint64_t lives_ = 0;  // of workers, to tell their timers apart
  std::int64_t suspended_until_ms_ = 0;
  std::int64_t look_due_ms_ = 0;
  std::deque<Mail> mail_;    // while suspended
  Epoch highest_epoch_ = 0;  // of all masters whose messages were handled here
  bool booting_ = false;
  std::set<LaunchKey> said_exited_;
};

}  // namespace hyades
