#include "cli/hctl_what_if.hpp"

#include <algorithm>

#include "cli/failure.hpp"
#include "cli/job_log.hpp"
#include "cli/master_client.hpp"
#include "hsim/log_output.hpp"
#include "hsim/replay_config.hpp"
#include "hsim/what_if.hpp"
#include "master/config_file.hpp"
#include "trace/swf_reader.hpp"

namespace hyades {

namespace {

constexpr int kPatience_ms = 2000;
constexpr std::uint32_t kJobs = 100'000;  // of the history

// The configuration in effect, with the nodes that there are: what workers have found counts.
ClusterConfig running_config(MasterClient& master) {
  pb::ClientRequest request;
  request.mutable_show_config();
  const std::string text = master.get(request).config();
  ConfigResult result = parse_config(text, "the configuration in effect");
  if (!result.config) throw Failure(result.errors.front());
  return std::move(*result.config);
}

// What the file does not say of a node, or whole nodes, as the cluster has them.
void add_found_nodes(ClusterConfig& config, const pb::ClientReply& nodes) {
  const bool listed = !config.nodes.empty();
  for (const pb::NodeInfo& found : nodes.nodes()) {
    const auto same =
        std::find_if(config.nodes.begin(), config.nodes.end(),
                     [&](const NodeConfig& node) { return node.name == found.name(); });
    if (same == config.nodes.end()) {
      if (listed) continue;
      config.nodes.emplace_back();
      config.nodes.back().name = found.name();
      config.nodes.back().inventory.cores = found.inventory().cores();
    } else if (same->inventory.cores == 0) {
      same->inventory.cores = found.inventory().cores();
    }
  }
}

NamedLog history(const Command& command, MasterClient& master, std::int64_t cores) {
  pb::ClientRequest request;
  pb::ListJobs& list = *request.mutable_list_jobs();
  list.set_ended(true);
  list.set_limit(kJobs);
  const pb::ClientReply reply = master.get(request);
  HistoryLog log = job_log(JobList(reply.jobs().begin(), reply.jobs().end()), cores);
  log.workload.name = "this cluster's history";
  if (reply.truncated()) {
    complain(command.name(), "the history is longer: these are its newest " +
                                 std::to_string(reply.jobs_size()) + " jobs");
  }
  say_clean_ups(command, log.workload.name, log.clean_ups);
  return {std::move(log.workload), std::move(log.header.queues), std::move(log.users),
          std::move(log.clean_ups)};
}

}  // namespace

void try_config(const Command& command, const std::string& name, const ClusterConfig& config,
                const std::string& against, const std::string& picture) {
  check_outputs(command, {picture}, {name, against});
  MasterClient master(command.name(), command.master(), command.retry_ms(kPatience_ms));
  pb::ClientRequest ask_nodes;
  ask_nodes.mutable_list_nodes();
  const pb::ClientReply nodes = master.get(ask_nodes);
  ClusterConfig before = running_config(master);
  ClusterConfig after = config;
  add_found_nodes(before, nodes);
  add_found_nodes(after, nodes);
  NamedLog log;
  if (against == "history") {
    log = history(command, master, procs_of(before));
  } else {
    SwfLog read = read_swf(against);
    say_clean_ups(command, against, read.clean_ups);
    log = {std::move(read.workload), std::move(read.header.queues), {}, std::move(read.clean_ups)};
    if (log.workload.procs != procs_of(before)) {
      // A log of another machine: its jobs are replayed on its own.
      before.nodes.clear();
      after.nodes.clear();
    }
  }
  print_what_if(command, log, "configuration in effect",
                replay_config(std::move(before), "the configuration in effect", log.workload.procs),
                name, replay_config(std::move(after), name, log.workload.procs), picture);
}

}  // namespace hyades
