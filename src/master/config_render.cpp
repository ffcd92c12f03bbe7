#include "master/config_render.hpp"

#include <iomanip>
#include <locale>
#include <sstream>

#include "core/hostlist.hpp"
#include "core/units.hpp"
#include "master/config_placement.hpp"

namespace hyades {
namespace {

// Names are checked words: nothing in them needs escaping.
std::string quoted(const std::string& text) { return "\"" + text + "\""; }

template <typename T, typename F>
std::string list(const std::vector<T>& values, F render) {
  std::string out = "[";
  for (const T& value : values) out += (out.size() > 1 ? ", " : "") + render(value);
  return out + "]";
}

// What parse_duration_s reads; below an hour squeue's form would be minutes and seconds, too.
std::string duration(int seconds) { return quoted(format_duration(seconds)); }

void render_cluster(std::ostream& out, const ClusterConfig& config) {
  out << "[cluster]\n"
      << "name = " << quoted(config.name) << "\n"
      << "heartbeat_ms = " << config.node_settings.heartbeat_ms << "\n"
      << "node_timeout_ms = " << config.node_timeout_ms << "\n"
      << "resend_ms = " << config.resend_ms << "\n"
      << "kill_grace_s = " << config.kill_grace_s << "\n"
      << "max_restarts = " << config.max_restarts << "\n"
      << "max_launch_failures = " << config.max_launch_failures << "\n"
      << "max_node_faults = " << config.max_node_faults << "\n"
      << "bad_node_jobs = " << config.bad_node_jobs << "\n"
      << "bad_node_window = " << duration(config.bad_node_window_s) << "\n"
      << "backfill_depth = " << config.backfill_depth << "\n"
      << "networks = " << list(config.networks, quoted) << "\n";
}

void render_nodes(std::ostream& out, const std::vector<std::string>& names,
                  const NodeConfig& node) {
  const Inventory& inventory = node.inventory;
  out << "\n[[node]]\nname = " << quoted(compress_hostlist(names)) << "\n";
  if (!node.group.empty()) out << "group = " << quoted(node.group) << "\n";
  if (inventory.cores != 0) out << "cores = " << inventory.cores << "\n";
  if (inventory.memory_mib != 0) {
    out << "memory = " << quoted(format_memory(inventory.memory_mib)) << "\n";
  }
  if (!inventory.devices.empty()) {
    out << "devices = {";
    const char* separator = " ";
    for (const DeviceCount& device : inventory.devices) {
      out << separator << quoted(device.kind) << " = " << device.count;
      separator = ", ";
    }
    out << " }\n";
  }
  if (!inventory.features.empty()) out << "features = " << list(inventory.features, quoted) << "\n";
}

void render_queue(std::ostream& out, const QueueConfig& queue) {
  out << "\n[[queue]]\n"
      << "name = " << quoted(queue.name) << "\n";
  if (!queue.nodes.empty()) out << "nodes = " << quoted(compress_hostlist(queue.nodes)) << "\n";
  out << "priority = " << queue.priority << "\n"
      << "default_time = " << duration(queue.default_time_s) << "\n"
      << "max_time = " << duration(queue.max_time_s) << "\n"
      << "lease = " << duration(queue.lease_s) << "\n"
      << "max_nodes_per_job = " << queue.max_nodes_per_job << "\n"
      << "max_queued_per_user = " << queue.max_queued_per_user << "\n"
      << "max_running_per_user = " << queue.max_running_per_user << "\n"
      << "max_cores_per_user = " << queue.max_cores_per_user << "\n"
      << "enabled = " << (queue.enabled ? "true" : "false") << "\n"
      << "policy = " << quoted(std::string(to_string(queue.order))) << "\n"
      << "backfill = " << quoted(std::string(to_string(queue.backfill))) << "\n"
      << "run_times = " << quoted(std::string(to_string(run_times_of(queue)))) << "\n"
      << "reserve = " << reserve_of(queue) << "\n"
      << "reserve_after = " << duration(queue.reserve_after_s) << "\n"
      << "ageing = " << queue.ageing << "\n"
      << "placement = " << (queue.placement ? "true" : "false") << "\n"
      << "elastic = " << (queue.elastic ? "true" : "false") << "\n"
      << "power_margin = " << queue.power_margin << "\n";
  if (!queue.work_class.empty()) out << "class = " << quoted(queue.work_class) << "\n";
}

const char* word(bool flag) { return flag ? "true" : "false"; }

// Paths and commands may hold anything printable.
std::string escaped(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

void render_fence(std::ostream& out, const ClusterConfig& config) {
  out << "\n[fence]\n"
      << "command = " << list(config.fence_command, escaped) << "\n"
      << "after = " << duration(config.fence_after_s) << "\n"
      << "timeout = " << duration(config.fence_timeout_s) << "\n";
}

void render_node_settings(std::ostream& out, const NodeSettings& settings) {
  out << "\n[jobs]\n"
      << "hook_directory = " << escaped(settings.hook_directory) << "\n"
      << "hook_timeout = " << duration(settings.hook_timeout_s) << "\n"
      << "min_uid = " << settings.min_uid << "\n"
      << "allow_root_jobs = " << word(settings.allow_root_jobs) << "\n"
      << "no_new_privileges = " << word(settings.no_new_privileges) << "\n"
      << "private_tmp = " << word(settings.private_tmp) << "\n"
      << (settings.pam_service.empty() ? ""
                                       : "pam_service = " + quoted(settings.pam_service) + "\n")
      << "contain_cores = " << word(settings.contain_cores) << "\n"
      << "contain_memory = " << word(settings.contain_memory) << "\n"
      << "lend_cores = " << word(settings.lend_cores) << "\n"
      << "lend_every = " << duration(settings.lend_every_s) << "\n"
      << "cap_power = " << word(settings.cap_power) << "\n"
      << "cap_least = " << settings.cap_least_percent << "\n"
      << "cap_every = " << duration(settings.cap_every_s) << "\n"
      << "processes_per_core = " << settings.processes_per_core << "\n"
      << "\n[health]\n"
      << "every = " << duration(settings.health_every_s) << "\n"
      << "program = " << escaped(settings.health_program) << "\n"
      << "timeout = " << duration(settings.health_timeout_s) << "\n"
      << "disk_free = " << quoted(format_memory(settings.health_disk_free_mib)) << "\n"
      << "memory_free = " << quoted(format_memory(settings.health_memory_free_mib)) << "\n"
      << "load_per_core = " << settings.health_load_per_core << "\n"
      << "clock_off_s = " << settings.health_clock_off_s << "\n";
}

void render_telemetry(std::ostream& out, const ClusterConfig& config) {
  const TelemetrySettings& settings = config.node_settings.telemetry;
  out << "\n[telemetry]\n"
      << "enabled = " << word(settings.enabled) << "\n"
      << "compute_ms = " << settings.period_ms[0] << "\n"
      << "memory_ms = " << settings.period_ms[1] << "\n"
      << "network_ms = " << settings.period_ms[2] << "\n"
      << "power_ms = " << settings.period_ms[3] << "\n"
      << "application_ms = " << settings.period_ms[4] << "\n"
      << "report_ms = " << settings.report_ms << "\n"
      << "idle_factor = " << settings.idle_factor << "\n"
      << "budget_ppm = " << settings.budget_ppm << "\n"
      << "retention = " << duration(settings.retention_s) << "\n"
      << "ring_memory = " << quoted(format_memory(settings.ring_mib)) << "\n"
      << "idle_watts = " << settings.idle_watts << "\n"
      << "peak_watts = " << settings.peak_watts << "\n"
      << "keep_minutes_days = " << config.keep_minutes_days << "\n"
      << "keep_jobs_days = " << config.keep_jobs_days << "\n"
      << "counters = " << list(config.node_settings.counters, quoted) << "\n"
      << "counters_every_ms = " << config.node_settings.counters_every_ms << "\n"
      << "metrics = " << list(config.metrics_listen, escaped) << "\n";
}

std::string number(double value) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << std::setprecision(17) << value;
  const std::string word = text.str();
  return word.find_first_of(".e") == std::string::npos ? word + ".0" : word;
}

void render_accelerators(std::ostream& out, const std::vector<AcceleratorSetting>& sources) {
  for (const AcceleratorSetting& source : sources) {
    out << "\n[[accelerator]]\nkind = " << quoted(source.kind)
        << "\nfolder = " << escaped(source.folder) << "\nfigures = "
        << list(source.figures,
                [](const AcceleratorFigureSetting& figure) {
                  return "{ name = " + quoted(figure.name) + ", file = " + escaped(figure.file) +
                         ", unit = " + escaped(figure.unit) + ", scale = " + number(figure.scale) +
                         " }";
                })
        << "\n";
  }
}

void render_device_files(std::ostream& out, const std::vector<DeviceFiles>& kinds) {
  if (kinds.empty()) return;
  out << "\n[device_files]\n";
  for (const DeviceFiles& files : kinds) {
    out << quoted(files.kind) << " = " << list(files.patterns, escaped) << "\n";
  }
}

}  // namespace

std::string render_config(const ClusterConfig& config) {
  std::ostringstream out;
  render_cluster(out, config);
  // Neighbours that are alike share an entry.
  for (std::size_t i = 0; i < config.nodes.size();) {
    std::vector<std::string> names;
    const std::size_t first = i;
    while (i < config.nodes.size() && config.nodes[i].inventory == config.nodes[first].inventory &&
           config.nodes[i].group == config.nodes[first].group) {
      names.push_back(config.nodes[i++].name);
    }
    render_nodes(out, names, config.nodes[first]);
  }
  for (const QueueConfig& queue : config.queues) render_queue(out, queue);
  out << "\n[guard]\n"
      << "enabled = " << (config.guard.enabled ? "true" : "false") << "\n"
      << "after = " << duration(config.guard.after_s) << "\n";
  if (config.guard.factor) out << "factor = " << *config.guard.factor << "\n";
  out << "\n[policy]\n"
      << "model = " << escaped(config.policy_model) << "\n"
      << "gate = " << config.policy_gate << "\n"
      << render_placement(config);
  render_fence(out, config);
  render_node_settings(out, config.node_settings);
  render_device_files(out, config.node_settings.device_files);
  render_telemetry(out, config);
  render_accelerators(out, config.node_settings.telemetry.accelerators);
  const auto number = [](std::uint32_t uid) { return std::to_string(uid); };
  out << "\n[security]\n"
      << "admins = " << list(config.admin_uids, number) << "\n"
      << "operators = " << list(config.operator_uids, number) << "\n";
  if (!config.listen.empty()) out << "listen = " << list(config.listen, escaped) << "\n";
  if (!config.munge_socket.empty()) {
    out << "munge_socket = " << escaped(config.munge_socket) << "\n";
  }
  if (!config.daemon_user.empty()) out << "user = " << quoted(config.daemon_user) << "\n";
  return out.str();
}

}  // namespace hyades
