#include "wire/codec.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <new>

#include "../fuzz/wire_samples.hpp"
#include "wire/wire_guard.hpp"

namespace {
std::size_t allocated_bytes = 0;  // by anything in this program, since a test set it to 0
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  allocated_bytes += size;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace hyades {
namespace {

constexpr std::size_t kMiB = 1u << 20;

// ---- protobuf by hand, so that it can be wrong -----------------------------------------------

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

std::string number(int field, std::uint64_t value) {
  return varint(static_cast<std::uint64_t>(field) << 3) + varint(value);
}

// A length-delimited field that claims to have `length` bytes.
std::string claim(int field, std::uint64_t length, const std::string& content) {
  return varint(static_cast<std::uint64_t>(field) << 3 | 2) + varint(length) + content;
}

std::string nested(int field, const std::string& content) {
  return claim(field, content.size(), content);
}

std::string repeat(const std::string& bytes, std::size_t times) {
  std::string all;
  all.reserve(bytes.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += bytes;
  return all;
}

// submit.spec of a request
std::string in_spec(const std::string& fields) { return nested(1, nested(1, fields)); }

std::string request_error(const std::string& bytes) {
  pb::ClientRequest request;
  std::string error;
  allocated_bytes = 0;
  EXPECT_FALSE(parse_request(bytes, request, error));
  EXPECT_LT(allocated_bytes, kMiB);
  EXPECT_NE(error, "");
  return error;
}

std::string spec_error(const std::string& fields) {
  pb::ClientRequest request;
  JobSpec spec;
  std::string error;
  allocated_bytes = 0;
  if (parse_request(in_spec(fields), request, error)) {
    EXPECT_FALSE(from_pb(request.submit().spec(), spec, error));
  }
  EXPECT_LT(allocated_bytes, kMiB);
  return error;
}

// ---- what is right ---------------------------------------------------------------------------

TEST(Codec, EveryMessageComesBackAsItWas) {
  for (const Message& message : samples::messages()) {
    const std::string bytes = encode(message);
    Message back;
    std::string error;
    ASSERT_TRUE(decode(bytes, back, error)) << error;
    EXPECT_EQ(back.epoch, message.epoch);
    EXPECT_EQ(back.body.index(), message.body.index());
    EXPECT_EQ(encode(back), bytes);
  }
}

TEST(Codec, ALaunchOrderComesBackFieldByField) {
  const LaunchOrder order = samples::order();
  Message back;
  std::string error;
  ASSERT_TRUE(decode(encode({7, order}), back, error)) << error;
  const auto& other = std::get<LaunchOrder>(back.body);
  EXPECT_EQ(other.key, order.key);
  EXPECT_EQ(other.spec, order.spec);
  EXPECT_EQ(other.payload, order.payload);
  EXPECT_EQ(other.placement, order.placement);
  EXPECT_EQ(other.share, 1);
  EXPECT_EQ(other.own_share().node, "vn2");
  EXPECT_EQ(other.restarts, 1);
  EXPECT_EQ(other.kill_grace_s, 15);
  EXPECT_EQ(other.cluster, "hyades");
}

TEST(Codec, UsageComesBackFieldByField) {
  pb::Usage bytes;
  to_pb(samples::usage(), bytes);
  Usage back;
  std::string error;
  ASSERT_TRUE(from_pb(bytes, back, error)) << error;
  EXPECT_EQ(back, samples::usage());
}

TEST(Codec, FiguresThatCannotBeAreRefused) {
  const auto complaint = [](const auto& change) {
    pb::Usage bytes;
    to_pb(samples::usage(), bytes);
    change(bytes);
    Usage back;
    std::string error;
    EXPECT_FALSE(from_pb(bytes, back, error));
    return error;
  };
  const auto first = [](pb::Usage& usage) { return usage.mutable_counters(0); };
  EXPECT_EQ(complaint([](auto& u) { u.set_minor_faults(-1); }).find("Usage.minor_faults is -1"),
            0u);
  EXPECT_EQ(complaint([](auto& u) { u.set_write_bytes(-1); }).find("Usage.write_bytes is -1"), 0u);
  EXPECT_EQ(complaint([&](auto& u) { first(u)->set_value(-1); }).find("JobCounter.value"), 0u);
  EXPECT_EQ(complaint([&](auto& u) { first(u)->set_name("a b"); }).find("JobCounter.name"), 0u);
  for (const double share : {0.0, -0.5, 1.01, std::nan(""), HUGE_VAL}) {
    EXPECT_EQ(complaint([&](auto& u) {
                first(u)->set_running_share(share);
              }).find("JobCounter.running_share"),
              0u);
  }
  EXPECT_EQ(complaint([](auto& u) {
              u.mutable_missing_counters(0)->set_why("a\nb");
            }).find("MissingCounter.why"),
            0u);
  const auto crowd = [](pb::Usage& usage) {
    while (usage.counters_size() <= 32) *usage.add_counters() = usage.counters(0);
  };
  EXPECT_EQ(complaint(crowd).find("Usage.counters has 33 elements"), 0u);
  EXPECT_EQ(complaint([](auto& u) {
              u.mutable_reported(0)->set_name("Loss");
            }).find("ReportedFigure.name"),
            0u);
  EXPECT_EQ(complaint([](auto& u) {
              u.mutable_reported(0)->set_value(std::nan(""));
            }).find("ReportedFigure.value"),
            0u);
  EXPECT_EQ(complaint([](auto& u) {
              while (u.reported_size() <= 16) *u.add_reported() = u.reported(0);
            }).find("Usage.reported has 17 elements"),
            0u);
  EXPECT_EQ(complaint([](auto& u) { u.set_refused_reports(-1); }).find("Usage.refused_reports"),
            0u);
}

TEST(Codec, HeartbeatsAndTheirAnswersComeBackFieldByField) {
  Message back;
  std::string error;
  const Heartbeat heartbeat{
      .sent_ms = 90'000, .health = "no space", .health_known = true, .boot_id = "boot-1"};
  ASSERT_TRUE(decode(encode({7, heartbeat}), back, error)) << error;
  EXPECT_EQ(std::get<Heartbeat>(back.body).sent_ms, 90'000);
  EXPECT_EQ(std::get<Heartbeat>(back.body).health, "no space");
  EXPECT_TRUE(std::get<Heartbeat>(back.body).health_known);
  EXPECT_EQ(std::get<Heartbeat>(back.body).boot_id, "boot-1");
  const Renewal renewal{.echo_ms = 90'000, .leases = {{42, 2, 77}}, .master_ms = 1'700'000'000'000};
  ASSERT_TRUE(decode(encode({7, renewal}), back, error)) << error;
  EXPECT_EQ(std::get<Renewal>(back.body).echo_ms, 90'000);
  EXPECT_EQ(std::get<Renewal>(back.body).leases, renewal.leases);
  EXPECT_EQ(std::get<Renewal>(back.body).master_ms, 1'700'000'000'000);
}

TEST(Codec, AHelloComesBackFieldByField) {
  const auto hello = std::get<Hello>(samples::messages()[0].body);
  Message back;
  std::string error;
  ASSERT_TRUE(decode(encode({7, hello}), back, error)) << error;
  const auto& other = std::get<Hello>(back.body);
  EXPECT_EQ(other.node, hello.node);
  EXPECT_EQ(other.boot_id, hello.boot_id);
  EXPECT_EQ(other.inventory, hello.inventory);
  EXPECT_EQ(other.pid, hello.pid);
  ASSERT_EQ(other.launches.size(), hello.launches.size());
  for (std::size_t i = 0; i < hello.launches.size(); ++i) {
    EXPECT_EQ(other.launches[i].key, hello.launches[i].key);
    EXPECT_EQ(other.launches[i].state, hello.launches[i].state);
    EXPECT_EQ(other.launches[i].started_ms, hello.launches[i].started_ms);
    EXPECT_EQ(other.launches[i].exit, hello.launches[i].exit);
    EXPECT_EQ(other.launches[i].reason, hello.launches[i].reason);
    EXPECT_EQ(other.launches[i].node_fault, hello.launches[i].node_fault);
  }
}

TEST(Codec, EveryRequestComesBackAsItWas) {
  for (const pb::ClientRequest& request : samples::requests()) {
    const std::string bytes = request.SerializeAsString();
    pb::ClientRequest back;
    std::string error;
    ASSERT_TRUE(parse_request(bytes, back, error)) << error;
    EXPECT_EQ(back.SerializeAsString(), bytes);
  }
}

TEST(Codec, DefaultsComeBackAsDefaults) {
  pb::JobSpec spec;
  pb::JobPayload payload;
  to_pb(JobSpec{}, spec);
  to_pb(JobPayload{}, payload);
  JobSpec spec_back = samples::spec();
  JobPayload payload_back = samples::payload();
  std::string error;
  ASSERT_TRUE(from_pb(spec, spec_back, error)) << error;
  ASSERT_TRUE(from_pb(payload, payload_back, error)) << error;
  EXPECT_EQ(spec_back, JobSpec{});
  EXPECT_EQ(payload_back, JobPayload{});
}

TEST(NodeCodec, SettingsArriveAsTheyWere) {
  Welcome welcome{true, ""};
  welcome.settings.pam_service = "hyades";
  welcome.settings.device_files = {{"fpga", {"/dev/fpga%d"}},
                                   {"gpu", {"/dev/nvidia%d", "/dev/dri/renderD%+128d"}}};
  Message back;
  std::string error;
  ASSERT_TRUE(decode(encode({1, welcome}), back, error)) << error;
  EXPECT_EQ(std::get<Welcome>(back.body).settings, welcome.settings);
  welcome.settings.device_files[0].patterns[0].assign(Limits::path_bytes_max + 1, 'x');
  EXPECT_FALSE(decode(encode({1, welcome}), back, error));
}

TEST(Codec, TextThatIsNotUtf8DoesNotMakeAMessageUnreadable) {
  Message back;
  std::string error;
  ASSERT_TRUE(decode(encode({1, Welcome{false, "no \xff\xc3(\xe2\x82 node"}}), back, error));
  EXPECT_EQ(std::get<Welcome>(back.body).reason,
            "no ?"
            "?(?"
            "? node");
}

TEST(Utf8, KnowsWhatIsWellFormed) {
  for (const char* good :
       {"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "a\xc2\x80z"}) {
    EXPECT_EQ(to_utf8(good), good);
  }
  // over-long, surrogate, beyond the last character, cut off, stray
  for (const std::string bad : {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                "\xe2\x82", "\x80", "\xff"}) {
    EXPECT_EQ(valid_utf8_bytes("ab" + bad), 2u);
    EXPECT_EQ(to_utf8(bad), std::string(bad.size(), '?'));
  }
}

// ---- S03: too long, too short ----------------------------------------------------------------

TEST(HostileBytes, ExtraBytesAfterANodeMessageAreRefused) {
  for (const Message& message : samples::messages()) {
    const std::string bytes = encode(message);
    for (std::size_t extra = 1; extra <= 64; ++extra) {
      for (const char filler : {'\0', '\x01', '\x08', '\x12', '\x7f', '\xff'}) {
        Message back;
        std::string error;
        EXPECT_FALSE(decode(bytes + std::string(extra, filler), back, error));
        EXPECT_NE(error, "");
      }
      Message back;
      std::string error;  // the beginning of the same message once more
      EXPECT_FALSE(decode(bytes + bytes.substr(0, extra), back, error));
    }
  }
}

TEST(HostileBytes, ExtraBytesAfterARequestAreRefused) {
  for (const pb::ClientRequest& request : samples::requests()) {
    const std::string bytes = request.SerializeAsString();
    for (std::size_t extra = 1; extra <= 64; ++extra) {
      for (const char filler : {'\0', '\x01', '\x08', '\x12', '\x7f', '\xff'}) {
        request_error(bytes + std::string(extra, filler));
      }
      request_error(bytes + bytes.substr(0, extra));
    }
  }
}

TEST(HostileBytes, MessagesCutOffAnywhereAreRefused) {
  for (const Message& message : samples::messages()) {
    const std::string bytes = encode(message);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      Message back;
      std::string error;
      EXPECT_FALSE(decode(std::string_view(bytes).substr(0, size), back, error));
    }
  }
  for (const pb::ClientRequest& request : samples::requests()) {
    const std::string bytes = request.SerializeAsString();
    for (std::size_t size = 0; size < bytes.size(); ++size) request_error(bytes.substr(0, size));
  }
}

TEST(HostileBytes, UnknownFieldsAreRefusedAtEveryLevel) {
  EXPECT_EQ(request_error(nested(99, "x")), "ClientRequest: unknown field");
  EXPECT_EQ(request_error(nested(1, number(99, 1))), "Submit: unknown field");
  EXPECT_EQ(request_error(in_spec(number(99, 1))), "JobSpec: unknown field");
  EXPECT_EQ(request_error(in_spec(nested(12, nested(9, "x")))), "DeviceCount: unknown field");
}

TEST(HostileBytes, FieldsThatComeTwiceAreRefused) {
  EXPECT_EQ(request_error(in_spec(number(7, 1) + number(7, 2))), "JobSpec.tasks: more than once");
  EXPECT_EQ(request_error(nested(7, "") + nested(8, "")),
            "ClientRequest.list_queues: not the only choice");
}

// ---- S04: counts and lengths -----------------------------------------------------------------

TEST(HostileBytes, LengthsThatLieAreRefusedWithoutAllocating) {
  for (const std::uint64_t length :
       {1ull, 127ull, 0x7fffffffull, 0x80000000ull, 0xffffffffull, 0x100000000ull,
        0x7fffffffffffffffull, 0xffffffffffffffffull}) {
    EXPECT_EQ(request_error(claim(1, length, "")), "ClientRequest.submit: cut off");
    EXPECT_EQ(request_error(nested(1, claim(1, length, ""))), "Submit.spec: cut off");
    EXPECT_EQ(request_error(in_spec(claim(1, length, ""))), "JobSpec.name: cut off");
    EXPECT_EQ(request_error(in_spec(claim(12, length, ""))), "JobSpec.devices_per_node: cut off");
    // longer than the message around it, though not than the bytes that follow
    EXPECT_NE(request_error(in_spec(claim(1, length, "")) + std::string(200, 'x')), "");
    Message back;
    std::string error;
    EXPECT_FALSE(decode(claim(8, length, ""), back, error));
    EXPECT_EQ(error, "NodeMessage.launch_order: cut off");
  }
  pb::ClientRequest request;
  std::string error;
  EXPECT_TRUE(parse_request(claim(1, 0, ""), request, error)) << error;  // an empty Submit
}

TEST(HostileBytes, CountsBeyondTheCapAreRefusedWithoutAllocating) {
  const std::string empty_feature = nested(13, "");
  const std::string empty_device = nested(12, "");
  for (const std::size_t count : {Limits::list_max + 1, std::size_t{1'000'000}}) {
    EXPECT_EQ(request_error(in_spec(repeat(empty_feature, count))),
              "JobSpec.features: too many elements");
    EXPECT_EQ(request_error(in_spec(repeat(empty_device, count))),
              "JobSpec.devices_per_node: too many elements");
    EXPECT_EQ(request_error(nested(1, nested(2, repeat(nested(3, ""), count)))),
              "JobPayload.environment: too many elements");
    // packed numbers: one field, one byte an element
    EXPECT_EQ(request_error(nested(4, nested(1, std::string(count, '\x01')))),
              "ListJobs.ids: too many elements");
    Message back;
    std::string error;
    const std::string hello = nested(2, repeat(nested(5, ""), count));
    allocated_bytes = 0;
    EXPECT_FALSE(decode(hello, back, error));
    EXPECT_LT(allocated_bytes, kMiB);
    EXPECT_EQ(error, "Hello.launches: too many elements");
  }
}

TEST(HostileBytes, ManyListsBelowTheirCapsAreRefusedTogether) {
  const std::string lists = repeat(nested(12, ""), 60'000) + repeat(nested(13, ""), 60'000) +
                            repeat(nested(14, ""), 60'000);
  EXPECT_EQ(request_error(in_spec(lists)), "JobSpec.node_list: too many elements in the message");
}

TEST(HostileBytes, AListAtItsCapIsFine) {
  pb::ClientRequest request;
  std::string error;
  EXPECT_TRUE(parse_request(in_spec(repeat(nested(13, "f"), Limits::list_max)), request, error))
      << error;
  JobSpec spec;
  EXPECT_TRUE(from_pb(request.submit().spec(), spec, error)) << error;
  EXPECT_EQ(spec.features.size(), Limits::list_max);
}

TEST(HostileBytes, NumbersThatDoNotFitAreRefused) {
  const auto minus_one = static_cast<std::uint64_t>(-1);
  EXPECT_EQ(spec_error(number(7, 0x80000000u)), "JobSpec.tasks: out of range");
  EXPECT_EQ(spec_error(number(7, 0xffffffffu)), "JobSpec.tasks: out of range");
  EXPECT_EQ(spec_error(number(4, 0x100000000u)), "JobSpec.uid: out of range");
  EXPECT_EQ(spec_error(number(4, minus_one)), "JobSpec.uid: out of range");
  EXPECT_EQ(spec_error(number(16, 2)), "JobSpec.exclusive: out of range");
  EXPECT_EQ(spec_error(varint(7 << 3) + std::string(10, '\xff')), "JobSpec.tasks: cut off");
  EXPECT_EQ(spec_error(varint(7 << 3 | 5) + std::string(4, '\0')), "JobSpec.tasks: wrong type");
  EXPECT_EQ(request_error(nested(2, number(2, 6))), "ActOnJob.action: no such value");
  EXPECT_EQ(request_error(nested(2, number(2, minus_one))), "ActOnJob.action: no such value");
}

TEST(HostileBytes, NegativeAndExcessiveAmountsAreRefused) {
  const auto minus_three = static_cast<std::uint64_t>(-3);
  EXPECT_EQ(spec_error(number(7, minus_three)),
            "JobSpec.tasks is -3; it must be from 0 to 1000000");
  for (const int field : {6, 7, 8, 9, 10, 11, 17, 21, 23, 24}) {
    EXPECT_NE(spec_error(number(field, minus_three)), "") << field;
  }
  for (const int field : {6, 7, 8, 9}) EXPECT_NE(spec_error(number(field, 0x7fffffff)), "");
  for (const int field : {10, 11, 21}) EXPECT_NE(spec_error(number(field, INT64_MAX)), "");
  EXPECT_NE(spec_error(nested(12, number(2, minus_three))), "");

  pb::ClientRequest request;
  JobSpec spec;
  std::string error;
  ASSERT_TRUE(parse_request(in_spec(number(18, minus_three)), request, error)) << error;
  ASSERT_TRUE(from_pb(request.submit().spec(), spec, error)) << error;
  EXPECT_EQ(spec.priority, -3);
}

TEST(HostileBytes, WordsAndListsOfNumbersAreChecked) {
  EXPECT_EQ(spec_error(nested(22, nested(1, "afterwards"))),
            "Dependency.kind must be after, afterany, afterok or afternotok");
  EXPECT_EQ(spec_error(nested(1, "\xff")), "JobSpec.name: not UTF-8");
  const std::string long_name(Limits::name_bytes_max + 1, 'n');
  EXPECT_EQ(spec_error(nested(1, long_name)),
            "JobSpec.name has 1025 bytes; at most 1024 are allowed");
  for (const std::string cores : {"x", "3-1", "1,1", "-1", "0-2147483647", "0-1000000000",
                                  "0-1000000", "99999999999999999999", "1,", ",1", "0-3,2"}) {
    pb::NodeShare share;
    share.set_cores(cores);
    NodeShare back;
    std::string error;
    EXPECT_FALSE(from_pb(share, back, error)) << cores;
    EXPECT_EQ(error.rfind("NodeShare.cores ", 0), 0u) << error;
  }
}

TEST(HostileBytes, TheScriptIsAcceptedUpToItsLimit) {
  pb::JobPayload payload;
  JobPayload back;
  std::string error;
  payload.set_script(std::string(Limits::script_bytes_max, 's'));
  EXPECT_TRUE(from_pb(payload, back, error)) << error;
  payload.set_script(std::string(Limits::script_bytes_max + 1, 's'));
  EXPECT_FALSE(from_pb(payload, back, error));
  EXPECT_EQ(error, "JobPayload.script has 4194305 bytes; at most 4194304 are allowed");
}

std::string message_error(const pb::NodeMessage& message) {
  Message back;
  std::string error;
  EXPECT_FALSE(decode(message.SerializeAsString(), back, error));
  return error;
}

TEST(HostileBytes, NodeMessagesThatMakeNoSenseAreRefused) {
  pb::NodeMessage report;
  report.mutable_launch_report()->set_state(6);
  EXPECT_EQ(message_error(report), "LaunchReport.state is 6; it must be from 0 to 5");
  report.mutable_launch_report()->set_state(static_cast<int>(LaunchState::Exited));
  EXPECT_EQ(message_error(report),
            "LaunchReport.exit must be there exactly when the launch has exited");
  report.mutable_launch_report()->mutable_exit()->set_exit_code(256);
  EXPECT_EQ(message_error(report), "ExitRecord.exit_code is 256; it must be from 0 to 255");

  pb::NodeMessage order;
  order.mutable_launch_order();
  EXPECT_NE(message_error(order), "");  // no share
  order.mutable_launch_order()->add_shares();
  order.mutable_launch_order()->set_share(1);
  EXPECT_EQ(message_error(order), "LaunchOrder.share is 1; it must be from 0 to 0");
  order.mutable_launch_order()->set_share(-1);
  EXPECT_NE(message_error(order), "");

  pb::NodeMessage stop;
  stop.mutable_stop_order()->set_reason(-1);
  EXPECT_NE(message_error(stop), "");
  stop.mutable_stop_order()->set_reason(0);
  stop.mutable_stop_order()->set_grace_s(-1);
  EXPECT_NE(message_error(stop), "");

  pb::NodeMessage hello;
  hello.mutable_hello()->mutable_inventory()->add_devices()->set_kind("nic");
  hello.mutable_hello()->mutable_inventory()->add_devices()->set_kind("gpu");
  EXPECT_EQ(message_error(hello), "Inventory.devices are not sorted by kind, each kind once");
  EXPECT_EQ(message_error(pb::NodeMessage{}), "NodeMessage: no body");
}

}  // namespace
}  // namespace hyades
