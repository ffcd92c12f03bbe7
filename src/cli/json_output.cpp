#include "cli/json_output.hpp"

#include <map>

#include "cli/command.hpp"
#include "cli/job_words.hpp"
#include "cli/times.hpp"
#include "core/hostlist.hpp"
#include "core/job_spec.hpp"

namespace hyades {
namespace {

Json time_json(WallMs at_ms) { return at_ms <= 0 ? Json(nullptr) : Json(utc_time(at_ms)); }

Json inventory_devices(const pb::Inventory& inventory) {
  Json devices = Json::object();
  for (const pb::DeviceCount& device : inventory.devices()) devices[device.kind()] = device.count();
  return devices;
}

template <typename Repeated>
Json strings(const Repeated& list) {
  Json out = Json::array();
  for (const auto& text : list) out.push_back(text);
  return out;
}

Json counter_json(const pb::JobCounter& counter) {
  return {{"name", counter.name()},
          {"value", counter.value()},
          {"running_share", counter.running_share()},
          {"user_only", counter.user_only()}};
}

Json usage_json(const pb::Usage& usage) {
  Json out = {{"user_ms", usage.user_ms()},
              {"system_ms", usage.system_ms()},
              {"max_rss_kib", usage.max_rss_kib()}};
  if (usage.reported_size() > 0 || usage.refused_reports() > 0) {
    out["reported"] = Json::array();
    for (const pb::ReportedFigure& figure : usage.reported()) {
      out["reported"].push_back({{"name", figure.name()}, {"value", figure.value()}});
    }
    out["refused_reports"] = usage.refused_reports();
  }
  // No program ever ran without one. Then nobody has looked, and 0 would be a wrong answer.
  if (usage.minor_faults() == 0) return out;
  out.update({{"minor_faults", usage.minor_faults()},
              {"major_faults", usage.major_faults()},
              {"voluntary_switches", usage.voluntary_switches()},
              {"involuntary_switches", usage.involuntary_switches()},
              {"read_bytes", usage.read_bytes()},
              {"write_bytes", usage.write_bytes()}});
  out["counters"] = Json::array();
  for (const pb::JobCounter& counter : usage.counters()) {
    out["counters"].push_back(counter_json(counter));
  }
  out["missing_counters"] = Json::array();
  for (const pb::MissingCounter& missing : usage.missing_counters()) {
    out["missing_counters"].push_back({{"name", missing.name()}, {"why", missing.why()}});
  }
  return out;
}

std::string counted(int count, const char* one, const char* many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

// How many cores it may have on a node: null: its own; true: all that are idle.
Json elastic_json(int elastic) {
  if (elastic <= 0) return nullptr;
  return elastic >= Limits::count_max ? Json(true) : Json(elastic);
}

Json loans_json(const pb::JobInfo& job) {
  Json out = Json::array();
  for (const pb::NodeLoan& loan : job.loans()) {
    out.push_back({{"node", loan.node()},
                   {"cores", loan.cores()},
                   {"since_time", time_json(loan.since_ms())},
                   {"why", loan.why()}});
  }
  return out;
}

Json caps_json(const pb::JobInfo& job) {
  Json out = Json::array();
  for (const pb::NodeCap& cap : job.caps()) {
    out.push_back({{"node", cap.node()},
                   {"percent", cap.percent()},
                   {"since_time", time_json(cap.since_ms())},
                   {"why", cap.why()}});
  }
  return out;
}

}  // namespace

Json text_json(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json job_json(const pb::JobInfo& job) {
  Json out;
  out["id"] = job.id();
  out["name"] = job.name();
  out["user"] = job.user();
  out["uid"] = job.uid();
  out["queue"] = job.queue();
  out["state"] = job.state();
  out["state_code"] = job.state_code();
  out["reason"] = job.reason();
  out["last_reason"] = job.last_reason();
  out["exit_code"] = has_exit(job) ? Json(job.exit_code()) : Json(nullptr);
  out["exit_signal"] = has_exit(job) ? Json(job.exit_signal()) : Json(nullptr);
  out["nodes"] = split_list(job.node_names());
  out["node_count"] = job.node_count();
  out["tasks"] = job.tasks();
  out["cpus_per_task"] = job.cpus_per_task();
  out["cores"] = job.cores();
  out["memory_mib"] = job.memory_mib();
  out["time_limit_s"] = job.time_limit_s();
  out["submit_time"] = time_json(job.submit_ms());
  // A job that waits again after an attempt has not started, whatever happened before.
  out["start_time"] = time_json(job.state() == "PENDING" ? 0 : job.start_ms());
  out["end_time"] = time_json(job.end_ms());
  out["expected_start_time"] = time_json(job.expected_start_ms());
  out["start_reason"] = job.start_reason();
  out["attempts"] = job.attempts();
  out["restarts"] = job.restarts();
  out["priority"] = job.priority();
  out["held"] = job.held();
  out["dependencies"] = Json::array();
  for (const pb::Dependency& dependency : job.dependencies()) {
    out["dependencies"].push_back({{"kind", dependency.kind()}, {"job", dependency.job()}});
  }
  out["class"] = text_json(job.work_class());
  out["elastic"] = elastic_json(job.elastic());
  out["lent_cores"] = loans_json(job);
  out["power_margin"] = job.power_margin() > 0 ? Json(job.power_margin()) : Json(nullptr);
  out["power_caps"] = caps_json(job);
  out["power_obstacle"] = job.power_obstacle().empty() ? Json(nullptr) : Json(job.power_obstacle());
  out["usage"] = usage_json(job.usage());
  out["working_directory"] = job.working_directory();
  out["stdout_path"] = job.stdout_path();
  out["command_line"] = job.command_line();
  out["comment"] = job.comment();
  return out;
}

Json event_json(const pb::EventInfo& event) {
  Json detail = Json::parse(event.detail(), nullptr, false);
  if (detail.is_discarded()) detail = event.detail();
  return {{"job", event.job()},
          {"time", time_json(event.at_ms())},
          {"event", event.kind()},
          {"detail", detail}};
}

namespace {

Json profile_json(const pb::NodeProfile& profile) {
  // In the order of their names: what is sent has none.
  const std::map<std::string, double> figures(profile.figures().begin(), profile.figures().end());
  return {{"source", profile.source()},
          {"measured_time", time_json(profile.measured_ms())},
          {"figures", figures}};
}

}  // namespace

Json node_json(const pb::NodeInfo& node) {
  Json out;
  out["name"] = node.name();
  out["state"] = node.state();
  out["responding"] = node.responding();
  out["queues"] = strings(node.queues());
  out["cores"] = node.inventory().cores();
  out["free_cores"] = node.free_cores();
  out["memory_mib"] = node.inventory().memory_mib();
  out["free_memory_mib"] = node.free_memory_mib();
  out["devices"] = inventory_devices(node.inventory());
  out["features"] = strings(node.inventory().features());
  out["jobs"] = node.jobs();
  out["drain_reason"] = node.reason();
  out["drained_by"] = node.drained_by();
  out["drain_time"] = time_json(node.drained_ms());
  out["worker_pid"] = node.worker_pid();
  out["last_heard_time"] = time_json(node.last_heard_ms());
  out["down_reason"] = node.down_reason();
  out["group"] = node.group();
  out["profile"] = node.has_profile() ? profile_json(node.profile()) : Json(nullptr);
  return out;
}

Json queue_json(const pb::QueueInfo& queue) {
  Json out;
  out["name"] = queue.name();
  out["default"] = queue.is_default();
  out["enabled"] = queue.enabled();
  out["priority"] = queue.priority();
  out["policy"] = queue.policy();
  out["backfill"] = queue.backfill();
  out["default_time_s"] = queue.default_time_s();
  out["max_time_s"] = queue.max_time_s();
  out["lease_s"] = queue.lease_s();
  out["class"] = queue.work_class();
  out["elastic"] = queue.elastic();
  out["power_margin"] = queue.power_margin();
  out["max_nodes_per_job"] = queue.max_nodes_per_job();
  out["max_queued_per_user"] = queue.max_queued_per_user();
  out["max_running_per_user"] = queue.max_running_per_user();
  out["max_cores_per_user"] = queue.max_cores_per_user();
  out["nodes"] = strings(queue.nodes());
  out["pending"] = queue.pending();
  out["running"] = queue.running();
  return out;
}

Json played_json(const pb::PlayedCosts& played) {
  return {{"objective", played.objective()}, {"cost", played.cost()},
          {"hand_set", played.hand_set()},   {"least", played.least()},
          {"best", played.best_rule()},      {"best_reserve", played.best_reserve()},
          {"gated", played.gated()}};
}

Json rule_values_json(const google::protobuf::RepeatedPtrField<pb::RuleValue>& values) {
  Json out = Json::object();
  for (const pb::RuleValue& value : values) out[value.rule()] = value.value();
  return out;
}

std::vector<std::string> warnings_of(const pb::StatusInfo& status) {
  std::vector<std::string> warnings;
  if (!status.degraded().empty()) warnings.push_back(status.degraded());
  if (status.silent_nodes_size() > 0) {
    const std::vector<std::string> names(status.silent_nodes().begin(),
                                         status.silent_nodes().end());
    warnings.push_back(counted(status.silent_nodes_size(), "node does", "nodes do") +
                       " not respond: " + compress_hostlist(names) + " (hinfo -R)");
  }
  if (status.unknown_jobs_size() > 0) {
    warnings.push_back(counted(status.unknown_jobs_size(), "job is", "jobs are") +
                       " UNKNOWN, because of nodes that do not respond (hstat -t UNKNOWN)");
  }
  if (status.learned().off()) {
    warnings.push_back(
        "the learned policy is off, its queues go by index: " + status.learned().failure() +
        " (mend it, then: hctl reload" +
        (status.learned().source() == "promoted" ? "; or: hctl model rollback)" : ")"));
  }
  if (status.learned().looking_ahead().off()) {
    warnings.push_back("looking ahead is off, its queues go by index: " +
                       status.learned().looking_ahead().failure() +
                       " (mend it, then: hctl reload)");
  }
  return warnings;
}

namespace {

Json learned_json(const pb::LearnedPolicy& learned) {
  Json queues = Json::array();
  for (const pb::QueueAction& queue : learned.queues()) {
    queues.push_back({{"queue", queue.queue()},
                      {"by", !queue.by_model()     ? "rule"
                             : queue.looks_ahead() ? "lookahead"
                                                   : "model"},
                      {"choice", text_json(queue.choice())},
                      {"policy", queue.rule()},
                      {"reserve", queue.reserve()},
                      {"reserve_after", queue.reserve_after_s()},
                      {"ageing", queue.ageing()}});
  }
  const pb::LookaheadHealth& ahead = learned.looking_ahead();
  const Json ahead_json = {{"off", ahead.off()},
                           {"failure", text_json(ahead.failure())},
                           {"answers", ahead.answers()},
                           {"failures", ahead.failures()}};
  const pb::ShadowModel& shadow = learned.shadow();
  Json shadow_json = nullptr;
  if (learned.has_shadow()) {
    shadow_json = {{"model", shadow.model()},
                   {"answers", shadow.answers()},
                   {"failures", shadow.failures()},
                   {"failure", text_json(shadow.failure())}};
  }
  return {{"off", learned.off()},
          {"failure", text_json(learned.failure())},
          {"model", text_json(learned.model())},
          {"source", learned.source()},
          {"answers", learned.answers()},
          {"failures", learned.failures()},
          {"shadow", shadow_json},
          {"looking_ahead", ahead_json},
          {"queues", queues}};
}

}  // namespace

Json status_json(const pb::StatusInfo& status) {
  Json out;
  out["cluster"] = status.cluster();
  out["version"] = status.version();
  out["healthy"] = warnings_of(status).empty();
  out["degraded"] = text_json(status.degraded());
  out["state_directory"] = status.state_directory();
  out["epoch"] = status.epoch();
  out["master_pid"] = status.master_pid();
  out["started_time"] = time_json(status.started_ms());
  out["pending"] = status.pending();
  out["running"] = status.running();
  out["nodes"] = status.nodes();
  out["nodes_responding"] = status.nodes_responding();
  out["commits"] = status.commits();
  out["turns"] = status.turns();
  if (status.has_learned()) out["learned_policy"] = learned_json(status.learned());
  out["warnings"] = warnings_of(status);
  return out;
}

std::string json_text(const Json& value) {
  return value.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

std::string json_line(const Json& value) {
  return value.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace hyades
