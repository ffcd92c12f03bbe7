#include "worker/worker.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "core/agent.hpp"
#include "core/news.hpp"
#include "telemetry/papi_probe.hpp"
#include "telemetry/topology.hpp"
#include "wire/fd_waiter.hpp"
#include "wire/plain_child.hpp"
#include "wire/system_clock.hpp"
#include "worker/disk_spool.hpp"
#include "worker/health_watch.hpp"
#include "worker/launcher_power.hpp"
#include "worker/launcher_spawner.hpp"
#include "worker/spool_identity.hpp"

namespace hyades {

namespace {

constexpr PeerId kMaster = 0;
// The safety net for lost doorbells, and the resolution of the agent's timers.
constexpr int kTick_ms = 100;
// A world that was killed needs a moment until the kernel has let go of its locks.
constexpr int kSpoolPatience_ms = 5000;

// Virtual nodes each offer all logical cores (the site decides how far to oversubscribe), but
// memory is only there once.
Inventory offered_by(const Topology& topology, int nodes_on_this_host) {
  Inventory inventory = topology.inventory();
  if (topology.is_this_machine()) inventory.memory_mib /= nodes_on_this_host;
  return inventory;
}

class WorkerLoop {
 public:
  WorkerLoop(const WorkerOptions& options, MpiLink& link, LauncherHandle& launcher,
             SamplerHandle& sampler)
      : node_(options.node),
        topology_(Topology::load()),
        papi_(ask_papi()),
        offered_(offered_by(topology_, options.nodes_on_this_host)),
        link_(link),
        launcher_(launcher),
        sampler_(sampler),
        spool_(options.spool_directory, "", kSpoolPatience_ms),
        spawner_(spawner_config(options), spool_, launcher_),
        power_(power(options.nodes_on_this_host)),
        agent_({.node = options.node,
                .boot_id = spool_.boot_id(),
                .inventory = offered_,
                .pid = getpid(),
                .address = options.address},
               spool_, spawner_, &power_),
        health_(options.node, options.spool_directory) {
    waiter_.add(link_.doorbell_fd());
    if (spool_.watch_fd() >= 0) waiter_.add(spool_.watch_fd());
    waiter_.add(launcher_.fd());
    spdlog::info("node {}: {} cores, {} MiB; {} launch records in {}", options.node, offered_.cores,
                 offered_.memory_mib, spool_.records().size(), options.spool_directory);
    spdlog::info("node {}: jobs are contained by {}; this worker runs as uid {}", options.node,
                 spawner_.containment(), geteuid());
    spdlog::info(
        "node {}: {}; PAPI's own attach to a job {}; jobs are counted by the kernel's events",
        options.node, papi_.summary, papi_.attach);
    if (!spool_.watch_failure().empty()) spdlog::warn("{}", spool_.watch_failure());
  }

  // False when the worker cannot go on.
  bool turn() {
    deliveries_.clear();
    link_.poll(deliveries_);
    const Now now = clock_.now();
    for (const Delivery& delivery : deliveries_) {
      agent_.receive(delivery.message, now);
      spawner_.configure(agent_.settings());
      if (refused_start_.is(spawner_.last_error())) {
        spdlog::error("node {}: a job was not started: {}", node_, spawner_.last_error());
      }
    }
    log_trouble();
    for (const LaunchKey& key : spool_.drain_watch()) agent_.record_changed(key, now);
    watch_health(now);
    agent_.tick(now);
    pass_on_measurements(now);
    for (const Message& message : agent_.take_outbox()) link_.send(kMaster, message);
    if (!agent_.refusal().empty()) {
      spdlog::error("the master refuses the worker of node {}: {}", node_, agent_.refusal());
      return false;
    }
    if (!launcher_.flush() || !launcher_.alive()) {
      spdlog::error(
          "node {}: the launcher process {} is gone; jobs run on, a new worker adopts them", node_,
          launcher_.pid());
      return false;
    }
    return true;
  }

  void wait() {
    waiter_.wait(launcher_.wants_write() ? 1 : std::min(kTick_ms, link_.sleep_ms_max()));
  }

 private:
  void watch_health(const Now& now) {
    if (!agent_.welcomed()) return;  // the settings come with the welcome
    std::optional<std::string> health =
        health_.turn(agent_.settings(), agent_.clock_off_ms(), now.boot_ms);
    if (!health) return;
    if (unwell_.is(*health)) spdlog::warn("node {} is unwell: {}", node_, *health);
    agent_.set_health(std::move(*health));
  }

  void pass_on_measurements(const Now& now) {
    if (!agent_.welcomed()) return;
    sampler_.turn(agent_.settings().telemetry, offered_.cores, now.boot_ms);
    reports_.clear();
    sampler_.take(reports_);
    for (TelemetryReport& report : reports_) agent_.pass_on(std::move(report), now);
    if (unmeasured_.is(sampler_.trouble())) {
      spdlog::warn("node {}: nothing is measured: {}", node_, sampler_.trouble());
    }
  }

  void log_trouble() {
    const std::string withheld = power_.withheld();
    const bool matters = agent_.settings().cap_power || !withheld.empty();
    if (matters && uncapped_.is(power_.fixed())) {
      spdlog::warn("node {}: power is not capped: {}", node_, power_.fixed());
    }
    if (withheld_.is(withheld)) spdlog::error("node {}: {}", node_, withheld);
    if (malformed_.is(link_.last_error())) {
      spdlog::warn("node {}: a message from the master was refused: {}", node_, link_.last_error());
    }
  }

  // Of packages that are all ours: what else runs there has not been asked.
  LauncherPower power(int nodes_on_this_host) const {
    std::vector<PowerZone> zones;
    std::string why_not = launcher_.no_power();
    for (const int package : launcher_.power_packages()) {
      IdSet cores = topology_.whole_package(package);
      if (cores.empty()) {
        why_not = "package " + std::to_string(package) + " is not all this node's";
      } else {
        zones.push_back({package, std::move(cores)});
      }
    }
    if (nodes_on_this_host == 1) return {std::move(zones), why_not, launcher_};
    return {{}, "several nodes share this machine", launcher_};
  }

  SpawnerConfig spawner_config(const WorkerOptions& options) {
    SpawnerConfig config{.cluster_id = spool_identity(options.spool_directory),
                         .state_directory = options.state_directory,
                         .cpus_for = {},
                         .step_program = program_beside_us("hyades-stepd"),
                         .counters_for = {}};
    config.counters_for = [this](const std::vector<std::string>& names, bool asked) {
      return asked ? papi_.catalogue.resolve(names) : papi_.catalogue.resolve_available(names);
    };
    // Virtual nodes number the same cores: binding would pile their jobs onto the first ones.
    if (options.nodes_on_this_host == 1 && topology_.is_this_machine()) {
      config.cpus_for = [this](const IdSet& cores) { return topology_.cpus_for(cores); };
    }
    return config;
  }

  std::string node_;  // several nodes may write into one log
  SystemClock clock_;
  FdWaiter waiter_;
  Topology topology_;
  PapiFindings papi_;
  Inventory offered_;
  MpiLink& link_;
  LauncherHandle& launcher_;
  SamplerHandle& sampler_;
  DiskSpool spool_;
  LauncherSpawner spawner_;
  LauncherPower power_;
  Agent agent_;
  HealthWatch health_;
  std::vector<Delivery> deliveries_;
  std::vector<TelemetryReport> reports_;
  News refused_start_;
  News malformed_;
  News unwell_;
  News unmeasured_;
  News withheld_;
  News uncapped_;
};

}  // namespace

int run_worker(const WorkerOptions& options, MpiLink& link, LauncherHandle& launcher,
               SamplerHandle& sampler, const std::function<void()>& serving,
               const std::atomic<bool>& stop) {
  WorkerLoop loop(options, link, launcher, sampler);
  serving();
  while (!stop) {
    if (!loop.turn()) return 1;
    loop.wait();
  }
  return 0;
}

}  // namespace hyades
