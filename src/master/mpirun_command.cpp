#include "master/mpirun_command.hpp"

#include <unistd.h>

#include <algorithm>

#include "core/hostlist.hpp"
#include "master/launch_agent.hpp"
#include "master/remote_words.hpp"

namespace hyades {

namespace {

using Words = std::vector<std::string>;

void append(Words& words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
}

void set(Words& words, const std::string& parameter, const std::string& value) {
  append(words, {"--mca", parameter, value});
}

std::string joined(const Words& words, const char* separator) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : separator) + word;
  return text;
}

// All ranks are on this host: shared memory, and no port that anybody could connect to.
void describe_local(Words& words) {
  set(words, "btl", "self,vader");
  set(words, "oob_tcp_if_include", "lo");
}

void describe_hosts(Words& words, const SupervisorOptions& options, const WorldPlan& plan) {
  // The death of a rank, of a node's daemon or of a whole node leaves the others alone.
  words.emplace_back("--enable-recovery");
  set(words, "orte_abort_on_non_zero_status", "0");
  set(words, "btl", "self,vader,tcp");
  if (!options.networks.empty()) {
    set(words, "oob_tcp_if_include", joined(options.networks, ","));
    set(words, "btl_tcp_if_include", joined(options.networks, ","));
  }
  set(words, "plm", "rsh");
  set(words, "plm_rsh_agent", options.remote_program + " reach");
  // Each node is started from here: a node must not need another one, nor ssh between them.
  set(words, "plm_rsh_no_tree_spawn", "1");
  set(words, "orte_keep_fqdn_hostnames", "1");
  // Rank by rank as the list says: the master here, then the nodes in their order.
  set(words, "rmaps", "seq");
  append(words, {"--hostfile", plan.host_list});
}

// Short if that keeps their order: ranks follow it.
std::string names_in_order(const Words& names) {
  const std::string shortened = compress_hostlist(names);
  Words again;
  std::string error;
  return expand_hostlist(shortened, again, error) && again == names ? shortened
                                                                    : joined(names, ",");
}

Words daemon_words(const SupervisorOptions& options, const WorldPlan& plan) {
  Words words{options.hyadesd, "--dir", options.state_directory, "--spool", options.spool_root};
  if (!options.on_hosts()) {
    append(words, {"--node-names", options.node_names});
  } else {
    words.emplace_back("--one-per-host");
    if (!plan.members.empty()) append(words, {"--node-names", names_in_order(plan.members)});
    Words addresses;
    for (const HostEntry& host : options.hosts) {
      const auto& all = plan.members;
      if (std::find(all.begin(), all.end(), host.name) == all.end()) continue;
      addresses.push_back(host.address);
    }
    if (addresses != plan.members) append(words, {"--node-addresses", joined(addresses, ",")});
  }
  if (!options.config_path.empty()) append(words, {"--config", options.config_path});
  if (!options.user.empty()) append(words, {"--user", options.user});
  if (options.create) words.emplace_back("--init");
  if (plan.again) words.emplace_back("--again");
  return words;
}

}  // namespace

std::vector<std::string> mpirun_command(const SupervisorOptions& options, const WorldPlan& plan) {
  Words words{"mpirun", "--oversubscribe", "--bind-to", "none"};
  if (geteuid() == 0) words.emplace_back("--allow-run-as-root");
  set(words, "pml", "ob1");
  if (options.on_hosts()) {
    describe_hosts(words, options, plan);
  } else {
    describe_local(words);
  }
  if (!plan.shared_memory.empty()) set(words, "btl_vader_backing_directory", plan.shared_memory);
  const std::size_t nodes =
      options.on_hosts() ? plan.members.size() : static_cast<std::size_t>(options.nodes);
  append(words, {"-n", std::to_string(nodes + 1)});
  append(words, daemon_words(options, plan));
  return words;
}

std::map<std::string, std::string> mpirun_environment(const SupervisorOptions& options,
                                                      const WorldPlan& plan) {
  std::map<std::string, std::string> environment{{kSupervisedVariable, options.state_directory}};
  if (!options.on_hosts()) return environment;
  RemotePlace place = remote_place(options, plan.shared_memory);
  place.failures = plan.failures;
  environment.merge(place.environment());
  return environment;
}

RemotePlace remote_place(const SupervisorOptions& options, const std::string& shared_memory) {
  RemotePlace place{.program = options.remote_program,
                    .launch_agent = options.launch_agent,
                    .spool_root = options.spool_root,
                    .shared_memory = shared_memory,
                    .user = options.user,
                    .addresses = "",
                    .failures = ""};
  for (const HostEntry& host : options.hosts) {
    if (host.address != host.name) place.addresses += host.name + " " + host.address + "\n";
  }
  return place;
}

std::string host_list_text(const std::vector<std::string>& members) {
  // mpirun knows its own host by this name; "localhost" is not one of its nodes.
  char own[256] = "localhost";
  gethostname(own, sizeof own - 1);
  std::string text = std::string(own) + "\n";
  for (const std::string& name : members) text += name + "\n";
  return text;
}

}  // namespace hyades
