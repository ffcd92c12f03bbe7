#include "hsim/device_fleet.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "cli/failure.hpp"

namespace hyades {
namespace {

constexpr int kDevicesMost = 100'000;

FleetPart parse_part(const std::string& fleet, const std::string& text,
                     const ThroughputTable& table) {
  const std::size_t colon = text.find(':');
  FleetPart part;
  part.device = text.substr(0, colon);
  if (!table.has_device(part.device)) {
    std::string known;
    for (const std::string& device : table.devices()) {
      known += (known.empty() ? "" : ", ") + device;
    }
    throw Failure("fleet " + fleet + ": the table knows no device \"" + part.device + "\", only " +
                  known);
  }
  const std::string count = colon == std::string::npos ? "" : text.substr(colon + 1);
  const char* const last = count.data() + count.size();
  const auto [end, error] = std::from_chars(count.data(), last, part.count);
  if (error != std::errc() || end != last || part.count < 1 || part.count > kDevicesMost) {
    throw Failure("fleet " + fleet + ": \"" + text + "\" does not say how many: " + part.device +
                  ":12");
  }
  return part;
}

bool spreads(const DeviceWork& work, const DeviceFleet& fleet) {
  return work.workers > fleet.per_node;
}

std::set<DeviceWork> works_of(const DeviceTrace& trace) {
  std::set<DeviceWork> works;
  for (const DeviceJob& job : trace.jobs) works.insert(job.work);
  return works;
}

}  // namespace

int DeviceFleet::total() const {
  int sum = 0;
  for (const FleetPart& part : parts) sum += part.count;
  return sum;
}

std::string DeviceFleet::text() const {
  std::string out;
  for (const FleetPart& part : parts) {
    out += (out.empty() ? "" : "+") + part.device + ":" + std::to_string(part.count);
  }
  return out;
}

DeviceFleet parse_fleet(const std::string& text, int per_node, const ThroughputTable& table) {
  DeviceFleet fleet;
  fleet.per_node = per_node;
  std::set<std::string> seen;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('+', begin), text.size());
    fleet.parts.push_back(parse_part(text, text.substr(begin, end - begin), table));
    if (!seen.insert(fleet.parts.back().device).second) {
      throw Failure("fleet " + text + ": " + fleet.parts.back().device + " is there twice");
    }
    begin = end + 1;
  }
  return fleet;
}

DeviceFleet homogeneous(const DeviceFleet& fleet, const ThroughputTable& table) {
  std::map<std::string, int> wins;
  std::set<DeviceWork> works;
  for (const DeviceWork& work : table.works()) {
    std::string best;
    for (const FleetPart& part : fleet.parts) {
      if (best.empty() || table.rate(part.device, work) > table.rate(best, work)) {
        best = part.device;
      }
    }
    ++wins[best];
  }
  const auto most = std::max_element(
      wins.begin(), wins.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return {{{most->first, fleet.total()}}, fleet.per_node};
}

std::vector<FleetPart> servers_of(const DeviceFleet& fleet, NodeOrder order) {
  std::vector<FleetPart> servers;
  // Where each server stands in 0..1 of its own kind: kinds that are sorted by that take turns.
  std::vector<double> places;
  for (const FleetPart& part : fleet.parts) {
    for (int left = part.count; left > 0; left -= fleet.per_node) {
      servers.push_back({part.device, std::min(left, fleet.per_node)});
      places.push_back((part.count - left + 0.5 * fleet.per_node) / part.count);
    }
  }
  if (order == NodeOrder::AsNamed) return servers;
  std::vector<std::size_t> turn(servers.size());
  for (std::size_t i = 0; i < turn.size(); ++i) turn[i] = i;
  std::stable_sort(turn.begin(), turn.end(),
                   [&](std::size_t a, std::size_t b) { return places[a] < places[b]; });
  std::vector<FleetPart> mixed;
  for (const std::size_t i : turn) mixed.push_back(servers[i]);
  return mixed;
}

std::string device_node_name(std::size_t index) { return "n" + std::to_string(index + 1); }

std::optional<WallMs> run_ms_on(const std::string& device, const DeviceJob& job,
                                const DeviceFleet& fleet, const ThroughputTable& table) {
  const double rate = table.rate(device, job.work, spreads(job.work, fleet));
  if (rate <= 0) return std::nullopt;
  return std::max<WallMs>(std::llround(std::ceil(1000 * job.steps / rate)), 1);
}

std::optional<JobSpec> device_spec(const DeviceJob& job, const DeviceFleet& fleet,
                                   const std::vector<FleetPart>& servers,
                                   const ThroughputTable& table) {
  JobSpec spec;
  spec.queue = "batch";
  spec.nodes = spec.tasks = (job.work.workers + fleet.per_node - 1) / fleet.per_node;
  spec.tasks_per_node = 1;
  const int each = (job.work.workers + spec.nodes - 1) / spec.nodes;
  spec.cpus_per_task = each;  // a core for each device
  spec.devices_per_node = {{kDeviceKind, each}};
  spec.work_class = class_name_of(job.work);
  WallMs slowest_ms = 0;
  int room = 0;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const std::optional<WallMs> run_ms = run_ms_on(servers[i].device, job, fleet, table);
    if (!run_ms) {
      spec.exclude.push_back(device_node_name(i));
      continue;
    }
    slowest_ms = std::max(slowest_ms, *run_ms);
    if (servers[i].count >= each) ++room;
  }
  if (room < spec.nodes) return std::nullopt;
  spec.time_limit_s = static_cast<int>((slowest_ms + 999) / 1000);
  return spec;
}

ClusterConfig device_config(const DeviceTrace& trace, QueueOrder order) {
  ClusterConfig config;
  QueueConfig& queue = config.queues.front();
  queue.order = order;
  queue.backfill = Backfill::Easy;
  queue.run_times = RunTimes::Request;
  config.guard.enabled = false;  // the pure order
  config.backfill_depth = 0;
  for (const DeviceWork& work : works_of(trace)) {
    config.work_classes.push_back({.name = class_name_of(work), .compute = 1});
  }
  return config;
}

Cluster device_cluster(const DeviceTrace& trace, const DeviceFleet& fleet,
                       const std::vector<FleetPart>& servers, const ThroughputTable& table) {
  const std::set<DeviceWork> works = works_of(trace);
  Cluster cluster;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const std::string name = device_node_name(i);
    Inventory inventory;
    inventory.cores = servers[i].count;
    inventory.devices = {{kDeviceKind, servers[i].count}};
    cluster.define(name, inventory);
    cluster.find(name)->responding = true;
    NodeProfile profile;
    profile.source = servers[i].device;
    for (const DeviceWork& work : works) {
      const double rate = table.rate(servers[i].device, work, spreads(work, fleet));
      if (rate > 0) profile.figures[class_name_of(work)] = rate;
    }
    cluster.set_profile(name, profile);
  }
  return cluster;
}

}  // namespace hyades
