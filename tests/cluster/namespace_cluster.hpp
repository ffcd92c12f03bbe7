// A cluster of several machines for a test, in boxes on this one. Each box has its own network (a
// cable to a common switch), host name, processes, boot id, /tmp, /run and /dev/shm; `head`, where
// the supervisor and the master run, and n1..nN, the nodes. The test's directory is their shared
// file system: what jobs write in work() is seen everywhere. The state directory is not: on the
// head it is directory(), on a node the same path is the node's own disk (disk_of()), which
// outlives power cuts.
//
//   class Mine : public testing::Test {};          // SetUp: HYADES_NEEDS_NAMESPACES();
//   NamespaceCluster cluster({.nodes = 3});        // the machines are on, nothing of Hyades runs
//   cluster.must_up();                             // hyades up --hostfile on the head
//   cluster.must_wrap("hostname", {"-w", "n2"});   // as with Cluster, on the head
//   cluster.cut("n2"); ... cluster.mend("n2");     // pull the cable; put it back
//   cluster.power_off("n3"); cluster.power_on("n3");
//
// Everything lives in namespaces that hang on the test's process: when it dies, however it dies,
// the kernel ends all of it. Needs root, for which namespaces must be permitted.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "census.hpp"
#include "cluster.hpp"

namespace hyades::test {

class NamespaceCluster : public Cluster {
 public:
  // `nodes`, `cores`, `config`, `environment` as for Cluster. All machines are powered on.
  explicit NamespaceCluster(ClusterOptions options = {.nodes = 3});
  // `hyades down --cancel-jobs`, checks that nothing of ours is left on any machine, and switches
  // all of them off.
  ~NamespaceCluster() override;

  // Why this machine cannot have such clusters; "" when it can.
  static std::string obstacle();

  // ---- people
  // alice and bob, ordinary users with the same accounts on all machines, whose own files may be
  // in work(). What `user` types on the head.
  CommandResult run_as(const std::string& user, std::vector<std::string> words,
                       CommandOptions options = {});

  // ---- Hyades on it
  // On the head, with all of hostfile().
  CommandResult up() override;
  CommandResult up_with(std::vector<std::string> more_options);
  std::string hostfile() const { return path("hostfile"); }
  // By hyades status.
  bool responds(const std::string& node);
  bool wait_until_responding(const std::vector<std::string>& nodes);

  // ---- the machines
  std::vector<std::string> nodes() const override { return node_names_; }
  std::string address_of(const std::string& machine) const;
  // What a node has at directory(), seen from the test.
  std::string disk_of(const std::string& node) const { return base() + "/disks/" + node; }
  std::string spool_of(const std::string& node) const override {
    return disk_of(node) + "/spool/" + node;
  }
  // A command on the console of a machine: works whatever its network does.
  CommandResult run_on(const std::string& machine, std::vector<std::string> words,
                       CommandOptions options = {});
  // All that run on a machine, with pids as the test sees them.
  std::vector<Kin> census(const std::string& machine) const;
  // Those whose command line holds `text`.
  std::vector<pid_t> processes(const std::string& machine, const std::string& text);
  // SIGKILL (or another signal) to those; fails the test when there is none.
  void must_kill(const std::string& machine, const std::string& text, int signal = 9);

  // Without a warning, and without a word to anybody on the network. Disks stay, memory goes.
  void power_off(const std::string& machine);
  // Another boot id, an empty /tmp, nothing runs but the remote shell.
  void power_on(const std::string& machine);
  bool powered(const std::string& machine) const { return machines_.contains(machine); }

  // The cable of a machine: nothing in, nothing out.
  void cut(const std::string& machine);
  void mend(const std::string& machine);
  // One way only: what `from` sends to `to` is lost.
  void cut_one_way(const std::string& from, const std::string& to);
  void mend_one_way(const std::string& from, const std::string& to);
  // What the machine receives comes at so many kbit/s; 0: as fast as can be.
  void slow(const std::string& machine, int kbit_per_s);
  // These machines get a switch of their own, and a cable of so many kbit/s between the two. Once.
  void put_far(const std::vector<std::string>& machines, int kbit_per_s);

 protected:
  std::vector<std::string> with_path(std::vector<std::string> words) const override;

 private:
  struct Machine {
    std::unique_ptr<RunningCommand> holder;
    pid_t first = 0;  // its process 1, as the test sees it
  };

  void make_disks();
  void write_lists();
  void write_accounts();
  void make_switch();
  std::string port_of(const std::string& machine) const { return "p-" + machine; }
  std::vector<std::string> console(const std::string& machine,
                                   std::vector<std::string> words) const;
  void check_machines_idle();

  std::vector<std::string> node_names_;
  std::map<std::string, Machine> machines_;  // those that are on
};

// In a test's SetUp or body: skips it, with the reason, where this machine has no such clusters.
#define HYADES_NEEDS_NAMESPACES()                                                       \
  if (const std::string why = hyades::test::NamespaceCluster::obstacle(); !why.empty()) \
  GTEST_SKIP() << why

}  // namespace hyades::test
