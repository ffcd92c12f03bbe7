// hyadesd: one process of the control plane. Rank 0 of its MPI world is the master, every other
// rank the worker of a node. `hyades up` starts the world; so does plain mpirun.
#include <sched.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/program_options.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>

#include "cli/state_directory.hpp"
#include "core/hostlist.hpp"
#include "master/master.hpp"
#include "master/remote_words.hpp"
#include "master/run_files.hpp"
#include "version.hpp"
#include "wire/drop_privileges.hpp"
#include "wire/failpoint_env.hpp"
#include "wire/mpi_link.hpp"
#include "wire/mpi_ports.hpp"
#include "wire/mpi_world.hpp"
#include "wire/plain_child.hpp"
#include "wire/private_memory.hpp"
#include "worker/scheduling_slice.hpp"
#include "worker/worker.hpp"

namespace {

namespace po = boost::program_options;
using namespace hyades;

std::atomic<bool> stop_requested{false};

void request_stop(int) { stop_requested = true; }

struct Options {
  std::string directory;
  std::string config;
  std::string node_names;
  std::string node_addresses;
  std::string spool;
  std::string user;
  bool one_per_host = false;
  bool init = false;
  bool again = false;
};

constexpr const char* kUsage =
    "Usage: mpirun -n N+1 hyadesd [--dir DIR] [options]\n"
    "One process of a Hyades cluster: rank 0 is the master, ranks 1..N are the nodes' workers.\n"
    "`hyades up` starts all of them and keeps them running.\n\n";

// Exits for --help, --version and usage errors.
Options parse(int argc, char** argv) {
  po::options_description described("Options");
  Options options;
  described.add_options()("dir", po::value(&options.directory),
                          "state directory (default: $HYADES_DIR, else per user)")(
      "config", po::value(&options.config),
      "configuration file (default: DIR/hyades.toml, if any)")(
      "node-names", po::value(&options.node_names),
      "names of the nodes of ranks 1..N, for example vn[1-4] (default: the hosts' names, or "
      "vn1..vnN when all ranks share one host)")(
      "node-addresses", po::value(&options.node_addresses),
      "where jobs reach those nodes, separated by commas (default: at their names)")(
      "spool", po::value(&options.spool), "directory of the nodes' spools (default: DIR/spool)")(
      "one-per-host", po::bool_switch(&options.one_per_host),
      "each node is a machine of its own; only rank 0 needs DIR")(
      "user", po::value(&options.user), "become this user once MPI is up")(
      "init", po::bool_switch(&options.init), "create a new, empty queue if DIR holds none")(
      "again", po::bool_switch(&options.again),
      "not the first start: serve this host's users even if MUNGE does not work now")(
      "help,h", "print this help")("version", "print the version");
  try {
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv).options(described).positional({}).run(), values);
    po::notify(values);
    if (values.count("help")) {
      std::cout << kUsage << described;
      std::exit(0);
    }
    if (values.count("version")) {
      std::cout << "hyadesd " << kVersion << "\n";
      std::exit(0);
    }
    options.directory = state_directory(options.directory);
    if (options.spool.empty()) options.spool = options.directory + "/spool";
  } catch (const std::exception& error) {
    std::cerr << "hyadesd: " << error.what() << " (hyadesd --help lists the options)\n";
    std::exit(2);
  }
  return options;
}

int from_environment(const char* name, int otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

std::string host_name() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

// Which node rank `rank` serves. Needed before MPI_Init, because the launcher is started before it
// and works on the node's spool: so it comes from the options and mpirun's environment.
std::string node_name(const Options& options, int rank) {
  if (!options.node_names.empty()) {
    std::vector<std::string> names;
    std::string error;
    if (!expand_hostlist(options.node_names, names, error)) {
      std::cerr << "hyadesd: --node-names: " << error << "\n";
      std::exit(2);
    }
    if (static_cast<std::size_t>(rank) <= names.size()) {
      return names[static_cast<std::size_t>(rank) - 1];
    }
    std::cerr << "hyadesd: --node-names names " << names.size() << " nodes, but there is a rank "
              << rank << "\n";
    std::exit(2);
  }
  const int here = from_environment("OMPI_COMM_WORLD_LOCAL_SIZE", 1);
  const int all = from_environment("OMPI_COMM_WORLD_SIZE", 1);
  return here == all ? "vn" + std::to_string(rank) : host_name();
}

// mpirun may have bound us to a core. Jobs are our descendants and must be free to use what the
// ledger gives them, so ask for everything; the kernel keeps it to what the cpuset allows.
void unbind() {
  cpu_set_t all;
  CPU_ZERO(&all);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) CPU_SET(cpu, &all);
  sched_setaffinity(0, sizeof all, &all);
}

void set_up_process(const std::string& role) {
  struct sigaction action {};
  action.sa_handler = request_stop;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
  // Without mpirun a rank is of no use, and MPI would take a second to notice.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  umask(077);
  // An ordinary user's own daemons may be looked into: whoever could, could do as much.
  geteuid() == 0 ? keep_memory_private() : leave_no_core_dump();
  install_failpoints_from_env(role);
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e " + role + " %l: %v");
  spdlog::flush_on(spdlog::level::info);
}

// Where other nodes reach this one.
std::string node_address(const Options& options, const std::string& node, int rank) {
  if (!options.one_per_host) return "127.0.0.1";
  std::istringstream addresses(options.node_addresses);
  std::string address;
  for (int i = 0; i < rank; ++i) std::getline(addresses, address, ',');
  return address.empty() ? node : address;
}

WorkerOptions worker_options(const Options& options, int rank) {
  const std::string node = node_name(options, rank);
  const int here = from_environment("OMPI_COMM_WORLD_LOCAL_SIZE", 1);
  const bool with_master = from_environment("OMPI_COMM_WORLD_LOCAL_RANK", 0) != 0 &&
                           from_environment("OMPI_COMM_WORLD_SIZE", 1) == here;
  return {
      .node = node,
      .address = node_address(options, node, rank),
      .spool_directory = options.spool + "/" + node,
      .state_directory = options.directory,
      .nodes_on_this_host = options.one_per_host ? 1 : std::max(1, here - (with_master ? 1 : 0))};
}

// The notes in the state directory are about processes of the master's host.
bool keeps_notes(const Options& options) {
  const char* const supervised = std::getenv(kSupervisedVariable);
  return !options.one_per_host || (supervised != nullptr && options.directory == supervised);
}

// A rank leaves with _exit: MPI_Finalize hangs when a peer died with messages pending.
[[noreturn]] void leave(int code) {
  spdlog::shutdown();
  _exit(code);
}

// For `hyades up`, which waits for the nodes. What has failed matters more than a note of it.
void note_failure(const Options& options, const std::string& node, const std::string& reason) {
  if (!keeps_notes(options)) return;
  try {
    RunFiles(options.directory).write_failure_of(node, reason);
  } catch (const std::exception& error) {
    spdlog::warn("{}", error.what());
  }
}

// Without its note the worker serves all the same; `hyades status` does not see it then.
void note_rank(const Options& options, int rank, const std::string& node) {
  if (!keeps_notes(options)) return;
  try {
    RunFiles(options.directory).write_rank({rank, node, own_identity()});
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
  }
}

// Whom we are to become; nobody when no user was named. Asked before MPI_Init: an unknown user is
// an error of the configuration, and is said before anything runs.
std::optional<UserIdentity> wanted_user(const Options& options) {
  if (options.user.empty()) return std::nullopt;
  const std::optional<UserIdentity> user = find_user(options.user);
  if (!user) {
    throw std::runtime_error("there is no user '" + options.user +
                             "' ([security] user): create it, on every node");
  }
  if (geteuid() != 0 && user->uid != geteuid()) {
    throw std::runtime_error("only root can become user '" + options.user + "'");
  }
  return geteuid() == 0 ? user : std::nullopt;
}

// The link has heard of all ranks.
void shut_ports() {
  const bool on_one_host = from_environment("OMPI_COMM_WORLD_LOCAL_SIZE", 1) ==
                           from_environment("OMPI_COMM_WORLD_SIZE", 1);
  if (shut_mpi_ports(on_one_host ? MpiPorts::All : MpiPorts::OfThisHost) > 0) return;
  spdlog::warn(
      "the ports of Open MPI on this host stay open to all its users: the kernel does "
      "not let us shut them");
}

// The link's connections are made; from here on nothing needs root.
void become(const std::optional<UserIdentity>& user) {
  if (!user) return;
  drop_privileges(*user);
  spdlog::info("running as uid {} from now on", user->uid);
}

int serve_node(const Options& options, int rank, int argc, char** argv) {
  const WorkerOptions worker = worker_options(options, rank);
  set_up_process("worker");
  try {
    const std::optional<UserIdentity> user = wanted_user(options);
    LauncherHandle launcher = LauncherHandle::start_before_mpi(program_beside_us(HYADES_LAUNCHER),
                                                               worker.spool_directory);
    SamplerHandle sampler({.program = program_beside_us(HYADES_SAMPLER),
                           .spool_directory = worker.spool_directory,
                           .uid = user ? user->uid : 0,
                           .gid = user ? user->gid : 0});
    mkdir(options.spool.c_str(), geteuid() == 0 ? 0711 : 0700);
    const MpiWorld world = MpiWorld::init(argc, argv);
    MpiLink link(world);
    shut_ports();
    become(user);
    const auto serving = [&] { note_rank(options, world.rank, worker.node); };
    return run_worker(worker, link, launcher, sampler, serving, stop_requested);
  } catch (const std::exception& error) {
    note_failure(options, worker.node, error.what());
    throw;
  }
}

int serve_cluster(const Options& options, int argc, char** argv) {
  set_up_process("master");
  const std::optional<UserIdentity> user = wanted_user(options);
  const bool all_users = geteuid() == 0;
  const MpiWorld world = MpiWorld::init(argc, argv);
  // Of several machines some may come later; people can submit meanwhile.
  if (world.size < 2 && !options.one_per_host) {
    spdlog::error(
        "the world has no node: start at least two ranks (mpirun -n 2 hyadesd ...), or "
        "use `hyades up --local 1`");
    return 2;
  }
  MpiLink link(world);
  shut_ports();
  become(user);
  return run_master({.state_directory = options.directory,
                     .config_path = options.config,
                     .create = options.init,
                     .again = options.again,
                     .all_users = all_users},
                    link, stop_requested);
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  const int rank = from_environment("OMPI_COMM_WORLD_RANK", -1);
  if (rank < 0) {
    std::cerr << "hyadesd: not started by mpirun; use `hyades up --local 4`, or mpirun -n 5 "
                 "hyadesd --dir DIR\n";
    return 2;
  }
  unbind();
  ask_for_short_slices();
  try {
    leave(rank == 0 ? serve_cluster(options, argc, argv) : serve_node(options, rank, argc, argv));
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
    leave(1);
  }
}
