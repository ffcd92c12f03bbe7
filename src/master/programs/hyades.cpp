// hyades up | down | status: a cluster's life.
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <cstring>
#include <iostream>
#include <map>
#include <thread>

#include "cli/state_directory.hpp"
#include "master/cluster_status.hpp"
#include "master/programs/hyades_command.hpp"
#include "master/supervisor.hpp"
#include "version.hpp"
#include "wire/client_connection.hpp"
#include "worker/living_jobs.hpp"

namespace hyades {

void usage_error(const std::string& message) {
  std::cerr << "hyades: " << message << " (hyades --help shows how)\n";
  std::exit(kUsageError);
}

std::string directory_problem(const std::string& directory, int access_wanted) {
  struct stat what {};
  if (stat(directory.c_str(), &what) != 0) {
    if (errno == ENOENT) return "";
    return "cannot use " + directory + ": " + strerror(errno);
  }
  if (!S_ISDIR(what.st_mode)) return directory + " is not a directory";
  if (access(directory.c_str(), access_wanted) == 0) return "";
  return "you may not use " + directory + " (" + strerror(errno) +
         "): it belongs to another user; name one of yours with --dir";
}

}  // namespace hyades

namespace {

namespace po = boost::program_options;
using namespace hyades;
using namespace std::chrono_literals;
using Options = HyadesOptions;

constexpr const char* kUsage =
    "Usage: hyades up --local N [--dir DIR] [--config FILE] [--spool DIR] [--foreground]\n"
    "       hyades up --hostfile FILE [--launch-agent COMMAND] [the same options]\n"
    "       hyades down [--dir DIR] [--cancel-jobs]\n"
    "       hyades status [--dir DIR] [--json]\n\n"
    "Starts, stops and shows a cluster. `up --local N` starts one master and N virtual nodes on\n"
    "this machine, in the background, and keeps them running; jobs outlive all of them.\n"
    "`up --hostfile FILE` does so with the machines that FILE names, one a line (NAME or a range\n"
    "such as n[01-16], then address=ADDRESS if it is not reached by its name). Those that do not\n"
    "answer join later by themselves.\n"
    "`down` leaves running jobs alone unless told otherwise; the next `up` adopts them.\n\n"
    "Exit codes: 0 done (status: the cluster is up), 1 failed (status: it is not), 2 usage.\n\n";

// An option that means nothing to the verb may have been meant for another.
void check_options(const Options& options) {
  static const std::map<std::string, std::string> belongs_to{
      {"local", "up"},  {"hostfile", "up"},   {"launch-agent", "up"},  {"spool", "up"},
      {"config", "up"}, {"foreground", "up"}, {"cancel-jobs", "down"}, {"json", "status"}};
  for (const std::string& name : options.given) {
    const auto found = belongs_to.find(name);
    if (found == belongs_to.end() || found->second == options.verb) continue;
    usage_error("--" + name + " goes with `hyades " + found->second + "`, not with `hyades " +
                options.verb + "`; leave it out");
  }
  for (const auto& [name, value] : {std::pair{"hostfile", &options.hostfile},
                                    {"launch-agent", &options.launch_agent},
                                    {"spool", &options.spool},
                                    {"config", &options.config}}) {
    if (!options.given.contains(name) || !value->empty()) continue;
    usage_error(std::string("--") + name + " is empty; name something, or leave it out");
  }
}

Options parse(int argc, char** argv) {
  Options options;
  po::options_description described("Options");
  described.add_options()("local", po::value(&options.local),
                          "up: number of virtual nodes on this machine")(
      "hostfile", po::value(&options.hostfile), "up: the machines that are the nodes")(
      "launch-agent", po::value(&options.launch_agent),
      "up: called as COMMAND HOST 'shell command' to run something there (default: ssh)")(
      "spool", po::value(&options.spool),
      "up: the nodes' own directory, on a local disk of each (default: DIR/spool)")(
      "dir", po::value(&options.directory),
      "state directory (default: $HYADES_DIR, else ~/.local/state/hyades)")(
      "config", po::value(&options.config), "up: configuration (default: DIR/hyades.toml, if any)")(
      "foreground", po::bool_switch(&options.foreground), "up: do not go to the background")(
      "cancel-jobs", po::bool_switch(&options.cancel_jobs), "down: cancel all jobs first")(
      "json", po::bool_switch(&options.json), "status: as JSON")("help,h", "print this help")(
      "version,V", "print the version");
  po::options_description all;
  all.add(described).add_options()("verb", po::value(&options.verb));
  po::positional_options_description positions;
  positions.add("verb", 1);
  try {
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv).options(all).positional(positions).run(), values);
    po::notify(values);
    if (values.count("help") || argc == 1) {
      std::cout << kUsage << described;
      std::exit(argc == 1 ? kUsageError : kOk);
    }
    if (values.count("version")) {
      std::cout << "hyades " << kVersion << "\n";
      std::exit(kOk);
    }
    for (const auto& [name, value] : values) {
      if (!value.defaulted()) options.given.insert(name);
    }
    options.directory = state_directory(options.directory);
  } catch (const std::exception& error) {
    usage_error(error.what());
  }
  return options;
}

// ---- the directory ----------------------------------------------------------------------------

// A directory that holds something else is left as it is: looking must not make it ours.
bool holds_a_cluster(const std::string& directory) {
  return access((directory + "/run").c_str(), F_OK) == 0 ||
         access((directory + "/queue.db").c_str(), F_OK) == 0;
}

// ---- down and status --------------------------------------------------------------------------

// As ClusterStatus::running_on.
std::optional<std::set<JobId>> find_running_on(const ClusterStatus& status) {
  return status.hosts.empty() ? living_jobs(status.state_directory + "/spool") : std::nullopt;
}

ClusterStatus look_at(const std::string& directory) {
  ClusterStatus status = read_status(directory, 2000);
  if (status.down()) status.running_on = find_running_on(status);
  return status;
}

// False when it was refused, too: then `error` says why.
bool ask(ClientConnection& connection, const pb::ClientRequest& request, pb::ClientReply& reply,
         int timeout_ms, std::string& error) {
  if (connection.call(request, reply, timeout_ms, error) != CallResult::Ok) return false;
  if (reply.error().empty()) return true;
  error = reply.message();
  return false;
}

bool list_live(ClientConnection& connection, pb::ClientReply& jobs) {
  pb::ClientRequest request;
  std::string error;
  request.mutable_list_jobs()->set_live(true);
  if (ask(connection, request, jobs, 10'000, error)) return true;
  std::cerr << "hyades: cannot ask for the jobs: " << error << "\n";
  return false;
}

// Of jobs that end meanwhile nothing is said; what has not ended in the end is.
bool cancel_all(const std::string& directory) {
  ClientConnection connection({directory, ""});
  pb::ClientReply jobs;
  if (!list_live(connection, jobs)) return false;
  if (jobs.jobs_size() == 0) return true;
  pb::ClientRequest request;
  pb::ClientRequest wait;
  pb::ClientReply reply;
  std::string error;
  for (const pb::JobInfo& job : jobs.jobs()) {
    request.mutable_act_on_job()->set_job(job.id());
    request.mutable_act_on_job()->set_action(pb::JOB_CANCEL);
    ask(connection, request, reply, 10'000, error);
    wait.mutable_wait_jobs()->add_ids(job.id());
  }
  wait.mutable_wait_jobs()->set_timeout_ms(60'000);
  ask(connection, wait, reply, 70'000, error);
  if (!list_live(connection, jobs)) return false;
  if (jobs.jobs_size() == 0) return true;
  std::cerr << "hyades: not ended yet, so the cluster stays up:";
  for (const pb::JobInfo& job : jobs.jobs()) {
    std::cerr << " job " << job.id() << " (" << job.state() << " on " << job.node_names() << ")";
  }
  std::cerr << "; `hexplain` says why" << (error.empty() ? "" : "; " + error) << "\n";
  return false;
}

std::string run_on_text(std::size_t jobs) {
  if (jobs == 0) return "";
  return " " + std::to_string(jobs) + (jobs == 1 ? " job runs" : " jobs run") +
         " on; the next `hyades up` adopts " + (jobs == 1 ? "it." : "them.");
}

int down(const Options& options) {
  const std::string problem = directory_problem(options.directory, X_OK);
  if (!problem.empty()) {
    std::cerr << "hyades: " << problem << "\n";
    return kFailed;
  }
  if (!holds_a_cluster(options.directory)) {
    std::cerr << "hyades: there is no cluster in " << options.directory << "\n";
    return kFailed;
  }
  const RunFiles files(options.directory);
  if (!SupervisorLock::may_see(files)) {
    std::cerr << "hyades: only who started the cluster in " << options.directory
              << ", or root, may end it\n";
    return kFailed;
  }
  const ClusterStatus before = look_at(options.directory);
  if (before.down()) {
    const std::size_t running = before.running_on ? before.running_on->size() : 0;
    std::cout << "The cluster in " << options.directory << " is down already."
              << run_on_text(running) << "\n";
    if (!options.cancel_jobs || (before.running_on && running == 0)) return kOk;
    std::cerr << "hyades: no job was cancelled, as nobody is there to do it"
              << (before.running_on ? "" : "; if any ran, it runs on")
              << ": `hyades up`, then `hyades down --cancel-jobs`\n";
    return kFailed;
  }
  if (options.cancel_jobs && !cancel_all(options.directory)) return kFailed;
  const ProcessIdentity supervisor = SupervisorLock::holder(files);
  if (const UniqueFd handle = open_process(supervisor)) {
    syscall(SYS_pidfd_send_signal, handle.get(), SIGTERM, nullptr, 0);
    for (int i = 0; i < 300 && open_process(supervisor); ++i) std::this_thread::sleep_for(50ms);
    if (open_process(supervisor)) {
      std::cerr << "hyades: supervisor " << supervisor.pid << " does not stop\n";
      return kFailed;
    }
  }
  end_world(files);  // whatever a dead supervisor left
  if (const auto hosts = files.hosts(); hosts && supervisor.pid == 0) {
    for (const std::string& host : end_hosts(*hosts)) {
      std::cerr << "hyades: host " << host << "; its worker ends when it notices\n";
    }
  }
  std::size_t running = before.master ? static_cast<std::size_t>(before.master->running()) : 0;
  if (const auto found = find_running_on(before)) running = found->size();
  // They have ended, although a shepherd may still be at its last word.
  if (options.cancel_jobs) running = 0;
  std::cout << "The cluster is down." << run_on_text(running) << "\n";
  return kOk;
}

int status(const Options& options) {
  const std::string problem = directory_problem(options.directory, X_OK);
  if (!problem.empty()) {
    std::cerr << "hyades: " << problem << "\n";
    return kFailed;
  }
  if (!holds_a_cluster(options.directory)) {
    if (options.json) std::cout << "{\"state\": \"absent\"}\n";
    std::cerr << "hyades: there is no cluster in " << options.directory
              << "; start one with: hyades up --local 4 --dir " << options.directory << "\n";
    return kFailed;
  }
  const ClusterStatus now = look_at(options.directory);
  std::cout << (options.json ? to_json(now) + "\n" : to_text(now)) << std::flush;
  if (now.supervisor_pid == 0 && !now.supervisor_hidden && !now.down()) {
    const auto workers = static_cast<std::size_t>(std::max(0, now.nodes_expected));
    const std::string nodes =
        now.hosts.empty()
            ? "--local " + std::to_string(std::max<std::size_t>({1, workers, now.workers.size()}))
            : "--hostfile FILE";
    std::cerr << "hyades: no supervisor watches it, so nothing that dies is started again; "
              << "`hyades up " << nodes << "` takes over\n";
  }
  return now.up() ? kOk : kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  try {
    if (options.verb == "up" || options.verb == "down" || options.verb == "status") {
      check_options(options);
    }
    if (options.verb == "up") return hyades_up(options);
    if (options.verb == "down") return down(options);
    if (options.verb == "status") return status(options);
  } catch (const std::exception& error) {
    std::cerr << "hyades: " << error.what() << "\n";
    return kFailed;
  }
  usage_error(options.verb.empty()
                  ? "nothing to do"
                  : "unknown command '" + options.verb + "'; use up, down or status");
}
