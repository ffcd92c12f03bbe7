// Starts, stops and signals launches through the launcher process, and sweeps up after shepherds
// that were killed.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/node_settings.hpp"
#include "core/ports.hpp"
#include "telemetry/counter_plan.hpp"
#include "worker/containment.hpp"
#include "worker/disk_spool.hpp"
#include "worker/launch_record.hpp"
#include "worker/launcher_handle.hpp"

namespace hyades {

struct SpawnerConfig {
  // Distinguishes this cluster's processes from another's on the same machine; part of the mark
  // HYADES_LAUNCH=<cluster_id>:<key> that every process of a job carries in its environment.
  std::string cluster_id;
  // What HYADES_DIR is in jobs, so that hsub and the others work there.
  std::string state_directory;
  // Which CPUs of the operating system a job with these cores is bound to; none: not bound.
  std::function<std::vector<int>(const IdSet& cores)> cpus_for;
  // How long entering the working directory and opening the output may take (hung file systems).
  int preparation_limit_s = 60;
  // What runs a job's tasks on its further nodes (hyades-stepd): an absolute path.
  std::string step_program;
  // What is counted in a job that asked for these by name, or, if it did not ask, for the
  // configuration's; none: nothing is.
  std::function<CounterPlan(const std::vector<std::string>& names, bool asked)> counters_for;
};

class LauncherSpawner final : public Spawner {
 public:
  // `spool` and `launcher` must outlive the spawner.
  LauncherSpawner(SpawnerConfig config, DiskSpool& spool, LauncherHandle& launcher);

  // What the configuration asks of this node. Holds for launches from now on; before that nothing
  // is asked of whose jobs they are.
  void configure(const NodeSettings& settings) {
    settings_ = settings;
    configured_ = true;
  }

  // What jobs are contained by, for people.
  const std::string& containment() const { return launcher_.containment(); }

  // A refused start leaves its reason in the record.
  bool start(const LaunchOrder& order) override;
  void stop(const LaunchKey& key, StopReason reason, int grace_s) override;
  void signal(const LaunchKey& key, int signal, bool batch_only) override;

  void set_cores(const LaunchKey& key, const IdSet& cores) override;
  std::string fixed_cores() const override;

  // Waits a few hundred milliseconds at most. False: call again later.
  bool sweep(const LaunchKey& key) override;

  // Why the last start() was refused; "" otherwise.
  const std::string& last_error() const { return error_; }

 private:
  LaunchRecord launch_record(const LaunchOrder& order) const;
  void add_steps(const LaunchOrder& order, LaunchRecord& record) const;
  void add_counters(const LaunchOrder& order, LaunchRecord& record) const;
  void contain(const LaunchOrder& order, LaunchRecord& record) const;
  bool sweep_by_launcher(const LaunchKey& key);
  void note_refusal(const LaunchKey& key);

  SpawnerConfig config_;
  DiskSpool& spool_;
  LauncherHandle& launcher_;
  NodeSettings settings_;
  bool configured_ = false;
  Containment containment_;            // only to sweep
  std::map<LaunchKey, BootMs> asked_;  // for a sweep, and not answered yet
  std::string error_;
};

}  // namespace hyades
