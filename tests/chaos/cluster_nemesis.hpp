// Kills processes on the machines of a cluster under load: of the control plane's world, and parts
// of jobs on several nodes. It does not wait until everybody has recovered before it strikes again,
// only until there is somebody to strike, while a job on several nodes runs there; after an outage,
// that jobs have had a moment to start.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "checker.hpp"
#include "namespace_cluster.hpp"
#include "progress.hpp"
#include "scene.hpp"

namespace hyades::test {

enum class Role {
  Mpirun,      // of the world; on the head
  Orted,       // of the world
  Worker,      //
  Launcher,    //
  Shepherd,    // of a job on several nodes; on the first node it is the script's
  StepDaemon,  // of its step; on the first node it is hrun's own
  JobOrted,    // of its own mpirun
  JobMpirun,   //
};
constexpr int kRoles = 8;

const char* name_of(Role role);

class ClusterNemesis {
 public:
  ClusterNemesis(NamespaceCluster& cluster, unsigned seed);

  // Each role on each of its machines as often as it takes for `kills`, in random order; 0: each
  // twice. False when somebody never came back, or never appeared; failure() says who.
  bool run(int kills);

  const std::string& failure() const { return failure_; }
  const std::vector<Death>& deaths() const { return deaths_; }
  int kills() const { return kills_; }
  std::string table() const;

 private:
  struct Target {
    Role role;
    std::string machine;
  };
  // A process that can be killed now, and the job that it belongs to; 0: none.
  struct Victim {
    pid_t pid = 0;
    JobId job = 0;
  };

  std::vector<Target> round();
  bool strike_one_of(std::vector<Target>& targets);
  bool strike(const Target& target, const std::vector<SeenJob>& jobs);
  std::vector<Victim> candidates(const Target& target, const std::vector<SeenJob>& jobs) const;
  static bool exists(Role role, const std::string& node);
  bool still_runs(const Victim& victim);
  void tend();

  NamespaceCluster& cluster_;
  Scene scene_;
  std::mt19937 random_;
  Progress progress_;
  std::vector<Death> deaths_;
  std::map<std::pair<int, std::string>, int> hits_;
  std::string failure_;
  int kills_ = 0;
  double out_since_s_ = -1;  // since when not all nodes respond
  double whole_since_s_ = 0;
  int outages_ = 0;
  std::unique_ptr<RunningCommand> operator_;  // who does
};

}  // namespace hyades::test
