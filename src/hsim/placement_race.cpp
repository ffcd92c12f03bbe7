#include "hsim/placement_race.hpp"

#include <time.h>

#include <algorithm>

#include "core/assert.hpp"
#include "hsim/placement_baselines.hpp"
#include "hsim/placement_judge.hpp"
#include "hsim/placement_program.hpp"
#include "policy/backfill_policy.hpp"

namespace hyades {
namespace {

// Of this thread: what else runs on the machine does not count.
double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

template <typename Work>
double timed_ms(const Work& work) {
  const double begun = cpu_ms();
  work();
  return cpu_ms() - begun;
}

struct Way {
  std::string name;
  Plans plans;
  std::vector<double> times_ms;
  std::string note;
};

std::string note_of(ProgramAnswer::Status status) {
  switch (status) {
    case ProgramAnswer::Status::Optimal:
      return "";
    case ProgramAnswer::Status::Limit:
      return "time limit: the best until then counts";
    case ProgramAnswer::Status::None:
      return "no answer in time";
    case ProgramAnswer::Status::NoSolver:
      return "skipped: glpsol is not installed";
    case ProgramAnswer::Status::Unreadable:
      break;
  }
  return "glpsol failed";
}

// All ways, on one scene.
class Heat {
 public:
  Heat(int nodes, const RaceOptions& options, std::uint64_t seed)
      : options_(options), seed_(seed), scene_(nodes, starts_on(nodes), seed) {
    policy_.configure(scene_.config());
  }

  void run(RaceFigures& out) {
    decide(out);
    baseline("best-fit", NodeChoice::Fullest);
    baseline("spread", NodeChoice::Emptiest);
    baseline("random", NodeChoice::Random);
    monolith("monolithic", ways_[0].plans);
    monolith("monolithic, others two-phase", ways_[1].plans);
    judge(out);
    promise(out);
  }

 private:
  Decision plan() const { return policy_.plan(scene_.queues(), scene_.view(), scene_.now_ms); }
  Decision decided() { return policy_.decide(scene_.queues(), scene_.view(), scene_.now_ms); }

  static Plans plans_of(const Decision& decision) {
    Plans plans;
    for (const Start& start : decision.starts) plans.push_back(start.plan);
    return plans;
  }

  void decide(RaceFigures& out) {
    Way first{"first-fit", {}, {}, ""}, both{"two-phase", {}, {}, ""};
    Decision decision;
    out.fresh_ms.push_back(timed_ms([&] { decision = decided(); }) - timed_ms([&] { plan(); }));
    for (int i = 0; i < options_.times; ++i) {
      first.times_ms.push_back(timed_ms([&] { plan(); }));
      both.times_ms.push_back(timed_ms([&] { decided(); }));
      out.phase2_ms.push_back(both.times_ms.back() - first.times_ms.back());
    }
    const Decision planned = plan();
    HYADES_ASSERT(planned.starts.size() == decision.starts.size());
    double moved = 0, places = 0;
    for (std::size_t i = 0; i < decision.starts.size(); ++i) {
      HYADES_ASSERT(planned.starts[i].job == decision.starts[i].job);
      jobs_.push_back(&scene_.job(decision.starts[i].job));
      moved += planned.starts[i].plan != decision.starts[i].plan;
      places += decision.starts[i].place_why.places;
    }
    out.moved.push_back(moved / static_cast<double>(jobs_.size()));
    out.places.push_back(places / static_cast<double>(jobs_.size()));
    first.plans = plans_of(planned);
    both.plans = plans_of(decision);
    ways_ = {std::move(first), std::move(both)};
  }

  void baseline(const char* name, NodeChoice choice) {
    Way way{name, {}, {}, ""};
    for (int i = 0; i < options_.times; ++i) {
      way.times_ms.push_back(timed_ms([&] {
        plan();
        way.plans = place_all(scene_.view(), jobs_, choice, Prng(seed_));
      }));
    }
    if (std::find(way.plans.begin(), way.plans.end(), Plan()) != way.plans.end()) {
      way.plans.clear();
      way.note = "some job found no room";
    }
    ways_.push_back(std::move(way));
  }

  // Jobs on one node by the integer program, the others where `around` has them.
  void monolith(const char* name, const Plans around) {
    Way way{name, {}, {}, ""};
    LocalProblem problem;
    PlacementJudge maker(scene_);
    const double making_ms = timed_ms([&] {
      plan();
      problem = maker.monolith(jobs_, around);
    });
    if (problem.all_places() > options_.pairs_most) {
      way.note = "not tried: over " + std::to_string(options_.pairs_most / 1000) + ",000 pairs";
    } else if (problem.jobs() == 0) {
      way.plans = around;
    } else {
      const ProgramAnswer answer = solve_program(problem, options_.limit_s);
      way.note = note_of(answer.status);
      if (!answer.choice.empty()) way.plans = maker.plans_of(jobs_, around, answer.choice);
      if (answer.status != ProgramAnswer::Status::NoSolver) {
        way.times_ms.push_back(making_ms + 1000 * answer.wall_s);
      }
    }
    ways_.push_back(std::move(way));
  }

  void judge(RaceFigures& out) {
    std::vector<Plans> plans;
    for (const Way& way : ways_) {
      if (!way.plans.empty()) plans.push_back(way.plans);
    }
    const std::vector<Judgement> all = PlacementJudge(scene_).judge(jobs_, plans);
    auto its = all.begin();
    for (std::size_t i = 0; i < ways_.size(); ++i) {
      if (out.ways.size() == i) out.ways.push_back({.name = ways_[i].name});
      WayFigures& figures = out.ways[i];
      figures.times_ms.insert(figures.times_ms.end(), ways_[i].times_ms.begin(),
                              ways_[i].times_ms.end());
      if (!ways_[i].note.empty()) ++figures.notes[ways_[i].note];
      if (ways_[i].plans.empty()) continue;
      figures.cost.push_back(its->cost / all.front().cost);
      figures.contention.push_back(its->contention / all.front().cost);
      ++its;
    }
  }

  void promise(RaceFigures& out) {
    scene_.add_wide_job();
    HYADES_ASSERT(decided().reservations.size() == 1);
    for (int i = 0; i < options_.times; ++i) {
      const double without = timed_ms([&] { plan(); });
      out.promised_ms.push_back(timed_ms([&] { decided(); }) - without);
    }
  }

  const RaceOptions& options_;
  std::uint64_t seed_;
  PlacementScene scene_;
  BackfillPolicy policy_;
  std::vector<const Job*> jobs_;  // in the order in which they start
  std::vector<Way> ways_;
};

}  // namespace

int starts_on(int nodes) { return std::max({nodes / 20, std::min(nodes / 2, 10), 1}); }

RaceFigures placement_race(int nodes, const RaceOptions& options,
                           const std::function<void()>& scene_done) {
  RaceFigures out;
  out.nodes = nodes;
  out.starts = starts_on(nodes);
  for (int i = 0; i < options.scenes; ++i) {
    Heat(nodes, options, options.seed + static_cast<std::uint64_t>(i)).run(out);
    if (scene_done) scene_done();
  }
  return out;
}

}  // namespace hyades
