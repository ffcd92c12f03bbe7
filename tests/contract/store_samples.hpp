// What the tests of stores share: a directory of their own, jobs with every field filled in, and a
// comparison of events that knows nothing of how they are stored.
#pragma once

#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "core/ports.hpp"

namespace hyades {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hyades-store-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = std::filesystem::canonical(pattern).string();
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// ---- samples: no field has its default -------------------------------------------------------

inline JobSpec sample_spec(const std::string& name = "train") {
  JobSpec spec;
  spec.name = name;
  spec.queue = "batch";
  spec.user = "ann";
  spec.uid = 1001;
  spec.gid = 1002;
  spec.nodes = 2;
  spec.tasks = 8;
  spec.tasks_per_node = 4;
  spec.cpus_per_task = 3;
  spec.memory_per_node_mib = 4096;
  spec.memory_per_cpu_mib = 17;
  spec.devices_per_node = {{"fpga", 1}, {"gpu", 2}};
  spec.features = {"avx512", "ib"};
  spec.node_list = {"vn1", "vn2"};
  spec.exclude = {"vn9"};
  spec.exclusive = true;
  spec.time_limit_s = 7200;
  spec.priority = -5;
  spec.hold = true;
  spec.requeue = false;
  spec.begin_ms = 1'800'000'000'000;
  spec.dependencies = {{DependencyKind::After, 3},
                       {DependencyKind::AfterAny, 4},
                       {DependencyKind::AfterOk, 5},
                       {DependencyKind::AfterNotOk, 6}};
  spec.warning = {10, 120, true};
  spec.counters = {"PAPI_TOT_INS", "perf::PAGE-FAULTS"};
  spec.work_class = "memory";
  spec.elastic = 8;
  spec.power_margin = 7;
  return spec;
}

inline JobPayload sample_payload(const std::string& script = "#!/bin/sh\necho hello\n") {
  JobPayload payload;
  payload.script = script;
  payload.arguments = {"--lr", "0.1", "", "a,b:c"};
  payload.environment = {"PATH=/bin", "EMPTY=", "TWO=line 1\nline 2"};
  payload.working_directory = "/home/ann/work";
  payload.stdin_path = "in.txt";
  payload.stdout_path = "out-%j.txt";
  payload.stderr_path = "err-%j.txt";
  payload.append_output = true;
  payload.umask = 077;
  payload.comment = "a comment";
  payload.command_line = "hsub train.sh --lr 0.1";
  return payload;
}

inline Placement sample_placement() {
  NodeShare first{.node = "vn1",
                  .boot_id = "boot-1",
                  .tasks = 4,
                  .cores = IdSet::first(12),
                  .memory_mib = 4096,
                  .devices = {{"fpga", IdSet::first(1)}, {"gpu", {}}}};
  first.devices[1].ids.insert_range(2, 3);
  NodeShare second{.node = "vn2", .tasks = 4};
  second.cores.insert(0);
  second.cores.insert_range(5, 15);
  return Placement{{first, second}};
}

inline PlacementWhy sample_place_why() {
  return {"memory", 3, {1, 2, 3, 4, 5}, "vn[3-4]", {6, 7, 8, 9, 10}, "vn5", {11, 12, 13, 14, 15.5}};
}

inline NodeProfile sample_profile() {
  return {1'800'000'000'000, "hyades-profile 1", {{"chase_ns", 0.1}, {"gemm_gflops", 1e300}}};
}

inline LaunchKey sample_key(JobId job, Attempt attempt, LaunchSequence sequence) {
  return LaunchKey{job, attempt, sequence};
}

inline void add_job(Batch& batch, JobId id, const JobSpec& spec, const std::string& token = "",
                    const JobPayload& payload = sample_payload()) {
  batch.new_jobs.push_back({id, spec.uid, token, std::make_shared<const JobPayload>(payload)});
  batch.job_events.push_back({id, 1000 + static_cast<WallMs>(id), Submitted{spec}});
}

inline Batch one_job(JobId id, const std::string& token = "", const std::string& name = "train") {
  Batch batch;
  add_job(batch, id, sample_spec(name), token);
  return batch;
}

inline Batch one_event(JobId id, decltype(JobEvent::what) what, WallMs at_ms = 5000) {
  Batch batch;
  batch.job_events.push_back({id, at_ms, std::move(what)});
  return batch;
}

inline Usage sample_usage() {
  return {11,
          12,
          13,
          14,
          15,
          16,
          17,
          18,
          19,
          {{"PAPI_TOT_INS", INT64_MAX, 0.25, false}, {"perf::PAGE-FAULTS", 0, 1, true}},
          {{"PAPI_L3_TCM", "this node has no such counter"}},
          {{"progress", 0.1}, {"loss", -1e-300}},
          20};
}

inline Ended sample_end(Outcome outcome = Outcome::Failed) {
  return Ended{outcome, 3, 9, 6000, 7000, sample_usage(), "because"};
}

// ---- comparison ------------------------------------------------------------------------------

inline bool same(const Submitted& a, const Submitted& b) { return a.spec == b.spec; }
inline bool same(const DependencySettled& a, const DependencySettled& b) {
  return a.dependency == b.dependency && a.met == b.met;
}
inline bool same(const HoldChanged& a, const HoldChanged& b) {
  return a.held == b.held && a.by_admin == b.by_admin && a.by == b.by;
}
inline bool same(const Assigned& a, const Assigned& b) {
  return a.key == b.key && a.epoch == b.epoch && a.placement == b.placement && a.why == b.why &&
         a.kill_grace_s == b.kill_grace_s && a.policy == b.policy && a.chosen_by == b.chosen_by &&
         a.place_why == b.place_why;
}
inline bool same(const Started& a, const Started& b) {
  return a.key == b.key && a.started_ms == b.started_ms;
}
inline bool same(const CoresLent& a, const CoresLent& b) {
  return a.key == b.key && a.node == b.node && a.loan == b.loan;
}
inline bool same(const PowerCapped& a, const PowerCapped& b) {
  return a.key == b.key && a.node == b.node && a.cap == b.cap;
}
inline bool same(const ScriptEnded& a, const ScriptEnded& b) {
  return a.key == b.key && a.exit == b.exit;
}
inline bool same(const CancelRequested& a, const CancelRequested& b) { return a.by == b.by; }
inline bool same(const RequeueRequested& a, const RequeueRequested& b) { return a.by == b.by; }
inline bool same(const Requeued& a, const Requeued& b) {
  return a.key == b.key && a.reason == b.reason && a.had_started == b.had_started &&
         a.not_before_ms == b.not_before_ms && a.avoid_node == b.avoid_node;
}
inline bool same(const Ended& a, const Ended& b) {
  return a.outcome == b.outcome && a.exit_code == b.exit_code && a.signal == b.signal &&
         a.started_ms == b.started_ms && a.ended_ms == b.ended_ms && a.usage == b.usage &&
         a.reason == b.reason;
}
inline bool same(const JobEvent& a, const JobEvent& b) {
  if (a.job != b.job || a.at_ms != b.at_ms || a.what.index() != b.what.index()) return false;
  return std::visit(
      [&](const auto& what) { return same(what, std::get<std::decay_t<decltype(what)>>(b.what)); },
      a.what);
}

inline bool same(const NodeDefined& a, const NodeDefined& b) {
  return a.inventory == b.inventory && a.boot_id == b.boot_id;
}
inline bool same(const NodeDrained& a, const NodeDrained& b) {
  return a.reason == b.reason && a.by == b.by;
}
inline bool same(const NodeResumed& a, const NodeResumed& b) { return a.by == b.by; }
inline bool same(const NodeDeclaredDead& a, const NodeDeclaredDead& b) {
  return a.below == b.below && a.proof == b.proof;
}
inline bool same(const NodeProfiled& a, const NodeProfiled& b) {
  return a.profile == b.profile && a.by == b.by;
}
inline bool same(const NodeEvent& a, const NodeEvent& b) {
  if (a.node != b.node || a.at_ms != b.at_ms || a.what.index() != b.what.index()) return false;
  return std::visit(
      [&](const auto& what) { return same(what, std::get<std::decay_t<decltype(what)>>(b.what)); },
      a.what);
}

}  // namespace hyades
