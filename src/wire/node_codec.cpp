// The envelope of node messages; the values in them are codec.cpp's.
#include <climits>

#include "wire/codec.hpp"
#include "wire/range_check.hpp"
#include "wire/telemetry_codec.hpp"
#include "wire/wire_guard.hpp"

namespace hyades {

namespace {

constexpr int kPortMax = 65535;
constexpr std::size_t kHealthBytesMax = 1024;

// ---- to bytes --------------------------------------------------------------------------------

void put(const NodeSettings& value, pb::NodeSettings& out) {
  out.set_heartbeat_ms(value.heartbeat_ms);
  out.set_hook_directory(to_utf8(value.hook_directory));
  out.set_hook_timeout_s(value.hook_timeout_s);
  out.set_min_uid(value.min_uid);
  out.set_allow_root_jobs(value.allow_root_jobs);
  out.set_no_new_privileges(value.no_new_privileges);
  out.set_private_tmp(value.private_tmp);
  out.set_pam_service(to_utf8(value.pam_service));
  out.set_contain_cores(value.contain_cores);
  out.set_contain_memory(value.contain_memory);
  for (const DeviceFiles& files : value.device_files) {
    pb::DeviceFiles& added = *out.add_device_files();
    added.set_kind(to_utf8(files.kind));
    for (const std::string& pattern : files.patterns) added.add_patterns(to_utf8(pattern));
  }
  out.set_processes_per_core(value.processes_per_core);
  for (const std::string& name : value.counters) out.add_counters(to_utf8(name));
  out.set_counters_every_ms(value.counters_every_ms);
  out.set_health_every_s(value.health_every_s);
  out.set_health_program(to_utf8(value.health_program));
  out.set_health_timeout_s(value.health_timeout_s);
  out.set_health_disk_free_mib(value.health_disk_free_mib);
  out.set_health_memory_free_mib(value.health_memory_free_mib);
  out.set_health_load_per_core(value.health_load_per_core);
  out.set_health_clock_off_s(value.health_clock_off_s);
  to_pb(value.telemetry, *out.mutable_telemetry());
  out.set_lend_cores(value.lend_cores);
  out.set_lend_every_s(value.lend_every_s);
  out.set_cap_power(value.cap_power);
  out.set_cap_least_percent(value.cap_least_percent);
  out.set_cap_every_s(value.cap_every_s);
}

void put(const Hello& value, pb::NodeMessage& out) {
  pb::Hello& hello = *out.mutable_hello();
  hello.set_node(to_utf8(value.node));
  hello.set_boot_id(to_utf8(value.boot_id));
  to_pb(value.inventory, *hello.mutable_inventory());
  hello.set_pid(value.pid);
  for (const LaunchReport& report : value.launches) to_pb(report, *hello.add_launches());
  hello.set_address(to_utf8(value.address));
  hello.set_sent_ms(value.sent_ms);
}

void put(const Heartbeat& value, pb::NodeMessage& out) {
  out.mutable_heartbeat()->set_sent_ms(value.sent_ms);
  out.mutable_heartbeat()->set_health(value.health.substr(0, kHealthBytesMax));
  out.mutable_heartbeat()->set_health_known(value.health_known);
  out.mutable_heartbeat()->set_boot_id(to_utf8(value.boot_id));
}

void put(const EpochRefused& value, pb::NodeMessage& out) {
  out.mutable_epoch_refused()->set_highest(value.highest);
}

void put(const LaunchReport& value, pb::NodeMessage& out) {
  to_pb(value, *out.mutable_launch_report());
}

void put(const Welcome& value, pb::NodeMessage& out) {
  out.mutable_welcome()->set_accepted(value.accepted);
  out.mutable_welcome()->set_reason(to_utf8(value.reason));
  put(value.settings, *out.mutable_welcome()->mutable_settings());
  out.mutable_welcome()->set_cores(value.cores);
}

void put(const SayHello&, pb::NodeMessage& out) { out.mutable_say_hello(); }

void put(const Renewal& value, pb::NodeMessage& out) {
  out.mutable_renewal()->set_echo_ms(value.echo_ms);
  out.mutable_renewal()->set_master_ms(value.master_ms);
  for (const LaunchKey& key : value.leases) to_pb(key, *out.mutable_renewal()->add_leases());
}

void put(const LaunchOrder& value, pb::NodeMessage& out) {
  pb::LaunchOrder& order = *out.mutable_launch_order();
  to_pb(value.key, *order.mutable_key());
  to_pb(value.spec, *order.mutable_spec());
  to_pb(value.payload, *order.mutable_payload());
  for (const NodeShare& share : value.placement.shares) to_pb(share, *order.add_shares());
  order.set_share(value.share);
  order.set_restarts(value.restarts);
  order.set_kill_grace_s(value.kill_grace_s);
  order.set_cluster(to_utf8(value.cluster));
  order.set_step_key(to_utf8(value.step_key));
  for (const StepPeer& peer : value.peers) {
    pb::StepPeer& out_peer = *order.add_peers();
    out_peer.set_address(to_utf8(peer.address));
    out_peer.set_port(peer.port);
  }
  order.set_lease_base_ms(value.lease_base_ms);
}

void put(const QueryOrder& value, pb::NodeMessage& out) {
  to_pb(value.key, *out.mutable_query_order()->mutable_key());
}

void put(const StopOrder& value, pb::NodeMessage& out) {
  pb::StopOrder& order = *out.mutable_stop_order();
  to_pb(value.key, *order.mutable_key());
  order.set_reason(static_cast<int>(value.reason));
  order.set_grace_s(value.grace_s);
}

void put(const SignalOrder& value, pb::NodeMessage& out) {
  pb::SignalOrder& order = *out.mutable_signal_order();
  to_pb(value.key, *order.mutable_key());
  order.set_signal(value.signal);
  order.set_batch_only(value.batch_only);
}

void put(const RetireOrder& value, pb::NodeMessage& out) {
  to_pb(value.key, *out.mutable_retire_order()->mutable_key());
}

void put(const TelemetryReport& value, pb::NodeMessage& out) {
  to_pb(value, *out.mutable_telemetry());
}

// ---- from bytes ------------------------------------------------------------------------------

void get_device_files(const pb::NodeSettings& in, NodeSettings& out, RangeCheck& check) {
  if (!check.list("device_files", in.device_files_size())) return;
  out.device_files.resize(static_cast<std::size_t>(in.device_files_size()));
  for (int i = 0; i < in.device_files_size() && check.ok(); ++i) {
    DeviceFiles& files = out.device_files[static_cast<std::size_t>(i)];
    check.text("device_files", in.device_files(i).kind(), files.kind);
    check.texts("device_files", in.device_files(i).patterns(), files.patterns,
                Limits::path_bytes_max);
  }
}

bool get(const pb::NodeSettings& in, NodeSettings& out, std::string& error) {
  RangeCheck check("NodeSettings", error);
  check.number("heartbeat_ms", in.heartbeat_ms(), 1, INT_MAX, out.heartbeat_ms);
  check.text("hook_directory", in.hook_directory(), out.hook_directory, Limits::path_bytes_max);
  check.number("hook_timeout_s", in.hook_timeout_s(), 0, INT_MAX, out.hook_timeout_s);
  out.min_uid = in.min_uid();
  out.allow_root_jobs = in.allow_root_jobs();
  out.no_new_privileges = in.no_new_privileges();
  out.private_tmp = in.private_tmp();
  check.text("pam_service", in.pam_service(), out.pam_service);
  out.contain_cores = in.contain_cores();
  out.contain_memory = in.contain_memory();
  get_device_files(in, out, check);
  check.number("processes_per_core", in.processes_per_core(), 0, INT_MAX, out.processes_per_core);
  check.texts("counters", in.counters(), out.counters, counter_name_bytes_max);
  check.number("counters_every_ms", in.counters_every_ms(), 0, INT_MAX, out.counters_every_ms);
  check.number("health_every_s", in.health_every_s(), 0, INT_MAX, out.health_every_s);
  check.text("health_program", in.health_program(), out.health_program, Limits::path_bytes_max);
  check.number("health_timeout_s", in.health_timeout_s(), 0, INT_MAX, out.health_timeout_s);
  check.number("health_disk_free_mib", in.health_disk_free_mib(), 0, kWallMsMax,
               out.health_disk_free_mib);
  check.number("health_memory_free_mib", in.health_memory_free_mib(), 0, kWallMsMax,
               out.health_memory_free_mib);
  check.number("health_load_per_core", in.health_load_per_core(), 0, INT_MAX,
               out.health_load_per_core);
  check.number("health_clock_off_s", in.health_clock_off_s(), 0, INT_MAX, out.health_clock_off_s);
  if (check.ok()) check.nested(from_pb(in.telemetry(), out.telemetry, error));
  out.lend_cores = in.lend_cores();
  check.number("lend_every_s", in.lend_every_s(), 0, INT_MAX, out.lend_every_s);
  out.cap_power = in.cap_power();
  check.number("cap_least_percent", in.cap_least_percent(), 0, 100, out.cap_least_percent);
  check.number("cap_every_s", in.cap_every_s(), 0, INT_MAX, out.cap_every_s);
  return check.ok();
}

bool get(const pb::Heartbeat& in, Heartbeat& out, std::string& error) {
  RangeCheck check("Heartbeat", error);
  check.number("sent_ms", in.sent_ms(), 0, kWallMsMax, out.sent_ms);
  check.text("health", in.health(), out.health, kHealthBytesMax);
  out.health_known = in.health_known();
  check.text("boot_id", in.boot_id(), out.boot_id);
  return check.ok();
}

bool get(const pb::Renewal& in, Renewal& out, std::string& error) {
  RangeCheck check("Renewal", error);
  check.number("echo_ms", in.echo_ms(), 0, kWallMsMax, out.echo_ms);
  check.number("master_ms", in.master_ms(), 0, kWallMsMax, out.master_ms);
  if (!check.list("leases", in.leases_size())) return false;
  out.leases.resize(static_cast<std::size_t>(in.leases_size()));
  for (int i = 0; i < in.leases_size() && check.ok(); ++i) {
    check.nested(from_pb(in.leases(i), out.leases[static_cast<std::size_t>(i)], error));
  }
  return check.ok();
}

bool get(const pb::Hello& in, Hello& out, std::string& error) {
  RangeCheck check("Hello", error);
  check.text("node", in.node(), out.node);
  check.text("boot_id", in.boot_id(), out.boot_id);
  check.number("pid", in.pid(), 0, INT_MAX, out.pid);
  if (check.ok()) check.nested(from_pb(in.inventory(), out.inventory, error));
  check.text("address", in.address(), out.address);
  check.number("sent_ms", in.sent_ms(), 0, kWallMsMax, out.sent_ms);
  if (!check.list("launches", in.launches_size())) return false;
  out.launches.resize(static_cast<std::size_t>(in.launches_size()));
  for (int i = 0; i < in.launches_size() && check.ok(); ++i) {
    check.nested(from_pb(in.launches(i), out.launches[static_cast<std::size_t>(i)], error));
  }
  return check.ok();
}

bool get(const pb::Welcome& in, Welcome& out, std::string& error) {
  RangeCheck check("Welcome", error);
  out.accepted = in.accepted();
  check.text("reason", in.reason(), out.reason, Limits::environment_bytes_max);
  if (check.ok()) check.nested(get(in.settings(), out.settings, error));
  check.number("cores", in.cores(), 0, Limits::count_max, out.cores);
  return check.ok();
}

bool get(const pb::LaunchOrder& in, LaunchOrder& out, std::string& error) {
  RangeCheck check("LaunchOrder", error);
  check.nested(from_pb(in.key(), out.key, error) && from_pb(in.spec(), out.spec, error) &&
               from_pb(in.payload(), out.payload, error));
  if (!check.list("shares", in.shares_size())) return false;
  out.placement.shares.resize(static_cast<std::size_t>(in.shares_size()));
  for (int i = 0; i < in.shares_size() && check.ok(); ++i) {
    check.nested(from_pb(in.shares(i), out.placement.shares[static_cast<std::size_t>(i)], error));
  }
  // own_share() rests on this.
  check.number("share", in.share(), 0, in.shares_size() - 1, out.share);
  check.number("restarts", in.restarts(), 0, INT_MAX, out.restarts);
  check.number("kill_grace_s", in.kill_grace_s(), 0, INT_MAX, out.kill_grace_s);
  check.text("cluster", in.cluster(), out.cluster);
  check.text("step_key", in.step_key(), out.step_key);
  check.number("lease_base_ms", in.lease_base_ms(), 0, kWallMsMax, out.lease_base_ms);
  if (!check.list("peers", in.peers_size())) return false;
  out.peers.resize(static_cast<std::size_t>(in.peers_size()));
  for (int i = 0; i < in.peers_size(); ++i) {
    StepPeer& peer = out.peers[static_cast<std::size_t>(i)];
    check.text("peers", in.peers(i).address(), peer.address);
    check.number("peers", in.peers(i).port(), 0, kPortMax, peer.port);
  }
  return check.ok();
}

bool get(const pb::StopOrder& in, StopOrder& out, std::string& error) {
  RangeCheck check("StopOrder", error);
  check.nested(from_pb(in.key(), out.key, error));
  check.number("reason", in.reason(), 0, static_cast<int>(StopReason::ScriptEnded), out.reason);
  check.number("grace_s", in.grace_s(), 0, INT_MAX, out.grace_s);
  return check.ok();
}

bool get(const pb::SignalOrder& in, SignalOrder& out, std::string& error) {
  RangeCheck check("SignalOrder", error);
  check.nested(from_pb(in.key(), out.key, error));
  check.number("signal", in.signal(), 0, kSignalMax, out.signal);
  out.batch_only = in.batch_only();
  return check.ok();
}

bool get_body(const pb::NodeMessage& in, Message& out, std::string& error) {
  switch (in.body_case()) {
    case pb::NodeMessage::kHello:
      return get(in.hello(), out.body.emplace<Hello>(), error);
    case pb::NodeMessage::kHeartbeat:
      return get(in.heartbeat(), out.body.emplace<Heartbeat>(), error);
    case pb::NodeMessage::kEpochRefused:
      out.body.emplace<EpochRefused>().highest = in.epoch_refused().highest();
      return true;
    case pb::NodeMessage::kLaunchReport:
      return from_pb(in.launch_report(), out.body.emplace<LaunchReport>(), error);
    case pb::NodeMessage::kWelcome:
      return get(in.welcome(), out.body.emplace<Welcome>(), error);
    case pb::NodeMessage::kSayHello:
      out.body.emplace<SayHello>();
      return true;
    case pb::NodeMessage::kRenewal:
      return get(in.renewal(), out.body.emplace<Renewal>(), error);
    case pb::NodeMessage::kLaunchOrder:
      return get(in.launch_order(), out.body.emplace<LaunchOrder>(), error);
    case pb::NodeMessage::kQueryOrder:
      return from_pb(in.query_order().key(), out.body.emplace<QueryOrder>().key, error);
    case pb::NodeMessage::kStopOrder:
      return get(in.stop_order(), out.body.emplace<StopOrder>(), error);
    case pb::NodeMessage::kSignalOrder:
      return get(in.signal_order(), out.body.emplace<SignalOrder>(), error);
    case pb::NodeMessage::kRetireOrder:
      return from_pb(in.retire_order().key(), out.body.emplace<RetireOrder>().key, error);
    case pb::NodeMessage::kTelemetry:
      return from_pb(in.telemetry(), out.body.emplace<TelemetryReport>(), error);
    case pb::NodeMessage::BODY_NOT_SET:
      break;
  }
  error = "NodeMessage: no body";
  return false;
}

}  // namespace

std::string encode(const Message& message) {
  pb::NodeMessage out;
  out.set_epoch(message.epoch);
  std::visit([&](const auto& body) { put(body, out); }, message.body);
  return out.SerializeAsString();
}

bool decode(std::string_view bytes, Message& out, std::string& error) {
  if (bytes.size() > kNodeMessageBytesMax) {
    error = "NodeMessage: too long";
    return false;
  }
  error = check_wire(*pb::NodeMessage::descriptor(), bytes);
  if (!error.empty()) return false;
  pb::NodeMessage message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    error = "NodeMessage: cannot be read";
    return false;
  }
  out.epoch = message.epoch();
  return get_body(message, out, error);
}

}  // namespace hyades
