#include <algorithm>

#include "core/counter_names.hpp"
#include "core/job_spec.hpp"
#include "core/work_class.hpp"

namespace hyades {

namespace {

// Length of the UTF-8 sequence that starts at text[at], or 0 when it is malformed or over-long.
std::size_t sequence_length(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (length == 0 || lead > 0xf4 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
  }
  const unsigned char second = byte(at + 1);
  const bool bad = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
                   (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f);
  return bad ? 0 : length;
}

std::string check_text(const std::string& value, const char* field, std::size_t bytes_max) {
  if (value.size() > bytes_max) {
    return std::string(field) + " is " + std::to_string(value.size()) + " bytes long; at most " +
           std::to_string(bytes_max) + " are allowed";
  }
  if (!is_printable_utf8(value)) {
    return std::string(field) + " holds control characters or invalid UTF-8; use printable text";
  }
  return "";
}

std::string check_count(std::int64_t value, std::int64_t min, std::int64_t max, const char* field) {
  if (value >= min && value <= max) return "";
  return std::string(field) + " is " + std::to_string(value) + "; it must be from " +
         std::to_string(min) + " to " + std::to_string(max);
}

std::string check_list(const std::vector<std::string>& list, const char* field) {
  if (list.size() > Limits::list_max) return std::string(field) + " has too many entries";
  for (const std::string& entry : list) {
    if (entry.empty()) return std::string(field) + " holds an empty entry";
    if (auto bad = check_text(entry, field, 256); !bad.empty()) return bad;
  }
  return "";
}

std::string first_of(std::initializer_list<std::string> errors) {
  for (const std::string& error : errors) {
    if (!error.empty()) return error;
  }
  return "";
}

std::string check_counts(const JobSpec& s) {
  constexpr int n = Limits::count_max;
  constexpr MiB memory_max = MiB{1} << 40;
  struct Range {
    std::int64_t value, min, max;
    const char* field;
  };
  const Range ranges[] = {
      {s.nodes, 0, n, "nodes"},
      {s.tasks, 1, n, "tasks"},
      {s.tasks_per_node, 0, n, "tasks per node"},
      {s.cpus_per_task, 1, n, "cpus per task"},
      {s.memory_per_node_mib, 0, memory_max, "memory (MiB)"},
      {s.memory_per_cpu_mib, 0, memory_max, "memory per cpu (MiB)"},
      {s.time_limit_s, 0, Limits::time_limit_s_max, "time limit (seconds)"},
      {s.lease_s, -1, 30 * 86400, "lease (seconds)"},
      {s.elastic, -1, n, "most cores on a node (elastic)"},
      {s.power_margin, -1, Limits::power_margin_max, "percent of speed given for less power"},
      {s.priority, -n, n, "priority"},
      {s.begin_ms, 0, std::int64_t{1} << 52, "begin time"},
      {s.warning.signal, 0, 64, "warning signal"},
      {s.warning.seconds_before_end, 0, 65535, "seconds before the end"},
  };
  for (const Range& range : ranges) {
    if (range.value >= range.min && range.value <= range.max) continue;
    return check_count(range.value, range.min, range.max, range.field);
  }
  return "";
}

std::string check_devices(const std::vector<DeviceCount>& devices) {
  if (devices.size() > 64) return "more than 64 kinds of device";
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const DeviceCount& device = devices[i];
    if (device.kind.empty()) return "a device without a name";
    auto bad = first_of({check_text(device.kind, "device name", 64),
                         check_count(device.count, 1, Limits::count_max, "device count")});
    if (!bad.empty()) return bad;
    for (std::size_t j = 0; j < i; ++j) {
      if (devices[j].kind == device.kind) return "device " + device.kind + " is asked for twice";
    }
  }
  return "";
}

}  // namespace

bool is_printable_utf8(const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    if (length == 0) return false;
    const auto byte = static_cast<unsigned char>(text[at]);
    if (length == 1 && (byte == 0x7f || (byte < 0x20 && byte != '\t'))) return false;
    // U+0080..U+009F are control characters, too: terminals obey them.
    if (length == 2 && byte == 0xc2 && static_cast<unsigned char>(text[at + 1]) < 0xa0)
      return false;
    at += length;
  }
  return true;
}

std::string check_spec(const JobSpec& spec) {
  std::string bad = first_of({
      check_text(spec.name, "job name", Limits::name_bytes_max),
      check_text(spec.queue, "queue name", 256),
      check_counts(spec),
      check_devices(spec.devices_per_node),
      check_list(spec.features, "constraint"),
      check_list(spec.node_list, "node list"),
      check_list(spec.exclude, "exclude list"),
      check_counters(spec.counters),
      spec.work_class.empty() ? "" : check_class_name(spec.work_class),
  });
  if (!bad.empty()) return bad;
  if (spec.memory_per_node_mib > 0 && spec.memory_per_cpu_mib > 0) {
    return "both memory per node and memory per cpu are given; use one of them";
  }
  if (spec.nodes > spec.tasks) {
    return std::to_string(spec.nodes) + " nodes for " + std::to_string(spec.tasks) +
           " tasks; ask for at least one task a node";
  }
  if (spec.nodes > 0 && spec.tasks_per_node > 0 &&
      std::int64_t{spec.nodes} * spec.tasks_per_node < spec.tasks) {
    return std::to_string(spec.tasks) + " tasks do not fit on " + std::to_string(spec.nodes) +
           " nodes with at most " + std::to_string(spec.tasks_per_node) + " on each";
  }
  if (spec.dependencies.size() > Limits::list_max) return "too many dependencies";
  for (const Dependency& dependency : spec.dependencies) {
    if (dependency.job == 0) return "a dependency on job 0; job ids start at 1";
  }
  return "";
}

std::string check_payload(const JobPayload& payload) {
  if (payload.script.empty()) return "the job script is empty";
  if (payload.script.size() > Limits::script_bytes_max) {
    return "the job script is " + std::to_string(payload.script.size()) +
           " bytes long; at most 4 MiB (4194304 bytes) are allowed: put data into files";
  }
  if (payload.script.find('\0') != std::string::npos) {
    return "the job script holds a NUL byte: is it a binary? Use --wrap to run a program";
  }
  std::size_t environment_bytes = 0;
  for (const std::string& entry : payload.environment) {
    environment_bytes += entry.size() + 1;
    if (entry.find('\0') != std::string::npos) return "an environment variable holds a NUL byte";
    const std::size_t equals = entry.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return "an environment entry is not of the form NAME=value";
    }
  }
  if (environment_bytes > Limits::environment_bytes_max ||
      payload.environment.size() > Limits::list_max) {
    return "the environment is " + std::to_string(environment_bytes) + " bytes in " +
           std::to_string(payload.environment.size()) +
           " variables; at most 1 MiB is allowed: use --export=NONE or name what is needed";
  }
  std::size_t argument_bytes = 0;
  for (const std::string& argument : payload.arguments) {
    argument_bytes += argument.size() + 1;
    if (argument.find('\0') != std::string::npos) return "an argument holds a NUL byte";
  }
  if (argument_bytes > Limits::environment_bytes_max ||
      payload.arguments.size() > Limits::list_max) {
    return "the script's arguments are longer than 1 MiB together";
  }
  if (payload.working_directory.empty() || payload.working_directory[0] != '/') {
    return "the working directory '" + payload.working_directory + "' is not an absolute path";
  }
  const std::pair<const std::string*, const char*> paths[] = {
      {&payload.working_directory, "the working directory"},
      {&payload.stdin_path, "the input path"},
      {&payload.stdout_path, "the output path"},
      {&payload.stderr_path, "the error path"}};
  for (const auto& [path, field] : paths) {
    if (path->size() > Limits::path_bytes_max) return std::string(field) + " is too long";
    if (path->find('\0') != std::string::npos) return std::string(field) + " holds a NUL byte";
  }
  if (payload.umask > 0777) return "the umask is not from 0 to 0777";
  return check_text(payload.comment, "comment", 65536);
}

}  // namespace hyades
