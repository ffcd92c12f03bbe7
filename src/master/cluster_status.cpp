#include "master/cluster_status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>

#include "core/hostlist.hpp"
#include "master/supervisor.hpp"
#include "wire/client_connection.hpp"

namespace hyades {

namespace {

pid_t living(const ProcessIdentity& process) { return open_process(process) ? process.pid : 0; }

// Nodes with jobs that answer no more and are not among the cluster's ranks.
std::set<std::string> missing_nodes(const ClusterStatus& status, const pb::ClientReply& nodes) {
  std::set<std::string> missing;
  for (const pb::NodeInfo& node : nodes.nodes()) {
    if (node.jobs() > 0 && !node.responding()) missing.insert(node.name());
  }
  for (const ClusterStatus::Worker& worker : status.workers) missing.erase(worker.node);
  return missing;
}

void find_stranded(ClusterStatus& status, const pb::ClientReply& nodes,
                   ClientConnection& connection, int timeout_ms) {
  // Ranks that have not appeared yet are not missing, and of plain mpirun's some may be elsewhere.
  const bool complete = static_cast<int>(status.workers.size()) >= status.nodes_expected &&
                        status.hosts.empty();  // those of a host come back with it
  const std::set<std::string> missing = missing_nodes(status, nodes);
  if (status.nodes_expected == 0 || !complete || missing.empty()) return;
  pb::ClientRequest request;
  pb::ClientReply jobs;
  std::string error;
  request.mutable_list_jobs()->set_live(true);
  for (const char* state : {"LAUNCHING", "RUNNING", "UNKNOWN"}) {
    request.mutable_list_jobs()->add_states(state);
  }
  if (connection.call(request, jobs, timeout_ms, error) != CallResult::Ok) return;
  for (const pb::JobInfo& job : jobs.jobs()) {
    ClusterStatus::Stranded stranded{job.id(), {}};
    std::vector<std::string> names;
    expand_hostlist(job.node_names(), names, error);
    for (const std::string& node : names) {
      if (missing.contains(node)) stranded.nodes.push_back(node);
    }
    if (!stranded.nodes.empty()) status.stranded.push_back(std::move(stranded));
  }
}

// Without notes: who responds, and if those are too few, others that the master knows.
void add_workers(ClusterStatus& status, const pb::ClientReply& nodes) {
  for (const bool responding : {true, false}) {
    for (const pb::NodeInfo& node : nodes.nodes()) {
      const bool enough = static_cast<int>(status.workers.size()) >= status.nodes_expected;
      if (node.responding() != responding || (!responding && enough)) continue;
      const auto pid = static_cast<pid_t>(responding ? node.worker_pid() : 0);
      status.workers.push_back({node.name(), pid});
    }
  }
}

void ask_master(ClusterStatus& status, int timeout_ms) {
  ClientConnection connection({status.state_directory, ""});
  pb::ClientRequest request;
  pb::ClientReply reply;
  std::string error;
  request.mutable_show_status();
  if (connection.call(request, reply, timeout_ms, error) != CallResult::Ok) return;
  if (!reply.has_status()) return;
  status.master = reply.status();
  request.mutable_list_nodes();
  if (connection.call(request, reply, timeout_ms, error) != CallResult::Ok) return;
  if (status.ranks_hidden && status.hosts.empty()) add_workers(status, reply);
  for (ClusterStatus::Worker& worker : status.workers) {
    for (const pb::NodeInfo& node : reply.nodes()) {
      if (node.name() != worker.node) continue;
      worker.responding = node.responding();
      // Of a worker on another machine only the master knows.
      if (worker.pid == 0 && worker.responding && !status.hosts.empty()) {
        worker.pid = static_cast<pid_t>(node.worker_pid());
      }
    }
  }
  find_stranded(status, reply, connection, timeout_ms);
}

// A line for each of the first few.
std::string stranded_text(const std::vector<ClusterStatus::Stranded>& all) {
  constexpr std::size_t kNamed = 20;
  std::string text =
      "\nWarning: these jobs are on nodes that were not started. They cannot end, be cancelled or "
      "be\n"
      "waited for until `hyades down` and `hyades up --local` with more nodes bring the nodes "
      "back:\n";
  for (std::size_t i = 0; i < std::min(all.size(), kNamed); ++i) {
    text += fmt::format("  job {} on {}\n", all[i].job, fmt::join(all[i].nodes, ","));
  }
  if (all.size() > kNamed) text += fmt::format("  and {} more\n", all.size() - kNamed);
  return text;
}

std::string host_text(const HostsNote::Host& host) {
  std::string text = host.state + (host.why.empty() ? "" : ": " + host.why);
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  const auto wait_s = (host.next_probe_ms - now.count() + 999) / 1000;
  if (host.next_probe_ms != 0 && wait_s > 0) text += fmt::format("; asked again in {} s", wait_s);
  return text;
}

std::string pid_text(pid_t pid, bool hidden = false) {
  if (pid != 0) return fmt::format("pid {}", pid);
  return hidden ? "not visible to you" : "not running";
}

std::string master_text(const ClusterStatus& status) {
  const std::string text = pid_text(status.master_pid, status.ranks_hidden);
  if (!status.ranks_hidden || status.down()) return text;
  return (status.master ? "answers; its process is " : "does not answer; its process is ") + text;
}

std::string worker_text(const ClusterStatus& status, const ClusterStatus::Worker& worker) {
  if (worker.responding) return pid_text(worker.pid);
  for (const HostsNote::Host& host : status.hosts) {
    if (host.name != worker.node || status.down()) continue;
    if (host.state == "starting" || host.state == "joining") return host.state;
    return "not responding" + (host.why.empty() ? "" : ": " + host.why);
  }
  return worker.pid == 0 ? pid_text(0) : pid_text(worker.pid) + ", not responding yet";
}

const char* state_text(const ClusterStatus& status) {
  return status.up() ? "up" : status.down() ? "down" : "forming";
}

}  // namespace

const ClusterStatus::Worker* ClusterStatus::worker_of(const std::string& node) const {
  const auto found = std::find_if(workers.begin(), workers.end(),
                                  [&](const Worker& worker) { return worker.node == node; });
  return found == workers.end() ? nullptr : &*found;
}

bool ClusterStatus::served() const {
  if (!master || (supervisor_pid == 0 && !supervisor_hidden)) return false;
  return mpirun_pid != 0 && (master_pid != 0 || ranks_hidden);
}

bool ClusterStatus::complete() const {
  if (!served() || static_cast<int>(workers.size()) < nodes_expected) return false;
  return std::all_of(workers.begin(), workers.end(),
                     [](const Worker& worker) { return worker.pid != 0 && worker.responding; });
}

bool ClusterStatus::up() const {
  if (hosts.empty()) return complete();
  return served() && std::none_of(hosts.begin(), hosts.end(), [&](const HostsNote::Host& host) {
           const Worker* const worker = worker_of(host.name);
           return host.state == "starting" && (worker == nullptr || !worker->responding);
         });
}

bool ClusterStatus::down() const {
  if (supervisor_pid != 0 || mpirun_pid != 0 || master_pid != 0) return false;
  for (const Worker& worker : workers) {
    if (worker.pid != 0) return false;
  }
  return true;
}

// The workers are those of the hosts that are in the world, with or without a note.
void add_hosts(ClusterStatus& status, HostsNote note) {
  status.hosts = std::move(note.hosts);
  const std::vector<ClusterStatus::Worker> noted = std::move(status.workers);
  status.workers.clear();
  for (const HostsNote::Host& host : status.hosts) {
    if (!host.member) continue;
    status.workers.push_back({host.name, 0});
    for (const ClusterStatus::Worker& worker : noted) {
      if (worker.node == host.name) status.workers.back().pid = worker.pid;
    }
  }
}

ClusterStatus read_status(const std::string& state_directory, int timeout_ms) {
  ClusterStatus status{.state_directory = state_directory};
  const RunFiles files(state_directory);
  status.supervisor_hidden = !SupervisorLock::may_see(files);
  status.ranks_hidden = files.ranks_hidden();
  status.supervisor_pid = SupervisorLock::holder(files).pid;
  if (const auto world = files.world()) {
    status.mpirun_pid = living(world->mpirun);
    status.nodes_expected = world->nodes;
  }
  for (const RankNote& rank : files.ranks()) {
    if (rank.rank == 0) {
      status.master_pid = living(rank.process);
    } else {
      status.workers.push_back({rank.node, living(rank.process)});
    }
  }
  if (auto hosts = files.hosts()) add_hosts(status, std::move(*hosts));
  status.failure = files.failure();
  if (status.master_pid != 0 || status.ranks_hidden) ask_master(status, timeout_ms);
  if (!status.down()) return status;
  // What the last supervisor knew of them is of no use to anybody.
  for (HostsNote::Host& host : status.hosts) {
    host.state = "down";
    host.why.clear();
    host.next_probe_ms = 0;
  }
  return status;
}

std::string to_json(const ClusterStatus& status) {
  using Json = nlohmann::ordered_json;
  const auto pid = [](pid_t value) { return value == 0 ? Json(nullptr) : Json(value); };
  Json json = {{"state", state_text(status)},
               {"state_directory", status.state_directory},
               {"supervisor_pid", pid(status.supervisor_pid)},
               {"mpirun_pid", pid(status.mpirun_pid)},
               {"master_pid", pid(status.master_pid)},
               {"workers", Json::array()}};
  for (const ClusterStatus::Worker& worker : status.workers) {
    json["workers"].push_back(
        {{"node", worker.node}, {"pid", pid(worker.pid)}, {"responding", worker.responding}});
  }
  if (!status.hosts.empty()) json["hosts"] = Json::array();
  for (const HostsNote::Host& host : status.hosts) {
    json["hosts"].push_back(
        {{"name", host.name},
         {"address", host.address},
         {"state", host.state},
         {"reason", host.why.empty() ? Json(nullptr) : Json(host.why)},
         {"next_probe_ms", host.next_probe_ms == 0 ? Json(nullptr) : Json(host.next_probe_ms)}});
  }
  json["stranded_jobs"] = Json::array();
  for (const ClusterStatus::Stranded& stranded : status.stranded) {
    json["stranded_jobs"].push_back({{"job", stranded.job}, {"nodes", stranded.nodes}});
  }
  json["jobs_running_on"] = status.running_on ? Json(*status.running_on) : Json(nullptr);
  json["not_visible"] = Json::array();
  if (status.supervisor_hidden) json["not_visible"].push_back("supervisor_pid");
  if (status.ranks_hidden) json["not_visible"].push_back("master_pid");
  json["failure"] = status.failure.empty() ? Json(nullptr) : Json(status.failure);
  if (status.master) {
    const pb::StatusInfo& master = *status.master;
    json["cluster"] = master.cluster();
    json["version"] = master.version();
    json["epoch"] = master.epoch();
    json["jobs_pending"] = master.pending();
    json["jobs_running"] = master.running();
    json["nodes"] = master.nodes();
    json["nodes_responding"] = master.nodes_responding();
    json["degraded"] = master.degraded().empty() ? Json(nullptr) : Json(master.degraded());
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string to_text(const ClusterStatus& status) {
  std::string text = fmt::format("{:<12} {}\n", "cluster", state_text(status));
  const auto line = [&](const std::string& name, const std::string& value) {
    text += fmt::format("{:<12} {}\n", name, value);
  };
  line("directory", status.state_directory);
  line("supervisor", pid_text(status.supervisor_pid, status.supervisor_hidden));
  line("mpirun", pid_text(status.mpirun_pid));
  line("master", master_text(status));
  for (const ClusterStatus::Worker& worker : status.workers) {
    line(worker.node, worker_text(status, worker));
  }
  for (const HostsNote::Host& host : status.hosts) {
    if (!host.member) line(host.name, status.down() ? pid_text(0) : host_text(host));
  }
  if (status.master) {
    line("jobs",
         fmt::format("{} waiting, {} running", status.master->pending(), status.master->running()));
    if (!status.master->degraded().empty()) line("degraded", status.master->degraded());
  }
  if (status.running_on && !status.running_on->empty()) {
    line("jobs", fmt::format("{} run on: {}; the next `hyades up` adopts them",
                             status.running_on->size(), fmt::join(*status.running_on, ", ")));
  }
  if (!status.failure.empty()) line("failure", status.failure);
  if (!status.stranded.empty()) text += stranded_text(status.stranded);
  return text;
}

}  // namespace hyades
