#include "cluster_nemesis.hpp"

#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "census.hpp"
#include "wait_until.hpp"

namespace hyades::test {
namespace {

constexpr int kTimes = 2;
constexpr int kNext_ms = 60'000;  // until somebody can be struck
constexpr int kHeal_ms = 90'000;
// Between outages jobs get time to start.
constexpr double kCalm_s = 2.5;
// After the last kill: until it is certain that nobody is missed any more.
constexpr double kNoticed_s = 4;
constexpr int kUnaided = 2;  // the outage from which the nodes come back by themselves

bool is_of_job(Role role) { return role >= Role::Shepherd; }

// 0: of none.
JobId job_of(pid_t pid) {
  const std::string environment = '\0' + read_whole("/proc/" + std::to_string(pid) + "/environ");
  const std::string name = std::string(1, '\0') + "HYADES_JOB_ID=";
  const std::size_t at = environment.find(name);
  return at == environment.npos
             ? 0
             : std::strtoull(environment.c_str() + at + name.size(), nullptr, 10);
}

bool is_called(Role role, const std::string& name) {
  switch (role) {
    case Role::Mpirun:
    case Role::JobMpirun:
      return name == "mpirun";
    case Role::Orted:
    case Role::JobOrted:
      return name == "orted";
    case Role::Worker:
      return name == "hyadesd";
    case Role::Launcher:
      return name == "hyades-launch";
    case Role::Shepherd:
      return name == "hyades-shep";
    case Role::StepDaemon:
      return name == "hyades-stepd";
  }
  return false;
}

const SeenJob* find_job(const std::vector<SeenJob>& jobs, JobId id) {
  const auto found =
      std::find_if(jobs.begin(), jobs.end(), [&](const SeenJob& job) { return job.id == id; });
  return found == jobs.end() ? nullptr : &*found;
}

int wide_jobs(const std::vector<SeenJob>& jobs, const std::string& machine, const char* state) {
  return static_cast<int>(std::count_if(jobs.begin(), jobs.end(), [&](const SeenJob& job) {
    return job.state == state && job.nodes.size() > 1 && (machine == "head" || job.uses(machine));
  }));
}

}  // namespace

const char* name_of(Role role) {
  constexpr const char* names[] = {"mpirun",   "orted",       "worker",      "launcher",
                                   "shepherd", "step daemon", "job's orted", "job's mpirun"};
  return names[static_cast<int>(role)];
}

ClusterNemesis::ClusterNemesis(NamespaceCluster& cluster, unsigned seed)
    : cluster_(cluster), scene_(cluster), random_(seed) {}

// Jobs get nodes in their order: most scripts of those on several nodes are on the first.
bool ClusterNemesis::exists(Role role, const std::string& node) {
  if (role == Role::Mpirun) return node == "head";
  if (role == Role::JobMpirun) return node == "n1";
  return role != Role::JobOrted || node != "n1";
}

// Everybody once.
std::vector<ClusterNemesis::Target> ClusterNemesis::round() {
  std::vector<Target> targets{{Role::Mpirun, "head"}};
  for (int role = static_cast<int>(Role::Orted); role < kRoles; ++role) {
    for (const std::string& node : cluster_.nodes()) {
      if (exists(static_cast<Role>(role), node)) targets.push_back({static_cast<Role>(role), node});
    }
  }
  return targets;
}

bool ClusterNemesis::run(int kills) {
  std::vector<Target> targets;
  for (int i = 0; kills == 0 ? i < kTimes : static_cast<int>(targets.size()) < kills; ++i) {
    const std::vector<Target> more = round();
    targets.insert(targets.end(), more.begin(), more.end());
  }
  std::shuffle(targets.begin(), targets.end(), random_);
  if (kills > 0) targets.resize(static_cast<std::size_t>(kills));
  while (!targets.empty()) {
    if (!wait_until([&] { return strike_one_of(targets); }, kNext_ms, 50)) {
      failure_ = "nobody to kill; left are";
      for (const Target& target : targets) {
        failure_ += std::string(" ") + name_of(target.role) + " on " + target.machine + ",";
      }
      return false;
    }
    poll(nullptr, 0, static_cast<int>(random_() % 1400));
  }
  const double last_s = progress_.seconds();
  const auto whole = [&] {
    tend();
    return out_since_s_ < 0 && progress_.seconds() - last_s > kNoticed_s;
  };
  if (wait_until(whole, kHeal_ms, 100)) return true;
  failure_ = "not everybody came back: " + cluster_.status().dump(2);
  return false;
}

// The first of those that can be struck now; it is taken out.
bool ClusterNemesis::strike_one_of(std::vector<Target>& targets) {
  tend();
  const auto jobs = scene_.jobs();
  if (!jobs) return false;
  const bool calm = out_since_s_ < 0 && progress_.seconds() - whole_since_s_ > kCalm_s;
  const auto struck = std::find_if(targets.begin(), targets.end(), [&](const Target& target) {
    return (calm || is_of_job(target.role)) && wide_jobs(*jobs, target.machine, "RUNNING") > 0 &&
           strike(target, *jobs);
  });
  if (struck == targets.end()) return false;
  targets.erase(struck);
  return true;
}

std::vector<ClusterNemesis::Victim> ClusterNemesis::candidates(
    const Target& target, const std::vector<SeenJob>& jobs) const {
  std::vector<Victim> found;
  const std::vector<Kin> all = cluster_.census(target.machine);
  for (const Kin& kin : all) {
    if (!is_called(target.role, kin.name)) continue;
    // A shepherd is not of the job, but its child is.
    const auto child = std::find_if(all.begin(), all.end(),
                                    [&](const Kin& other) { return other.parent == kin.pid; });
    const bool shepherd = target.role == Role::Shepherd;
    if (shepherd && child == all.end()) continue;
    const JobId id = job_of(shepherd ? child->pid : kin.pid);
    const SeenJob* const job = find_job(jobs, id);
    const bool runs = job != nullptr && job->state == "RUNNING" && job->nodes.size() > 1;
    if (is_of_job(target.role) ? runs : id == 0) found.push_back({kin.pid, id});
  }
  return found;
}

// Stopped, it cannot report its end, so that what the list of jobs says holds.
bool ClusterNemesis::still_runs(const Victim& victim) {
  const auto jobs = scene_.jobs();
  const SeenJob* const job = jobs ? find_job(*jobs, victim.job) : nullptr;
  return job != nullptr && job->state == "RUNNING";
}

bool ClusterNemesis::strike(const Target& target, const std::vector<SeenJob>& jobs) {
  const std::vector<Victim> victims = candidates(target, jobs);
  if (victims.empty()) return false;
  const Victim victim = victims[random_() % victims.size()];
  Frozen frozen(victim.pid);
  if (!wait_until([&] { return frozen.stopped(); }, 1000, 2)) return false;
  if (victim.job != 0 && !still_runs(victim)) return false;
  if (victim.job != 0) deaths_.push_back({victim.job, target.role != Role::Shepherd});
  kill(victim.pid, SIGKILL);
  ++kills_;
  ++hits_[{static_cast<int>(target.role), target.machine}];
  progress_.say("kill " + std::to_string(kills_) + ": " + name_of(target.role) + " (" +
                target.machine + ")" +
                (victim.job == 0 ? "" : " of job " + std::to_string(victim.job)) + " while " +
                std::to_string(wide_jobs(jobs, target.machine, "RUNNING")) +
                " jobs over several nodes ran there and " +
                std::to_string(wide_jobs(jobs, target.machine, "LAUNCHING")) + " were launched");
  return true;
}

// Nodes come back by themselves, after half a minute or so; an operator who asks for them does not
// have to wait so long. Here one asks, but for one time.
void ClusterNemesis::tend() {
  reap_orphans();
  const auto nodes = cluster_.nodes();
  const Json now = cluster_.status();
  const auto responds = [&](const std::string& node) {
    if (!now.is_object() || !now.contains("workers")) return false;
    return std::any_of(now["workers"].begin(), now["workers"].end(), [&](const Json& worker) {
      return worker["node"] == node && worker["responding"] == true;
    });
  };
  const bool whole = std::all_of(nodes.begin(), nodes.end(), responds);
  const bool is_asked = outages_ != kUnaided;
  if (operator_ && !operator_->running()) operator_.reset();
  if (whole && out_since_s_ >= 0) {
    char seconds[64];
    std::snprintf(seconds, sizeof seconds, "all nodes respond again after %.1f s%s",
                  progress_.seconds() - out_since_s_, is_asked ? ", asked for" : "");
    progress_.say(seconds);
    out_since_s_ = -1;
    whole_since_s_ = progress_.seconds();
    ++outages_;
  } else if (!whole && out_since_s_ < 0) {
    out_since_s_ = progress_.seconds();
  }
  if (!whole && is_asked && !operator_) operator_ = cluster_.start({"hctl", "node", "rejoin"});
}

std::string ClusterNemesis::table() const {
  char cell[32];
  std::string text = "              ";
  std::vector<std::string> machines{"head"};
  for (const std::string& node : cluster_.nodes()) machines.push_back(node);
  for (const std::string& machine : machines) {
    std::snprintf(cell, sizeof cell, "%6s", machine.c_str());
    text += cell;
  }
  for (int role = 0; role < kRoles; ++role) {
    std::snprintf(cell, sizeof cell, "\n%-14s", name_of(static_cast<Role>(role)));
    text += cell;
    for (const std::string& machine : machines) {
      const auto found = hits_.find({role, machine});
      std::snprintf(cell, sizeof cell, "%6d", found == hits_.end() ? 0 : found->second);
      text += cell;
    }
  }
  return text + "\n";
}

}  // namespace hyades::test
