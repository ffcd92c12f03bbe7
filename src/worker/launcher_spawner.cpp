#include "worker/launcher_spawner.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "worker/boot_clock.hpp"
#include "worker/device_rules.hpp"
#include "worker/job_environment.hpp"
#include "worker/job_steps.hpp"
#include "worker/launch_record.hpp"
#include "worker/output_pattern.hpp"
#include "worker/record_file.hpp"
#include "worker/sweeper.hpp"

namespace hyades {
namespace {

constexpr int sweep_ms = 200;
constexpr BootMs ask_again_ms = 2000;
constexpr int processes_most = 1 << 22;  // the kernel knows no more

}  // namespace

LauncherSpawner::LauncherSpawner(SpawnerConfig config, DiskSpool& spool, LauncherHandle& launcher)
    : config_(std::move(config)),
      spool_(spool),
      launcher_(launcher),
      containment_(Containment::find_as_told()) {}

LaunchRecord LauncherSpawner::launch_record(const LaunchOrder& order) const {
  const JobPayload& payload = order.payload;
  LaunchRecord record;
  record.key = order.key;
  record.uid = order.spec.uid;
  record.gid = order.spec.gid;
  record.user = order.spec.user;
  record.script = payload.script;
  record.arguments = payload.arguments;
  record.script_path = spool_.script_path(order.key);
  add_steps(order, record);
  record.working_directory = payload.working_directory;
  record.stdin_path = expand_output_pattern(payload.stdin_path, order);
  record.stdout_path = expand_output_pattern(
      payload.stdout_path.empty() ? default_output_pattern : payload.stdout_path, order);
  record.stderr_path = expand_output_pattern(payload.stderr_path, order);
  record.append_output = payload.append_output;
  record.umask = payload.umask & 0777;
  record.cores = order.own_share().cores;
  record.elastic = order.spec.elastic;
  if (config_.cpus_for) record.cpus = config_.cpus_for(record.cores);
  record.time_limit_s = order.spec.time_limit_s;
  record.kill_grace_s = order.kill_grace_s;
  record.warning = order.spec.warning;
  record.preparation_limit_s = config_.preparation_limit_s;
  record.companion = order.is_companion();
  record.step_program = config_.step_program;
  record.step_key = order.step_key;
  record.lease_s = std::max(0, order.spec.lease_s);
  record.lease_base_ms = order.lease_base_ms;
  contain(order, record);
  add_counters(order, record);
  record.hook_directory = settings_.hook_directory;
  record.hook_timeout_s = std::max(1, settings_.hook_timeout_s);
  record.node_name = order.own_share().node;
  record.job_name = order.spec.name;
  if (configured_) {
    record.allow_root = settings_.allow_root_jobs;
    record.min_uid = settings_.min_uid;
    record.no_new_privileges = settings_.no_new_privileges;
    record.private_tmp = settings_.private_tmp;
    record.pam_service = settings_.pam_service;
  }
  return record;
}

// The first part of a job on several nodes learns of the others. A single node needs no file: that
// is one thing less to write for most jobs.
void LauncherSpawner::add_steps(const LaunchOrder& order, LaunchRecord& record) const {
  JobEnvironment where{config_.cluster_id, config_.state_directory, "", "", ""};
  where.program_directory = config_.step_program.substr(0, config_.step_program.rfind('/'));
  if (!order.is_companion() && order.placement.shares.size() > 1) {
    const StepFile steps = job_steps(order);
    record.step_file = encode(steps);
    record.mpi_hostfile = mpi_hostfile(steps);
    where.step_file = step_file_path(record.script_path);
    where.mpi_hostfile = mpi_hostfile_path(record.script_path);
  }
  record.environment = job_environment(order, where);
}

void LauncherSpawner::contain(const LaunchOrder& order, LaunchRecord& record) const {
  record.cluster_id = config_.cluster_id;
  record.contain_cpus = settings_.contain_cores;
  const bool asked = order.spec.memory_per_node_mib > 0 || order.spec.memory_per_cpu_mib > 0;
  if (settings_.contain_memory && asked) record.memory_limit_mib = order.own_share().memory_mib;
  const long long processes =
      1ll * settings_.processes_per_core * static_cast<long long>(order.own_share().cores.size());
  record.processes_max = static_cast<int>(std::min<long long>(processes, processes_most));
  record.forbidden_devices = forbidden_devices(settings_.device_files, order.own_share().devices);
}

void LauncherSpawner::add_counters(const LaunchOrder& order, LaunchRecord& record) const {
  if (!config_.counters_for) return;
  const bool asked = !order.spec.counters.empty();
  record.counters = config_.counters_for(asked ? order.spec.counters : settings_.counters, asked);
  record.counters_every_ms = settings_.telemetry.enabled ? settings_.counters_every_ms : 0;
}

bool LauncherSpawner::start(const LaunchOrder& order) {
  error_.clear();
  UniqueFd claim = spool_.take_claim(order.key);
  if (!claim) {
    error_ = "the launch was not claimed";
    return false;
  }
  const std::string encoded = encode(launch_record(order));
  if (launcher_.send(StartLaunch{order.key, encoded}, std::move(claim))) return true;
  error_ = std::string("cannot hand the order to the node's launcher: ") + std::strerror(errno);
  if (!launcher_.alive()) error_ = "the node's launcher process has died";
  note_refusal(order.key);
  return false;
}

// Into the record, so that whoever looks at it later knows that the node is to blame.
void LauncherSpawner::note_refusal(const LaunchKey& key) {
  const std::string line = refused_line(error_);
  const std::string path = spool_.record_path(key);
  UniqueFd file(open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  // Best effort: that nobody holds the lock any more says what matters.
  if (file && write(file.get(), line.data(), line.size()) < 0) return;
}

void LauncherSpawner::stop(const LaunchKey& key, StopReason reason, int grace_s) {
  launcher_.send(StopLaunch{key, reason, grace_s}, UniqueFd());
}

void LauncherSpawner::signal(const LaunchKey& key, int signal, bool batch_only) {
  launcher_.send(SignalLaunch{key, signal, batch_only}, UniqueFd());
}

void LauncherSpawner::set_cores(const LaunchKey& key, const IdSet& cores) {
  if (!config_.cpus_for) return;
  std::vector<int> cpus = config_.cpus_for(cores);
  if (cpus.empty()) return;  // there are not as many: such a job is not bound
  launcher_.send(SetCores{key, config_.cluster_id, std::move(cpus)}, UniqueFd());
}

std::string LauncherSpawner::fixed_cores() const {
  if (!config_.cpus_for) return "jobs are not bound to cores: nodes share this machine";
  if (!settings_.contain_cores) return "contain_cores is off";
  if (!launcher_.binds_cpus()) return "this node has no control groups that bind jobs to cores";
  return launcher_.cores_trouble();
}

bool LauncherSpawner::sweep(const LaunchKey& key) {
  if (launcher_.has_other_rights()) return sweep_by_launcher(key);
  Remains remains;
  if (!read_remains(spool_.directory(), key, config_.cluster_id, remains)) return false;
  const std::string group = config_.cluster_id + '/' + to_string(key);
  containment_.kill(group);
  return sweep_remains(remains, sweep_ms) && end_group(containment_, group, sweep_ms);
}

// Processes of others, which only the launcher may kill.
bool LauncherSpawner::sweep_by_launcher(const LaunchKey& key) {
  if (const auto answer = launcher_.take_answer(key)) {
    asked_.erase(key);
    if (answer->clean) return true;
  }
  const BootMs now = boot_now_ms();
  const auto asked = asked_.find(key);
  if (asked != asked_.end() && now < asked->second + ask_again_ms) return false;
  asked_[key] = now;
  launcher_.send(SweepLaunch{key, config_.cluster_id}, UniqueFd());
  return false;
}

}  // namespace hyades
