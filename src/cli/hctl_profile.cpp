#include "cli/hctl_profile.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "cli/failure.hpp"
#include "cli/job_environment.hpp"
#include "cli/job_waiter.hpp"
#include "cli/job_words.hpp"
#include "cli/json_output.hpp"
#include "cli/master_client.hpp"
#include "cli/printable.hpp"
#include "cli/profile_file.hpp"
#include "cli/table.hpp"
#include "cli/times.hpp"
#include "core/hostlist.hpp"
#include "core/job_spec.hpp"
#include "core/nearest_word.hpp"
#include "wire/codec.hpp"

extern char** environ;

namespace hyades {
namespace {

constexpr int kPatienceToAct_ms = 10'000;
constexpr int kPatienceToAsk_ms = 2'000;
constexpr int kPatienceToWait_ms = 24 * 3600 * 1000;
constexpr int kTimeLimit_s = 300;
constexpr std::size_t kFileBytesMost = 16u << 20;

using Nodes = std::vector<pb::NodeInfo>;

Nodes ask_nodes(MasterClient& client) {
  pb::ClientRequest request;
  request.mutable_list_nodes();
  const pb::ClientReply reply = client.get(request);
  return {reply.nodes().begin(), reply.nodes().end()};
}

const pb::NodeInfo* find_node(const Nodes& nodes, const std::string& name) {
  const auto found = std::find_if(nodes.begin(), nodes.end(),
                                  [&](const pb::NodeInfo& node) { return node.name() == name; });
  return found == nodes.end() ? nullptr : &*found;
}

// Throws for the first that is not there, so that nothing is done by halves.
void check_known(const Nodes& nodes, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (find_node(nodes, name) != nullptr) continue;
    std::vector<std::string> known;
    for (const pb::NodeInfo& node : nodes) known.push_back(node.name());
    const std::string nearest = nearest_word(name, known);
    throw Failure("node " + name + ": no such node" +
                  (nearest.empty() ? "" : "; did you mean " + nearest + "?"));
  }
}

// ---- what is known ----------------------------------------------------------------------------

// Those named, or all; in the master's order.
Nodes chosen_nodes(const Nodes& nodes, const std::vector<std::string>& names) {
  if (names.empty()) return nodes;
  Nodes chosen;
  std::copy_if(nodes.begin(), nodes.end(), std::back_inserter(chosen),
               [&](const pb::NodeInfo& node) {
                 return std::find(names.begin(), names.end(), node.name()) != names.end();
               });
  return chosen;
}

// In the format that --from reads.
Json profiles_json(const Nodes& nodes) {
  Json out = Json::object();
  for (const pb::NodeInfo& node : nodes) {
    NodeProfile profile;
    std::string error;
    if (node.has_profile() && from_pb(node.profile(), profile, error)) {
      out[node.name()] = profile_json(profile);
    }
  }
  return out;
}

// The figures that any of them has: the measured ones first.
std::vector<std::string> figures_of(const Nodes& nodes) {
  std::set<std::string> all;
  for (const pb::NodeInfo& node : nodes) {
    for (const auto& [name, value] : node.profile().figures()) all.insert(name);
  }
  std::vector<std::string> order;
  for (const std::string& name : measured_figures()) {
    if (all.erase(name) != 0) order.push_back(name);
  }
  order.insert(order.end(), all.begin(), all.end());
  return order;
}

std::string profile_table(const Nodes& nodes, const Terminal& terminal) {
  const std::vector<std::string> figures = figures_of(nodes);
  std::vector<Column> columns{{"NODE"}};
  for (const std::string& name : figures) columns.push_back({escape_text(name), true});
  columns.push_back({"MEASURED"});
  columns.push_back({"BY", false, 10});
  Table table(columns);
  for (const pb::NodeInfo& node : nodes) {
    std::vector<Cell> row{node.name()};
    for (const std::string& name : figures) {
      const auto found = node.profile().figures().find(name);
      const bool known = found != node.profile().figures().end();
      row.push_back(known ? figure_text(found->second) : "-");
    }
    row.push_back(local_time(node.profile().measured_ms(), "-"));
    row.push_back(node.has_profile() ? node.profile().source() : "-");
    table.add(std::move(row));
  }
  return table.render(terminal);
}

int show(const Command& command, const std::vector<std::string>& names) {
  MasterClient client(command.name(), command.master(), command.retry_ms(kPatienceToAsk_ms));
  const Nodes all = ask_nodes(client);
  check_known(all, names);
  const Nodes nodes = chosen_nodes(all, names);
  if (command.json()) {
    std::cout << json_text({{"nodes", profiles_json(nodes)}});
    return kExitGood;
  }
  std::cout << profile_table(nodes, command.terminal());
  return kExitGood;
}

// ---- from a file, and away --------------------------------------------------------------------

std::string read_profile_text(const std::string& path) {
  std::ifstream opened;
  if (path != "-") {
    opened.open(path, std::ios::binary);
    if (!opened || std::filesystem::is_directory(path)) {
      throw Failure(path + ": " + std::strerror(opened ? EISDIR : errno));
    }
  }
  std::istream& in = path == "-" ? std::cin : opened;
  std::string text(kFileBytesMost + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kFileBytesMost) throw Failure(path + ": longer than 16 MiB; no profile is");
  return text;
}

pb::ClientRequest act_request(const std::string& node, pb::NodeAction action) {
  pb::ClientRequest request;
  request.mutable_act_on_node()->set_node(node);
  request.mutable_act_on_node()->set_action(action);
  return request;
}

// One request for each; all are made, and the exit code says whether any was refused.
int send(const Command& command, MasterClient& client,
         const std::vector<pb::ClientRequest>& requests) {
  int exit_code = kExitGood;
  Json results = Json::array();
  for (const pb::ClientRequest& request : requests) {
    const std::string what = "node " + request.act_on_node().node();
    const pb::ClientReply reply = client.ask(request, Retry::Always);
    const bool ok = reply.error().empty();
    results.push_back(
        {{"what", what}, {"ok", ok}, {"error", reply.error()}, {"message", reply.message()}});
    if (!ok) {
      exit_code = kExitFailed;
      complain(command.name(), with_subject(what, reply.message()));
    } else if (!command.json()) {
      std::cout << escape_text(what + ": " + reply.message()) << "\n";
    }
  }
  if (command.json()) std::cout << json_text({{"results", results}});
  return exit_code;
}

int load(const Command& command, const std::vector<std::string>& names) {
  const std::string path = command.value_of("from");
  const std::string file = path == "-" ? "standard input" : path;
  const ProfileFile read = parse_profiles(read_profile_text(path), file, names);
  for (const std::string& error : read.errors) complain(command.name(), error);
  if (!read.errors.empty()) throw Failure("nothing was changed");
  for (const std::string& doubt : read.warnings) complain(command.name(), "warning: " + doubt);
  MasterClient client(command.name(), command.master(), command.retry_ms(kPatienceToAct_ms));
  std::vector<std::string> nodes;
  std::vector<pb::ClientRequest> requests;
  for (const NamedProfile& named : read.profiles) {
    nodes.push_back(named.node);
    requests.push_back(act_request(named.node, pb::NODE_PROFILE));
    to_pb(named.profile, *requests.back().mutable_act_on_node()->mutable_profile());
  }
  check_known(ask_nodes(client), nodes);
  return send(command, client, requests);
}

int forget(const Command& command, const std::vector<std::string>& names) {
  if (names.empty()) command.usage_error("node profile --forget: name the nodes");
  MasterClient client(command.name(), command.master(), command.retry_ms(kPatienceToAct_ms));
  check_known(ask_nodes(client), names);
  std::vector<pb::ClientRequest> requests;
  for (const std::string& name : names) {
    requests.push_back(act_request(name, pb::NODE_FORGET_PROFILE));
  }
  return send(command, client, requests);
}

// ---- measuring --------------------------------------------------------------------------------

// Where the programs are: on the nodes they must be in the same place.
std::string program_directory() {
  const std::string directory = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  if (access((directory + "/hyades-profile").c_str(), X_OK) != 0) {
    throw Failure("hyades-profile is not beside hctl, in " + directory);
  }
  return directory;
}

// The master gives one job for one token, however often the request arrives.
std::string new_token() {
  std::random_device random;
  std::ostringstream text;
  text << std::hex;
  for (int i = 0; i < 4; ++i) text << random() << '.';
  return text.str();
}

class Measurement {
 public:
  Measurement(const Command& command, const std::vector<std::string>& names)
      : command_(command),
        client_(command.name(), command.master(), command.retry_ms(kPatienceToAct_ms)),
        programs_(program_directory()),
        directory_(std::filesystem::current_path()) {
    const Nodes all = ask_nodes(client_);
    check_known(all, names);
    for (const pb::NodeInfo& node : chosen_nodes(all, names)) {
      const std::string why = obstacle(node);
      if (why.empty()) {
        nodes_.push_back(node);
      } else if (!names.empty()) {
        throw Failure("node " + node.name() + " " + why + "; nothing was submitted");
      }
    }
    if (nodes_.empty()) throw Failure("no node can be measured now; `hinfo -R` says why");
    refuse_users();
    pb::ClientRequest request;
    request.mutable_list_queues();
    const pb::ClientReply reply = client_.get(request);
    queues_.assign(reply.queues().begin(), reply.queues().end());
  }

  int run() {
    for (const pb::NodeInfo& node : nodes_) submit(node);
    if (command_.has("no-wait")) {
      if (command_.json()) std::cout << json_text({{"jobs", jobs_json()}});
    } else {
      wait();
      print();
    }
    return failed_ ? kExitFailed : kExitGood;
  }

 private:
  struct Submitted {
    std::string node;
    pb::JobInfo end;  // as it ended
  };

  static std::string obstacle(const pb::NodeInfo& node) {
    if (!node.responding()) return "does not respond";
    const bool drained = node.state() == "drained" || node.state() == "draining";
    return drained ? "is drained, so no job starts there (hctl resume)" : "";
  }

  // Before anything is measured for nothing. No profile is empty, so this changes nothing; but who
  // may not change any is told that first.
  void refuse_users() {
    const pb::ClientReply reply =
        client_.ask(act_request(nodes_.front().name(), pb::NODE_PROFILE), Retry::Always);
    if (reply.error() == "denied") throw Failure(reply.message());
  }

  // One in which the node is: the default one where that will do.
  const pb::QueueInfo* queue_for(const pb::NodeInfo& node) const {
    const pb::QueueInfo* found = nullptr;
    for (const pb::QueueInfo& queue : queues_) {
      const auto& its = node.queues();
      if (!queue.enabled() || std::find(its.begin(), its.end(), queue.name()) == its.end())
        continue;
      if (found == nullptr || queue.is_default()) found = &queue;
    }
    return found;
  }

  // Measures, and tells the master. Only of one that fails an output is left.
  std::string script(const std::string& node) const {
    const MasterAddress master = command_.master();
    const std::string where = master.network.empty()
                                  ? "--dir " + shell_quote(master.state_directory)
                                  : "--master " + shell_quote(master.network);
    const std::string seconds =
        command_.has("seconds") ? " --seconds " + shell_quote(command_.value_of("seconds")) : "";
    return "#!/bin/sh\n# Made by `hctl node profile`.\n"
           "profile=$(" +
           shell_quote(programs_ + "/hyades-profile") + " --json" + seconds +
           ") || exit 1\n"
           "printf '%s\\n' \"$profile\" |\n  " +
           shell_quote(programs_ + "/hctl") + " node profile " + shell_quote(node) +
           " --from - --retry-for 2:00 " + where +
           " || exit 1\n"
           "rm -f \"hyades-profile-$HYADES_JOB_ID.out\"\n";
  }

  // Beside what is measured: the start, rounds that must be, a master that is waited for.
  int time_limit_s() const {
    constexpr int kernels = 8;  // more than there are
    double seconds = 1;
    if (command_.has("seconds")) parse_kernel_seconds(command_.value_of("seconds"), seconds);
    return kTimeLimit_s + static_cast<int>(kernels * seconds);
  }

  void submit(const pb::NodeInfo& node) {
    JobSpec spec;
    spec.name = "hyades-profile";
    spec.nodes = 1;
    spec.exclusive = true;
    spec.node_list = {node.name()};
    spec.requeue = false;
    spec.time_limit_s = time_limit_s();
    if (const pb::QueueInfo* queue = queue_for(node)) {
      spec.queue = queue->name();
      if (queue->max_time_s() > 0) {
        spec.time_limit_s = std::min(spec.time_limit_s, static_cast<int>(queue->max_time_s()));
      }
    }
    JobPayload payload;
    payload.script = script(node.name());
    payload.working_directory = directory_;
    payload.stdout_path = "hyades-profile-%j.out";
    payload.command_line = "hctl node profile " + node.name();
    std::vector<std::string> environment;
    for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
    job_environment("NONE", environment, payload.environment);
    pb::ClientRequest request;
    to_pb(spec, *request.mutable_submit()->mutable_spec());
    to_pb(payload, *request.mutable_submit()->mutable_payload());
    request.mutable_submit()->set_token(new_token());
    const pb::ClientReply reply = client_.ask(request, Retry::Always);
    if (!reply.error().empty()) {
      failed_ = true;
      complain(command_.name(), with_subject("node " + node.name(), reply.message()));
      return;
    }
    jobs_[reply.job()].node = node.name();
    if (!command_.json()) {
      std::cout << "node " << escape_text(node.name()) << ": job " << reply.job() << std::endl;
    }
  }

  void wait() {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, job] : jobs_) ids.push_back(id);
    // A master that restarts is waited for; the jobs go on without it.
    client_.set_patience(command_.retry_ms(kPatienceToWait_ms));
    std::size_t done = 0;
    wait_for_jobs(client_, ids, -1, [&](const pb::JobInfo& job) {
      Submitted& submitted = jobs_[job.id()];
      submitted.end = job;
      ++done;
      if (job.state() != "COMPLETED") {
        failed_ = true;
        complain(command_.name(), "node " + submitted.node + ": " + end_sentence(job) +
                                      "; its output is in " + output_of(job.id()) + " there");
      } else if (!command_.json()) {
        std::cout << "node " << escape_text(submitted.node) << ": measured (" << done << " of "
                  << jobs_.size() << ")" << std::endl;
      }
    });
  }

  // Of those that were measured.
  void print() {
    std::vector<std::string> measured;
    for (const auto& [id, job] : jobs_) {
      if (job.end.state() == "COMPLETED") measured.push_back(job.node);
    }
    const Nodes nodes = measured.empty() ? Nodes() : chosen_nodes(ask_nodes(client_), measured);
    if (command_.json()) {
      std::cout << json_text({{"jobs", jobs_json()}, {"nodes", profiles_json(nodes)}});
    } else if (!nodes.empty()) {
      std::cout << profile_table(nodes, command_.terminal());
    }
  }

  std::string output_of(std::uint64_t id) const {
    return directory_ + "/hyades-profile-" + std::to_string(id) + ".out";
  }

  // "state" is null of those that were not waited for.
  Json jobs_json() const {
    Json out = Json::array();
    for (const auto& [id, job] : jobs_) {
      out.push_back({{"node", job.node}, {"job", id}, {"state", text_json(job.end.state())}});
    }
    return out;
  }

  const Command& command_;
  MasterClient client_;
  const std::string programs_;
  const std::string directory_;
  Nodes nodes_;
  std::vector<pb::QueueInfo> queues_;
  std::map<std::uint64_t, Submitted> jobs_;
  bool failed_ = false;
};

constexpr const char* kOptions[] = {"from", "show", "forget", "no-wait", "seconds"};

}  // namespace

void add_profile_options(Command& command) {
  command.value("from", "FILE", "node profile: take it from a file of JSON; -: standard input");
  command.flag("show", "node profile: what is known");
  command.flag("forget", "node profile: forget what is known");
  command.flag("no-wait", "node profile: print the jobs that measure, and do not wait for them");
  command.value("seconds", "S", "node profile: for each measurement, about (default 1)");
}

void refuse_profile_options(const Command& command) {
  for (const char* option : kOptions) {
    if (command.has(option)) {
      command.usage_error(std::string("--") + option + ": only with 'hctl node profile'");
    }
  }
}

int run_profile_command(const Command& command, const std::vector<std::string>& words) {
  std::vector<std::string> names;
  std::string error;
  for (const std::string& word : words) {
    if (!expand_hostlist(word, names, error)) command.usage_error(error);
  }
  const int ways = command.has("from") + command.has("show") + command.has("forget");
  if (ways > 1) command.usage_error("node profile: use one of --from, --show and --forget");
  for (const char* option : {"no-wait", "seconds"}) {
    if (ways > 0 && command.has(option)) {
      command.usage_error(std::string("--") + option + ": only when nodes are measured");
    }
  }
  double seconds = 0;
  const std::string text = command.value_of("seconds");
  if (command.has("seconds") && !parse_kernel_seconds(text, seconds)) {
    command.usage_error("--seconds=" + text + ": use a number above 0, at most 60");
  }
  if (command.has("from")) return load(command, names);
  if (command.has("show")) return show(command, names);
  if (command.has("forget")) return forget(command, names);
  return Measurement(command, names).run();
}

}  // namespace hyades
