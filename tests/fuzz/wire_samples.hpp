// One of every message, with every field set: what codec tests compare and fuzzing starts from.
#pragma once

#include <string>
#include <vector>

#include "core/messages.hpp"
#include "hyades.pb.h"
#include "wire/codec.hpp"

namespace hyades::samples {

inline IdSet ids(const std::string& text) {
  IdSet set;
  IdSet::parse(text, set);
  return set;
}

inline JobSpec spec() {
  JobSpec spec;
  spec.name = "train \xc3\xa9";
  spec.queue = "gpu";
  spec.user = "ada";
  spec.uid = 1000;
  spec.gid = 4'294'967'294u;
  spec.nodes = 2;
  spec.tasks = 8;
  spec.tasks_per_node = 4;
  spec.cpus_per_task = 2;
  spec.memory_per_node_mib = 4096;
  spec.memory_per_cpu_mib = 512;
  spec.devices_per_node = {{"gpu", 2}, {"nic", 1}};
  spec.features = {"avx512", "fast"};
  spec.node_list = {"vn1", "vn2"};
  spec.exclude = {"vn3"};
  spec.exclusive = true;
  spec.time_limit_s = 3600;
  spec.priority = -5;
  spec.hold = true;
  spec.requeue = false;
  spec.begin_ms = 1'700'000'000'000;
  spec.dependencies = {{DependencyKind::After, 1},
                       {DependencyKind::AfterAny, 2},
                       {DependencyKind::AfterOk, 3},
                       {DependencyKind::AfterNotOk, 18'446'744'073'709'551'615u}};
  spec.warning = {10, 120, true};
  return spec;
}

inline JobPayload payload() {
  JobPayload payload;
  payload.script = std::string("#!/bin/sh\necho \xff\0 done\n", 23);
  payload.arguments = {"--lr", "0.1", "", "\xfe"};
  payload.environment = {"PATH=/bin", "EMPTY=", "ODD=\x80"};
  payload.working_directory = "/home/ada";
  payload.stdin_path = "in";
  payload.stdout_path = "out-%j";
  payload.stderr_path = "err-%j";
  payload.append_output = true;
  payload.umask = 077;
  payload.comment = "first try";
  payload.command_line = "hsub train.sh";
  return payload;
}

inline Inventory inventory() {
  return {64,
          256 * 1024,
          {{"gpu", 4}, {"nic", 2}},
          {"avx512", "fast"},
          {{ids("0-31"), {{"gpu", ids("0-1")}}}, {ids("32-63"), {}}}};
}

inline Usage usage() {
  return {1,
          2,
          3,
          4,
          5,
          6,
          7,
          8,
          INT64_MAX,
          {{"PAPI_TOT_INS", INT64_MAX, 0.25, false}, {"perf::PAGE-FAULTS", 0, 1, true}},
          {{"PAPI_L3_TCM", "this node has no such counter"}},
          {{"progress", 0.1}, {"loss", -1e-300}},
          INT64_MAX};
}

inline ExitRecord exit_record() {
  return {3,       9, StopReason::TimeLimit,    1'700'000'000'001, 1'700'000'001'001,
          usage(), 4, "no such directory: \xff"};
}

inline LaunchReport report(LaunchState state) {
  LaunchReport report;
  report.key = {42, 2, 77};
  report.state = state;
  report.started_ms = 1'700'000'000'000;
  if (state == LaunchState::Exited) report.exit = exit_record();
  report.reason = "because";
  report.node_fault = true;
  report.sent_ms = 123'456'789;
  if (state == LaunchState::Running) {
    report.loan = {ids("4-5,7"), "it was busy"};
    report.cap = {85, "it lost nothing", "no cap may be lower"};
  }
  return report;
}

inline LaunchOrder order() {
  LaunchOrder order;
  order.key = {42, 2, 77};
  order.spec = spec();
  order.payload = payload();
  order.placement.shares = {{.node = "vn1",
                             .boot_id = "boot-7",
                             .tasks = 4,
                             .cores = ids("0-3,8"),
                             .memory_mib = 4096,
                             .devices = {{"gpu", ids("0-1")}}},
                            {.node = "vn2",
                             .boot_id = "boot-2",
                             .tasks = 4,
                             .cores = ids("0-7"),
                             .memory_mib = 4096,
                             .devices = {{"gpu", ids("2,3")}}}};
  order.share = 1;
  order.restarts = 1;
  order.kill_grace_s = 15;
  order.cluster = "hyades";
  return order;
}

inline std::vector<Message> messages() {
  Hello hello{"vn1", "b00t", inventory(), 4711, {}};
  for (int state = 0; state <= static_cast<int>(LaunchState::Absent); ++state) {
    hello.launches.push_back(report(static_cast<LaunchState>(state)));
  }
  return {{7, hello},
          {7, Heartbeat{}},
          {7, Heartbeat{90'000, "disk", true, "boot-1"}},
          {7, Renewal{90'000, {{42, 2, 77}}, 1'700'000'000'000}},
          {7, EpochRefused{8}},
          {7, report(LaunchState::Running)},
          {7, report(LaunchState::Exited)},
          {7, Welcome{true, "welcome", {}, 64}},
          {7, SayHello{}},
          {7, order()},
          {7, QueryOrder{{42, 2, 77}}},
          {7, StopOrder{{42, 2, 77}, StopReason::Requeue, 5}},
          {7, SignalOrder{{42, 2, 77}, 10, true}},
          {7, RetireOrder{{42, 2, 77}}}};
}

inline std::vector<pb::ClientRequest> requests() {
  std::vector<pb::ClientRequest> all(13);
  to_pb(spec(), *all[0].mutable_submit()->mutable_spec());
  to_pb(payload(), *all[0].mutable_submit()->mutable_payload());
  all[0].mutable_submit()->set_token("t0ken");
  all[0].mutable_submit()->set_test_only(true);
  all[1].mutable_act_on_job()->set_job(42);
  all[1].mutable_act_on_job()->set_action(pb::JOB_SIGNAL);
  all[1].mutable_act_on_job()->set_signal(10);
  all[2].mutable_act_on_node()->set_node("vn1");
  all[2].mutable_act_on_node()->set_action(pb::NODE_DRAIN);
  all[2].mutable_act_on_node()->set_reason("disk");
  for (const std::uint64_t id : {1u, 300u, 70000u}) all[3].mutable_list_jobs()->add_ids(id);
  all[3].mutable_list_jobs()->add_states("PENDING");
  all[3].mutable_list_jobs()->set_since_ms(-1);
  all[4].mutable_show_events()->set_job(1);
  all[5].mutable_show_script()->set_job(1);
  all[6].mutable_list_nodes();
  all[7].mutable_list_queues();
  all[8].mutable_show_status();
  all[9].mutable_show_config();
  all[10].mutable_wait_jobs()->add_ids(42);
  all[10].mutable_wait_jobs()->set_timeout_ms(1000);
  all[11].mutable_reload();
  all[12].mutable_shutdown();
  return all;
}

}  // namespace hyades::samples
