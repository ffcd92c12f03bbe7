// The study of phase 2: what it is compared with is right, and the page says what was found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "hsim/exact_placement.hpp"
#include "hsim/placement_baselines.hpp"
#include "hsim/placement_instance.hpp"
#include "hsim/placement_judge.hpp"
#include "hsim/placement_program.hpp"
#include "hsim/placement_report.hpp"
#include "policy/backfill_policy.hpp"

namespace hyades {
namespace {

using testing::HasSubstr;
using testing::Not;

// Every choice there is.
double least_by_brute_force(const LocalProblem& problem) {
  double least = std::numeric_limits<double>::infinity();
  LocalChoice choice(problem.jobs(), 0);
  while (true) {
    least = std::min(least, local_cost(problem, choice));
    std::size_t job = 0;
    while (job < problem.jobs() && ++choice[job] == problem.places(job)) choice[job++] = 0;
    if (job == problem.jobs()) return least;
  }
}

TEST(ExactPlacement, FindsWhatBruteForceFinds) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const LocalProblem problem = random_instance(seed, {.jobs_most = 5, .places_most = 6});
    const ExactPlacement exact = exact_placement(problem);
    const double least = least_by_brute_force(problem);
    ASSERT_TRUE(exact.complete);
    ASSERT_NEAR(exact.cost, least, 1e-9 * least) << "seed " << seed;
    ASSERT_NEAR(local_cost(problem, exact.choice), least, 1e-9 * least) << "seed " << seed;
  }
}

TEST(ExactPlacement, SaysThatNothingFitsAndThatItDidNotLookAtAll) {
  LocalProblem full;
  const std::uint32_t row = full.add_row({.capacity = 1});
  for (int job = 0; job < 2; ++job) {
    full.add_job();
    full.add_place(1, std::vector<LocalUse>{{row, 1}});
  }
  EXPECT_TRUE(std::isinf(exact_placement(full).cost));
  EXPECT_TRUE(exact_placement(full).choice.empty());
  EXPECT_TRUE(exact_placement(full).complete);
  EXPECT_FALSE(exact_placement(random_instance(1), 3).complete);
}

TEST(PlacementInstance, IsTheSameEverywhereAndItsFirstPlacesFit) {
  std::size_t tight = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const LocalProblem problem = random_instance(seed);
    const LocalChoice first(problem.jobs(), 0);
    EXPECT_TRUE(std::isfinite(local_cost(problem, first))) << "seed " << seed;
    EXPECT_EQ(local_cost(problem, first), local_cost(random_instance(seed), first));
    EXPECT_GE(problem.jobs(), 2u);
    EXPECT_LE(problem.jobs(), 6u);
    // All at their cheapest places: mostly they are in each other's way.
    LocalChoice cheapest = first;
    for (std::size_t job = 0; job < problem.jobs(); ++job) {
      EXPECT_LE(problem.places(job), 8u);
      for (std::uint32_t i = 0; i < problem.places(job); ++i) {
        if (problem.place(job, i).cost < problem.place(job, cheapest[job]).cost) cheapest[job] = i;
      }
    }
    tight += std::isinf(local_cost(problem, cheapest));
  }
  EXPECT_GT(tight, 100u);
}

TEST(PlacementGaps, TwoPhaseComesNearTheOptimum) {
  const PlacementGaps gaps = placement_gaps(150, 1);
  ASSERT_EQ(gaps.methods.size(), 6u);
  EXPECT_EQ(gaps.methods[0].method, "two-phase");
  EXPECT_TRUE(gaps.met()) << gaps.near_share(gaps.methods[0]);
  const GapFigures& first_places = gaps.methods.back();
  EXPECT_EQ(first_places.method, "first places");
  EXPECT_LT(gaps.near_share(first_places), 0.5) << "the problems are too easy to say anything";
  for (const GapFigures& its : gaps.methods) {
    EXPECT_GE(its.sum, 0);
    EXPECT_LE(gaps.mean(gaps.methods[0]), gaps.mean(its) + 0.002) << its.method;
    EXPECT_LE(its.exact, its.near);
  }
}

// One run of placement_gaps over [1, 4] is those over [1, 2] and [3, 4].
TEST(PlacementGaps, AreThoseOfTheSeedsNamed) {
  const PlacementGaps all = placement_gaps(4, 1), some = placement_gaps(2, 1),
                      others = placement_gaps(2, 3);
  for (std::size_t i = 0; i < all.methods.size(); ++i) {
    EXPECT_NEAR(all.methods[i].sum, some.methods[i].sum + others.methods[i].sum, 1e-12);
  }
}

TEST(PlacementProgram, IsInTheFormatOfCplex) {
  LocalProblem problem;
  problem.add_row({.capacity = 3, .load = 1});
  problem.add_row({.weight = 5});
  problem.add_job();
  problem.add_place(2.5, std::vector<LocalUse>{{0, 2}, {1, 1}});
  problem.add_place(4, {});
  EXPECT_EQ(program_text(problem),
            "Minimize\n cost:\n + 2.5 x0\n + 4 x1\nSubject To\n j0:\n + 1 x0\n + 1 x1\n = 1\n"
            " r0:\n + 2 x0\n <= 2\nBinary\n x0\n x1\nEnd\n");
}

TEST(PlacementProgram, ReadsWhatTheSolverSays) {
  LocalProblem problem;
  for (int job = 0; job < 2; ++job) {
    problem.add_job();
    problem.add_place(1, {});
    problem.add_place(2, {});
  }
  using Status = ProgramAnswer::Status;
  const auto read = [&](const std::string& text) { return read_answer(problem, text); };
  const std::string columns = "j 1 0\nj 2 1\nj 3 1\nj 4 0\ne o f\n";
  EXPECT_EQ(read("c x\ns mip 2 4 o 3\ni 1 1\ni 2 1\n" + columns).status, Status::Optimal);
  EXPECT_EQ(read("s mip 2 4 o 3\n" + columns).choice, (LocalChoice{1, 0}));
  EXPECT_EQ(read("s mip 2 4 f 3\n" + columns).status, Status::Limit);
  EXPECT_EQ(read("s mip 2 4 f 3\n" + columns).choice, (LocalChoice{1, 0}));
  EXPECT_EQ(read("s mip 2 4 u 0\nj 1 0\n").status, Status::None);
  EXPECT_EQ(read("").status, Status::Unreadable);
  EXPECT_EQ(read("s mip 2 5 o 3\n" + columns).status, Status::Unreadable);
  EXPECT_EQ(read("s mip 2 4 o 3\nj 9 1\n").status, Status::Unreadable);
  EXPECT_EQ(read("s mip 2 4 o 3\nj 1 1\n").status, Status::Unreadable) << "half a choice";
}

TEST(PlacementProgram, GlpkFindsTheSameOptimum) {
  if (!has_solver()) GTEST_SKIP() << "glpsol is not installed";
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const LocalProblem problem = random_instance(seed, {.linear = true});
    const ProgramAnswer answer = solve_program(problem, 60);
    ASSERT_EQ(answer.status, ProgramAnswer::Status::Optimal) << "seed " << seed;
    const double cost = exact_placement(problem).cost;
    EXPECT_NEAR(local_cost(problem, answer.choice), cost, 1e-6 * cost) << "seed " << seed;
  }
}

TEST(PlacementProgram, SaysThatThereIsNoSolver) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nowhere", 1);
  EXPECT_EQ(solve_program(random_instance(1), 1).status, ProgramAnswer::Status::NoSolver);
  setenv("PATH", path.c_str(), 1);
}

class SceneTest : public testing::Test {
 protected:
  static constexpr int kNodes = 40;

  std::vector<const Job*> jobs_of(const PlacementScene& scene, const Decision& decision) {
    std::vector<const Job*> jobs;
    for (const Start& start : decision.starts) jobs.push_back(&scene.job(start.job));
    return jobs;
  }
  Plans plans_of(const Decision& decision) {
    Plans plans;
    for (const Start& start : decision.starts) plans.push_back(start.plan);
    return plans;
  }
  Decision planned(const PlacementScene& scene) {
    return BackfillPolicy().plan(scene.queues(), scene.view(), scene.now_ms);
  }
};

TEST_F(SceneTest, AllOfItsJobsStart) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    PlacementScene scene(kNodes, 12, seed);
    const Decision decision = planned(scene);
    EXPECT_EQ(decision.starts.size(), 12u) << "seed " << seed;
    EXPECT_TRUE(decision.reservations.empty());
    EXPECT_EQ(plans_of(decision), plans_of(planned(PlacementScene(kNodes, 12, seed))));
    scene.add_wide_job();
    EXPECT_EQ(planned(scene).starts.size(), 12u);
    EXPECT_EQ(planned(scene).reservations.size(), 1u);
    // Where not every job would find room, others come in its place.
    EXPECT_EQ(planned(PlacementScene(6, 12, seed)).starts.size(), 12u) << "seed " << seed;
  }
  const PlacementScene crowded(4, 100, 1);
  EXPECT_LT(planned(crowded).starts.size(), 100u);
  EXPECT_TRUE(planned(crowded).reservations.empty());
}

// Every way gives out only what is free, says the ledger, in what the job asked for.
TEST_F(SceneTest, BaselinesGiveOutWhatThereIs) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const PlacementScene scene(kNodes, 12, seed);
    const std::vector<const Job*> jobs = jobs_of(scene, planned(scene));
    for (const NodeChoice choice :
         {NodeChoice::Fullest, NodeChoice::Emptiest, NodeChoice::Random}) {
      const Plans plans = place_all(scene.view(), jobs, choice, Prng(seed));
      Cluster cluster = scene.cluster();
      for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (plans[i].empty()) continue;
        ASSERT_EQ(plans[i].size(), static_cast<std::size_t>(jobs[i]->spec.nodes));
        ASSERT_TRUE(cluster.fits(jobs[i]->spec, plans[i])) << "seed " << seed;
        cluster.take(cluster.choose(jobs[i]->spec, plans[i]));
      }
    }
  }
}

TEST_F(SceneTest, BaselinesChooseByWhatIsFree) {
  const PlacementScene scene(kNodes, 12, 1);
  Job job;
  job.spec.nodes = job.spec.tasks = 1;
  job.spec.time_limit_s = 60;
  const auto free_on = [&](NodeChoice choice) {
    const Plans plans = place_all(scene.view(), {&job}, choice, Prng(1));
    return scene.view().free->cores(plans[0][0].node);
  };
  int least = 1000, most = 0;
  for (NodeIndex node = 0; node < kNodes; ++node) {
    const int cores = scene.view().free->cores(node);
    if (cores > 0) least = std::min(least, cores);
    most = std::max(most, cores);
  }
  ASSERT_LT(least, most);
  EXPECT_EQ(free_on(NodeChoice::Fullest), least);
  EXPECT_EQ(free_on(NodeChoice::Emptiest), most);
  job.spec.tasks = 10'000;
  EXPECT_EQ(place_all(scene.view(), {&job}, NodeChoice::Random, Prng(1)), Plans{{}});
}

TEST_F(SceneTest, TheJudgeSeesWhatIsGivenOutTwice) {
  const PlacementScene scene(kNodes, 12, 1);
  const Decision decision = planned(scene);
  const std::vector<const Job*> jobs = jobs_of(scene, decision);
  const Plans plans = plans_of(decision);
  Plans heap = plans;  // all jobs of one node on that of the first of them
  const Plan* node = nullptr;
  for (std::size_t i = 0; i < heap.size(); ++i) {
    if (!on_one_node(*jobs[i])) continue;
    if (node == nullptr) node = &heap[i];
    heap[i] = {{node->front().node, jobs[i]->spec.tasks}};
  }
  const auto judged = PlacementJudge(scene).judge(jobs, {plans, heap, plans});
  EXPECT_TRUE(std::isfinite(judged[0].cost));
  EXPECT_TRUE(std::isinf(judged[1].cost));
  EXPECT_EQ(judged[0].cost, judged[2].cost);
  EXPECT_GE(judged[0].contention, 0);
}

// The optimum of the linear part is no dearer, by run times alone, than any plan for the same jobs.
TEST_F(SceneTest, TheMonolithHoldsEveryPlan) {
  const PlacementScene scene(kNodes, 12, 1);
  const Decision decision = planned(scene);
  const std::vector<const Job*> jobs = jobs_of(scene, decision);
  const Plans plans = plans_of(decision);
  PlacementJudge judge(scene);
  const LocalProblem problem = judge.monolith(jobs, plans);
  std::size_t alone = 0;
  for (const Job* const job : jobs) alone += on_one_node(*job);
  ASSERT_EQ(problem.jobs(), alone);
  ASSERT_GT(alone, 3u);
  const Plans all_first = judge.plans_of(jobs, plans, LocalChoice(alone, 0));
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    EXPECT_EQ(all_first[i] == plans[i] || on_one_node(*jobs[i]), true);
  }
  // Where first-fit has them is one of its choices, and fits.
  LocalChoice choice;
  for (std::size_t i = 0, its = 0; i < jobs.size(); ++i) {
    if (!on_one_node(*jobs[i])) continue;
    for (std::uint32_t place = 0; place < problem.places(its); ++place) {
      LocalChoice one(alone, 0);
      one[its] = place;
      if (judge.plans_of(jobs, plans, one)[i] == plans[i]) choice.push_back(place);
    }
    ++its;
  }
  ASSERT_EQ(choice.size(), alone);
  EXPECT_TRUE(std::isfinite(local_cost(problem, choice)));
  if (!has_solver()) GTEST_SKIP() << "glpsol is not installed";
  const ProgramAnswer answer = solve_program(problem, 60);
  ASSERT_EQ(answer.status, ProgramAnswer::Status::Optimal);
  EXPECT_LE(local_cost(problem, answer.choice), local_cost(problem, choice) * (1 + 1e-9));
  const auto judged =
      PlacementJudge(scene).judge(jobs, {plans, judge.plans_of(jobs, plans, answer.choice)});
  EXPECT_TRUE(std::isfinite(judged[1].cost));
}

TEST(PlacementRace, ComparesAllWaysOnEveryScene) {
  RaceOptions options;
  options.scenes = 3;
  options.times = 1;
  options.limit_s = 20;
  int done = 0;
  const RaceFigures race = placement_race(20, options, [&] { ++done; });
  EXPECT_EQ(done, 3);
  EXPECT_EQ(race.starts, 10);
  ASSERT_EQ(race.ways.size(), 7u);
  EXPECT_EQ(race.ways[0].cost, (std::vector<double>{1, 1, 1}));
  EXPECT_EQ(race.ways[1].name, "two-phase");
  ASSERT_EQ(race.ways[1].cost.size(), 3u);
  for (const double cost : race.ways[1].cost) EXPECT_LT(cost, 1) << "first-fit knows no speeds";
  EXPECT_EQ(race.phase2_ms.size(), 3u);
  EXPECT_EQ(race.promised_ms.size(), 3u);
  options.pairs_most = 0;
  const RaceFigures without = placement_race(20, options);
  EXPECT_TRUE(without.ways[5].cost.empty());
  EXPECT_EQ(without.ways[5].notes,
            (std::map<std::string, int>{{"not tried: over 0,000 pairs", 3}}));
  EXPECT_EQ(without.ways[1].cost, race.ways[1].cost);
}

TEST(PlacementRace, StartsAsManyAsTheStudySays) {
  EXPECT_EQ(starts_on(4), 2);
  EXPECT_EQ(starts_on(10), 5);
  EXPECT_EQ(starts_on(100), 10);
  EXPECT_EQ(starts_on(1000), 50);
  EXPECT_EQ(starts_on(10'000), 500);
}

PlacementStudy sample_study() {
  PlacementStudy study;
  study.facts = {{"date", "2026-01-01"}, {"command", "`hsim study placement`"}};
  study.gaps.problems = 1000;
  study.gaps.methods = {{"two-phase", 961, 900, 5.68, 1.13, 374},
                        {"first places", 200, 100, 230, 1.5, 12}};
  RaceFigures race;
  race.nodes = 1000;
  race.starts = 50;
  race.ways = {{"first-fit", {1, 1}, {0.1, 0.1}, {0.2}, {}},
               {"two-phase", {0.5, 0.8}, {0, 0}, {4, 5}, {}},
               {"spread", {0.9, 0.7}, {0, 0}, {0.7}, {}},
               {"monolithic", {}, {}, {}, {{"skipped: glpsol is not installed", 2}}}};
  race.phase2_ms = {3.5, 4.5};
  race.promised_ms = {6};
  race.fresh_ms = {7};
  race.moved = {0.5};
  race.places = {32};
  study.races = {race};
  return study;
}

TEST(PlacementReport, SaysWhatWasFound) {
  const std::string page = placement_markdown(sample_study());
  EXPECT_THAT(page, HasSubstr("| date | 2026-01-01 |"));
  EXPECT_THAT(page, HasSubstr("modelled"));
  EXPECT_THAT(page, HasSubstr("simulated"));
  EXPECT_THAT(page, HasSubstr("| two-phase | 96.1 % | 90.0 % | 0.568 % | 113.0 % | 374 |"));
  EXPECT_THAT(page, HasSubstr("### 1,000 nodes, 50 starts"));
  EXPECT_THAT(page, HasSubstr("| two-phase | 0.6325 | 0.5000 | 0.8000 | 0.0000 | 4.50 | 4.99 |"));
  EXPECT_THAT(page, HasSubstr("skipped: glpsol is not installed (2)"));
  EXPECT_THAT(page, HasSubstr("| 1,000 | 50 | 4.00 | 4.49 | 6.00 | 6.00 | 7.00 | 32 | 50 % |"));
}

TEST(PlacementReport, ShowsLosses) {
  const std::string page = placement_markdown(sample_study());
  EXPECT_THAT(page, HasSubstr("- 1,000 nodes: spread is better on 1 of 2 scenes, by 14.29 % at"));
  EXPECT_THAT(page, Not(HasSubstr("first-fit is better")));
  PlacementStudy study = sample_study();
  study.races[0].ways[1].cost = {0.5, 1.1};
  EXPECT_THAT(placement_markdown(study), HasSubstr("first-fit is better on 1 of 2 scenes"));
  study.races[0].ways[1].cost = {0.5, 0.5};
  EXPECT_THAT(placement_markdown(study), HasSubstr("better\n\nNone.\n"));
}

TEST(PlacementReport, BarsAreMetOrMissed) {
  PlacementStudy study = sample_study();
  const auto met = [&] {
    std::vector<bool> out;
    for (const PlacementBar& bar : placement_bars(study)) out.push_back(bar.met);
    return out;
  };
  EXPECT_EQ(met(), (std::vector<bool>{true, true, true}));
  EXPECT_THAT(placement_markdown(study), Not(HasSubstr("missed")));
  study.gaps.methods[0].near = 949;
  EXPECT_EQ(met(), (std::vector<bool>{false, true, true}));
  study.races[0].phase2_ms = {6, 5};
  EXPECT_EQ(met(), (std::vector<bool>{false, false, true}));
  study.races[0].ways[1].cost = {0.5, 1.1};
  EXPECT_EQ(met(), (std::vector<bool>{false, false, false}));
  EXPECT_THAT(placement_markdown(study), HasSubstr("| 94.9 % of 1,000 | **missed** |"));
  study.gaps.methods[0].near = 950;
  EXPECT_EQ(met(), (std::vector<bool>{true, false, false}));
}

TEST(PlacementReport, SmallProblemsAlone) {
  PlacementStudy study = sample_study();
  study.races.clear();
  EXPECT_THAT(placement_markdown(study), Not(HasSubstr("## Scenes")));
  EXPECT_EQ(placement_bars(study).size(), 1u);
}

}  // namespace
}  // namespace hyades
