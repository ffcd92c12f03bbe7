#include "nemesis.hpp"

#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>

#include "census.hpp"
#include "wait_until.hpp"

namespace hyades::test {
namespace {

constexpr int kSetUp_ms = 8'000;  // to bring a moment about
constexpr int kHeal_ms = 60'000;
constexpr int kSettle_ms = 10'000;  // for a job whose shepherd was killed
constexpr int kHunts = 40;

// No answer (the master is just starting) counts as false.
template <typename Condition>
bool any_job(Scene& scene, Condition condition) {
  const auto jobs = scene.jobs();
  return jobs && std::any_of(jobs->begin(), jobs->end(), condition);
}

}  // namespace

const char* name_of(Victim victim) {
  constexpr const char* names[] = {"master",     "worker",   "mpirun",
                                   "supervisor", "launcher", "shepherd"};
  return names[static_cast<int>(victim)];
}

const char* name_of(Phase phase) {
  constexpr const char* names[] = {"queued", "launching", "running", "ending"};
  return names[static_cast<int>(phase)];
}

Nemesis::Nemesis(Cluster& cluster, Load& load, unsigned seed)
    : cluster_(cluster), load_(load), scene_(cluster), random_(seed) {}

bool Nemesis::fail(const std::string& what) {
  failure_ = what;
  return false;
}

std::string Nemesis::any_node() {
  const auto nodes = cluster_.nodes();
  return nodes[random_() % nodes.size()];
}

// Everyone in turn and in every kind of moment, then shuffled.
std::vector<Plan> Nemesis::plans(int count) {
  std::vector<Plan> plans;
  for (int i = 0; static_cast<int>(plans.size()) < count; ++i) {
    for (int victim = 0; victim < kVictims && static_cast<int>(plans.size()) < count; ++victim) {
      const bool shepherd = victim == static_cast<int>(Victim::Shepherd);
      const int kind = shepherd ? i % 3 : i % 4;
      plans.push_back({static_cast<Victim>(victim), kind == 0 || (!shepherd && kind == 3),
                       kind == 1 || (!shepherd && kind == 3)});
    }
  }
  std::shuffle(plans.begin(), plans.end(), random_);
  return plans;
}

std::optional<Plan> Nemesis::missing(int at_least) const {
  for (int victim = 0; victim < kVictims; ++victim) {
    for (int phase = 0; phase < kPhases; ++phase) {
      if (hits_[victim][phase] >= at_least) continue;
      return Plan{static_cast<Victim>(victim), phase == static_cast<int>(Phase::Launching),
                  phase == static_cast<int>(Phase::Ending)};
    }
  }
  return std::nullopt;
}

bool Nemesis::run(int count, int at_least) {
  for (const Plan& plan : plans(count)) {
    if (!strike(plan)) return false;
  }
  for (int more = 0; at_least > 0; ++more) {
    const auto plan = missing(at_least);
    if (!plan) break;
    if (more >= count) return fail("not every pair of process and phase could be hit");
    if (!strike(*plan)) return false;
  }
  return true;
}

// ---- moments ----------------------------------------------------------------------------------

bool Nemesis::wait_for_queue() {
  return wait_until(
             [&] {
               return any_job(scene_, [](const SeenJob& job) { return job.state == "PENDING"; });
             },
             kHeal_ms, 20) ||
         fail("no job waits, although clients submit");
}

// A stopped launcher leaves the orders that its worker passes on unread.
bool Nemesis::freeze_launch(Moment& moment) {
  Frozen launcher(scene_.launcher(moment.node));
  moment.has_launching = wait_until(
      [&] {
        return any_job(scene_, [&](const SeenJob& job) {
          return job.state == "LAUNCHING" && job.uses(moment.node);
        });
      },
      kSetUp_ms, 10);
  moment.frozen.push_back(std::move(launcher));
  return moment.has_launching;
}

// A stopped shepherd does not see that its job has ended. Where no job runs, one will soon: at the
// very beginning, jobs wait before the first of them has been started.
bool Nemesis::freeze_end(Moment& moment) {
  std::vector<SeenShepherd> here;
  const auto somebody_runs = [&] {
    here = scene_.shepherds();
    std::erase_if(here, [&](const SeenShepherd& seen) {
      return seen.node != moment.node || process_state(seen.pid) == 'T';
    });
    return !here.empty();
  };
  if (!wait_until(somebody_runs, kSetUp_ms, 20)) return false;
  const SeenShepherd chosen = here[random_() % here.size()];
  moment.frozen.emplace_back(chosen.pid);
  moment.has_ending =
      wait_until([&] { return Scene::is_over(chosen) || process_state(chosen.pid) == '\0'; },
                 kSetUp_ms, 5) &&
      process_state(chosen.pid) == 'T';
  return moment.has_ending;
}

bool Nemesis::prepare(const Plan& plan, Moment& moment) {
  for (int tries = 0; tries < 5; ++tries) {
    moment = Moment{.node = any_node()};
    if (!wait_for_queue()) return false;
    if (plan.ending && !freeze_end(moment)) continue;
    if (plan.launching && !freeze_launch(moment)) continue;
    return true;
  }
  return fail(std::string("no ") + (plan.ending ? "ending" : "") +
              (plan.launching ? " launching" : "") + " job could be had");
}

// ---- kills ------------------------------------------------------------------------------------

pid_t Nemesis::find(Victim victim, const std::string& node) {
  switch (victim) {
    case Victim::Master:
      return cluster_.pid_of("master_pid");
    case Victim::Worker:
      return cluster_.worker_pid(node);
    case Victim::Mpirun:
      return cluster_.pid_of("mpirun_pid");
    case Victim::Supervisor:
      return cluster_.pid_of("supervisor_pid");
    case Victim::Launcher:
      return scene_.launcher(node);
    case Victim::Shepherd:
      break;
  }
  return 0;
}

void Nemesis::score(Victim victim, Phase phase) {
  ++hits_[static_cast<int>(victim)][static_cast<int>(phase)];
  scored_ += std::string(" ") + name_of(phase);
}

// What is there at this moment; of a node's own processes, what is there on the node.
void Nemesis::count(const Plan& plan, const Moment& moment) {
  const bool local = plan.victim == Victim::Worker || plan.victim == Victim::Launcher;
  const auto at = [&](const SeenJob& job, const char* state) {
    return job.state == state && (!local || job.uses(moment.node));
  };
  const auto jobs = scene_.jobs().value_or(std::vector<SeenJob>{});
  const auto any = [&](auto condition) { return std::any_of(jobs.begin(), jobs.end(), condition); };
  scored_.clear();
  if (any([](const SeenJob& job) { return job.state == "PENDING"; })) {
    score(plan.victim, Phase::Queued);
  }
  if (any([&](const SeenJob& job) { return at(job, "LAUNCHING"); })) {
    score(plan.victim, Phase::Launching);
  }
  if (any([&](const SeenJob& job) { return at(job, "RUNNING"); })) {
    score(plan.victim, Phase::Running);
  }
  if (moment.has_ending) score(plan.victim, Phase::Ending);
}

bool Nemesis::strike(const Plan& plan) {
  if (plan.victim == Victim::Shepherd) return strike_shepherd(plan);
  Moment moment;
  if (!prepare(plan, moment)) return false;
  const pid_t victim = find(plan.victim, moment.node);
  const pid_t master = cluster_.pid_of("master_pid");
  if (victim <= 0) return fail(std::string("there is no ") + name_of(plan.victim) + " to kill");
  count(plan, moment);
  kill(victim, SIGKILL);
  ++kills_;
  const double killed_s = progress_.seconds();
  // What was held still goes on before the cluster is whole again, or only after that.
  const bool thaw_early = random_() % 2 == 0;
  if (thaw_early) moment.frozen.clear();
  if (!heal(plan.victim, master)) return false;
  char healed[32];
  std::snprintf(healed, sizeof healed, "%.1f s", progress_.seconds() - killed_s);
  progress_.say("kill " + std::to_string(kills_) + ": " + name_of(plan.victim) + " (" +
                moment.node + ") while" + scored_ + "; whole again after " + healed);
  poll(nullptr, 0, static_cast<int>(random_() % 1000));
  return true;
}

bool Nemesis::heal(Victim victim, pid_t old_master) {
  if (victim == Victim::Supervisor) {
    wait_until([&] {
      reap_orphans();
      return cluster_.pid_of("supervisor_pid") == 0;
    });
    const CommandResult up = cluster_.up();
    if (!up.good()) return fail("`hyades up` after the supervisor's death: " + up.text());
  }
  const bool whole = wait_until(
      [&] {
        reap_orphans();
        const Json now = cluster_.status();
        return now["state"] == "up" &&
               (victim == Victim::Supervisor || now["master_pid"] != old_master);
      },
      kHeal_ms, 30);
  return whole || fail(std::string("the cluster is not whole again after the death of the ") +
                       name_of(victim) + ": " + cluster_.status().dump(2));
}

// ---- shepherds --------------------------------------------------------------------------------

bool Nemesis::strike_shepherd(const Plan& plan) {
  if (!wait_for_queue()) return false;
  if (plan.launching) return strike_unstarted_shepherd();
  for (int tries = 0; tries < 50; ++tries) {
    const std::vector<SeenShepherd> all = scene_.shepherds();
    if (all.empty()) {
      poll(nullptr, 0, 20);
      continue;
    }
    const SeenShepherd chosen = all[random_() % all.size()];
    Frozen frozen(chosen.pid);
    const bool in_time = wait_until(
        [&] { return frozen.stopped() && (!plan.ending || Scene::is_over(chosen)); }, kSetUp_ms, 2);
    const auto jobs = scene_.jobs();
    if (!in_time || !jobs) continue;
    const auto job = std::find_if(jobs->begin(), jobs->end(),
                                  [&](const SeenJob& seen) { return seen.id == chosen.job; });
    if (job == jobs->end() || job->state != "RUNNING") continue;
    const bool over = Scene::is_over(chosen);
    if (over != plan.ending) continue;
    scored_.clear();
    score(Victim::Shepherd, over ? Phase::Ending : Phase::Running);
    if (any_job(scene_, [](const SeenJob& seen) { return seen.state == "PENDING"; })) {
      score(Victim::Shepherd, Phase::Queued);
    }
    deaths_.push_back({chosen.job});
    kill(chosen.pid, SIGKILL);
    ++kills_;
    if (!wait_until_settled(chosen, job->attempts)) return false;
    progress_.say("kill " + std::to_string(kills_) + ": shepherd of job " +
                  std::to_string(chosen.job) + " while" + scored_);
    return true;
  }
  return fail("no shepherd could be caught");
}

// The attempt is over for the cluster: the job waits, runs again or has ended.
bool Nemesis::wait_until_settled(const SeenShepherd& victim, std::uint32_t attempts) {
  const bool settled = wait_until(
      [&] {
        const auto jobs = scene_.jobs();
        return jobs && std::none_of(jobs->begin(), jobs->end(), [&](const SeenJob& job) {
                 return job.id == victim.job && job.attempts == attempts && job.state != "PENDING";
               });
      },
      kSettle_ms, 10);
  return settled ||
         fail("job " + std::to_string(victim.job) + " runs on although its shepherd was killed " +
              std::to_string(kSettle_ms / 1000) + " s ago");
}

// The moment is short: orders are held back, some with long scripts, and let go at once. Then
// whatever appears below the launcher is stopped and looked at.
bool Nemesis::strike_unstarted_shepherd() {
  for (int tries = 0; tries < kHunts; ++tries) {
    Moment moment{.node = any_node()};
    for (int i = 0; i < 3; ++i) load_.submit_slow_starter();
    if (!freeze_launch(moment)) continue;
    const pid_t launcher = moment.frozen.front().pid();
    moment.frozen.clear();
    if (hunt(moment.node, launcher)) return true;
  }
  return fail("no shepherd could be caught before its job started");
}

bool Nemesis::hunt(const std::string& node, pid_t launcher) {
  const auto until = boot_now_ns() + 300'000'000;
  std::vector<pid_t> known;
  while (boot_now_ns() < until) {
    for (const pid_t shepherd : scene_.children(launcher)) {
      if (std::count(known.begin(), known.end(), shepherd) > 0) continue;
      known.push_back(shepherd);
      Frozen frozen(shepherd);
      if (!wait_until([&] { return frozen.stopped(); }, 100, 0)) continue;
      if (scene_.has_started(node, shepherd)) continue;
      scored_.clear();
      score(Victim::Shepherd, Phase::Launching);
      kill(shepherd, SIGKILL);
      ++kills_;
      progress_.say("kill " + std::to_string(kills_) + ": shepherd on " + node + " while" +
                    scored_);
      return true;
    }
  }
  return false;
}

std::string Nemesis::table() const {
  std::string text = "            ";
  char cell[32];
  for (int phase = 0; phase < kPhases; ++phase) {
    std::snprintf(cell, sizeof cell, "%10s", name_of(static_cast<Phase>(phase)));
    text += cell;
  }
  for (int victim = 0; victim < kVictims; ++victim) {
    std::snprintf(cell, sizeof cell, "\n%-12s", name_of(static_cast<Victim>(victim)));
    text += cell;
    for (int phase = 0; phase < kPhases; ++phase) {
      std::snprintf(cell, sizeof cell, "%10d", hits_[victim][phase]);
      text += cell;
    }
  }
  return text + "\n";
}

}  // namespace hyades::test
