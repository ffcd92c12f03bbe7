#include "wire/codec.hpp"

#include <algorithm>
#include <climits>

#include "wire/frame.hpp"
#include "wire/range_check.hpp"
#include "wire/wire_guard.hpp"

namespace hyades {

namespace {

constexpr std::size_t kReasonBytesMax = 64u << 10;
constexpr std::size_t kIdSetBytesMax = 64u << 10;

void to_pb(const std::vector<DeviceCount>& devices,
           google::protobuf::RepeatedPtrField<pb::DeviceCount>& out) {
  for (const DeviceCount& device : devices) {
    pb::DeviceCount& added = *out.Add();
    added.set_kind(device.kind);
    added.set_count(device.count);
  }
}

void to_pb(const std::vector<std::string>& texts,
           google::protobuf::RepeatedPtrField<std::string>& out) {
  out.Assign(texts.begin(), texts.end());
}

void devices_from_pb(RangeCheck& check, const char* field,
                     const google::protobuf::RepeatedPtrField<pb::DeviceCount>& in,
                     std::vector<DeviceCount>& out) {
  out.clear();
  if (!check.list(field, in.size())) return;
  out.resize(static_cast<std::size_t>(in.size()));
  for (int i = 0; i < in.size(); ++i) {
    DeviceCount& device = out[static_cast<std::size_t>(i)];
    check.text(field, in[i].kind(), device.kind);
    check.number(field, in[i].count(), 0, Limits::count_max, device.count);
  }
}

// IdSet::parse accepts numbers up to a billion; no node has as many cores.
void ids_from_pb(RangeCheck& check, const char* field, const std::string& text, IdSet& out) {
  if (text.size() > kIdSetBytesMax || !IdSet::parse(text, out)) {
    check.fail(field, " is not a list of numbers like \"0-3,8\"");
  } else if (!out.empty() && out.ranges().back().second >= Limits::count_max) {
    check.fail(field, " has a number above " + std::to_string(Limits::count_max - 1));
  }
}

void to_pb(const std::vector<DeviceGrant>& grants,
           google::protobuf::RepeatedPtrField<pb::DeviceGrant>& out) {
  for (const DeviceGrant& grant : grants) {
    pb::DeviceGrant& added = *out.Add();
    added.set_kind(grant.kind);
    added.set_ids(grant.ids.to_string());
  }
}

void grants_from_pb(RangeCheck& check, const char* field,
                    const google::protobuf::RepeatedPtrField<pb::DeviceGrant>& in,
                    std::vector<DeviceGrant>& out) {
  out.clear();
  if (!check.list(field, in.size())) return;
  out.resize(static_cast<std::size_t>(in.size()));
  for (int i = 0; i < in.size(); ++i) {
    DeviceGrant& grant = out[static_cast<std::size_t>(i)];
    check.text(field, in[i].kind(), grant.kind);
    ids_from_pb(check, field, in[i].ids(), grant.ids);
  }
}

}  // namespace

bool parse_request(std::string_view body, pb::ClientRequest& out, std::string& error) {
  if (body.size() > kRequestBytesMax) {
    error = "the request is too long";
    return false;
  }
  error = check_wire(*pb::ClientRequest::descriptor(), body);
  if (!error.empty()) return false;
  if (!out.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    error = "not a request";
    return false;
  }
  if (out.what_case() == pb::ClientRequest::WHAT_NOT_SET) {
    error = "the request is empty";
    return false;
  }
  return true;
}

void to_pb(const LaunchKey& value, pb::LaunchKey& out) {
  out.set_job(value.job);
  out.set_attempt(value.attempt);
  out.set_sequence(value.sequence);
}

bool from_pb(const pb::LaunchKey& in, LaunchKey& out, std::string&) {
  out = LaunchKey{in.job(), in.attempt(), in.sequence()};
  return true;
}

void to_pb(const Inventory& value, pb::Inventory& out) {
  out.set_cores(value.cores);
  out.set_memory_mib(value.memory_mib);
  to_pb(value.devices, *out.mutable_devices());
  to_pb(value.features, *out.mutable_features());
  for (const MemoryDomain& domain : value.domains) {
    pb::MemoryDomain& added = *out.add_domains();
    added.set_cores(domain.cores.to_string());
    to_pb(domain.devices, *added.mutable_devices());
  }
}

namespace {

void domains_from_pb(RangeCheck& check, const pb::Inventory& in, Inventory& out) {
  out.domains.clear();
  if (!check.list("domains", in.domains_size())) return;
  out.domains.resize(static_cast<std::size_t>(in.domains_size()));
  IdSet known;
  for (int i = 0; i < in.domains_size() && check.ok(); ++i) {
    MemoryDomain& domain = out.domains[static_cast<std::size_t>(i)];
    ids_from_pb(check, "domains", in.domains(i).cores(), domain.cores);
    grants_from_pb(check, "domains", in.domains(i).devices(), domain.devices);
    if (!known.common(domain.cores).empty()) return check.fail("domains", " share cores");
    known.insert_all(domain.cores);
  }
}

}  // namespace

bool from_pb(const pb::Inventory& in, Inventory& out, std::string& error) {
  RangeCheck check("Inventory", error);
  check.number("cores", in.cores(), 0, Limits::count_max, out.cores);
  check.number("memory_mib", in.memory_mib(), 0, kMemoryMibMax, out.memory_mib);
  devices_from_pb(check, "devices", in.devices(), out.devices);
  check.texts("features", in.features(), out.features);
  for (std::size_t i = 1; i < out.devices.size(); ++i) {
    if (out.devices[i - 1].kind >= out.devices[i].kind) {
      check.fail("devices", " are not sorted by kind, each kind once");
      break;
    }
  }
  if (!std::is_sorted(out.features.begin(), out.features.end())) {
    check.fail("features", " are not sorted");
  }
  domains_from_pb(check, in, out);
  return check.ok();
}

void to_pb(const NodeShare& value, pb::NodeShare& out) {
  out.set_node(value.node);
  out.set_tasks(value.tasks);
  out.set_cores(value.cores.to_string());
  out.set_memory_mib(value.memory_mib);
  out.set_boot_id(value.boot_id);
  to_pb(value.devices, *out.mutable_devices());
}

bool from_pb(const pb::NodeShare& in, NodeShare& out, std::string& error) {
  RangeCheck check("NodeShare", error);
  check.text("node", in.node(), out.node);
  check.number("tasks", in.tasks(), 0, Limits::count_max, out.tasks);
  ids_from_pb(check, "cores", in.cores(), out.cores);
  check.number("memory_mib", in.memory_mib(), 0, kMemoryMibMax, out.memory_mib);
  check.text("boot_id", in.boot_id(), out.boot_id);
  out.devices.clear();
  grants_from_pb(check, "devices", in.devices(), out.devices);
  return check.ok();
}

void to_pb(const Dependency& value, pb::Dependency& out) {
  out.set_kind(std::string(to_string(value.kind)));
  out.set_job(value.job);
}

bool from_pb(const pb::Dependency& in, Dependency& out, std::string& error) {
  RangeCheck check("Dependency", error);
  if (!parse_dependency_kind(in.kind(), out.kind)) {
    check.fail("kind", " must be after, afterany, afterok or afternotok");
  }
  out.job = in.job();
  return check.ok();
}

void to_pb(const JobSpec& value, pb::JobSpec& out) {
  out.set_name(value.name);
  out.set_queue(value.queue);
  out.set_user(value.user);
  out.set_uid(value.uid);
  out.set_gid(value.gid);
  out.set_nodes(value.nodes);
  out.set_tasks(value.tasks);
  out.set_tasks_per_node(value.tasks_per_node);
  out.set_cpus_per_task(value.cpus_per_task);
  out.set_memory_per_node_mib(value.memory_per_node_mib);
  out.set_memory_per_cpu_mib(value.memory_per_cpu_mib);
  to_pb(value.devices_per_node, *out.mutable_devices_per_node());
  to_pb(value.features, *out.mutable_features());
  to_pb(value.node_list, *out.mutable_node_list());
  to_pb(value.exclude, *out.mutable_exclude());
  out.set_exclusive(value.exclusive);
  out.set_time_limit_s(value.time_limit_s);
  out.set_priority(value.priority);
  out.set_hold(value.hold);
  out.set_no_requeue(!value.requeue);
  out.set_begin_ms(value.begin_ms);
  for (const Dependency& dependency : value.dependencies) {
    to_pb(dependency, *out.add_dependencies());
  }
  out.set_warning_signal(value.warning.signal);
  out.set_warning_seconds(value.warning.seconds_before_end);
  out.set_warning_batch_only(value.warning.batch_only);
  out.set_lease_s(value.lease_s);
  to_pb(value.counters, *out.mutable_counters());
  out.set_work_class(value.work_class);
  out.set_elastic(value.elastic);
  out.set_power_margin(value.power_margin);
}

namespace {

void amounts_from_pb(RangeCheck& check, const pb::JobSpec& in, JobSpec& out) {
  check.number("nodes", in.nodes(), 0, Limits::count_max, out.nodes);
  check.number("tasks", in.tasks(), 0, Limits::count_max, out.tasks);
  check.number("tasks_per_node", in.tasks_per_node(), 0, Limits::count_max, out.tasks_per_node);
  check.number("cpus_per_task", in.cpus_per_task(), 0, Limits::count_max, out.cpus_per_task);
  check.number("memory_per_node_mib", in.memory_per_node_mib(), 0, kMemoryMibMax,
               out.memory_per_node_mib);
  check.number("memory_per_cpu_mib", in.memory_per_cpu_mib(), 0, kMemoryMibMax,
               out.memory_per_cpu_mib);
  devices_from_pb(check, "devices_per_node", in.devices_per_node(), out.devices_per_node);
  check.number("time_limit_s", in.time_limit_s(), 0, INT_MAX, out.time_limit_s);
  check.number("begin_ms", in.begin_ms(), 0, kWallMsMax, out.begin_ms);
  check.number("warning_signal", in.warning_signal(), 0, kSignalMax, out.warning.signal);
  check.number("warning_seconds", in.warning_seconds(), 0, INT_MAX, out.warning.seconds_before_end);
}

}  // namespace

bool from_pb(const pb::JobSpec& in, JobSpec& out, std::string& error) {
  RangeCheck check("JobSpec", error);
  check.text("name", in.name(), out.name);
  check.text("queue", in.queue(), out.queue);
  check.text("user", in.user(), out.user);
  out.uid = in.uid();
  out.gid = in.gid();
  amounts_from_pb(check, in, out);
  check.texts("features", in.features(), out.features);
  check.texts("node_list", in.node_list(), out.node_list);
  check.texts("exclude", in.exclude(), out.exclude);
  out.exclusive = in.exclusive();
  out.priority = in.priority();
  out.hold = in.hold();
  out.requeue = !in.no_requeue();
  out.dependencies.clear();
  if (check.list("dependencies", in.dependencies_size())) {
    out.dependencies.resize(static_cast<std::size_t>(in.dependencies_size()));
    for (int i = 0; i < in.dependencies_size() && check.ok(); ++i) {
      check.nested(
          from_pb(in.dependencies(i), out.dependencies[static_cast<std::size_t>(i)], error));
    }
  }
  out.warning.batch_only = in.warning_batch_only();
  check.number("lease_s", in.lease_s(), -1, INT_MAX, out.lease_s);
  check.texts("counters", in.counters(), out.counters, counter_name_bytes_max);
  check.text("work_class", in.work_class(), out.work_class);
  check.number("elastic", in.elastic(), -1, Limits::count_max, out.elastic);
  check.number("power_margin", in.power_margin(), -1, Limits::power_margin_max, out.power_margin);
  return check.ok();
}

void to_pb(const NodeProfile& value, pb::NodeProfile& out) {
  out.set_measured_ms(value.measured_ms);
  out.set_source(value.source);
  for (const auto& [name, figure] : value.figures) (*out.mutable_figures())[name] = figure;
}

// What the figures may be, check_profile() says.
bool from_pb(const pb::NodeProfile& in, NodeProfile& out, std::string& error) {
  RangeCheck check("NodeProfile", error);
  check.number("measured_ms", in.measured_ms(), 0, kWallMsMax, out.measured_ms);
  check.text("source", in.source(), out.source);
  out.figures.clear();
  if (check.list("figures", static_cast<int>(in.figures_size()))) {
    for (const auto& [name, figure] : in.figures()) out.figures[name] = figure;
  }
  return check.ok();
}

void to_pb(const JobPayload& value, pb::JobPayload& out) {
  out.set_script(value.script);
  to_pb(value.arguments, *out.mutable_arguments());
  to_pb(value.environment, *out.mutable_environment());
  out.set_working_directory(value.working_directory);
  out.set_stdin_path(value.stdin_path);
  out.set_stdout_path(value.stdout_path);
  out.set_stderr_path(value.stderr_path);
  out.set_append_output(value.append_output);
  out.set_umask(value.umask);
  out.set_comment(value.comment);
  out.set_command_line(value.command_line);
}

bool from_pb(const pb::JobPayload& in, JobPayload& out, std::string& error) {
  RangeCheck check("JobPayload", error);
  check.text("script", in.script(), out.script, Limits::script_bytes_max);
  check.texts("arguments", in.arguments(), out.arguments, Limits::environment_bytes_max);
  check.texts("environment", in.environment(), out.environment, Limits::environment_bytes_max);
  check.text("working_directory", in.working_directory(), out.working_directory,
             Limits::path_bytes_max);
  check.text("stdin_path", in.stdin_path(), out.stdin_path, Limits::path_bytes_max);
  check.text("stdout_path", in.stdout_path(), out.stdout_path, Limits::path_bytes_max);
  check.text("stderr_path", in.stderr_path(), out.stderr_path, Limits::path_bytes_max);
  out.append_output = in.append_output();
  check.number("umask", in.umask(), 0, 07777, out.umask);
  check.text("comment", in.comment(), out.comment, Limits::environment_bytes_max);
  check.text("command_line", in.command_line(), out.command_line, Limits::environment_bytes_max);
  return check.ok();
}

void to_pb(const ExitRecord& value, pb::ExitRecord& out) {
  out.set_exit_code(value.exit_code);
  out.set_signal(value.signal);
  out.set_stopped(static_cast<int>(value.stopped));
  out.set_started_ms(value.started_ms);
  out.set_ended_ms(value.ended_ms);
  to_pb(value.usage, *out.mutable_usage());
  out.set_left_behind(value.left_behind);
  out.set_launch_error(value.launch_error);
  out.set_out_of_memory(value.out_of_memory);
  out.set_epilog_error(value.epilog_error.substr(0, kReasonBytesMax));
}

bool from_pb(const pb::ExitRecord& in, ExitRecord& out, std::string& error) {
  RangeCheck check("ExitRecord", error);
  check.number("exit_code", in.exit_code(), 0, 255, out.exit_code);
  check.number("signal", in.signal(), 0, kSignalMax, out.signal);
  check.number("stopped", in.stopped(), 0, static_cast<int>(StopReason::ScriptEnded), out.stopped);
  check.number("started_ms", in.started_ms(), 0, kWallMsMax, out.started_ms);
  check.number("ended_ms", in.ended_ms(), 0, kWallMsMax, out.ended_ms);
  if (check.ok()) check.nested(from_pb(in.usage(), out.usage, error));
  check.number("left_behind", in.left_behind(), 0, INT_MAX, out.left_behind);
  check.text("launch_error", in.launch_error(), out.launch_error, kReasonBytesMax);
  out.out_of_memory = in.out_of_memory();
  check.text("epilog_error", in.epilog_error(), out.epilog_error, kReasonBytesMax);
  return check.ok();
}

void to_pb(const LaunchReport& value, pb::LaunchReport& out) {
  to_pb(value.key, *out.mutable_key());
  out.set_state(static_cast<int>(value.state));
  out.set_started_ms(value.started_ms);
  if (value.state == LaunchState::Exited) to_pb(value.exit, *out.mutable_exit());
  out.set_reason(value.reason.substr(0, kReasonBytesMax));
  out.set_node_fault(value.node_fault);
  out.set_step_port(value.step_port);
  out.set_sent_ms(value.sent_ms);
  if (value.loan != CoreLoan{}) {
    out.mutable_loan()->set_cores(value.loan.cores.to_string());
    out.mutable_loan()->set_why(value.loan.why);
  }
  if (value.cap != PowerCap{}) {
    out.mutable_cap()->set_lowered_percent(100 - value.cap.percent);
    out.mutable_cap()->set_obstacle(value.cap.obstacle);
    out.mutable_cap()->set_why(value.cap.why);
  }
}

bool from_pb(const pb::LaunchReport& in, LaunchReport& out, std::string& error) {
  RangeCheck check("LaunchReport", error);
  check.nested(from_pb(in.key(), out.key, error));
  check.number("state", in.state(), 0, static_cast<int>(LaunchState::Absent), out.state);
  check.number("started_ms", in.started_ms(), 0, kWallMsMax, out.started_ms);
  if (in.has_exit() != (out.state == LaunchState::Exited)) {
    check.fail("exit", " must be there exactly when the launch has exited");
  }
  out.exit = ExitRecord{};
  if (check.ok() && in.has_exit()) check.nested(from_pb(in.exit(), out.exit, error));
  check.text("reason", in.reason(), out.reason, kReasonBytesMax);
  out.node_fault = in.node_fault();
  check.number("step_port", in.step_port(), 0, 65535, out.step_port);
  check.number("sent_ms", in.sent_ms(), 0, kWallMsMax, out.sent_ms);
  ids_from_pb(check, "loan", in.loan().cores(), out.loan.cores);
  check.text("loan", in.loan().why(), out.loan.why);
  int lowered_percent = 0;
  check.number("cap", in.cap().lowered_percent(), 0, 100, lowered_percent);
  out.cap.percent = 100 - lowered_percent;
  check.text("cap", in.cap().why(), out.cap.why);
  check.text("cap", in.cap().obstacle(), out.cap.obstacle);
  return check.ok();
}

}  // namespace hyades
