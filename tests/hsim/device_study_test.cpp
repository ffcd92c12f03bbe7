// Jobs on unlike devices: files, arithmetic in virtual time, and who gets which device.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "cli/failure.hpp"
#include "core/prng.hpp"
#include "hsim/device_choice.hpp"
#include "hsim/device_fluid.hpp"
#include "hsim/device_lp.hpp"
#include "hsim/device_places.hpp"
#include "hsim/device_report.hpp"

namespace hyades {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// "wide" gains ten times from the fast device, "mild" twice, "flat" nothing; "big" does not fit on
// the slow one.
constexpr const char* kTable = R"table({
  "fast": {
    "('wide (batch size 1)', 1)": {"null": 10.0, "('flat', 1)": [6.0, 1.0]},
    "('wide (batch size 1)', 2)": {"null": 16.0},
    "('wide (batch size 1)', 4)": {"null": 32.0},
    "('flat', 1)": {"null": 2.0, "('flat', 1)": [0.8, 0.8], "('wide (batch size 1)', 1)": [1.0, 6.0],
                    "('big', 1)": [0.0, 0.0]},
    "('mild', 1)": {"null": 4.0},
    "('big', 1)": {"null": 1.0}
  },
  "slow": {
    "('wide (batch size 1)', 1)": {"null": 1.0},
    "('wide (batch size 1)', 2)": {"null": 2.0},
    "('wide (batch size 1)', 4)": {"null": 4.0},
    "('flat', 1)": {"null": 2.0},
    "('mild', 1)": {"null": 2.0},
    "('big', 1)": {"null": 0.0}
  },
  "fast_unconsolidated": {"('wide (batch size 1)', 4)": {"null": 20.0}},
  "slow_unconsolidated": {"('wide (batch size 1)', 4)": {"null": 2.0}}
})table";

const char* const kWide = "wide (batch size 1)";

ThroughputTable table() { return {"t.json", kTable}; }

DeviceFleet fleet(const std::string& text, int per_node = 1) {
  return parse_fleet(text, per_node, table());
}

DeviceJob job(const std::string& type, double steps, double arrival_s = 0, int workers = 1) {
  return {{type, workers}, steps, static_cast<WallMs>(1000 * arrival_s)};
}

DeviceTrace trace(std::vector<DeviceJob> jobs) {
  const std::size_t count = jobs.size();
  return {"made up", std::move(jobs), 0, count};
}

std::string failure_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "nothing was wrong";
}

DeviceOutcome outcome(const DeviceTrace& jobs, const DeviceFleet& on, DeviceRule rule,
                      QueueOrder order = QueueOrder::Fcfs) {
  return replay_devices(jobs, on, table(), {order, rule, 1, {}});
}

// "slow 0-10": where and when, in seconds.
std::vector<std::string> words(const DeviceOutcome& outcome) {
  std::vector<std::string> out;
  for (const DeviceRun& run : outcome.runs) {
    out.push_back(run.device + " " + std::to_string(run.start_ms / 1000) + "-" +
                  std::to_string(run.end_ms / 1000));
  }
  return out;
}

TEST(ThroughputTableTest, SaysHowFastWorkIs) {
  const ThroughputTable its = table();
  EXPECT_THAT(its.devices(), ElementsAre("fast", "slow"));
  EXPECT_EQ(its.rate("fast", {kWide, 1}), 10);
  EXPECT_EQ(its.rate("fast", {kWide, 4}, true), 20);
  EXPECT_EQ(its.rate("slow", {"big", 1}), 0);
  EXPECT_EQ(its.rate("slow", {kWide, 3}), 0);
  EXPECT_TRUE(its.knows({"big", 1}));
  EXPECT_FALSE(its.knows({"big", 2}));
}

TEST(ThroughputTableTest, ClassesHaveNamesThatAConfigurationMayHave) {
  EXPECT_EQ(class_name_of({kWide, 4}), "wide_batch_size_1_x4");
  for (const DeviceWork& work : table().works()) {
    EXPECT_EQ(check_class_name(class_name_of(work)), "") << text_of(work);
  }
}

// 6/10 + 1/2 gains; twice 0.8/2 loses; the third does not fit. Each is counted once.
TEST(ThroughputTableTest, PairsOnOneDeviceAreFacts) {
  const CoLocationFacts facts = co_location_facts(table());
  EXPECT_EQ(facts.pairs, 2U);
  EXPECT_EQ(facts.misfits, 0U);  // "big" with "flat": its partner's own entry counts
  EXPECT_DOUBLE_EQ(facts.median, (1.1 + 0.8) / 2);
  EXPECT_DOUBLE_EQ(facts.losing_share, 0.5);
  EXPECT_EQ(co_location_facts(table(), "slow").pairs, 0U);
}

TEST(ThroughputTableTest, SaysWhatIsWrong) {
  const auto wrong = [](const std::string& text) {
    return failure_of([&] { ThroughputTable("t.json", text); });
  };
  EXPECT_THAT(wrong("{"), HasSubstr("t.json: no JSON"));
  EXPECT_THAT(wrong("[]"), HasSubstr("no object of devices"));
  const auto wrong_entry = [&](const std::string& key, const std::string& value) {
    return wrong("{\"v\": {\"" + key + "\": " + value + "}}");
  };
  EXPECT_THAT(wrong_entry("x", "{}"), HasSubstr("t.json: \"v\", \"x\" does not read"));
  EXPECT_THAT(wrong_entry("('x', 0)", "{}"), HasSubstr("\"('x', 0)\" does not read"));
  EXPECT_THAT(wrong_entry("('x', 1)", "{}"), HasSubstr("has no \"null\""));
  EXPECT_THAT(wrong_entry("('x', 1)", "{\"null\": -1}"), HasSubstr("has -1 for steps"));
  EXPECT_THAT(failure_of([] { read_throughput_table("/no/such.json"); }),
              HasSubstr("/no/such.json: cannot be read"));
}

TEST(DeviceTraceTest, ReadsBothKindsOfLines) {
  const DeviceTrace its = parse_device_trace("t.trace",
                                             "flat\tcmd\tdir\t-n\t0\t50\t1\t1\t-1.0\t7\n"
                                             "nobody knows\tcmd\t-n\t1\t9\t0.0\t1\n"
                                             "wide (batch size 1)\tcmd\t-n\t1\t95\t2.5\t4\n"
                                             "big\tcmd\t-n\t1\t1\t1.0\t1\n",
                                             table(), 2);
  ASSERT_EQ(its.jobs.size(), 2U);
  EXPECT_EQ(its.in_file, 4U);
  EXPECT_EQ(its.unmeasured, 1U);
  EXPECT_EQ(its.jobs[0].work, (DeviceWork{kWide, 4}));  // by arrival
  EXPECT_EQ(its.jobs[0].steps, 95);
  EXPECT_EQ(its.jobs[0].arrival_ms, 2500);
  EXPECT_EQ(its.jobs[1].work, (DeviceWork{"flat", 1}));
  EXPECT_EQ(its.jobs[1].arrival_ms, 7000);
}

TEST(DeviceTraceTest, SaysWhatIsWrong) {
  const auto wrong = [](const std::string& text) {
    return failure_of([&] { parse_device_trace("t.trace", text, table(), 9); });
  };
  EXPECT_THAT(wrong("flat\tcmd\t-n\t1\t9\t0\t1\nflat\n"), HasSubstr("t.trace: line 2 has 1 col"));
  EXPECT_THAT(wrong("flat\tc\t-n\t1\tmany\t0\t1\n"), HasSubstr("line 1 has \"many\" for steps"));
  EXPECT_THAT(wrong("flat\tc\t-n\t1\t9\t-4\t1\n"), HasSubstr("\"-4\" for arrival"));
  EXPECT_THAT(wrong("flat\tc\t-n\t1\t9\t0\t1.5\n"), HasSubstr("part of a device"));
  EXPECT_THAT(wrong("other\tc\t-n\t1\t9\t0\t1\n"), HasSubstr("none of its 1 jobs"));
}

TEST(DeviceFleetTest, SaysWhatIsWrong) {
  const auto wrong = [](const std::string& text) { return failure_of([&] { fleet(text); }); };
  EXPECT_THAT(wrong("h100:4"), HasSubstr("no device \"h100\", only fast, slow"));
  EXPECT_THAT(wrong("fast"), HasSubstr("fast:12"));
  EXPECT_THAT(wrong("fast:0"), HasSubstr("fast:12"));
  EXPECT_THAT(wrong("fast:1+fast:2"), HasSubstr("fast is there twice"));
}

TEST(DeviceFleetTest, KindsTakeTurns) {
  const auto kinds = [](const DeviceFleet& its, NodeOrder order) {
    std::string text;
    for (const FleetPart& server : servers_of(its, order)) {
      text += server.device.substr(0, 1) + std::to_string(server.count);
    }
    return text;
  };
  EXPECT_EQ(kinds(fleet("fast:2+slow:4", 1), NodeOrder::Mixed), "s1f1s1s1f1s1");
  EXPECT_EQ(kinds(fleet("fast:5+slow:2", 2), NodeOrder::AsNamed), "f2f2f1s2");
}

// A fast and a slow device, and jobs of 10 and 30 s (100 and 300 s on the slow one), and 5 s.
TEST(DeviceReplayTest, JobsTakeTheirStepsByTheThroughput) {
  const DeviceTrace jobs = trace({job(kWide, 100), job(kWide, 300), job("flat", 10, 20)});
  const DeviceOutcome found = outcome(jobs, fleet("fast:1+slow:1"), DeviceRule::FirstFit);
  EXPECT_THAT(words(found), ElementsAre("fast 0-10", "slow 0-300", "fast 20-25"));
  const DeviceMetrics metrics = measure(jobs, found);
  EXPECT_DOUBLE_EQ(metrics.completion_h * 3600, (10 + 300 + 5) / 3.0);
  EXPECT_DOUBLE_EQ(metrics.makespan_h * 3600, 300);
  EXPECT_NEAR(metrics.device_hours * 3600, 315, 1e-6);
  EXPECT_NEAR(found.device_hours.at("slow") * 3600, 300, 1e-6);
  EXPECT_DOUBLE_EQ(metrics.choice_share, 1 / 3.0);  // the first alone found both free
}

// "mild" comes first, and loses five seconds on the slow device; "wide" would lose ninety.
TEST(DeviceReplayTest, PhaseTwoPrefersTheRightDevice) {
  const DeviceTrace jobs = trace({job("mild", 20), job(kWide, 100)});
  const DeviceFleet two = fleet("fast:1+slow:1");
  EXPECT_THAT(words(outcome(jobs, two, DeviceRule::FirstFit)),
              ElementsAre("fast 0-5", "slow 0-100"));
  for (const DeviceRule rule : {DeviceRule::PhaseTwo, DeviceRule::Matching}) {
    EXPECT_THAT(words(outcome(jobs, two, rule)), ElementsAre("slow 0-10", "fast 0-10"))
        << name_of(rule);
  }
}

// Alone, "wide" has the fast device whatever comes later; names decide for the blind.
TEST(DeviceReplayTest, FastestFirstLooksAtOneJobAtATime) {
  const DeviceTrace jobs = trace({job(kWide, 10), job(kWide, 300)});
  const DeviceFleet two = fleet("slow:1+fast:1");
  EXPECT_THAT(words(outcome(jobs, two, DeviceRule::FastestFirst)),
              ElementsAre("fast 0-1", "slow 0-300"));
  EXPECT_THAT(words(outcome(jobs, two, DeviceRule::AsNamed)),
              ElementsAre("slow 0-10", "fast 0-30"));
  EXPECT_THAT(words(outcome(jobs, two, DeviceRule::Matching)),
              ElementsAre("slow 0-10", "fast 0-30"));
}

// Ten seconds on the fast device are worth a wait of ten: on the slow one it takes 100.
TEST(DeviceReplayTest, PatientJobsWaitForTheRightDevice) {
  const DeviceTrace jobs = trace({job(kWide, 100), job(kWide, 100)});
  const DeviceFleet two = fleet("fast:1+slow:1");
  EXPECT_THAT(words(outcome(jobs, two, DeviceRule::PhaseTwo)),
              ElementsAre("fast 0-10", "slow 0-100"));
  for (const DeviceRule rule : {DeviceRule::EarliestEnd, DeviceRule::PricedChoice}) {
    EXPECT_THAT(words(outcome(jobs, two, rule)), ElementsAre("fast 0-10", "fast 10-20"))
        << name_of(rule);
  }
}

// All four end first, at 20 s, with "mild" on the slow device and "wide" on the fast one; of the
// prices one can say that "mild" would pay more there, and "wide" less.
TEST(KindChoiceTest, JobsLeaveDevicesToThoseThatGainMore) {
  const DeviceFleet two = fleet("fast:1+slow:1");
  const std::vector<DeviceJob> jobs = {job("mild", 20), job("mild", 20), job(kWide, 100),
                                       job(kWide, 100)};
  KindQueue queue{{}, {0, 0}};
  for (const DeviceJob& each : jobs) queue.waiting.push_back(&each);
  const std::vector<double> prices = prices_for(queue, two, table());
  EXPECT_GE(prices[0], 2 * prices[1]);
  EXPECT_LE(prices[0], 10 * prices[1]);
  const std::vector<char> fast = {1, 0}, slow = {0, 1}, any = {1, 1};
  const std::vector<double> between = {3, 1};
  EXPECT_THAT(by_price(queue, between, two, table()), ElementsAre(slow, slow, fast, fast));
  // On the fast device, "mild" would take 5 s, behind nobody who runs; on the slow one, 10.
  EXPECT_THAT(by_price_or_patience(queue, between, two, table()),
              ElementsAre(any, any, fast, fast));
  EXPECT_THAT(by_earliest_end(queue, two, table()), ElementsAre(fast, fast, fast, fast));
  queue.waiting.insert(queue.waiting.begin(), queue.waiting.front());
  // Behind two others on the fast device, the third "mild" would end at 15 s there.
  EXPECT_THAT(by_earliest_end(queue, two, table()), ElementsAre(fast, fast, slow, fast, fast));
  EXPECT_THAT(by_price_or_patience(queue, {1, 1}, two, table()),
              ElementsAre(fast, fast, any, fast, fast));
}

TEST(DeviceReplayTest, WorkStaysOffDevicesThatItDoesNotFitOn) {
  const DeviceTrace jobs = trace({job("big", 10), job("big", 10)});
  const DeviceFleet three = fleet("fast:1+slow:2");
  for (const DeviceRule rule : {DeviceRule::FirstFit, DeviceRule::Random, DeviceRule::PhaseTwo,
                                DeviceRule::EarliestEnd, DeviceRule::PricedChoice}) {
    EXPECT_THAT(words(outcome(jobs, three, rule)), ElementsAre("fast 0-10", "fast 10-20"))
        << name_of(rule);
  }
}

// Four on two servers of two: slower together, and as slow as the slowest of them.
TEST(DeviceReplayTest, LargeJobsSpreadOverServers) {
  const DeviceTrace one = trace({job(kWide, 100, 0, 4)});
  EXPECT_THAT(words(outcome(one, fleet("fast:4", 2), DeviceRule::FirstFit)),
              ElementsAre("fast 0-5"));
  EXPECT_THAT(words(outcome(one, fleet("fast:2+slow:2", 2), DeviceRule::FirstFit)),
              ElementsAre("slow 0-50"));
  std::size_t too_large = 0;
  const DeviceTrace some = trace({job(kWide, 100, 0, 4), job("flat", 2)});
  EXPECT_EQ(held_by(fleet("fast:2", 2), table(), some, too_large).jobs.size(), 1U);
  EXPECT_EQ(too_large, 1U);
}

DeviceTrace random_trace(std::uint64_t seed) {
  Prng prng(seed);
  std::vector<DeviceJob> jobs;
  double at_s = 0;
  for (int i = 0; i < 60; ++i) {
    at_s += static_cast<double>(prng.below(20));
    const std::string type = prng.chance(500) ? kWide : prng.chance(700) ? "flat" : "big";
    const int workers = type == kWide ? 1 << prng.below(3) : 1;
    jobs.push_back(job(type, static_cast<double>(prng.skewed(1, 500)), at_s, workers));
  }
  return trace(std::move(jobs));
}

constexpr DeviceRule kAllRules[] = {DeviceRule::FirstFit,    DeviceRule::AsNamed,
                                    DeviceRule::Random,      DeviceRule::FastestFirst,
                                    DeviceRule::Matching,    DeviceRule::PhaseTwo,
                                    DeviceRule::Patient,     DeviceRule::PricedMatching,
                                    DeviceRule::EarliestEnd, DeviceRule::PricedChoice};

// At each event, what is free and what running jobs hold is all that there is; runs by the
// outcome never hold more either; and the same comes out again.
TEST(DeviceReplayTest, NoDeviceIsGivenTwice) {
  const DeviceFleet mixed = fleet("fast:5+slow:8", 2);
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const DeviceTrace jobs = random_trace(seed);
    for (const DeviceRule rule : kAllRules) {
      for (const QueueOrder order : {QueueOrder::Fcfs, QueueOrder::Saf}) {
        std::map<WallMs, int> taken;
        const auto look = [&](const Cluster& cluster, WallMs now_ms) {
          taken[now_ms] = 0;
          for (const Node& node : cluster.nodes()) {
            const int free = node.free_devices.front().ids.size();
            ASSERT_GE(free, 0);
            ASSERT_LE(free, node.inventory.cores);
            ASSERT_EQ(free, node.free_cores.size());
            taken[now_ms] += node.inventory.cores - free;
          }
        };
        const DeviceOutcome found = replay_devices(jobs, mixed, table(), {order, rule, seed, look});
        for (const auto& [at_ms, devices] : taken) {
          int held = 0;
          for (std::size_t i = 0; i < jobs.jobs.size(); ++i) {
            const DeviceRun& run = found.runs[i];
            ASSERT_GE(run.start_ms, jobs.jobs[i].arrival_ms);
            if (run.start_ms <= at_ms && at_ms < run.end_ms) held += jobs.jobs[i].work.workers;
          }
          ASSERT_EQ(held, devices) << name_of(rule) << " at " << at_ms;
          ASSERT_LE(held, 13);
        }
        const DeviceOutcome again = replay_devices(jobs, mixed, table(), {order, rule, seed, {}});
        ASSERT_EQ(words(found), words(again)) << name_of(rule);
      }
    }
  }
}

TEST(LeastAssignment, IsTheLeast) {
  EXPECT_THAT(least_assignment({{4, 1, 3}, {2, 0, 5}, {3, 2, 2}}), ElementsAre(1, 0, 2));
  EXPECT_THAT(least_assignment({{1, 2, 9}, {1, 9, 9}}), ElementsAre(1, 0));
  EXPECT_TRUE(least_assignment({}).empty());
}

TEST(LeastAssignment, IsNoWorseThanAnyOther) {
  Prng prng(7);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<std::vector<double>> costs(4, std::vector<double>(5));
    for (auto& row : costs) {
      for (double& cost : row) cost = static_cast<double>(prng.below(20));
    }
    const auto sum = [&](const std::vector<std::size_t>& columns) {
      double all = 0;
      for (std::size_t i = 0; i < costs.size(); ++i) all += costs[i][columns[i]];
      return all;
    };
    double least = 1e9;
    std::vector<std::size_t> columns = {0, 1, 2, 3, 4};
    do {
      least = std::min(least, sum(columns));
    } while (std::next_permutation(columns.begin(), columns.end()));
    ASSERT_EQ(sum(least_assignment(costs)), least);
  }
}

// 3x + 5y at x <= 4, 2y <= 12, 3x + 2y <= 18: the textbook's 36 at (2, 6).
TEST(LinearProgramTest, FindsTheOptimumAndItsPrices) {
  const LinearOptimum found = maximise({{3, 5}, {{1, 0}, {0, 2}, {3, 2}}, {4, 12, 18}});
  ASSERT_TRUE(found.bounded);
  EXPECT_NEAR(found.value, 36, 1e-9);
  EXPECT_NEAR(found.x[0], 2, 1e-9);
  EXPECT_NEAR(found.x[1], 6, 1e-9);
  EXPECT_NEAR(found.prices[0], 0, 1e-9);
  EXPECT_NEAR(found.prices[1], 1.5, 1e-9);
  EXPECT_NEAR(found.prices[2], 1, 1e-9);
  EXPECT_FALSE(maximise({{1, 0}, {{0, 1}}, {1}}).bounded);
}

// One job of each on one device of each: "flat" leaves the fast one to "wide". One more fast
// device would be worth nothing, the two jobs being at their best. With two of each, the next
// fast device would take a "wide" from 0.1 to 1, but its slow one then goes to the second
// "flat": 1.
TEST(SharesTest, TheDeviceGoesToWhomItIsWorthMost) {
  const ShareProblem one{{1, 1}, {{1, 1, {10, 1}}, {1, 1, {2, 2}}}};
  const Shares shares = most_throughput(one);
  EXPECT_NEAR(shares.of[0][0], 1, 1e-9);
  EXPECT_NEAR(shares.of[1][1], 1, 1e-9);
  EXPECT_NEAR(shares.speed(one, 0), 10, 1e-9);
  const ShareProblem two{{1, 1}, {{2, 1, {10, 1}}, {2, 1, {2, 2}}}};
  EXPECT_NEAR(most_throughput(two).prices[0], 1, 1e-9);
  EXPECT_NEAR(most_throughput(two).prices[1], 1, 1e-9);
}

// Two alike share a fast and a slow device: 5.5 of 11 each.
TEST(SharesTest, FairSharesAreEqualForEquals) {
  const ShareProblem problem{{1, 1}, {{2, 1, {10, 1}}}};
  EXPECT_NEAR(max_min_fair(problem).speed(problem, 0), 5.5, 1e-6);
}

// The first has the fast device to itself until the second comes at 5 s, half done. They share
// for 100/11 s: 5.5 steps a second each, and the first is done; the second has 50 left, of 5 s.
TEST(FluidReplayTest, SharesChangeWithEachArrivalAndEnd) {
  const DeviceTrace jobs = trace({job(kWide, 100), job(kWide, 100, 5)});
  const DeviceOutcome found =
      replay_shares(jobs, fleet("fast:1+slow:1"), table(), SharePolicy::MaxMinFair);
  EXPECT_NEAR(static_cast<double>(found.runs[0].end_ms), 5000 + 50 / 5.5 * 1000, 2);
  EXPECT_NEAR(static_cast<double>(found.runs[1].end_ms), 5000 + 50 / 5.5 * 1000 + 5000, 2);
}

TEST(DeviceReportTest, ShowsLossesPlainly) {
  DeviceStudy study;
  study.traces = {trace({job("mild", 20), job(kWide, 100)})};
  study.fleets = {fleet("fast:1+slow:1")};
  study.orders = {QueueOrder::Fcfs};
  std::size_t said = 0;
  std::vector<DeviceRow> rows =
      study_devices(study, table(), [&](std::size_t done, std::size_t all) {
        ++said;
        EXPECT_LE(done, all);
      });
  EXPECT_EQ(said, rows.size());
  ASSERT_EQ(rows.size(), std::size(kAllRules) + 3);
  EXPECT_EQ(rows.front().rule, "first fit");
  const std::string page = device_markdown({{"date", "2001-02-03"}}, study, table(), rows);
  EXPECT_THAT(page, HasSubstr("# Unlike devices (simulated)"));
  EXPECT_THAT(page, HasSubstr("| date | 2001-02-03 |"));
  EXPECT_THAT(page,
              HasSubstr("| fcfs, phase 2 alone | 0.190 | 1 / 0 | 0.19 |"));  // 10 s beside 52.5
  for (DeviceRow& row : rows) {
    if (row.rule == "phase 2 alone") row.metrics.completion_h *= 10.5;
  }
  EXPECT_THAT(device_markdown({}, study, table(), rows),
              HasSubstr("| fcfs, phase 2 alone | 2.000 | 0 / 1 | **2.00** |"));
}

// The files of Gavel are no part of the repository; where they lie beside it, they are read.
TEST(DeviceStudyTest, ReadsGavelsFiles) {
  const std::string gavel = HYADES_GAVEL;
  if (!std::filesystem::exists(gavel + "/simulation_throughputs.json")) {
    GTEST_SKIP() << "no table and traces of Gavel in " << gavel;
  }
  const ThroughputTable its = read_throughput_table(gavel + "/simulation_throughputs.json");
  EXPECT_THAT(its.devices(), ElementsAre("k80", "p100", "v100"));
  for (const DeviceWork& work : its.works()) EXPECT_EQ(check_class_name(class_name_of(work)), "");
  for (const char* const name : {"minimize_makespan", "msr_seed0_e13805"}) {
    const DeviceTrace read = read_device_trace(gavel + "/" + name + ".trace", its, 50);
    EXPECT_EQ(read.jobs.size(), 50U);
    const DeviceFleet small = parse_fleet("v100:8+p100:8+k80:8", 4, its);
    std::size_t too_large = 0;
    const DeviceTrace jobs = held_by(small, its, read, too_large);
    const DeviceOutcome found =
        replay_devices(jobs, small, its, {QueueOrder::Fcfs, DeviceRule::PhaseTwo, 1, {}});
    EXPECT_GT(measure(jobs, found).device_hours, 0);
  }
}

}  // namespace
}  // namespace hyades
