// Everything a shepherd needs to run one job on this node: paths with their patterns expanded, the
// complete environment, numbers checked. What the launcher passes on without looking inside.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/id_set.hpp"
#include "core/ids.hpp"
#include "core/job_spec.hpp"
#include "core/time.hpp"
#include "telemetry/counter_plan.hpp"
#include "wire/byte_codec.hpp"

namespace hyades {

struct LaunchRecord {
  LaunchKey key;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string user;
  std::string script;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::string working_directory;
  std::string stdin_path;   // "": /dev/null
  std::string stdout_path;  // relative to the working directory, as are the other two
  std::string stderr_path;  // "" or the same as stdout_path: one file
  bool append_output = false;
  std::uint32_t umask = 022;
  std::vector<int> cpus;  // of the operating system; empty: not bound
  int time_limit_s = 0;   // 0: none
  int kill_grace_s = 30;
  WarningSignal warning;
  int preparation_limit_s = 60;  // for entering directories and opening files before the start

  // The batch part of a job on several nodes: what is written beside the script; "": no such file.
  std::string step_file;
  std::string mpi_hostfile;
  // A companion, the part of such a job on each of its other nodes, runs no script: it becomes
  // `step_program`, listening on a port, and lasts until it is stopped.
  bool companion = false;
  std::string step_program;
  std::string step_key;  // 32 hexadecimal digits that whoever asks for a step must know; or ""

  // Unless the worker hears of the master at least every lease_s, the job is stopped. 0: no lease.
  int lease_s = 0;
  BootMs lease_base_ms = 0;  // it has begun then, at the latest

  // The job's control group is hyades/<cluster_id>/<key>; "": it gets none.
  std::string cluster_id;
  bool contain_cpus = false;          // to `cpus`, by the group
  std::int64_t memory_limit_mib = 0;  // 0: none
  int processes_max = 0;              // 0: no limit
  std::vector<std::string> forbidden_devices;

  // The site's programs around the job (site_hooks.hpp), and what they are told.
  std::string hook_directory;  // "": none
  int hook_timeout_s = 60;
  std::string node_name;
  std::string job_name;

  // Only where the launcher is root (account.hpp).
  bool allow_root = true;
  std::uint32_t min_uid = 0;
  bool no_new_privileges = false;
  std::string pam_service;  // whose account and session the job needs; "": PAM is not asked
  // The job gets a directory of its own as TMPDIR.
  bool private_tmp = false;

  CounterPlan counters;
  // That the job holds here, by the node's own numbers; and whether it may use others for a time
  // (JobSpec::elastic), so that only its control group binds it, which can be changed.
  IdSet cores;
  int elastic = 0;
  int counters_every_ms = 0;  // how often what they say is written down; 0: never before the end

  // Not part of what is handed over; the shepherd knows better.
  std::string script_path;    // where the script is written to
  std::string tmp_directory;  // ""; or what TMPDIR is
  std::string report_socket;  // ""; or what HYADES_REPORT is

  friend bool operator==(const LaunchRecord&, const LaunchRecord&) = default;
};

// CPUs of the operating system; no more and no higher ones than a list may have elements.
void put_cpus(const std::vector<int>& cpus, ByteWriter& out);
bool get_cpus(ByteReader& in, std::vector<int>& cpus);

// Whether it may become part of paths.
bool is_cluster_id(const std::string& text);

// Beside the script, and removed with it.
inline std::string step_file_path(const std::string& script_path) { return script_path + ".steps"; }
inline std::string mpi_hostfile_path(const std::string& script_path) {
  return script_path + ".hosts";
}

std::string encode(const LaunchRecord& record);

// False when `bytes` are not exactly one record within the limits of core/job_spec.hpp. Every
// payload that check_payload accepts is within them, however long its patterns expand.
bool decode(std::string_view bytes, LaunchRecord& record);

}  // namespace hyades
