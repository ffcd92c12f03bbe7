// The envelope of node messages; the values in them are codec.cpp's.
#include <climits>

#include "wire/codec.hpp"
#include "wire/range_check.hpp"
#include "wire/wire_guard.hpp"

namespace hyades {

namespace {

constexpr int kSignalMax = 64;

// ---- to bytes --------------------------------------------------------------------------------

void put(const Hello& value, pb::NodeMessage& out) {
  pb::Hello& hello = *out.mutable_hello();
  hello.set_node(to_utf8(value.node));
  hello.set_boot_id(to_utf8(value.boot_id));
  to_pb(value.inventory, *hello.mutable_inventory());
  hello.set_pid(value.pid);
  for (const LaunchReport& report : value.launches) to_pb(report, *hello.add_launches());
}

void put(const Heartbeat&, pb::NodeMessage& out) { out.mutable_heartbeat(); }

void put(const EpochRefused& value, pb::NodeMessage& out) {
  out.mutable_epoch_refused()->set_highest(value.highest);
}

void put(const LaunchReport& value, pb::NodeMessage& out) {
  to_pb(value, *out.mutable_launch_report());
}

void put(const Welcome& value, pb::NodeMessage& out) {
  out.mutable_welcome()->set_accepted(value.accepted);
  out.mutable_welcome()->set_reason(to_utf8(value.reason));
}

void put(const SayHello&, pb::NodeMessage& out) { out.mutable_say_hello(); }

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

// ---- from bytes ------------------------------------------------------------------------------

bool get(const pb::Hello& in, Hello& out, std::string& error) {
  RangeCheck check("Hello", error);
  check.text("node", in.node(), out.node);
  check.text("boot_id", in.boot_id(), out.boot_id);
  check.number("pid", in.pid(), 0, INT_MAX, out.pid);
  if (check.ok()) check.nested(from_pb(in.inventory(), out.inventory, error));
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
  return check.ok();
}

bool get(const pb::StopOrder& in, StopOrder& out, std::string& error) {
  RangeCheck check("StopOrder", error);
  check.nested(from_pb(in.key(), out.key, error));
  check.number("reason", in.reason(), 0, static_cast<int>(StopReason::Requeue), out.reason);
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
      out.body.emplace<Heartbeat>();
      return true;
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
