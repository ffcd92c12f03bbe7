// Kills processes of a cluster under load, each at a moment that was prepared: with jobs waiting,
// being launched, running and ending. Keeps count of which was hit when.
#pragma once

#include <array>
#include <random>
#include <string>
#include <vector>

#include "checker.hpp"
#include "load.hpp"
#include "progress.hpp"
#include "scene.hpp"

namespace hyades::test {

enum class Victim { Master, Worker, Mpirun, Supervisor, Launcher, Shepherd };
enum class Phase { Queued, Launching, Running, Ending };
constexpr int kVictims = 6;
constexpr int kPhases = 4;

const char* name_of(Victim victim);
const char* name_of(Phase phase);

struct Plan {
  Victim victim = Victim::Master;
  // Of whom some job must be in this phase when it dies, apart from those that happen to be. Of a
  // shepherd it is its own job that is in the phase.
  bool launching = false;
  bool ending = false;
};

class Nemesis {
 public:
  Nemesis(Cluster& cluster, Load& load, unsigned seed);

  // `count` kills in random order, then as many more as it takes until every pair of process and
  // phase has been hit `at_least` times. False when the cluster did not recover or a pair could
  // not be hit; failure() says which.
  bool run(int count, int at_least);

  const std::string& failure() const { return failure_; }
  const std::vector<Death>& deaths() const { return deaths_; }
  int kills() const { return kills_; }
  std::string table() const;

 private:
  struct Moment {
    std::string node;
    std::vector<Frozen> frozen;
    bool has_launching = false;
    bool has_ending = false;
  };

  std::vector<Plan> plans(int count);
  std::optional<Plan> missing(int at_least) const;
  bool strike(const Plan& plan);
  bool strike_shepherd(const Plan& plan);
  bool strike_unstarted_shepherd();
  bool hunt(const std::string& node, pid_t launcher);
  bool prepare(const Plan& plan, Moment& moment);
  bool freeze_launch(Moment& moment);
  bool freeze_end(Moment& moment);
  bool wait_for_queue();
  pid_t find(Victim victim, const std::string& node);
  void count(const Plan& plan, const Moment& moment);
  void score(Victim victim, Phase phase);
  bool heal(Victim victim, pid_t old_master);
  bool wait_until_settled(const SeenShepherd& victim, std::uint32_t attempts);
  bool fail(const std::string& what);
  std::string any_node();

  Cluster& cluster_;
  Load& load_;
  Scene scene_;
  std::mt19937 random_;
  std::array<std::array<int, kPhases>, kVictims> hits_{};
  std::vector<Death> deaths_;
  std::string failure_;
  std::string scored_;  // phases of the last kill, for the progress line
  int kills_ = 0;
  Progress progress_;
};

}  // namespace hyades::test
