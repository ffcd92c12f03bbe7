#include "master/event_json.hpp"

#include <concepts>
#include <limits>
#include <stdexcept>

#include "master/stored_json.hpp"

namespace hyades {

// ---- the fields of each struct, for writing and for reading ----------------------------------

// T to be read into, or const T to be written.
template <typename E, typename T>
concept Like = std::same_as<std::remove_const_t<E>, T>;

template <typename Io>
void stored_fields(Io& io, Like<DeviceCount> auto& device) {
  io.required_text("kind", device.kind);
  io.required("count", device.count);
}

template <typename Io>
void stored_fields(Io& io, Like<DeviceGrant> auto& grant) {
  io.required_text("kind", grant.kind);
  io.ids("ids", grant.ids);
}

template <typename Io>
void stored_fields(Io& io, Like<NodeShare> auto& share) {
  io.required_text("node", share.node);
  io.required("tasks", share.tasks);
  io.ids("cores", share.cores);
  io.text("boot", share.boot_id);
  io.number("memory_mib", share.memory_mib);
  io.each("devices", share.devices);
}

template <typename Io>
void stored_fields(Io& io, Like<Dependency> auto& dependency) {
  io.word("kind", dependency.kind, parse_dependency_kind);
  io.required("job", dependency.job);
}

template <typename Io>
void stored_fields(Io& io, Like<JobCounter> auto& counter) {
  io.required_text("name", counter.name);
  io.required("value", counter.value);
  io.number("running_share", counter.running_share, 1.0);
  io.number("user_only", counter.user_only);
}

template <typename Io>
void stored_fields(Io& io, Like<MissingCounter> auto& missing) {
  io.required_text("name", missing.name);
  io.required_text("why", missing.why);
}

template <typename Io>
void stored_fields(Io& io, Like<ReportedFigure> auto& figure) {
  io.required_text("name", figure.name);
  io.required("value", figure.value);
}

template <typename Io>
void stored_fields(Io& io, Like<Usage> auto& usage) {
  io.number("user_ms", usage.user_ms);
  io.number("system_ms", usage.system_ms);
  io.number("max_rss_kib", usage.max_rss_kib);
  io.number("minor_faults", usage.minor_faults);
  io.number("major_faults", usage.major_faults);
  io.number("voluntary_switches", usage.voluntary_switches);
  io.number("involuntary_switches", usage.involuntary_switches);
  io.number("read_bytes", usage.read_bytes);
  io.number("write_bytes", usage.write_bytes);
  io.each("counters", usage.counters);
  io.each("missing_counters", usage.missing_counters);
  io.each("reported", usage.reported);
  io.number("refused_reports", usage.refused_reports);
}

template <typename Io>
void stored_fields(Io& io, Like<MemoryDomain> auto& domain) {
  io.ids("cores", domain.cores);
  io.each("devices", domain.devices);
}

template <typename Io>
void stored_fields(Io& io, Like<Inventory> auto& inventory) {
  io.number("cores", inventory.cores);
  io.number("memory_mib", inventory.memory_mib);
  io.each("devices", inventory.devices);
  io.texts("features", inventory.features);
  io.each("domains", inventory.domains);
}

template <typename Io>
void stored_fields(Io& io, Like<NodeProfile> auto& profile) {
  io.number("measured_ms", profile.measured_ms);
  io.text("source", profile.source);
  io.numbers("figures", profile.figures);
}

template <typename Io>
void stored_fields(Io& io, Like<PlaceCost> auto& cost) {
  io.number("run_s", cost.run_s);
  io.number("contention_s", cost.contention_s);
  io.number("transfer_s", cost.transfer_s);
  io.number("energy_s", cost.energy_s);
  io.number("balance_s", cost.balance_s);
}

template <typename Io>
void stored_fields(Io& io, Like<PlacementWhy> auto& why) {
  io.text("class", why.work_class);
  io.number("places", why.places);
  io.object("cost", why.cost);
  io.text("first_fit", why.first_fit);
  io.object("first_fit_cost", why.first_fit_cost);
  io.text("runner_up", why.runner_up);
  io.object("runner_up_cost", why.runner_up_cost);
}

template <typename Io>
void stored_fields(Io& io, Like<JobSpec> auto& spec) {
  const JobSpec fallback;
  io.text("name", spec.name);
  io.text("queue", spec.queue);
  io.text("user", spec.user);
  io.number("uid", spec.uid);
  io.number("gid", spec.gid);
  io.number("nodes", spec.nodes, fallback.nodes);
  io.number("tasks", spec.tasks, fallback.tasks);
  io.number("tasks_per_node", spec.tasks_per_node, fallback.tasks_per_node);
  io.number("cpus_per_task", spec.cpus_per_task, fallback.cpus_per_task);
  io.number("memory_per_node_mib", spec.memory_per_node_mib);
  io.number("memory_per_cpu_mib", spec.memory_per_cpu_mib);
  io.each("devices_per_node", spec.devices_per_node);
  io.texts("features", spec.features);
  io.texts("node_list", spec.node_list);
  io.texts("exclude", spec.exclude);
  io.number("exclusive", spec.exclusive);
  io.number("time_limit_s", spec.time_limit_s);
  io.number("lease_s", spec.lease_s);
  io.number("priority", spec.priority);
  io.number("hold", spec.hold);
  io.number("requeue", spec.requeue, fallback.requeue);
  io.number("begin_ms", spec.begin_ms);
  io.each("dependencies", spec.dependencies);
  io.number("warning_signal", spec.warning.signal);
  io.number("warning_seconds", spec.warning.seconds_before_end,
            fallback.warning.seconds_before_end);
  io.number("warning_batch_only", spec.warning.batch_only);
  io.texts("counters", spec.counters);
  io.text("class", spec.work_class);
  io.number("elastic", spec.elastic);
  io.number("power_margin", spec.power_margin);
}

// The job is known from elsewhere.
template <typename Io>
void stored_fields(Io& io, Like<LaunchKey> auto& key) {
  io.number("attempt", key.attempt);
  io.number("sequence", key.sequence);
}

// ---- and of each kind of event

template <typename Io>
void stored_fields(Io& io, Like<DependencySettled> auto& event) {
  stored_fields(io, event.dependency);
  io.required("met", event.met);
}

template <typename Io>
void stored_fields(Io& io, Like<HoldChanged> auto& event) {
  io.required("held", event.held);
  io.number("by_admin", event.by_admin);
  io.text("by", event.by);
}

template <typename Io>
void stored_fields(Io& io, Like<Assigned> auto& event) {
  stored_fields(io, event.key);
  io.number("epoch", event.epoch);
  io.word("why", event.why, parse_start_reason);
  io.text("policy", event.policy);
  io.text("chosen_by", event.chosen_by);
  io.number("kill_grace_s", event.kill_grace_s, 30);
  io.object("placement", event.place_why);
  io.each("shares", event.placement.shares, true);
}

template <typename Io>
void stored_fields(Io& io, Like<Started> auto& event) {
  stored_fields(io, event.key);
  io.number("started_ms", event.started_ms);
}

template <typename Io>
void stored_fields(Io& io, Like<ScriptEnded> auto& event) {
  stored_fields(io, event.key);
  io.number("exit_code", event.exit.exit_code);
  io.number("signal", event.exit.signal);
  io.word("stopped", event.exit.stopped, parse_stop_reason, StopReason::None);
  io.number("started_ms", event.exit.started_ms);
  io.number("ended_ms", event.exit.ended_ms);
  stored_fields(io, event.exit.usage);
  io.number("left_behind", event.exit.left_behind);
  io.number("out_of_memory", event.exit.out_of_memory);
  io.text("epilog_error", event.exit.epilog_error);
}

template <typename Io>
void stored_fields(Io& io, Like<CoresLent> auto& event) {
  stored_fields(io, event.key);
  io.required_text("node", event.node);
  io.ids("cores", event.loan.cores);
  io.text("why", event.loan.why);
}

template <typename Io>
void stored_fields(Io& io, Like<PowerCapped> auto& event) {
  stored_fields(io, event.key);
  io.required_text("node", event.node);
  io.number("percent", event.cap.percent);
  io.text("why", event.cap.why);
}

template <typename Io>
void stored_fields(Io& io, Like<CancelRequested> auto& event) {
  io.text("by", event.by);
}

template <typename Io>
void stored_fields(Io& io, Like<RequeueRequested> auto& event) {
  io.text("by", event.by);
}

template <typename Io>
void stored_fields(Io& io, Like<Requeued> auto& event) {
  stored_fields(io, event.key);
  io.text("reason", event.reason);
  io.required("had_started", event.had_started);
  io.number("not_before_ms", event.not_before_ms);
  io.text("avoid_node", event.avoid_node);
}

template <typename Io>
void stored_fields(Io& io, Like<Ended> auto& event) {
  io.word("outcome", event.outcome, parse_outcome);
  io.number("exit_code", event.exit_code);
  io.number("signal", event.signal);
  io.number("started_ms", event.started_ms);
  io.number("ended_ms", event.ended_ms);
  stored_fields(io, event.usage);
  io.text("reason", event.reason);
}

namespace {

template <typename T>
std::string write(const T& value) {
  StoredJsonWriter out;
  stored_fields(out, value);
  return out.json.dump();
}

template <typename T>
T read(const std::string& text) {
  const StoredJsonReader in(StoredJson::parse(text));
  T value;
  stored_fields(in, value);
  return value;
}

// True, and `event` filled in, when `kind` is E's.
template <typename E>
bool read_if(JobEvent& event, const std::string& kind, const std::string& text) {
  if (kind != event_name(JobEvent{event.job, event.at_ms, E{}})) return false;
  E what = read<E>(text);
  if constexpr (requires { what.key; }) what.key.job = event.job;
  event.what = std::move(what);
  return true;
}

}  // namespace

std::string spec_to_json(const JobSpec& spec) { return write(spec); }

JobSpec spec_from_json(const std::string& text) { return read<JobSpec>(text); }

std::string detail_to_json(const JobEvent& event) {
  return std::visit(
      [](const auto& what) -> std::string {
        if constexpr (std::same_as<std::decay_t<decltype(what)>, Submitted>) {
          return "";
        } else {
          return write(what);
        }
      },
      event.what);
}

JobEvent event_from_json(JobId job, WallMs at_ms, const std::string& kind,
                         const std::string& text) {
  JobEvent event{job, at_ms, Submitted{}};
  if (kind == event_name(event)) {
    event.what = Submitted{spec_from_json(text)};
    return event;
  }
  if (read_if<DependencySettled>(event, kind, text) || read_if<HoldChanged>(event, kind, text) ||
      read_if<Assigned>(event, kind, text) || read_if<Started>(event, kind, text) ||
      read_if<ScriptEnded>(event, kind, text) || read_if<CoresLent>(event, kind, text) ||
      read_if<PowerCapped>(event, kind, text) || read_if<CancelRequested>(event, kind, text) ||
      read_if<RequeueRequested>(event, kind, text) || read_if<Requeued>(event, kind, text) ||
      read_if<Ended>(event, kind, text)) {
    return event;
  }
  throw std::runtime_error("unknown kind of event");
}

Usage usage_from_json(const std::string& text) { return read<Usage>(text); }

std::string inventory_to_json(const Inventory& inventory) { return write(inventory); }

Inventory inventory_from_json(const std::string& text) { return read<Inventory>(text); }

std::string profile_to_json(const NodeProfile& profile) { return write(profile); }

NodeProfile profile_from_json(const std::string& text) { return read<NodeProfile>(text); }

std::string list_to_json(const std::vector<std::string>& words) {
  // A word that is not UTF-8 becomes an object here and matches nothing; neither may one that
  // SQLite's reader would cut at its NUL.
  StoredJson list = StoredJson::array();
  for (const std::string& word : words) {
    if (word.find('\0') == std::string::npos) list.push_back(from_bytes(word));
  }
  return list.dump();
}

std::string list_to_json(const std::vector<JobId>& ids) {
  StoredJson list = StoredJson::array();
  for (const JobId id : ids) {
    if (id <= static_cast<JobId>(std::numeric_limits<std::int64_t>::max())) list.push_back(id);
  }
  return list.dump();
}

}  // namespace hyades
