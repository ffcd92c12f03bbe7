// A simulated node without its worker: a disk with the spool's records, shepherds and the processes
// they keep. All of it goes on when the worker dies; a reboot ends the processes and keeps the
// disk, a power cut may also take what was not synced: everything but ends of jobs.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "core/exit_record.hpp"
#include "core/messages.hpp"
#include "core/power_cap.hpp"
#include "sim/sim_clock.hpp"
#include "sim/sim_context.hpp"
#include "sim/sim_job_plan.hpp"

namespace hyades {

class SimMachine {
 public:
  enum class Holder { Nobody, Worker, Order, Shepherd };

  struct Record {
    Holder holder = Holder::Nobody;
    std::uint64_t boot = 0;
    WallMs started_ms = 0;
    std::optional<ExitRecord> exit;
    int step_port = 0;
    IdSet cores;
    int elastic = 0;
    BootMs lease_from_ms = 0;
  };

  // `changed` is called when a record changed by itself (not by a call of the worker).
  SimMachine(SimContext& context, std::string name, int cores,
             std::function<void(const LaunchKey&)> changed);

  // ---- what the worker's spool and spawner do with it
  std::map<LaunchKey, Record>& records() { return records_; }
  LaunchSequence high_sequence = 0;
  Epoch high_epoch = 0;
  void accept_order(const LaunchOrder& order);  // the launcher has it and will see to it
  void stop(const LaunchKey& key, StopReason reason, int grace_s);
  bool sweep(const LaunchKey& key);
  void set_cores(const LaunchKey& key, const IdSet& cores);
  // Its cores are in two packages.
  const std::vector<PowerZone>& zones() const { return zones_; }
  void set_power(std::size_t zone, int percent);
  // What jobs do to the cores that they may use, as somebody who looks on would see it.
  std::vector<JobFigures> look_at_jobs();
  bool is_alive(const LaunchKey& key) const { return processes_.count(key) != 0; }

  // ---- what happens to it
  void worker_died();
  void reboot();
  void lose_power();
  // False: there is none. `watched`: a worker is there to notice. Where none is, those of jobs with
  // a lease are spared: they alone end such a job, and for both at once nobody promises anything.
  bool kill_a_shepherd(bool watched);
  void step_clock(std::int64_t by_ms) { clock_.step_wall(by_ms); }

  Now now();
  std::uint64_t boot() const { return boot_; }
  std::string boot_id() const { return name_ + "-boot-" + std::to_string(boot_); }
  const std::string& name() const { return name_; }
  std::size_t processes() const { return processes_.size(); }

 private:
  struct Process {
    LaunchOrder order;
    SimJobPlan plan;
    WallMs started_ms = 0;
    StopReason stopped = StopReason::None;
    IdSet cores;  // that it may use now
    double done = 0;
    bool orphan = false;  // its shepherd was killed: nobody will write down how it ends
  };

  // Runs `action` later, unless the machine is rebooted before.
  void later(std::int64_t delay_ms, std::function<void()> action);
  void shepherd(const LaunchOrder& order);
  void start(const LaunchOrder& order);
  void end(const LaunchKey& key, int exit_code, int signal);
  void check_alone(const LaunchOrder& order) const;
  void check_power(const LaunchOrder& order) const;
  void check_agreement(const LaunchKey& key, const Process& process) const;
  int power_of(const IdSet& cores) const;
  BootMs lease_end_ms(const LaunchOrder& order);
  void watch_lease(const LaunchKey& key);
  void destroy(const LaunchKey& key, const char* how);
  void changed(const LaunchKey& key);

  SimContext& context_;
  std::string name_;
  std::function<void(const LaunchKey&)> changed_;
  SimClock clock_;
  std::uint64_t boot_ = 1;
  std::map<LaunchKey, Record> records_;
  std::map<LaunchKey, Process> processes_;
  std::vector<PowerZone> zones_;
  std::vector<int> power_percent_;  // by zone
  LaunchSequence sequence_at_boot_ = 0;
  Epoch epoch_at_boot_ = 0;
};

}  // namespace hyades
