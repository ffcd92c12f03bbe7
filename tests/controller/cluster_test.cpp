// The ledger adds up, and place() chooses as its contract says.
#include "core/cluster.hpp"

#include <gtest/gtest.h>

#include "test_cluster.hpp"

namespace hyades {
namespace {

Inventory with(int cores, MiB memory_mib, int gpus = 0) {
  Inventory inventory;
  inventory.cores = cores;
  inventory.memory_mib = memory_mib;
  if (gpus > 0) inventory.devices = {{"gpu", gpus}};
  return inventory;
}

// n1, n2, ... with these cores, all answering.
Cluster cluster_of(std::vector<int> cores, MiB memory_mib = 1000, int gpus = 0) {
  Cluster cluster;
  for (const int count : cores) {
    const std::string name = "n" + std::to_string(cluster.nodes().size() + 1);
    cluster.define(name, with(count, memory_mib, gpus));
    cluster.find(name)->responding = true;
  }
  return cluster;
}

Plan place_now(const Cluster& cluster, const JobSpec& spec) {
  return place(spec, cluster.nodes(), cluster.free(), std::vector<char>(cluster.nodes().size(), 1));
}

// Takes it; "" when it does not fit, else the nodes with their cores.
std::string put(Cluster& cluster, const JobSpec& spec) {
  const Plan plan = place_now(cluster, spec);
  if (plan.empty()) return "";
  EXPECT_TRUE(cluster.fits(spec, plan));
  const Placement placement = cluster.choose(spec, plan);
  cluster.take(placement);
  std::string text;
  for (const NodeShare& share : placement.shares) {
    text += (text.empty() ? "" : " ") + share.node + ":" + share.cores.to_string();
  }
  return text;
}

// Two memory domains of four cores with two GPUs each; the devices are numbered across.
Cluster cluster_with_domains() {
  Inventory inventory = with(8, 1000, 4);
  const auto ids = [](const char* text) {
    IdSet set;
    IdSet::parse(text, set);
    return set;
  };
  inventory.domains = {{ids("0-3"), {{"gpu", ids("0,2")}}}, {ids("4-7"), {{"gpu", ids("1,3")}}}};
  Cluster cluster;
  cluster.define("n1", inventory);
  cluster.find("n1")->responding = true;
  return cluster;
}

// ---- the ledger --------------------------------------------------------------------------------

TEST(Cluster, GivesTheLowestCoresAndTakesThemBack) {
  Cluster cluster = cluster_of({8});
  EXPECT_EQ(put(cluster, a_job().cores(2)), "n1:0-1");
  EXPECT_EQ(put(cluster, a_job().cores(3)), "n1:2-4");
  Placement first{{NodeShare{.node = "n1", .tasks = 1, .cores = IdSet::first(2)}}};
  cluster.give_back(first);
  EXPECT_EQ(cluster.nodes()[0].free_cores.to_string(), "0-1,5-7");
  EXPECT_EQ(put(cluster, a_job().cores(4)), "n1:0-1,5-6");
  EXPECT_EQ(put(cluster, a_job().cores(2)), "");
}

TEST(Cluster, KeepsJobsWithinMemoryDomains) {
  Cluster cluster = cluster_with_domains();
  EXPECT_EQ(put(cluster, a_job().cores(1)), "n1:0");
  EXPECT_EQ(put(cluster, a_job().cores(4)), "n1:4-7");  // there is room for it in one
  EXPECT_EQ(put(cluster, a_job().cores(2)), "n1:1-2");
  EXPECT_EQ(put(cluster, a_job().cores(1)), "n1:3");
  Cluster again = cluster_with_domains();
  EXPECT_EQ(put(again, a_job().cores(3)), "n1:0-2");
  EXPECT_EQ(put(again, a_job().cores(1)), "n1:3");  // where it leaves the other whole
  Cluster wide = cluster_with_domains();
  EXPECT_EQ(put(wide, a_job().cores(2)), "n1:0-1");
  EXPECT_EQ(put(wide, a_job().cores(5)), "n1:2,4-7");  // the roomier one first
}

TEST(Cluster, GivesDevicesThatAreNearTheCores) {
  Cluster cluster = cluster_with_domains();
  const auto put_with_gpus = [&](int cores, int gpus) {
    const JobSpec spec = a_job().cores(cores).gpus(gpus);
    const Placement placement = cluster.choose(spec, place_now(cluster, spec));
    cluster.take(placement);
    const NodeShare& share = placement.shares.at(0);
    return share.cores.to_string() + " " + share.devices.at(0).ids.to_string();
  };
  EXPECT_EQ(put_with_gpus(1, 1), "0 0");
  EXPECT_EQ(put_with_gpus(2, 2), "4-5 1,3");  // not one near and one far
  EXPECT_EQ(put_with_gpus(1, 1), "1 2");
}

TEST(Cluster, DomainsMayLeaveOutWhatJobsHaveAndNameWhatTheyHaveNot) {
  Inventory inventory = with(6, 1000, 1);
  inventory.domains = {{IdSet::first(2), {}}, {{}, {{"gpu", IdSet::first(4)}}}};
  inventory.domains[1].cores.insert_range(4, 9);
  Cluster cluster;
  cluster.define("n1", inventory);
  cluster.find("n1")->responding = true;
  const JobSpec spec = a_job().cores(6).gpus(1);
  const Plan plan = place_now(cluster, spec);
  const Placement placement = cluster.choose(spec, plan);
  EXPECT_EQ(placement.shares.at(0).cores.to_string(), "0-5");
  EXPECT_EQ(placement.shares.at(0).devices.at(0).ids.to_string(), "0");
  cluster.take(placement);
}

TEST(Cluster, CountsMemoryAndDevices) {
  Cluster cluster = cluster_of({8}, 1000, 2);
  EXPECT_EQ(put(cluster, a_job().memory(600)), "n1:0");
  EXPECT_EQ(put(cluster, a_job().memory(600)), "");
  EXPECT_EQ(put(cluster, a_job().memory_per_cpu(200).cores(2)), "n1:1-2");
  EXPECT_EQ(put(cluster, a_job().memory_per_cpu(1)), "");
  EXPECT_EQ(put(cluster, a_job().gpus(2)), "n1:3");
  EXPECT_EQ(put(cluster, a_job().gpus(1)), "");
  EXPECT_EQ(cluster.nodes()[0].free_memory_mib, 0);
  EXPECT_TRUE(cluster.nodes()[0].free_devices[0].ids.empty());
}

TEST(Cluster, AnExclusiveJobHoldsTheWholeNodeAndNeedsItEmpty) {
  Cluster cluster = cluster_of({4, 4}, 1000, 2);
  EXPECT_EQ(put(cluster, a_job()), "n1:0");
  EXPECT_EQ(put(cluster, a_job().exclusive()), "n2:0-3");
  const Node& node = cluster.nodes()[1];
  EXPECT_TRUE(node.free_cores.empty());
  EXPECT_EQ(node.free_memory_mib, 0);
  EXPECT_TRUE(node.free_devices[0].ids.empty());
  EXPECT_EQ(put(cluster, a_job().exclusive()), "");
}

TEST(Cluster, SharesKnowTheirNodesByNumberButTheNameCounts) {
  Cluster cluster = cluster_of({4, 4});
  const JobSpec spec = a_job().tasks(6);
  Placement placement = cluster.choose(spec, place_now(cluster, spec));
  ASSERT_EQ(placement.shares.size(), 2U);
  NodeShare& second = placement.shares[1];
  EXPECT_EQ(second.node, "n2");
  EXPECT_EQ(second.at, 1);
  EXPECT_EQ(cluster.index(second), 1);
  cluster.take(placement);
  cluster.define("n0", with(4, 1000));  // comes first: the others have new numbers
  EXPECT_EQ(cluster.index(second), 2);
  cluster.check({&placement});
  cluster.number(placement);
  EXPECT_EQ(second.at, 2);
  second.at = 17;  // of a cluster that was larger
  EXPECT_EQ(cluster.index(second), 2);
  cluster.give_back(placement);
  cluster.check({});
  NodeShare unknown{.node = "n9", .at = 2};
  EXPECT_EQ(cluster.index(unknown), -1);
  EXPECT_EQ(unknown, (NodeShare{.node = "n9"}));
}

TEST(Cluster, NothingIsGivenOutOrTakenBackTwice) {
  testing::FLAGS_gtest_death_test_style = "fast";
  Cluster cluster = cluster_of({4});
  const Placement placement{
      {NodeShare{.node = "n1", .tasks = 1, .cores = IdSet::first(2), .memory_mib = 400}}};
  cluster.take(placement);
  EXPECT_DEATH(cluster.take(placement), "internal error");
  const Placement greedy{{NodeShare{.node = "n1", .tasks = 1, .memory_mib = 601}}};
  EXPECT_DEATH(cluster.take(greedy), "internal error");
  cluster.check({&placement});
  EXPECT_DEATH(cluster.check({}), "internal error");
  cluster.give_back(placement);
  EXPECT_DEATH(cluster.give_back(placement), "internal error");
}

TEST(Cluster, FitsRefusesWhatAPolicyMustNotPropose) {
  Cluster cluster = cluster_of({4, 4});
  EXPECT_TRUE(cluster.fits(a_job().tasks(6), {{0, 3}, {1, 3}}));
  EXPECT_FALSE(cluster.fits(a_job().tasks(6), {{0, 3}, {1, 2}}));   // too few tasks
  EXPECT_FALSE(cluster.fits(a_job().tasks(6), {{0, 3}, {0, 3}}));   // a node twice
  EXPECT_FALSE(cluster.fits(a_job().tasks(6), {{0, 5}, {1, 1}}));   // no room
  EXPECT_FALSE(cluster.fits(a_job().tasks(2).nodes(2), {{0, 2}}));  // too few nodes
  EXPECT_FALSE(cluster.fits(a_job(), {{2, 1}}));                    // no such node
  EXPECT_FALSE(cluster.fits(a_job(), {{0, 0}}));
  EXPECT_FALSE(cluster.fits(a_job().not_on("n1"), {{0, 1}}));
  cluster.drain("n1", "why", "who", 0);
  EXPECT_FALSE(cluster.fits(a_job(), {{0, 1}}));
  cluster.find("n2")->responding = false;
  EXPECT_FALSE(cluster.fits(a_job(), {{1, 1}}));
  cluster.resume("n1");
  EXPECT_TRUE(cluster.fits(a_job(), {{0, 1}}));
}

TEST(Cluster, ANodeMayChangeAsFarAsItsJobsAllow) {
  Cluster cluster = cluster_of({4}, 1000, 1);
  put(cluster, a_job().cores(2).memory(500));
  EXPECT_TRUE(cluster.define("n1", with(6, 2000, 1)));
  EXPECT_EQ(cluster.nodes()[0].free_cores.to_string(), "2-5");
  EXPECT_EQ(cluster.nodes()[0].free_memory_mib, 1500);
  EXPECT_TRUE(cluster.define("n1", with(2, 500, 1)));
  EXPECT_TRUE(cluster.nodes()[0].free_cores.empty());
  EXPECT_FALSE(cluster.define("n1", with(1, 500, 1)));  // a core in use
  EXPECT_FALSE(cluster.define("n1", with(2, 499, 1)));  // memory in use
  EXPECT_FALSE(cluster.define("n1", with(2, 500, 2)));  // devices stay while jobs run
  EXPECT_EQ(cluster.nodes()[0].inventory, with(2, 500, 1));
}

// ---- place() -----------------------------------------------------------------------------------

TEST(Place, TakesTheFirstSingleNodeThatHoldsAll) {
  const Cluster cluster = cluster_of({2, 8, 16});
  EXPECT_EQ(place_now(cluster, a_job().tasks(4)), (Plan{{1, 4}}));
  EXPECT_EQ(place_now(cluster, a_job().cores(16)), (Plan{{2, 1}}));
  EXPECT_EQ(place_now(cluster, a_job().nodes(1).tasks(9)), (Plan{{2, 9}}));
}

TEST(Place, ElseTheFewestNodesRoomiestFirst) {
  const Cluster cluster = cluster_of({4, 6, 4, 6});
  EXPECT_EQ(place_now(cluster, a_job().tasks(11)), (Plan{{1, 6}, {3, 5}}));
  EXPECT_EQ(place_now(cluster, a_job().tasks(14)), (Plan{{0, 2}, {1, 6}, {3, 6}}));
  EXPECT_EQ(place_now(cluster, a_job().tasks(21)), Plan{});
}

TEST(Place, AnExactNumberOfNodesIsExact) {
  const Cluster cluster = cluster_of({4, 6, 4});
  EXPECT_EQ(place_now(cluster, a_job().nodes(2).tasks(2)), (Plan{{0, 1}, {1, 1}}));
  EXPECT_EQ(place_now(cluster, a_job().nodes(3).tasks(14)), (Plan{{0, 4}, {1, 6}, {2, 4}}));
  EXPECT_EQ(place_now(cluster, a_job().nodes(2).tasks(11)), Plan{});
  EXPECT_EQ(place_now(cluster, a_job().nodes(1).tasks(7)), Plan{});
  EXPECT_EQ(place_now(cluster, a_job().nodes(4).tasks(4)), Plan{});
}

TEST(Place, RespectsTasksPerNodeFeaturesAndLists) {
  Cluster cluster = cluster_of({8, 8, 8});
  Inventory fast = with(8, 1000);
  fast.features = {"fast"};
  cluster.define("n3", fast);
  EXPECT_EQ(place_now(cluster, a_job().tasks(5).tasks_per_node(2)), (Plan{{0, 2}, {1, 2}, {2, 1}}));
  EXPECT_EQ(place_now(cluster, a_job().tasks(7).tasks_per_node(2)), Plan{});
  EXPECT_EQ(place_now(cluster, a_job().feature("fast")), (Plan{{2, 1}}));
  EXPECT_EQ(place_now(cluster, a_job().feature("slow")), Plan{});
  EXPECT_EQ(place_now(cluster, a_job().only_on("n2")), (Plan{{1, 1}}));
  EXPECT_EQ(place_now(cluster, a_job().not_on("n1").not_on("n2")), (Plan{{2, 1}}));
}

TEST(Place, EveryNodeOfAJobHasItsMemoryAndDevices) {
  Cluster cluster = cluster_of({4, 4, 4}, 1000, 1);
  EXPECT_EQ(put(cluster, a_job().gpus(1)), "n1:0");
  EXPECT_EQ(place_now(cluster, a_job().nodes(2).tasks(2).gpus(1)), (Plan{{1, 1}, {2, 1}}));
  EXPECT_EQ(place_now(cluster, a_job().nodes(3).tasks(3).gpus(1)), Plan{});
  EXPECT_EQ(place_now(cluster, a_job().tasks(12).memory_per_cpu(300)), Plan{});
  EXPECT_EQ(place_now(cluster, a_job().tasks(9).memory_per_cpu(300)),
            (Plan{{0, 3}, {1, 3}, {2, 3}}));
}

// ---- sets of ids -------------------------------------------------------------------------------

TEST(IdSet, IsReadAndWrittenAsRanges) {
  IdSet ids;
  ASSERT_TRUE(IdSet::parse("0-3,8,10-11", ids));
  EXPECT_EQ(ids.to_string(), "0-3,8,10-11");
  EXPECT_EQ(ids.size(), 7);
  EXPECT_TRUE(ids.contains(8));
  EXPECT_FALSE(ids.contains(9));
  ids.insert(9);
  EXPECT_EQ(ids.to_string(), "0-3,8-11");
  for (const char* bad : {"3-0", "1,1", "2,1", "0-3,3", "a", "1-", "-1", "1,,2", "99999999999"}) {
    EXPECT_FALSE(IdSet::parse(bad, ids)) << bad;
  }
}

TEST(IdSet, GivesAndTakesAndNoticesWhatCannotBe) {
  testing::FLAGS_gtest_death_test_style = "fast";
  IdSet ids = IdSet::first(8);
  const IdSet taken = ids.lowest(3);
  ids.erase_all(taken);
  EXPECT_EQ(taken.to_string(), "0-2");
  EXPECT_EQ(ids.to_string(), "3-7");
  EXPECT_DEATH(ids.insert(5), "internal error");
  EXPECT_DEATH(ids.erase_all(taken), "internal error");
  EXPECT_DEATH(ids.lowest(6), "internal error");
  ids.insert_all(taken);
  EXPECT_EQ(ids, IdSet::first(8));
}

TEST(IdSet, CutsAndKeeps) {
  const auto set = [](const char* text) {
    IdSet ids;
    EXPECT_TRUE(IdSet::parse(text, ids));
    return ids;
  };
  EXPECT_EQ(set("0-7,10,12-15").common(set("3-10,13")).to_string(), "3-7,10,13");
  EXPECT_EQ(set("0-7,10,12-15").without(set("3-10,13")).to_string(), "0-2,12,14-15");
  EXPECT_EQ(set("0-3").common(set("4-7")).to_string(), "");
  EXPECT_EQ(set("0-3").without(set("0-9")).to_string(), "");
  EXPECT_EQ(set("").common(set("1")).to_string(), "");
  EXPECT_EQ(set("0-3,8-9").highest(3).to_string(), "3,8-9");
  EXPECT_EQ(set("0-3").highest(0).to_string(), "");
}

TEST(Cluster, CountsItsNodesAsPeopleDo) {
  Cluster cluster;
  Inventory inventory;
  inventory.cores = 1;
  for (const char* name : {"n10", "vn1", "n2b", "n01", "n1", "a", "n2", "n", "n11"}) {
    cluster.define(name, inventory);
  }
  std::vector<std::string> names;
  for (const Node& node : cluster.nodes()) names.push_back(node.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"a", "n", "n01", "n1", "n2", "n2b", "n10", "n11", "vn1"}));
  for (const std::string& name : names) {
    EXPECT_EQ(cluster.nodes()[static_cast<std::size_t>(cluster.index(name))].name, name);
  }
}

}  // namespace
}  // namespace hyades
