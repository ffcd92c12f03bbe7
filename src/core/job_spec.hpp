// What a user asked for. Validated by `check_spec` before the controller sees it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/resources.hpp"
#include "core/time.hpp"

namespace hyades {

// When a dependency is met; the words are sbatch's.
enum class DependencyKind {
  After,       // the other job started, or was cancelled before it could
  AfterAny,    // it ended, however
  AfterOk,     // it ended with Outcome::Completed
  AfterNotOk,  // it ended with any other outcome
};

std::string_view to_string(DependencyKind kind);  // "afterok"
bool parse_dependency_kind(std::string_view word, DependencyKind& out);

struct Dependency {
  DependencyKind kind = DependencyKind::AfterAny;
  JobId job = 0;

  friend bool operator==(const Dependency&, const Dependency&) = default;
};

// --signal=[B:]SIG@s
struct WarningSignal {
  int signal = 0;  // 0: none
  int seconds_before_end = 60;
  bool batch_only = false;  // "B:": only the batch shell, not what it started

  friend bool operator==(const WarningSignal&, const WarningSignal&) = default;
};

// The part of a submission that scheduling needs. The master holds one per live job, so it stays
// small; script, environment and paths are in JobPayload, which lives in the store only.
struct JobSpec {
  std::string name;
  std::string queue;  // "" : the default queue
  std::string user;   // for people; uid decides
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;

  int nodes = 0;  // exact number of nodes; 0: as few as the tasks need
  int tasks = 1;
  int tasks_per_node = 0;  // most tasks on one node; 0: no bound
  int cpus_per_task = 1;
  MiB memory_per_node_mib = 0;  // 0: not asked for
  MiB memory_per_cpu_mib = 0;   // 0: not asked for; not together with memory_per_node_mib
  std::vector<DeviceCount> devices_per_node;
  std::vector<std::string> features;   // a node must have all of them
  std::vector<std::string> node_list;  // if not empty: only these nodes
  std::vector<std::string> exclude;    // never these nodes
  bool exclusive = false;              // whole nodes

  int time_limit_s = 0;  // 0: the queue's default; the controller fills it in
  // How long the job may live on without word from a master; then its nodes end it, and after that
  // it may start elsewhere. 0: the queue's default; the controller fills it in. Negative: for ever.
  int lease_s = 0;
  int priority = 0;  // higher first, within a queue
  bool hold = false;
  bool requeue = true;                   // may start again after its node failed
  WallMs begin_ms = 0;                   // not before; 0: at once
  std::vector<Dependency> dependencies;  // all must be met
  WarningSignal warning;
  std::vector<std::string> counters;  // names; empty: the configuration's; "none": none
  std::string work_class;             // what it does with its nodes; "": as its queue says
  // The most cores that it may use on a node while others are idle there, its own among them. 0: as
  // its queue says, which the controller fills in; negative: no more than its own.
  int elastic = 0;
  // It may run slower by so many percent where that saves power. 0: as its queue says, which the
  // controller fills in; negative: by nothing.
  int power_margin = 0;

  friend bool operator==(const JobSpec&, const JobSpec&) = default;
};

// What only the node that runs the job needs, byte for byte as submitted.
struct JobPayload {
  std::string script;                    // at most Limits::script_bytes_max
  std::vector<std::string> arguments;    // $1, $2, ... of the script
  std::vector<std::string> environment;  // NAME=value
  std::string working_directory;         // absolute
  std::string stdin_path;                // "": /dev/null
  std::string stdout_path;               // patterns (%j, %x, ...) are expanded on the node
  std::string stderr_path;               // "": the same file as stdout
  bool append_output = false;
  std::uint32_t umask = 022;
  std::string comment;
  std::string command_line;  // how the job was submitted, for people

  friend bool operator==(const JobPayload&, const JobPayload&) = default;
};

struct Limits {
  static constexpr std::size_t script_bytes_max = 4u << 20;
  static constexpr std::size_t environment_bytes_max = 1u << 20;
  static constexpr std::size_t name_bytes_max = 1024;
  static constexpr std::size_t path_bytes_max = 4096;
  static constexpr std::size_t list_max = 65536;
  static constexpr int count_max = 1'000'000;  // nodes, tasks, cpus, devices
  static constexpr int power_margin_max = 50;  // percent
  static constexpr int time_limit_s_max = 10 * 365 * 86'400;
};

// Checks ranges, lengths, UTF-8 and control characters of everything a client can send.
// Returns "" when all is well, else a sentence that names the field, its value and the fix.
std::string check_spec(const JobSpec& spec);
std::string check_payload(const JobPayload& payload);

// True for well-formed UTF-8 without NUL and other control characters (tab is allowed).
bool is_printable_utf8(const std::string& text);

}  // namespace hyades
