// What the cluster's configuration asks of every node. The master sends it with its welcome, so
// that there is one file to edit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/counter_names.hpp"
#include "core/device_files.hpp"
#include "core/resources.hpp"
#include "core/telemetry_settings.hpp"

namespace hyades {

struct NodeSettings {
  int heartbeat_ms = 1000;  // how often the node tells that it is there

  // Holds prolog.d and epilog.d: programs that are run before and after a job's part on the node.
  std::string hook_directory;  // "": none
  int hook_timeout_s = 60;

  // Jobs of users below this uid are refused, but for the user as whom the node's launcher runs.
  std::uint32_t min_uid = 1000;
  bool allow_root_jobs = false;
  bool no_new_privileges = true;  // setuid programs gain nothing in jobs
  bool private_tmp = false;       // each job gets a directory of its own as TMPDIR
  std::string pam_service;        // "": PAM is not asked

  bool contain_cores = true;              // by cgroup, where the node has the controllers
  bool contain_memory = true;             // likewise; only for jobs that asked for an amount
  std::vector<DeviceFiles> device_files;  // by kind; jobs cannot open those of other jobs' devices
  // Cores that nobody holds are lent to jobs that may have more than their own (core_lender.hpp).
  bool lend_cores = true;
  int lend_every_s = 10;  // how often that is looked at
  // The power of processors is capped for jobs that can do with less speed (power_capper.hpp).
  bool cap_power = false;
  int cap_least_percent = 50;     // of what they may draw otherwise
  int cap_every_s = 30;           // how long each step is watched
  int processes_per_core = 1024;  // most processes and threads of a job, a core; 0: no bound

  // Counted in jobs that name no counters themselves, where the node has them.
  std::vector<std::string> counters = default_counters();
  int counters_every_ms = 1000;  // how often a running job's are looked at; 0: only at its end

  int health_every_s = 60;         // 0: never
  std::string health_program;      // the site's own check; "": none
  int health_timeout_s = 30;       // of that program
  MiB health_disk_free_mib = 256;  // least free space of the spool and /tmp
  MiB health_memory_free_mib = 0;  // least available memory; 0: not looked at
  int health_load_per_core = 0;    // most load average (15 minutes) a core; 0: not looked at
  int health_clock_off_s = 0;      // most difference from the master's clock; 0: not looked at

  TelemetrySettings telemetry;

  friend bool operator==(const NodeSettings&, const NodeSettings&) = default;
};

}  // namespace hyades
