// Random kill -9 of everything that Hyades consists of, under load.
//
// HYADES_CHAOS_SEED repeats a run, HYADES_CHAOS_KILLS sets the number of kills.
#include <gtest/gtest.h>

#include "chaos_run.hpp"
#include "nemesis.hpp"

namespace hyades::test {
namespace {

constexpr int kKills = 50;
constexpr int kEachPair = 3;

TEST(Kills, NoPromiseIsBroken) {
  const unsigned seed = choose_seed();
  const int kills = number_from_environment("HYADES_CHAOS_KILLS", kKills);
  ChaosRun run({.nodes = 4, .cores = 4}, seed);
  run.must_begin();
  if (HasFatalFailure()) return;
  Nemesis nemesis(run.cluster(), run.load(), seed);
  // Few kills are for trying things out: they cannot hit every pair often enough.
  EXPECT_TRUE(nemesis.run(kills, kills < kKills ? 0 : kEachPair))
      << nemesis.failure() << run.cluster().log();
  std::printf("%d kills; what was in progress when each process was killed:\n%s", nemesis.kills(),
              nemesis.table().c_str());
  run.must_end_well(nemesis.deaths());
}

}  // namespace
}  // namespace hyades::test
