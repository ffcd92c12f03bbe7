// hyades-remote: Hyades's hands on other machines.
//
// On a node, called through the launch agent (ssh):
//   hyades-remote check ...            can this machine be a node? One line of facts
//   hyades-remote start ... -- ORTED   ends what an earlier world left, starts Open MPI's daemon
//                                      in a session of its own and returns at once
//   hyades-remote stop ...             ends that daemon, and with it the node's worker, and
//                                      removes what they kept in memory and in session files
// On the master's host, called by mpirun in the place of ssh:
//   hyades-remote reach HOST ORTED...  the launch agent's `start` for that host. Its exit code says
//                                      whether the daemon was started, never how it ended: mpirun
//                                      would end everybody else with it.
// Jobs are not touched by any of them.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "master/daemon_progress.hpp"
#include "master/host_probe.hpp"
#include "master/launch_agent.hpp"
#include "master/node_place.hpp"
#include "master/remote_words.hpp"
#include "version.hpp"
#include "wire/boot_id.hpp"

namespace {

namespace po = boost::program_options;
using namespace hyades;
using Words = std::vector<std::string>;

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsageError = 2;
constexpr int kDies_ms = 5000;

int complain(const std::string& text) {
  std::cerr << "hyades-remote: " << text << "\n";
  return kFailed;
}

[[noreturn]] void execute(const Words& words) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  std::fprintf(stderr, "hyades-remote: cannot run %s: %s\n", argv[0], std::strerror(errno));
  _exit(127);
}

// ---- on a node --------------------------------------------------------------------------------

NodePlaceOptions parse(const Words& words) {
  NodePlaceOptions options;
  po::options_description described;
  described.add_options()("node", po::value(&options.node)->required())(
      "spool", po::value(&options.spool_root)->required())(
      "shm", po::value(&options.shared_memory))("user", po::value(&options.user));
  po::variables_map values;
  po::store(po::command_line_parser(words).options(described).positional({}).run(), values);
  po::notify(values);
  return options;
}

std::string missing_program() {
  const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  for (const char* name : {HYADES_DAEMON, HYADES_LAUNCHER}) {
    if (access((here / name).c_str(), X_OK) != 0) {
      return "cannot run " + (here / name).string() + ": " + std::strerror(errno);
    }
  }
  std::string path = std::getenv("PATH") == nullptr ? "" : std::getenv("PATH");
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find(':', at), path.size());
    if (access((path.substr(at, end - at) + "/orted").c_str(), X_OK) == 0) return "";
    at = end + 1;
  }
  return "Open MPI's orted is not in the PATH that remote commands have here (" + path + ")";
}

// Of containers on one machine each counts: they have a name or a network of their own.
std::string machine() {
  utsname names{};
  uname(&names);
  struct stat network {};
  stat("/proc/self/ns/net", &network);
  std::string text =
      current_boot_id() + "/" + names.nodename + "/" + std::to_string(network.st_ino);
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c <= ' '; }, '_');
  return text;
}

int check(const NodePlace& place) {
  std::cout << kRemoteGreeting << " version=" << kVersion << " served=" << place.served()
            << " progress=" << daemon_progress(place.daemon().pid) << " machine=" << machine()
            << "\n";
  std::string problem = missing_program();
  if (problem.empty()) problem = place.prepare();
  if (!problem.empty()) std::cout << kRemoteProblem << problem << "\n";
  std::cout.flush();
  return problem.empty() ? kOk : kFailed;
}

// With orted dies its worker; their locks are free when both are gone.
bool end_daemon(const NodePlace& place) {
  const UniqueFd process = open_process(place.daemon());
  if (process) {
    syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
    pollfd item{process.get(), POLLIN, 0};
    poll(&item, 1, kDies_ms);
  }
  for (int waited = 0; place.served() && waited < kDies_ms; waited += 10) poll(nullptr, 0, 10);
  return !place.served();
}

int stop(const NodePlace& place) {
  if (end_daemon(place)) {
    place.clean();
    return kOk;
  }
  return complain("a worker of " + place.spool() + " does not end; see " + place.spool() +
                  "/worker.lock for its process");
}

// In a session of its own, with nothing of the caller's: the launch agent must be able to return.
[[noreturn]] void become_daemon(const NodePlace& place, const Words& words) {
  setsid();
  const int in = open("/dev/null", O_RDONLY);
  const std::string log = place.scratch() + "/orted.log";
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
  if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) _exit(126);
  close_range(3, ~0u, 0);
  if (chdir("/") != 0) _exit(126);
  signal(SIGHUP, SIG_DFL);
  setenv("TMPDIR", place.scratch().c_str(), 1);
  execute(words);
}

int start(const NodePlace& place, Words words) {
  if (words.empty()) return complain("start: nothing to start");
  std::string problem = place.prepare();
  if (!problem.empty()) return complain(problem);
  if (!end_daemon(place)) return complain("another worker serves " + place.spool());
  problem = place.make_scratch();
  if (!problem.empty()) return complain(problem);
  // It is in the background already, and must stay the process that is noted here.
  std::erase(words, "--daemonize");
  const pid_t child = fork();
  if (child < 0) return complain(std::string("cannot fork: ") + std::strerror(errno));
  if (child == 0) become_daemon(place, words);
  problem = place.note_daemon(identify(child));
  if (problem.empty()) return kOk;
  kill(child, SIGKILL);
  return complain(problem);
}

int on_node(const std::string& verb, const Words& words) {
  const auto dashes = std::find(words.begin(), words.end(), "--");
  const Words rest(dashes == words.end() ? dashes : dashes + 1, words.end());
  const NodePlace place(parse(Words(words.begin(), dashes)));
  if (verb == "check") return check(place);
  if (verb == "stop") return stop(place);
  return start(place, rest);
}

// ---- on the master's host ---------------------------------------------------------------------

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// "name address" lines, as the supervisor left them.
std::string address_of(const std::string& list, const std::string& host) {
  std::istringstream lines(list);
  std::string name;
  std::string address;
  while (lines >> name >> address) {
    if (name == host) return address;
  }
  return host;
}

// For the supervisor, which leaves this host out then. mpirun only knows that somebody failed.
void note_failure(const std::string& directory, const std::string& host, const std::string& why) {
  const std::string path = directory + "/" + host;
  const UniqueFd file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file || write(file.get(), why.data(), why.size()) < 0) {
    std::perror(("hyades-remote: " + path).c_str());
  }
}

int reach(const Words& words) {
  if (words.size() < 2) return complain("reach: no host, or no command");
  const std::string& host = words.front();
  RemotePlace place = RemotePlace::from_environment(variable);
  // mpirun has quoted its words for the shell at the other end.
  std::string text;
  for (const std::string& word : place.words("start", host)) {
    text += (text.empty() ? "" : " ") + shell_quoted(word);
  }
  text += " --";
  for (std::size_t i = 1; i < words.size(); ++i) text += " " + words[i];
  const LaunchAgent agent(place.launch_agent);
  BackgroundCommand call(agent.shell_command(address_of(place.addresses, host), text),
                         kRemoteStart);
  while (!call.finished()) poll(nullptr, 0, 10);
  std::cerr << call.err();
  if (call.exit_code() == 0) return kOk;
  note_failure(place.failures, host, why_not_started(call.exit_code(), call.err(), place.program));
  return kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  const Words words(argv + std::min(argc, 2), argv + argc);
  const std::string verb = argc < 2 ? "" : argv[1];
  try {
    if (verb == "check" || verb == "start" || verb == "stop") return on_node(verb, words);
    if (verb == "reach") return reach(words);
    if (verb == "--version" || verb == "-V") {
      std::cout << "hyades-remote " << kVersion << "\n";
      return kOk;
    }
  } catch (const std::exception& error) {
    complain(error.what());
    return kUsageError;
  }
  std::cerr << "hyades-remote: part of Hyades, which calls it on every node of a cluster; it does "
               "nothing by itself\n";
  return kUsageError;
}
