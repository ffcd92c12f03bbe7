#include "namespace_cluster.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "census.hpp"
#include "wait_until.hpp"

namespace hyades::test {
namespace {

constexpr const char* kSwitch = "switch";
constexpr const char* kFarSwitch = "far-switch";
constexpr const char* kNet = "10.77.0.";

std::string names_of(int nodes) { return "n[1-" + std::to_string(nodes) + "]"; }

ClusterOptions with_names(ClusterOptions options) {
  if (options.node_names.empty()) options.node_names = names_of(options.nodes);
  return options;
}

void must(const std::vector<std::string>& words) {
  const CommandResult result = run_command(words);
  if (result.exit_code == 0) return;
  std::string text;
  for (const std::string& word : words) text += word + " ";
  ADD_FAILURE() << text << ": " << result.text();
}

void add_switch(const char* name) {
  must({"ip", "link", "add", name, "type", "bridge", "stp_state", "0", "forward_delay", "0"});
  must({"ip", "link", "set", name, "up"});
}

std::string random_boot_id() {
  std::string id;
  std::getline(std::ifstream("/proc/sys/kernel/random/uuid") >> std::ws, id);
  return id;
}

// A machine that comes back has the same card: its peers remember the address for a while.
std::string hardware_address(const std::string& address) {
  char text[24];
  std::snprintf(text, sizeof text, "02:00:00:00:00:%02x",
                std::stoi(address.substr(address.rfind('.') + 1)));
  return text;
}

// The test's own network, in which nobody else's cables hang: once for the process.
bool enter_own_network(std::string& error) {
  static const int result = unshare(CLONE_NEWNET) == 0 ? 0 : errno;
  if (result != 0) error = std::strerror(result);
  return result == 0;
}

std::string find_obstacle() {
  if (geteuid() != 0) return "clusters in namespaces need root";
  if (run_command({"ip", "-V"}).exit_code != 0) return "there is no `ip` (package iproute2)";
  if (program("hyades").starts_with("/tmp/")) {
    return "each machine has a /tmp of its own, so its programs cannot be below /tmp: build "
           "elsewhere";
  }
  // In a child: a process that is refused half of them must stay as it is.
  const pid_t child = fork();
  if (child == 0) {
    const int all = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID;
    _exit(unshare(all) == 0 ? 0 : errno);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status)) return "namespaces cannot be tried";
  if (WEXITSTATUS(status) == 0) return "";
  return std::string("namespaces are not permitted here: ") + std::strerror(WEXITSTATUS(status));
}

// Processes below `root`, the root not among them.
std::vector<Kin> below(pid_t root) {
  const std::vector<Kin> all = family();
  std::vector<pid_t> inside{root};
  std::vector<Kin> found;
  for (std::size_t before = 0; before != inside.size();) {
    before = inside.size();
    for (const Kin& kin : all) {
      const auto has = [&](pid_t pid) {
        return std::find(inside.begin(), inside.end(), pid) != inside.end();
      };
      if (!has(kin.parent) || has(kin.pid)) continue;
      inside.push_back(kin.pid);
      found.push_back(kin);
    }
  }
  return found;
}

}  // namespace

std::string NamespaceCluster::obstacle() {
  static const std::string found = find_obstacle();
  return found;
}

NamespaceCluster::NamespaceCluster(ClusterOptions options)
    : Cluster(with_names(std::move(options))) {
  for (int i = 1; i <= this->options().nodes; ++i) node_names_.push_back("n" + std::to_string(i));
  std::string error;
  if (!enter_own_network(error)) ADD_FAILURE() << "unshare: " << error;
  make_disks();
  write_lists();
  write_accounts();
  make_switch();
  power_on("head");
  for (const std::string& node : node_names_) power_on(node);
}

NamespaceCluster::~NamespaceCluster() {
  if (powered("head")) {
    run({"hyades", "down", "--cancel-jobs"}, {.timeout_ms = 90'000});
    check_machines_idle();
  }
  while (!machines_.empty()) power_off(machines_.begin()->first);
  for (const char* const device : {kSwitch, kFarSwitch, "up-near"}) {
    run_command({"ip", "link", "del", device});
  }
}

// ---- what machines are made of ----------------------------------------------------------------

void NamespaceCluster::make_disks() {
  for (const char* part : {"/disks", "/tmp", "/boot"}) mkdir((base() + part).c_str(), 0755);
  for (const std::string& node : node_names_) mkdir(disk_of(node).c_str(), 0700);
}

// The same names everywhere, and a host file that names addresses, too.
void NamespaceCluster::write_lists() {
  std::string hosts = "127.0.0.1 localhost\n" + address_of("head") + " head\n";
  std::string hostfile = "# the nodes of a test\n";
  for (const std::string& node : node_names_) {
    hosts += address_of(node) + " " + node + "\n";
    hostfile += node + "\n";
  }
  write_file(base() + "/hosts", hosts);
  write_file("hostfile", hostfile);
}

void NamespaceCluster::write_accounts() {
  write_file(base() + "/passwd", read_whole("/etc/passwd") +
                                     "alice:x:2001:2001::/:/bin/sh\nbob:x:2002:2002::/:/bin/sh\n");
  write_file(base() + "/group", read_whole("/etc/group") + "alice:x:2001:\nbob:x:2002:\n");
  chmod(base().c_str(), 0711);
  chmod(work().c_str(), 01777);
  for (const std::string& node : node_names_) chmod(disk_of(node).c_str(), 0711);
}

void NamespaceCluster::make_switch() {
  must({"ip", "link", "set", "lo", "up"});
  add_switch(kSwitch);
}

void NamespaceCluster::put_far(const std::vector<std::string>& machines, int kbit_per_s) {
  add_switch(kFarSwitch);
  must({"ip", "link", "add", "up-near", "type", "veth", "peer", "name", "up-far"});
  for (const auto& [end, of] : {std::pair{"up-near", kSwitch}, std::pair{"up-far", kFarSwitch}}) {
    must({"ip", "link", "set", end, "master", of, "up"});
    must({"tc", "qdisc", "add", "dev", end, "root", "tbf", "rate",
          std::to_string(kbit_per_s) + "kbit", "burst", "65536", "latency", "500ms"});
  }
  for (const std::string& machine : machines) {
    must({"ip", "link", "set", port_of(machine), "master", kFarSwitch});
  }
}

std::string NamespaceCluster::address_of(const std::string& machine) const {
  return kNet + std::to_string(machine == "head" ? 1 : 10 + std::stoi(machine.substr(1)));
}

void NamespaceCluster::power_on(const std::string& machine) {
  write_file(base() + "/boot/" + machine, random_boot_id() + "\n");
  const std::string temporary = base() + "/tmp/" + machine;
  std::filesystem::remove_all(temporary);
  mkdir(temporary.c_str(), 01777);
  chmod(temporary.c_str(), 01777);
  Machine& made = machines_[machine];
  made.holder = std::make_unique<RunningCommand>(
      std::vector<std::string>{program("cluster_node"), "hold", base(), machine,
                               address_of(machine)},
      complete({}));
  const auto says = [&](const char* what) {
    return wait_until(
               [&] {
                 return !made.holder->running() ||
                        made.holder->out().find(what) != std::string::npos;
               },
               kPatience_ms, 2) &&
           made.holder->running();
  };
  ASSERT_TRUE(says("cable")) << made.holder->err();
  must({"ip", "link", "add", port_of(machine), "type", "veth", "peer", "name", "eth0", "address",
        hardware_address(address_of(machine)), "netns", std::to_string(made.holder->pid())});
  must({"ip", "link", "set", port_of(machine), "master", kSwitch, "up"});
  ASSERT_TRUE(says("ready ") && says("listening")) << made.holder->err();
  const std::string out = made.holder->out();
  made.first = std::stoi(out.substr(out.find("ready ") + 6));
}

// The cable first: the kernel of a machine without power says no goodbye to its peers.
void NamespaceCluster::power_off(const std::string& machine) {
  run_command({"ip", "link", "del", port_of(machine)});
  const auto found = machines_.find(machine);
  if (found == machines_.end()) return;
  if (found->second.first > 0) kill(found->second.first, SIGKILL);
  found->second.holder->finish(kPatience_ms);
  machines_.erase(found);
}

void NamespaceCluster::cut(const std::string& machine) {
  must({"ip", "link", "set", port_of(machine), "down"});
}
void NamespaceCluster::mend(const std::string& machine) {
  must({"ip", "link", "set", port_of(machine), "up"});
}

void NamespaceCluster::cut_one_way(const std::string& from, const std::string& to) {
  const CommandResult result =
      run_on(from, {"ip", "route", "add", "blackhole", address_of(to) + "/32"});
  EXPECT_EQ(result.exit_code, 0) << result.text();
}
void NamespaceCluster::mend_one_way(const std::string& from, const std::string& to) {
  const CommandResult result =
      run_on(from, {"ip", "route", "del", "blackhole", address_of(to) + "/32"});
  EXPECT_EQ(result.exit_code, 0) << result.text();
}

void NamespaceCluster::slow(const std::string& machine, int kbit_per_s) {
  run_command({"tc", "qdisc", "del", "dev", port_of(machine), "root"});
  if (kbit_per_s == 0) return;
  must({"tc", "qdisc", "add", "dev", port_of(machine), "root", "tbf", "rate",
        std::to_string(kbit_per_s) + "kbit", "burst", "3000", "latency", "2s"});
}

// ---- commands ---------------------------------------------------------------------------------

std::vector<std::string> NamespaceCluster::console(const std::string& machine,
                                                   std::vector<std::string> words) const {
  const auto found = machines_.find(machine);
  const pid_t first = found == machines_.end() ? 0 : found->second.first;
  std::vector<std::string> whole{program("cluster_node"), "enter", std::to_string(first)};
  whole.insert(whole.end(), words.begin(), words.end());
  return whole;
}

std::vector<std::string> NamespaceCluster::with_path(std::vector<std::string> words) const {
  return console("head", Cluster::with_path(std::move(words)));
}

CommandResult NamespaceCluster::run_on(const std::string& machine, std::vector<std::string> words,
                                       CommandOptions options) {
  return run_command(console(machine, std::move(words)), complete(std::move(options)));
}

CommandResult NamespaceCluster::run_as(const std::string& user, std::vector<std::string> words,
                                       CommandOptions options) {
  std::vector<std::string> whole{"/usr/bin/setpriv", "--reuid=" + user, "--regid=" + user,
                                 "--init-groups"};
  words = Cluster::with_path(std::move(words));
  whole.insert(whole.end(), words.begin(), words.end());
  return run(std::move(whole), std::move(options));
}

CommandResult NamespaceCluster::up() { return up_with({}); }

CommandResult NamespaceCluster::up_with(std::vector<std::string> more_options) {
  const std::string name = options().with_failpoints ? "hyades_test" : "hyades";
  std::vector<std::string> words{
      name, "up", "--hostfile", hostfile(), "--launch-agent", program("cluster_node") + " shell"};
  words.insert(words.end(), more_options.begin(), more_options.end());
  return run(words, {.timeout_ms = 120'000});
}

bool NamespaceCluster::responds(const std::string& node) {
  const Json now = status();
  if (!now.is_object() || !now.contains("workers")) return false;
  return std::any_of(now["workers"].begin(), now["workers"].end(), [&](const Json& worker) {
    return worker["node"] == node && worker["responding"] == true;
  });
}

bool NamespaceCluster::wait_until_responding(const std::vector<std::string>& nodes) {
  return wait_until(
      [&] {
        return std::all_of(nodes.begin(), nodes.end(),
                           [&](const std::string& node) { return responds(node); });
      },
      kPatience_ms, 100);
}

// ---- processes --------------------------------------------------------------------------------

std::vector<Kin> NamespaceCluster::census(const std::string& machine) const {
  const auto at = machines_.find(machine);
  return at == machines_.end() ? std::vector<Kin>{} : below(at->second.first);
}

std::vector<pid_t> NamespaceCluster::processes(const std::string& machine,
                                               const std::string& text) {
  std::vector<pid_t> found;
  for (const Kin& kin : census(machine)) {
    if (kin.command.find(text) != std::string::npos) found.push_back(kin.pid);
  }
  return found;
}

void NamespaceCluster::must_kill(const std::string& machine, const std::string& text, int signal) {
  const std::vector<pid_t> found = processes(machine, text);
  EXPECT_FALSE(found.empty()) << "no process of " << machine << " is called " << text;
  for (const pid_t pid : found) kill(pid, signal);
}

// Daemons and jobs; the remote shells that still carry a dead connection are not ours.
void NamespaceCluster::check_machines_idle() {
  const auto left = [&] {
    std::vector<Kin> all;
    for (const auto& [name, machine] : machines_) {
      for (const Kin& kin : below(machine.first)) {
        if (kin.name != "cluster_node") all.push_back(kin);
      }
    }
    return all;
  };
  if (wait_until([&] { return left().empty(); }, 20'000, 50)) return;
  ADD_FAILURE() << "still there after `hyades down`:\n" << to_text(left());
}

}  // namespace hyades::test
