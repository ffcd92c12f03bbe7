#include "master/config_file.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "core/counter_names.hpp"
#include "core/job_spec.hpp"
#include "core/nearest_word.hpp"
#include "core/power_cap.hpp"
#include "core/units.hpp"
#include "master/config_placement.hpp"
#include "master/config_reader.hpp"
#include "master/config_telemetry.hpp"
#include "master/file_checks.hpp"
#include "master/networks.hpp"
#include "wire/network_address.hpp"

namespace hyades {
namespace {

constexpr std::size_t kFileBytesMax = 4u << 20;
constexpr int kYear_s = 366 * 86400;
constexpr int kPriorityMax = 1'000'000;

using Lines = std::map<std::string, std::size_t>;  // name -> where it was defined

void read_network(const toml::node& node, ClusterConfig& config, ConfigErrors& errors) {
  if (!node.is_string()) {
    return errors.add(node,
                      "networks in [cluster] must hold networks such as \"10.0.0.0/24\", or names "
                      "of network interfaces");
  }
  const std::string text = node.as_string()->get();
  const std::string problem = network_problem(text);
  if (problem.empty()) return config.networks.push_back(text);
  errors.add(node, "networks in [cluster]: '" + text.substr(0, 64) + "' " + problem);
}

void read_cluster(const toml::table& table, ClusterConfig& config, ConfigErrors& errors) {
  ConfigReader reader(table, "[cluster]", errors);
  reader.text("name", config.name);
  reader.integer("heartbeat_ms", config.node_settings.heartbeat_ms, 100, 60'000);
  reader.integer("node_timeout_ms", config.node_timeout_ms, 100, 3'600'000);
  reader.integer("resend_ms", config.resend_ms, 50, 600'000);
  reader.integer("kill_grace_s", config.kill_grace_s, 0, 86'400);
  reader.integer("max_restarts", config.max_restarts, 0, Limits::count_max);
  reader.integer("max_launch_failures", config.max_launch_failures, 1, Limits::count_max);
  reader.integer("max_node_faults", config.max_node_faults, 1, Limits::count_max);
  reader.integer("bad_node_jobs", config.bad_node_jobs, 0, Limits::count_max);
  reader.duration("bad_node_window", config.bad_node_window_s, 1, 86'400);
  reader.integer("backfill_depth", config.backfill_depth, 0, Limits::count_max);
  reader.list("networks", [&](const toml::node& node) { read_network(node, config, errors); });
  reader.finish();
  // One lost heartbeat must not take a node away.
  if (config.node_timeout_ms < 2 * config.node_settings.heartbeat_ms) {
    reader.error(table.contains("node_timeout_ms") ? "node_timeout_ms" : "heartbeat_ms",
                 "node_timeout_ms (" + std::to_string(config.node_timeout_ms) +
                     ") must be at least twice heartbeat_ms (" +
                     std::to_string(config.node_settings.heartbeat_ms) + ")");
  }
}

void read_policy(const toml::table& table, ClusterConfig& config, ConfigErrors& errors) {
  ConfigReader reader(table, "[policy]", errors);
  reader.path("model", config.policy_model);
  reader.share("gate", config.policy_gate, 10);
  reader.finish();
}

void read_guard(const toml::table& table, ClusterConfig& config, ConfigErrors& errors) {
  ConfigReader reader(table, "[guard]", errors);
  reader.flag("enabled", config.guard.enabled);
  if (table.contains("factor")) reader.factor("factor", config.guard.factor.emplace(1));
  reader.duration("after", config.guard.after_s, 1, kYear_s);
  reader.finish();
  if (config.guard.factor && (*config.guard.factor < 1 || *config.guard.factor > 1000)) {
    reader.error("factor",
                 "factor in [guard] must be from 1 to 1000: so many times the longest "
                 "wait of first come, first served");
  }
}

// Claims a name; false, and reported, when it is taken.
bool claim(Lines& lines, const std::string& name, const char* what, std::size_t line,
           ConfigErrors& errors) {
  const auto [found, fresh] = lines.emplace(name, line);
  if (fresh) return true;
  errors.add(line, std::string(what) + " '" + shown(name) +
                       "' is defined twice; the first is in line " + std::to_string(found->second));
  return false;
}

void read_node(const toml::table& table, ClusterConfig& config, Lines& lines,
               ConfigErrors& errors) {
  ConfigReader reader(table, "[[node]]", errors);
  std::vector<std::string> names;
  Inventory inventory;
  reader.hosts("name", names);
  reader.integer("cores", inventory.cores, 1, Limits::count_max);
  reader.memory("memory", inventory.memory_mib);
  reader.devices("devices", inventory.devices);
  reader.words("features", inventory.features);
  std::string group;
  reader.text("group", group);
  reader.finish();
  if (!group.empty() && !is_config_word(group)) {
    reader.error("group",
                 "'" + shown(group) + "' is not a name of letters, digits, '.', '_' and '-'");
  }
  if (!table.contains("name"))
    reader.error("name", "[[node]] needs a name, such as name = \"n[1-4]\"");
  if (config.nodes.size() + names.size() > Limits::list_max) {
    return reader.error("name", "more than " + std::to_string(Limits::list_max) + " nodes");
  }
  for (const std::string& name : names) {
    if (claim(lines, name, "node", reader.line_of("name"), errors)) {
      config.nodes.push_back({name, inventory, group});
    }
  }
}

void check_queue_nodes(const QueueConfig& queue, const Lines& nodes, ConfigReader& reader) {
  if (nodes.empty()) return;  // the nodes are those whose workers come
  for (const std::string& name : queue.nodes) {
    if (nodes.count(name) != 0) continue;
    std::vector<std::string> known;
    for (const auto& [node, line] : nodes) {
      if (known.size() < 1000) known.push_back(node);
    }
    const std::string nearest = nearest_word(name, known);
    return reader.error("nodes", "unknown node '" + shown(name) + "' in queue '" + queue.name +
                                     "'" +
                                     (nearest.empty() ? "; no [[node]] has this name"
                                                      : "; did you mean '" + nearest + "'?"));
  }
}

bool parse(std::string_view word, QueueOrder& out) { return parse_queue_order(word, out); }
bool parse(std::string_view word, Backfill& out) { return parse_backfill(word, out); }
bool parse(std::string_view word, RunTimes& out) { return parse_run_times(word, out); }

template <typename E>
void read_word(ConfigReader& reader, const char* key, E& out, const std::vector<E>& values) {
  std::vector<std::string> words;
  for (const E value : values) words.emplace_back(to_string(value));
  std::string word(to_string(out));
  reader.choice(key, word, words);
  parse(word, out);
}

// How the order sees run times, and what it keeps for jobs to come.
void read_forecasts(ConfigReader& reader, const toml::table& table, QueueConfig& queue) {
  if (table.contains("run_times")) {
    read_word(reader, "run_times", queue.run_times.emplace(RunTimes::Request), all_run_times());
  }
  if (table.contains("reserve")) {
    reader.share("reserve", queue.reserve.emplace(0), 0.5);
    if (queue.backfill == Backfill::Conservative && *queue.reserve > 0) {
      reader.error("reserve", "queue '" + queue.name +
                                  "' has both a reserve and conservative backfilling, which plans "
                                  "without one: leave out one of them");
    }
  }
  reader.duration("reserve_after", queue.reserve_after_s, 0, kYear_s);
  reader.share("ageing", queue.ageing, 100);
}

void read_queue(const toml::table& table, ClusterConfig& config, Lines& lines, const Lines& nodes,
                ConfigErrors& errors) {
  ConfigReader reader(table, "[[queue]]", errors);
  QueueConfig queue;
  reader.text("name", queue.name);
  reader.hosts("nodes", queue.nodes);
  reader.integer("priority", queue.priority, -kPriorityMax, kPriorityMax);
  reader.duration("default_time", queue.default_time_s, 1, kYear_s);
  reader.duration("max_time", queue.max_time_s, 0, kYear_s);
  reader.duration("lease", queue.lease_s, 0, 30 * 86'400);
  reader.integer("max_nodes_per_job", queue.max_nodes_per_job, 0, Limits::count_max);
  reader.integer("max_queued_per_user", queue.max_queued_per_user, 0, 100'000'000);
  reader.integer("max_running_per_user", queue.max_running_per_user, 0, 100'000'000);
  reader.integer("max_cores_per_user", queue.max_cores_per_user, 0, 100'000'000);
  reader.flag("enabled", queue.enabled);
  read_word(reader, "policy", queue.order, all_queue_orders());
  read_word(reader, "backfill", queue.backfill, all_backfills());
  read_forecasts(reader, table, queue);
  read_queue_placement(reader, config, queue);
  reader.finish();
  if (!table.contains("name"))
    reader.error("name", "[[queue]] needs a name, such as name = \"batch\"");
  if (queue.max_time_s != 0 && !table.contains("default_time")) {
    queue.default_time_s = std::min(queue.default_time_s, queue.max_time_s);
  }
  if (queue.max_time_s != 0 && queue.default_time_s > queue.max_time_s) {
    reader.error("default_time", "default_time " + format_duration(queue.default_time_s) +
                                     " is longer than max_time " +
                                     format_duration(queue.max_time_s) + " of queue '" +
                                     queue.name + "'");
  }
  // A lease that a short hiccup outlives ends jobs for nothing.
  if (queue.lease_s != 0 && queue.lease_s * 1000 < 2 * config.node_timeout_ms) {
    reader.error("lease", "a lease of " + std::to_string(queue.lease_s) +
                              " s must be at least twice node_timeout_ms (" +
                              std::to_string(config.node_timeout_ms) + ")");
  }
  check_queue_nodes(queue, nodes, reader);
  if (!queue.name.empty() && claim(lines, queue.name, "queue", reader.line_of("name"), errors)) {
    config.queues.push_back(std::move(queue));
  }
}

std::optional<std::uint32_t> uid_of(const std::string& name) {
  std::vector<char> buffer(16384);
  struct passwd entry {};
  struct passwd* found = nullptr;
  if (name.find('\0') == std::string::npos) {
    getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  }
  return found == nullptr ? std::nullopt : std::optional(found->pw_uid);
}

// A uid, or the name of a user of this system.
void read_user(const toml::node& node, const char* key, std::vector<std::uint32_t>& uids,
               ConfigErrors& errors) {
  if (node.is_integer()) {
    const std::int64_t uid = node.as_integer()->get();
    if (uid >= 0 && uid < 0xffffffff) {
      uids.push_back(static_cast<std::uint32_t>(uid));
    } else {
      errors.add(node, std::to_string(uid) + " in " + key + " of [security] is not a uid");
    }
    return;
  }
  if (!node.is_string()) {
    return errors.add(node, std::string(key) + " in [security] must hold user names or uids");
  }
  const std::string& name = node.as_string()->get();
  const std::optional<std::uint32_t> uid = uid_of(name);
  if (!uid) {
    return errors.add(node, "there is no user '" + shown(name) + "' (" + key +
                                " of [security]): correct the name, or give the uid");
  }
  uids.push_back(*uid);
}

// Where clients of other hosts may come: one place, or a list of them.
void read_listen(const toml::node& node, ClusterConfig& config, ConfigErrors& errors) {
  NetworkAddress address;
  const std::string text = node.is_string() ? node.as_string()->get() : "";
  if (NetworkAddress::parse(text, address)) return config.listen.push_back(text);
  errors.add(node,
             "listen in [security] must hold places such as \"head:6710\", \"10.0.0.1:6710\", or "
             "\":6710\" for every address of the host");
}

void read_security(const toml::table& table, ClusterConfig& config, ConfigErrors& errors) {
  ConfigReader reader(table, "[security]", errors);
  for (const auto& [key, uids] :
       {std::pair{"admins", &config.admin_uids}, std::pair{"operators", &config.operator_uids}}) {
    reader.list(key, [&, key = key, uids = uids](const toml::node& node) {
      read_user(node, key, *uids, errors);
    });
    std::sort(uids->begin(), uids->end());
    uids->erase(std::unique(uids->begin(), uids->end()), uids->end());
  }
  reader.text("user", config.daemon_user);
  reader.one_or_list("listen", [&](const toml::node& node) { read_listen(node, config, errors); });
  reader.path("munge_socket", config.munge_socket);
  reader.finish();
  if (config.daemon_user.empty()) return;
  const std::optional<std::uint32_t> uid = uid_of(config.daemon_user);
  if (!uid) {
    reader.error("user", "there is no user '" + config.daemon_user +
                             "' (user of [security]): create it, on every node");
  } else if (*uid == 0) {
    reader.error("user", "user of [security] is '" + config.daemon_user +
                             "': to keep the daemons running as root, leave it out");
  }
}

void read_fence(const toml::table& table, ClusterConfig& config, ConfigErrors& errors) {
  ConfigReader reader(table, "[fence]", errors);
  reader.command("command", config.fence_command);
  reader.duration("after", config.fence_after_s, 1, 86'400);
  reader.duration("timeout", config.fence_timeout_s, 1, 86'400);
  reader.finish();
}

void read_jobs(const toml::table& table, NodeSettings& settings, ConfigErrors& errors) {
  ConfigReader reader(table, "[jobs]", errors);
  int min_uid = static_cast<int>(settings.min_uid);
  reader.path("hook_directory", settings.hook_directory);
  reader.duration("hook_timeout", settings.hook_timeout_s, 1, 86'400);
  reader.integer("min_uid", min_uid, 0, 2'000'000'000);
  reader.flag("allow_root_jobs", settings.allow_root_jobs);
  reader.flag("no_new_privileges", settings.no_new_privileges);
  reader.flag("private_tmp", settings.private_tmp);
  reader.text("pam_service", settings.pam_service);
  reader.flag("contain_cores", settings.contain_cores);
  reader.flag("contain_memory", settings.contain_memory);
  reader.flag("lend_cores", settings.lend_cores);
  reader.duration("lend_every", settings.lend_every_s, 1, 3'600);
  reader.flag("cap_power", settings.cap_power);
  reader.integer("cap_least", settings.cap_least_percent, kPowerPercentLeast, 100);
  reader.duration("cap_every", settings.cap_every_s, 1, 3'600);
  reader.integer("processes_per_core", settings.processes_per_core, 0, Limits::count_max);
  reader.finish();
  settings.min_uid = static_cast<std::uint32_t>(min_uid);
}

void read_health(const toml::table& table, NodeSettings& settings, ConfigErrors& errors) {
  ConfigReader reader(table, "[health]", errors);
  reader.duration("every", settings.health_every_s, 0, 86'400);
  reader.path("program", settings.health_program);
  reader.duration("timeout", settings.health_timeout_s, 1, 3'600);
  reader.memory("disk_free", settings.health_disk_free_mib);
  reader.memory("memory_free", settings.health_memory_free_mib);
  reader.integer("load_per_core", settings.health_load_per_core, 0, Limits::count_max);
  reader.integer("clock_off_s", settings.health_clock_off_s, 0, 86'400);
  reader.finish();
}

void read_telemetry(const toml::table& table, ClusterConfig& config, ConfigErrors& errors) {
  ConfigReader reader(table, "[telemetry]", errors);
  read_measuring(reader, config);
  std::vector<std::string> counters;
  const bool given = table.contains("counters");
  reader.list("counters", [&](const toml::node& node) {
    counters.push_back(node.is_string() ? node.as_string()->get() : "");
  });
  if (given) {
    if (const std::string bad = check_counters(counters); !bad.empty()) {
      reader.error("counters", "counters of [telemetry]: " + bad);
    } else {
      config.node_settings.counters = counters == std::vector<std::string>{std::string(no_counters)}
                                          ? std::vector<std::string>()
                                          : counters;
    }
  }
  reader.integer("counters_every_ms", config.node_settings.counters_every_ms, 0, 3'600'000);
  reader.finish();
}

// [name]: nothing when it is absent or not a table.
const toml::table* section(const toml::table& root, const char* name, ConfigErrors& errors) {
  const toml::node* node = root.get(name);
  if (node == nullptr || node->is_table()) return node == nullptr ? nullptr : node->as_table();
  errors.add(*node, std::string(name) + " must be a section, written [" + name + "]");
  return nullptr;
}

// Every [[name]].
std::vector<const toml::table*> sections(const toml::table& root, const char* name,
                                         ConfigErrors& errors) {
  std::vector<const toml::table*> found;
  const toml::node* node = root.get(name);
  if (node == nullptr) return found;
  const std::string advice =
      std::string(name) + " must be written [[" + name + "]], with two brackets";
  if (!node->is_array()) {
    errors.add(*node, advice);
    return found;
  }
  for (const toml::node& element : *node->as_array()) {
    if (element.is_table()) {
      found.push_back(element.as_table());
    } else {
      errors.add(element, advice);
    }
  }
  return found;
}

void check_sections(const toml::table& root, ConfigErrors& errors) {
  const std::vector<std::string> known = {
      "cluster", "node",         "queue",     "fence",       "jobs",  "security", "health",
      "class",   "device_files", "telemetry", "accelerator", "guard", "policy",   "placement"};
  for (const auto& [key, value] : root) {
    const std::string name(key.str());
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string nearest = nearest_word(name, known);
    errors.add(
        key.source().begin.line,
        "unknown section '" + shown(name) + "'" +
            (nearest.empty()
                 ? "; possible: [cluster], [[node]], [[queue]], [guard], [policy], [placement], "
                   "[[class]], [fence], [jobs], [device_files], [health], "
                   "[telemetry], [[accelerator]], [security]"
                 : "; did you mean '" + nearest + "'?"));
  }
}

ClusterConfig read_all(const toml::table& root, ConfigErrors& errors) {
  ClusterConfig config;
  check_sections(root, errors);
  if (const toml::table* table = section(root, "cluster", errors)) {
    read_cluster(*table, config, errors);
  }
  if (const toml::table* table = section(root, "guard", errors)) read_guard(*table, config, errors);
  if (const toml::table* table = section(root, "policy", errors)) {
    read_policy(*table, config, errors);
  }
  if (const toml::table* table = section(root, "placement", errors)) {
    read_placement(*table, config.placement, errors);
  }
  for (const toml::table* table : sections(root, "class", errors)) {
    read_work_class(*table, config, errors);
  }
  Lines nodes;
  for (const toml::table* table : sections(root, "node", errors)) {
    read_node(*table, config, nodes, errors);
  }
  const std::vector<const toml::table*> queues = sections(root, "queue", errors);
  if (!queues.empty()) config.queues.clear();
  Lines queue_lines;
  for (const toml::table* table : queues) read_queue(*table, config, queue_lines, nodes, errors);
  if (const toml::table* table = section(root, "fence", errors)) read_fence(*table, config, errors);
  if (const toml::table* table = section(root, "jobs", errors)) {
    read_jobs(*table, config.node_settings, errors);
  }
  if (const toml::table* table = section(root, "device_files", errors)) {
    ConfigReader(*table, "[device_files]", errors).device_files(config.node_settings.device_files);
  }
  if (const toml::table* table = section(root, "health", errors)) {
    read_health(*table, config.node_settings, errors);
  }
  if (const toml::table* table = section(root, "telemetry", errors)) {
    read_telemetry(*table, config, errors);
  }
  for (const toml::table* table : sections(root, "accelerator", errors)) {
    read_accelerator(*table, config.node_settings.telemetry, errors);
  }
  if (const toml::table* table = section(root, "security", errors)) {
    read_security(*table, config, errors);
  }
  return config;
}

// False: errno says why. Reads a little more than is allowed, so that too much can be told.
bool read_file(const std::string& path, std::string& text) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return false;
  char buffer[65536];
  ssize_t size = 0;
  while (text.size() <= kFileBytesMax && (size = read(fd, buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<std::size_t>(size));
  }
  const int error = errno;
  close(fd);
  errno = error;
  return size >= 0;
}

}  // namespace

ConfigResult parse_config(const std::string& text, const std::string& path) {
  if (text.size() > kFileBytesMax) {
    return {std::nullopt, {path + ":1: the file is larger than 4 MiB: this is no configuration"}};
  }
  ConfigErrors errors(path);
  try {
    const toml::table root = toml::parse(text, path);
    ClusterConfig config = read_all(root, errors);
    if (errors.empty()) return {std::move(config), {}};
  } catch (const toml::parse_error& error) {
    errors.add(error.source().begin.line, shown(std::string(error.description()), 300));
  }
  return {std::nullopt, errors.sorted()};
}

ConfigResult load_config(const std::string& path, bool must_exist) {
  const std::string problem = check_trusted_file(path);
  if (!problem.empty()) return {std::nullopt, {problem}};
  std::string text;
  if (read_file(path, text)) return parse_config(text, path);
  if (errno == ENOENT && !must_exist) return {ClusterConfig{}, {}};
  return {std::nullopt, {system_error("cannot read the configuration " + path, errno)}};
}

}  // namespace hyades
