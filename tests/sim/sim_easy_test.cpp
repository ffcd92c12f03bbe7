// On a cluster on which nothing fails and only resources decide, a job that was promised a start
// (the reservation of EASY) starts by then, whatever is backfilled around it.
#include <gtest/gtest.h>

#include <map>

#include "core/test_hooks.hpp"
#include "sim/simulation.hpp"

namespace hyades {
namespace {

// Clocks of nodes differ by up to 3 s, and a start takes a moment.
constexpr WallMs slack_ms = 15'000;

// The first promise each job got, held against its start.
class Promises {
 public:
  void look(const Controller& controller) {
    for (const auto& [id, job] : controller.jobs().all()) {
      const WallMs promised_ms = controller.expected_start_ms(id);
      if (promised_ms != 0) promised_ms_.try_emplace(id, promised_ms);
      const auto found = promised_ms_.find(id);
      if (found == promised_ms_.end() || !job.placed() || !started_.insert(id).second) continue;
      ++kept_;
      if (job.assigned_ms > found->second + slack_ms) {
        late_ += " job " + std::to_string(id) + " by " +
                 std::to_string((job.assigned_ms - found->second) / 1000) + " s";
      }
    }
  }

  int started() const { return kept_; }
  const std::string& late() const { return late_; }

 private:
  std::map<JobId, WallMs> promised_ms_;
  std::set<JobId> started_;
  int kept_ = 0;
  std::string late_;
};

Promises run_calm(std::uint64_t seed, std::uint64_t* backfilled = nullptr) {
  Prng random(seed);
  const SimOptions options = SimOptions::calm(random);
  Simulation simulation(random.next(), options);
  Promises promises;
  simulation.watch([&](const Controller& controller) { promises.look(controller); });
  simulation.run();
  if (backfilled) *backfilled += simulation.marks().hits(Mark::backfilled);
  return promises;
}

TEST(SimEasy, NobodyStartsLaterThanPromised) {
  int started = 0;
  std::uint64_t backfilled = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const Promises promises = run_calm(seed, &backfilled);
    EXPECT_EQ(promises.late(), "") << "seed " << seed;
    started += promises.started();
  }
  EXPECT_GT(started, 300) << "the load is too light to test anything";
  EXPECT_GT(backfilled, 300u);
}

TEST(SimEasy, TheCheckNoticesAPolicyThatIgnoresReservations) {
  active_defect = "ignore_reservation";
  bool noticed = false;
  for (std::uint64_t seed = 1; seed <= 60 && !noticed; ++seed) {
    noticed = !run_calm(seed).late().empty();
  }
  active_defect.clear();
  EXPECT_TRUE(noticed);
}

}  // namespace
}  // namespace hyades
