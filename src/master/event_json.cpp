#include "master/event_json.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace hyades {
namespace {

using Json = nlohmann::ordered_json;

bool is_utf8(const std::string& text) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return c >= 0; })) return true;
  try {
    static_cast<void>(Json(text).dump());
    return true;
  } catch (const Json::type_error&) {
    return false;
  }
}

// Users' strings are bytes; JSON's are not.
Json from_bytes(const std::string& text) {
  if (is_utf8(text)) return text;
  std::string hex;
  for (const char c : text) {
    constexpr const char* digits = "0123456789abcdef";
    hex += digits[static_cast<unsigned char>(c) >> 4];
    hex += digits[static_cast<unsigned char>(c) & 15];
  }
  return Json{{"hex", hex}};
}

std::string to_bytes(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  const std::string hex = json.at("hex").get<std::string>();
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

Json from_list(const std::vector<std::string>& words) {
  Json list = Json::array();
  for (const std::string& word : words) list.push_back(from_bytes(word));
  return list;
}

std::vector<std::string> to_list(const Json& json) {
  std::vector<std::string> words;
  for (const Json& word : json) words.push_back(to_bytes(word));
  return words;
}

Json from_devices(const std::vector<DeviceCount>& devices) {
  Json list = Json::array();
  for (const DeviceCount& device : devices) {
    list.push_back({{"kind", from_bytes(device.kind)}, {"count", device.count}});
  }
  return list;
}

std::vector<DeviceCount> to_devices(const Json& json) {
  std::vector<DeviceCount> devices;
  for (const Json& device : json) {
    devices.push_back({to_bytes(device.at("kind")), device.at("count").get<int>()});
  }
  return devices;
}

Json from_dependency(const Dependency& dependency) {
  return {{"kind", to_string(dependency.kind)}, {"job", dependency.job}};
}

Dependency to_dependency(const Json& json) {
  Dependency dependency;
  if (!parse_dependency_kind(json.at("kind").get<std::string>(), dependency.kind)) {
    throw std::runtime_error("unknown kind of dependency");
  }
  dependency.job = json.at("job").get<JobId>();
  return dependency;
}

Json from_counter(const JobCounter& counter) {
  Json json{{"name", from_bytes(counter.name)}, {"value", counter.value}};
  if (counter.running_share != 1) json["running_share"] = counter.running_share;
  if (counter.user_only) json["user_only"] = true;
  return json;
}

JobCounter to_counter(const Json& json) {
  return {to_bytes(json.at("name")), json.at("value").get<std::int64_t>(),
          json.value("running_share", 1.0), json.value("user_only", false)};
}

// Writers leave out what has its default; readers leave the default where nothing is written.
// Both name the fields in one function each, in the order of the struct.
class Writer {
 public:
  template <typename T>
  void number(const char* key, T value, T fallback = T{}) {
    if (value != fallback) json[key] = value;
  }
  void text(const char* key, const std::string& value) {
    if (!value.empty()) json[key] = from_bytes(value);
  }
  void list(const char* key, const std::vector<std::string>& value) {
    if (!value.empty()) json[key] = from_list(value);
  }
  void devices(const char* key, const std::vector<DeviceCount>& value) {
    if (!value.empty()) json[key] = from_devices(value);
  }
  void key(const LaunchKey& launch) {
    number("attempt", launch.attempt);
    number("sequence", launch.sequence);
  }
  void usage(const Usage& value) {
    number("user_ms", value.user_ms);
    number("system_ms", value.system_ms);
    number("max_rss_kib", value.max_rss_kib);
    number("minor_faults", value.minor_faults);
    number("major_faults", value.major_faults);
    number("voluntary_switches", value.voluntary_switches);
    number("involuntary_switches", value.involuntary_switches);
    number("read_bytes", value.read_bytes);
    number("write_bytes", value.write_bytes);
    for (const JobCounter& counter : value.counters) {
      json["counters"].push_back(from_counter(counter));
    }
    for (const MissingCounter& missing : value.missing_counters) {
      json["missing_counters"].push_back(
          {{"name", from_bytes(missing.name)}, {"why", from_bytes(missing.why)}});
    }
    for (const ReportedFigure& figure : value.reported) {
      json["reported"].push_back({{"name", from_bytes(figure.name)}, {"value", figure.value}});
    }
    number("refused_reports", value.refused_reports);
  }
  std::string done() const { return json.dump(); }

  Json json = Json::object();
};

class Reader {
 public:
  explicit Reader(const std::string& text) : json(Json::parse(text)) {
    if (!json.is_object()) throw std::runtime_error("not a JSON object");
  }
  template <typename T>
  void number(const char* key, T& value) const {
    if (const auto at = json.find(key); at != json.end()) value = at->template get<T>();
  }
  void text(const char* key, std::string& value) const {
    if (const auto at = json.find(key); at != json.end()) value = to_bytes(*at);
  }
  void list(const char* key, std::vector<std::string>& value) const {
    if (const auto at = json.find(key); at != json.end()) value = to_list(*at);
  }
  void devices(const char* key, std::vector<DeviceCount>& value) const {
    if (const auto at = json.find(key); at != json.end()) value = to_devices(*at);
  }
  void usage(Usage& value) const {
    number("user_ms", value.user_ms);
    number("system_ms", value.system_ms);
    number("max_rss_kib", value.max_rss_kib);
    number("minor_faults", value.minor_faults);
    number("major_faults", value.major_faults);
    number("voluntary_switches", value.voluntary_switches);
    number("involuntary_switches", value.involuntary_switches);
    number("read_bytes", value.read_bytes);
    number("write_bytes", value.write_bytes);
    if (const auto at = json.find("counters"); at != json.end()) {
      for (const Json& counter : *at) value.counters.push_back(to_counter(counter));
    }
    if (const auto at = json.find("missing_counters"); at != json.end()) {
      for (const Json& missing : *at) {
        value.missing_counters.push_back(
            {to_bytes(missing.at("name")), to_bytes(missing.at("why"))});
      }
    }
    if (const auto at = json.find("reported"); at != json.end()) {
      for (const Json& figure : *at) {
        value.reported.push_back({to_bytes(figure.at("name")), figure.at("value").get<double>()});
      }
    }
    number("refused_reports", value.refused_reports);
  }
  LaunchKey key(JobId job) const {
    LaunchKey launch{job, 0, 0};
    number("attempt", launch.attempt);
    number("sequence", launch.sequence);
    return launch;
  }

  Json json;
};

Json from_share(const NodeShare& share) {
  Json json{{"node", from_bytes(share.node)}, {"tasks", share.tasks}};
  json["cores"] = share.cores.to_string();
  if (!share.boot_id.empty()) json["boot"] = from_bytes(share.boot_id);
  if (share.memory_mib != 0) json["memory_mib"] = share.memory_mib;
  for (const DeviceGrant& grant : share.devices) {
    json["devices"].push_back({{"kind", from_bytes(grant.kind)}, {"ids", grant.ids.to_string()}});
  }
  return json;
}

IdSet to_ids(const Json& json) {
  const std::string text = json.get<std::string>();
  IdSet ids;
  if (!text.empty() && !IdSet::parse(text, ids)) throw std::runtime_error("malformed set of ids");
  return ids;
}

NodeShare to_share(const Json& json) {
  NodeShare share;
  share.node = to_bytes(json.at("node"));
  if (json.contains("boot")) share.boot_id = to_bytes(json.at("boot"));
  share.tasks = json.at("tasks").get<int>();
  share.cores = to_ids(json.at("cores"));
  share.memory_mib = json.value("memory_mib", MiB{0});
  if (const auto devices = json.find("devices"); devices != json.end()) {
    for (const Json& grant : *devices) {
      share.devices.push_back({to_bytes(grant.at("kind")), to_ids(grant.at("ids"))});
    }
  }
  return share;
}

// ---- one pair for each kind of event ---------------------------------------------------------

std::string write(const Submitted&) { return ""; }
std::string write(const DependencySettled& e) {
  Writer out;
  out.json = from_dependency(e.dependency);
  out.json["met"] = e.met;
  return out.done();
}
std::string write(const HoldChanged& e) {
  Writer out;
  out.json["held"] = e.held;
  out.number("by_admin", e.by_admin);
  out.text("by", e.by);
  return out.done();
}
std::string write(const Assigned& e) {
  Writer out;
  out.key(e.key);
  out.number("epoch", e.epoch);
  out.json["why"] = to_string(e.why);
  out.number("kill_grace_s", e.kill_grace_s, 30);
  out.json["shares"] = Json::array();
  for (const NodeShare& share : e.placement.shares) out.json["shares"].push_back(from_share(share));
  return out.done();
}
std::string write(const Started& e) {
  Writer out;
  out.key(e.key);
  out.number("started_ms", e.started_ms);
  return out.done();
}
std::string write(const ScriptEnded& e) {
  Writer out;
  out.key(e.key);
  out.number("exit_code", e.exit.exit_code);
  out.number("signal", e.exit.signal);
  if (e.exit.stopped != StopReason::None) out.json["stopped"] = to_string(e.exit.stopped);
  out.number("started_ms", e.exit.started_ms);
  out.number("ended_ms", e.exit.ended_ms);
  out.usage(e.exit.usage);
  out.number("left_behind", e.exit.left_behind);
  out.number("out_of_memory", e.exit.out_of_memory);
  out.text("epilog_error", e.exit.epilog_error);
  return out.done();
}
std::string write(const CancelRequested& e) {
  Writer out;
  out.text("by", e.by);
  return out.done();
}
std::string write(const RequeueRequested& e) {
  Writer out;
  out.text("by", e.by);
  return out.done();
}
std::string write(const Requeued& e) {
  Writer out;
  out.key(e.key);
  out.text("reason", e.reason);
  out.json["had_started"] = e.had_started;
  out.number("not_before_ms", e.not_before_ms);
  out.text("avoid_node", e.avoid_node);
  return out.done();
}
std::string write(const Ended& e) {
  Writer out;
  out.json["outcome"] = to_string(e.outcome);
  out.number("exit_code", e.exit_code);
  out.number("signal", e.signal);
  out.number("started_ms", e.started_ms);
  out.number("ended_ms", e.ended_ms);
  out.usage(e.usage);
  out.text("reason", e.reason);
  return out.done();
}

void read(const Reader& in, JobId, DependencySettled& e) {
  e.dependency = to_dependency(in.json);
  in.number("met", e.met);
}
void read(const Reader& in, JobId, HoldChanged& e) {
  in.number("held", e.held);
  in.number("by_admin", e.by_admin);
  in.text("by", e.by);
}
void read(const Reader& in, JobId job, Assigned& e) {
  e.key = in.key(job);
  in.number("epoch", e.epoch);
  if (!parse_start_reason(in.json.at("why").get<std::string>(), e.why)) {
    throw std::runtime_error("unknown reason to start");
  }
  in.number("kill_grace_s", e.kill_grace_s);
  for (const Json& share : in.json.at("shares")) e.placement.shares.push_back(to_share(share));
}
void read(const Reader& in, JobId job, Started& e) {
  e.key = in.key(job);
  in.number("started_ms", e.started_ms);
}
void read(const Reader& in, JobId job, ScriptEnded& e) {
  e.key = in.key(job);
  in.number("exit_code", e.exit.exit_code);
  in.number("signal", e.exit.signal);
  if (in.json.contains("stopped") &&
      !parse_stop_reason(in.json.at("stopped").get<std::string>(), e.exit.stopped)) {
    throw std::runtime_error("unknown reason to stop");
  }
  in.number("started_ms", e.exit.started_ms);
  in.number("ended_ms", e.exit.ended_ms);
  in.usage(e.exit.usage);
  in.number("left_behind", e.exit.left_behind);
  in.number("out_of_memory", e.exit.out_of_memory);
  in.text("epilog_error", e.exit.epilog_error);
}
void read(const Reader& in, JobId, CancelRequested& e) { in.text("by", e.by); }
void read(const Reader& in, JobId, RequeueRequested& e) { in.text("by", e.by); }
void read(const Reader& in, JobId job, Requeued& e) {
  e.key = in.key(job);
  in.text("reason", e.reason);
  in.number("had_started", e.had_started);
  in.number("not_before_ms", e.not_before_ms);
  in.text("avoid_node", e.avoid_node);
}
void read(const Reader& in, JobId, Ended& e) {
  if (!parse_outcome(in.json.at("outcome").get<std::string>(), e.outcome)) {
    throw std::runtime_error("unknown outcome");
  }
  in.number("exit_code", e.exit_code);
  in.number("signal", e.signal);
  in.number("started_ms", e.started_ms);
  in.number("ended_ms", e.ended_ms);
  in.usage(e.usage);
  in.text("reason", e.reason);
}

// True, and `event` filled in, when `kind` is E's.
template <typename E>
bool read_if(JobEvent& event, const std::string& kind, const std::string& text) {
  JobEvent candidate{event.job, event.at_ms, E{}};
  if (kind != event_name(candidate)) return false;
  read(Reader(text), event.job, std::get<E>(candidate.what));
  event = std::move(candidate);
  return true;
}

}  // namespace

std::string spec_to_json(const JobSpec& spec) {
  const JobSpec fallback;
  Writer out;
  out.text("name", spec.name);
  out.text("queue", spec.queue);
  out.text("user", spec.user);
  out.number("uid", spec.uid);
  out.number("gid", spec.gid);
  out.number("nodes", spec.nodes, fallback.nodes);
  out.number("tasks", spec.tasks, fallback.tasks);
  out.number("tasks_per_node", spec.tasks_per_node, fallback.tasks_per_node);
  out.number("cpus_per_task", spec.cpus_per_task, fallback.cpus_per_task);
  out.number("memory_per_node_mib", spec.memory_per_node_mib);
  out.number("memory_per_cpu_mib", spec.memory_per_cpu_mib);
  out.devices("devices_per_node", spec.devices_per_node);
  out.list("features", spec.features);
  out.list("node_list", spec.node_list);
  out.list("exclude", spec.exclude);
  out.number("exclusive", spec.exclusive);
  out.number("time_limit_s", spec.time_limit_s);
  out.number("lease_s", spec.lease_s);
  out.number("priority", spec.priority);
  out.number("hold", spec.hold);
  out.number("requeue", spec.requeue, fallback.requeue);
  out.number("begin_ms", spec.begin_ms);
  for (const Dependency& dependency : spec.dependencies) {
    out.json["dependencies"].push_back(from_dependency(dependency));
  }
  out.number("warning_signal", spec.warning.signal);
  out.number("warning_seconds", spec.warning.seconds_before_end,
             fallback.warning.seconds_before_end);
  out.number("warning_batch_only", spec.warning.batch_only);
  out.list("counters", spec.counters);
  return out.done();
}

JobSpec spec_from_json(const std::string& text) {
  const Reader in(text);
  JobSpec spec;
  in.text("name", spec.name);
  in.text("queue", spec.queue);
  in.text("user", spec.user);
  in.number("uid", spec.uid);
  in.number("gid", spec.gid);
  in.number("nodes", spec.nodes);
  in.number("tasks", spec.tasks);
  in.number("tasks_per_node", spec.tasks_per_node);
  in.number("cpus_per_task", spec.cpus_per_task);
  in.number("memory_per_node_mib", spec.memory_per_node_mib);
  in.number("memory_per_cpu_mib", spec.memory_per_cpu_mib);
  in.devices("devices_per_node", spec.devices_per_node);
  in.list("features", spec.features);
  in.list("node_list", spec.node_list);
  in.list("exclude", spec.exclude);
  in.number("exclusive", spec.exclusive);
  in.number("time_limit_s", spec.time_limit_s);
  in.number("lease_s", spec.lease_s);
  in.number("priority", spec.priority);
  in.number("hold", spec.hold);
  in.number("requeue", spec.requeue);
  in.number("begin_ms", spec.begin_ms);
  if (const auto list = in.json.find("dependencies"); list != in.json.end()) {
    for (const Json& item : *list) spec.dependencies.push_back(to_dependency(item));
  }
  in.number("warning_signal", spec.warning.signal);
  in.number("warning_seconds", spec.warning.seconds_before_end);
  in.number("warning_batch_only", spec.warning.batch_only);
  in.list("counters", spec.counters);
  return spec;
}

std::string detail_to_json(const JobEvent& event) {
  return std::visit([](const auto& what) { return write(what); }, event.what);
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
      read_if<ScriptEnded>(event, kind, text) || read_if<CancelRequested>(event, kind, text) ||
      read_if<RequeueRequested>(event, kind, text) || read_if<Requeued>(event, kind, text) ||
      read_if<Ended>(event, kind, text)) {
    return event;
  }
  throw std::runtime_error("unknown kind of event");
}

Usage usage_from_json(const std::string& text) {
  Usage usage;
  Reader(text).usage(usage);
  return usage;
}

std::string inventory_to_json(const Inventory& inventory) {
  Writer out;
  out.number("cores", inventory.cores);
  out.number("memory_mib", inventory.memory_mib);
  out.devices("devices", inventory.devices);
  out.list("features", inventory.features);
  return out.done();
}

Inventory inventory_from_json(const std::string& text) {
  const Reader in(text);
  Inventory inventory;
  in.number("cores", inventory.cores);
  in.number("memory_mib", inventory.memory_mib);
  in.devices("devices", inventory.devices);
  in.list("features", inventory.features);
  return inventory;
}

std::string list_to_json(const std::vector<std::string>& words) {
  // A word that is not UTF-8 becomes an object here and matches nothing; neither may one that
  // SQLite's reader would cut at its NUL.
  Json list = Json::array();
  for (const std::string& word : words) {
    if (word.find('\0') == std::string::npos) list.push_back(from_bytes(word));
  }
  return list.dump();
}

std::string list_to_json(const std::vector<JobId>& ids) {
  Json list = Json::array();
  for (const JobId id : ids) {
    if (id <= static_cast<JobId>(std::numeric_limits<std::int64_t>::max())) list.push_back(id);
  }
  return list.dump();
}

}  // namespace hyades
