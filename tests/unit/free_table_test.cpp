// The table of what is free, against a recount of who holds what; and place(), against trying
// every set of nodes.
#include "core/free_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <map>

#include "core/cluster.hpp"
#include "core/prng.hpp"

namespace hyades {
namespace {

struct Held {
  NodeIndex node = 0;
  JobSpec spec;
  int tasks = 0;
};

Cluster random_cluster(Prng& random) {
  Cluster cluster;
  const std::int64_t count = random.between(1, 6);
  for (std::int64_t i = 0; i < count; ++i) {
    Inventory inventory;
    inventory.cores = static_cast<int>(random.between(1, 8));
    inventory.memory_mib = random.between(1, 8) * 100;
    if (random.chance(500)) {
      inventory.devices.push_back({"gpu", static_cast<int>(random.between(1, 4))});
    }
    if (random.chance(200)) inventory.devices.push_back({"nic", 1});
    const std::string name = "n" + std::to_string(i + 1);
    cluster.define(name, inventory);
    cluster.find(name)->responding = true;
  }
  return cluster;
}

JobSpec random_spec(Prng& random, int nodes) {
  JobSpec spec;
  spec.tasks = static_cast<int>(random.skewed(1, 12));
  spec.cpus_per_task = static_cast<int>(random.skewed(1, 4));
  if (random.chance(400)) {
    (random.chance(500) ? spec.memory_per_node_mib : spec.memory_per_cpu_mib) =
        random.between(1, 8) * 50;
  }
  if (random.chance(300)) {
    spec.devices_per_node.push_back({"gpu", static_cast<int>(random.between(1, 3))});
  }
  if (random.chance(100)) spec.devices_per_node.push_back({"nic", 1});
  if (random.chance(150)) spec.exclusive = true;
  if (random.chance(200)) spec.tasks_per_node = static_cast<int>(random.between(1, spec.tasks));
  if (random.chance(300)) spec.nodes = static_cast<int>(random.between(1, nodes));
  spec.tasks = std::max(spec.tasks, spec.nodes);  // what a user may ask for
  return spec;
}

std::vector<char> all_of(const Cluster& cluster) {
  return std::vector<char>(cluster.nodes().size(), 1);
}

int count_of(const std::vector<DeviceCount>& devices, const std::string& kind) {
  for (const DeviceCount& device : devices) {
    if (device.kind == kind) return device.count;
  }
  return 0;
}

// What is left on a node when these hold their parts.
struct Recount {
  int cores = 0;
  int jobs = 0;
  MiB memory_mib = 0;
  std::map<std::string, int> devices;
};

Recount recount(const Node& node, NodeIndex at, const std::vector<Held>& held) {
  Recount left{node.inventory.cores, 0, node.inventory.memory_mib, {}};
  for (const DeviceCount& device : node.inventory.devices) {
    left.devices[device.kind] = device.count;
  }
  for (const Held& part : held) {
    if (part.node != at) continue;
    ++left.jobs;
    if (part.spec.exclusive) {
      left.cores = 0;
      left.memory_mib = 0;
      for (auto& [kind, count] : left.devices) count = 0;
      continue;
    }
    left.cores -= part.tasks * part.spec.cpus_per_task;
    left.memory_mib -= part.spec.memory_per_cpu_mib > 0
                           ? part.spec.memory_per_cpu_mib * part.tasks * part.spec.cpus_per_task
                           : part.spec.memory_per_node_mib;
    for (auto& [kind, count] : left.devices) count -= count_of(part.spec.devices_per_node, kind);
  }
  return left;
}

// How many devices of the kind the table says are free: as many as a job could ask for. Where
// there is no core free, nothing can be asked.
int free_devices(const FreeTable& table, NodeIndex at, const Node& node, const std::string& kind) {
  for (int count = 1;; ++count) {
    JobSpec probe;
    probe.devices_per_node = {{kind, count}};
    if (table.capacity(at, node, probe, table.needs_of(probe)) == 0) return count - 1;
  }
}

void expect_recounted(const FreeTable& table, const Cluster& cluster,
                      const std::vector<Held>& held) {
  for (std::size_t i = 0; i < cluster.nodes().size(); ++i) {
    const auto at = static_cast<NodeIndex>(i);
    const Node& node = cluster.nodes()[i];
    const Recount left = recount(node, at, held);
    ASSERT_EQ(table.row(at), (FreeRow{left.cores, left.jobs, left.memory_mib})) << node.name;
    if (left.cores == 0) continue;
    for (const auto& [kind, count] : left.devices) {
      ASSERT_EQ(free_devices(table, at, node, kind), count) << node.name << " " << kind;
    }
  }
}

// Jobs come and go at random on the cluster's own ledger; beside it a table that plans the same.
struct Ledgers {
  Cluster cluster;
  FreeTable planned;
  std::vector<std::vector<Held>> jobs;
  std::vector<Placement> placements;

  explicit Ledgers(Prng& random) : cluster(random_cluster(random)), planned(cluster.nodes()) {}

  void start(const JobSpec& spec, const Plan& plan) {
    jobs.emplace_back();
    for (const PlannedShare& share : plan) {
      planned.take(share.node, node(share.node), spec, share.tasks);
      jobs.back().push_back({share.node, spec, share.tasks});
    }
    placements.push_back(cluster.choose(spec, plan));
    cluster.take(placements.back());
  }
  void end(std::size_t job) {
    for (const Held& part : jobs[job]) {
      planned.give(part.node, node(part.node), part.spec, part.tasks);
    }
    cluster.give_back(placements[job]);
    jobs.erase(jobs.begin() + static_cast<std::ptrdiff_t>(job));
    placements.erase(placements.begin() + static_cast<std::ptrdiff_t>(job));
  }
  std::vector<Held> held() const {
    std::vector<Held> all;
    for (const auto& parts : jobs) all.insert(all.end(), parts.begin(), parts.end());
    return all;
  }
  const Node& node(NodeIndex at) const { return cluster.nodes()[static_cast<std::size_t>(at)]; }
};

TEST(FreeTable, AddsUpWhateverComesAndGoes) {
  int starts = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Prng random(seed);
    Ledgers ledgers(random);
    const FreeTable empty = ledgers.planned;
    ASSERT_EQ(empty, ledgers.cluster.whole());
    for (int step = 0; step < 60; ++step) {
      if (random.chance(400) && !ledgers.jobs.empty()) {
        ledgers.end(random.below(ledgers.jobs.size()));
      } else {
        const JobSpec spec = random_spec(random, static_cast<int>(ledgers.cluster.nodes().size()));
        const Plan plan =
            place(spec, ledgers.cluster.nodes(), ledgers.planned, all_of(ledgers.cluster));
        if (plan.empty()) continue;
        ASSERT_TRUE(ledgers.cluster.fits(spec, plan)) << "seed " << seed << ", step " << step;
        ledgers.start(spec, plan);
        ++starts;
      }
      ASSERT_EQ(ledgers.planned, ledgers.cluster.free()) << "seed " << seed << ", step " << step;
      ASSERT_EQ(ledgers.planned, FreeTable(ledgers.cluster.nodes())) << "seed " << seed;
      expect_recounted(ledgers.planned, ledgers.cluster, ledgers.held());
      if (testing::Test::HasFatalFailure()) FAIL() << "seed " << seed << ", step " << step;
    }
    while (!ledgers.jobs.empty()) ledgers.end(0);
    ASSERT_EQ(ledgers.planned, empty) << "seed " << seed << ": something was not given back";
  }
  EXPECT_GT(starts, 1000);
}

// Of each node what both have.
TEST(FreeTable, CutToHasWhatBothHave) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Prng random(seed);
    Ledgers ledgers(random);
    std::vector<FreeTable> tables;
    for (int step = 0; step < 12; ++step) {
      const JobSpec spec = random_spec(random, static_cast<int>(ledgers.cluster.nodes().size()));
      const Plan plan =
          place(spec, ledgers.cluster.nodes(), ledgers.planned, all_of(ledgers.cluster));
      if (!plan.empty()) ledgers.start(spec, plan);
      tables.push_back(ledgers.planned);
      if (random.chance(500) && !ledgers.jobs.empty()) {
        ledgers.end(random.below(ledgers.jobs.size()));
      }
    }
    const FreeTable& a = random.pick(tables);
    const FreeTable& b = random.pick(tables);
    FreeTable both = a, reverse = b, again;
    both.cut_to(b);
    reverse.cut_to(a);
    ASSERT_EQ(both, reverse) << "seed " << seed;
    again = both;
    again.cut_to(a);
    ASSERT_EQ(both, again);
    for (std::size_t i = 0; i < ledgers.cluster.nodes().size(); ++i) {
      const auto at = static_cast<NodeIndex>(i);
      const FreeRow expected{std::min(a.cores(at), b.cores(at)),
                             std::max(a.row(at).jobs, b.row(at).jobs),
                             std::min(a.row(at).memory_mib, b.row(at).memory_mib)};
      ASSERT_EQ(both.row(at), expected) << "seed " << seed;
      if (expected.cores == 0) continue;
      for (const std::string kind : {"gpu", "nic"}) {
        const Node& node = ledgers.node(at);
        ASSERT_EQ(free_devices(both, at, node, kind),
                  std::min(free_devices(a, at, node, kind), free_devices(b, at, node, kind)));
      }
    }
  }
}

// One row at a time, and another's row copied over it, devices and all.
TEST(FreeTable, CopiesAndCutsSingleRows) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Prng random(seed);
    Ledgers ledgers(random);
    const FreeTable empty = ledgers.planned;
    for (int i = 0; i < 4; ++i) {
      const JobSpec spec = random_spec(random, static_cast<int>(ledgers.cluster.nodes().size()));
      const Plan plan =
          place(spec, ledgers.cluster.nodes(), ledgers.planned, all_of(ledgers.cluster));
      if (!plan.empty()) ledgers.start(spec, plan);
    }
    FreeTable copied = empty, cut = empty, whole = empty;
    for (std::size_t i = 0; i < ledgers.cluster.nodes().size(); ++i) {
      copied.copy(ledgers.planned, static_cast<NodeIndex>(i));
      cut.cut_to(ledgers.planned, static_cast<NodeIndex>(i));
    }
    whole.cut_to(ledgers.planned);
    ASSERT_EQ(copied, ledgers.planned) << "seed " << seed;
    ASSERT_EQ(cut, whole) << "seed " << seed;
  }
}

TEST(FreeTable, GrowsByNodesUnlessTheyBringNewKindsOfDevices) {
  const auto node = [](int cores, std::vector<DeviceCount> devices) {
    Cluster one;
    one.define("n", {cores, 100, std::move(devices), {}});
    return one.nodes()[0];
  };
  std::vector<Node> nodes = {node(4, {{"gpu", 2}}), node(2, {})};
  FreeTable table(nodes);
  nodes.push_back(node(8, {{"gpu", 1}}));
  ASSERT_TRUE(table.append(nodes.back()));
  EXPECT_EQ(table, FreeTable(nodes));
  const FreeTable before = table;
  EXPECT_FALSE(table.append(node(8, {{"nic", 1}})));
  EXPECT_EQ(table, before) << "it was refused and did something";
  FreeTable plain(std::vector<Node>{node(4, {})});
  EXPECT_FALSE(plain.append(node(8, {{"gpu", 1}})));
  EXPECT_TRUE(plain.append(node(8, {})));
  EXPECT_EQ(plain.size(), 2u);
}

TEST(FreeTable, GivesBackSumsAsItGivesEach) {
  Cluster cluster;
  cluster.define("n1", {16, 1000, {}, {}});
  FreeTable table(cluster.nodes());
  const FreeTable empty = table;
  JobSpec spec;
  spec.cpus_per_task = 3;
  spec.memory_per_node_mib = 100;
  for (int i = 0; i < 4; ++i) table.take(0, cluster.nodes()[0], spec, 1);
  table.give_sum(12, 400, 4);
  EXPECT_EQ(table, empty);
}

// ---- place() -----------------------------------------------------------------------------------

int capacity_of(const Cluster& cluster, const FreeTable& free, NodeIndex at, const JobSpec& spec) {
  return free.capacity(at, cluster.nodes()[static_cast<std::size_t>(at)], spec,
                       free.needs_of(spec));
}

// The fewest nodes (or exactly as many as were asked for) that hold all tasks, at least one on
// each; 0: there are none.
int fewest_nodes(const Cluster& cluster, const FreeTable& free, const JobSpec& spec) {
  const auto nodes = static_cast<unsigned>(cluster.nodes().size());
  int fewest = 0;
  for (unsigned set = 1; set < 1u << nodes; ++set) {
    const int count = std::popcount(set);
    if (spec.nodes > 0 && count != spec.nodes) continue;
    if (count > spec.tasks || (fewest > 0 && count >= fewest)) continue;
    int room = 0;
    bool each_has_one = true;
    for (unsigned i = 0; i < nodes; ++i) {
      if ((set >> i & 1) == 0) continue;
      const int capacity = capacity_of(cluster, free, static_cast<NodeIndex>(i), spec);
      room += capacity;
      each_has_one = each_has_one && capacity > 0;
    }
    if (each_has_one && room >= spec.tasks) fewest = count;
  }
  return fewest;
}

TEST(Place, FindsAPlaceWheneverThereIsOneAndOnTheFewestNodes) {
  int found = 0, none = 0;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    Prng random(seed);
    Ledgers ledgers(random);
    for (int step = 0; step < 10; ++step) {
      const JobSpec spec = random_spec(random, static_cast<int>(ledgers.cluster.nodes().size()));
      const FreeTable& free = ledgers.planned;
      const Plan plan = place(spec, ledgers.cluster.nodes(), free, all_of(ledgers.cluster));
      ASSERT_EQ(static_cast<int>(plan.size()), fewest_nodes(ledgers.cluster, free, spec))
          << "seed " << seed << ", step " << step;
      (plan.empty() ? none : found) += 1;
      int tasks = 0;
      for (const PlannedShare& share : plan) {
        tasks += share.tasks;
        ASSERT_LE(share.tasks, capacity_of(ledgers.cluster, free, share.node, spec));
        ASSERT_GE(share.tasks, 1);
      }
      if (plan.empty()) continue;
      ASSERT_EQ(tasks, spec.tasks);
      ledgers.start(spec, plan);
    }
  }
  EXPECT_GT(found, 1000);
  EXPECT_GT(none, 1000);
}

// place() as its contract says it, looking at every node.
Plan place_slowly(const JobSpec& spec, const Cluster& cluster, const FreeTable& free) {
  struct Room {
    NodeIndex node;
    int tasks;
  };
  std::vector<Room> rooms;
  for (std::size_t i = 0; i < free.size(); ++i) {
    const auto node = static_cast<NodeIndex>(i);
    const int tasks = free.capacity(node, cluster.nodes()[i], spec, free.needs_of(spec));
    if (tasks == 0) continue;
    if (spec.nodes <= 1 && tasks >= spec.tasks) return {{node, spec.tasks}};
    rooms.push_back({node, tasks});
  }
  if (spec.nodes == 1) return {};
  std::stable_sort(rooms.begin(), rooms.end(),
                   [](const Room& a, const Room& b) { return a.tasks > b.tasks; });
  std::size_t count = static_cast<std::size_t>(spec.nodes);
  std::int64_t room = 0;
  if (spec.nodes == 0) {
    while (count < rooms.size() && room < spec.tasks) room += rooms[count++].tasks;
  }
  if (count == 0 || count > rooms.size()) return {};
  Plan plan;
  int left = spec.tasks - static_cast<int>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const int more = std::min(left, rooms[i].tasks - 1);
    plan.push_back({rooms[i].node, 1 + more});
    left -= more;
  }
  if (left > 0) return {};
  std::sort(plan.begin(), plan.end(),
            [](const PlannedShare& a, const PlannedShare& b) { return a.node < b.node; });
  return plan;
}

TEST(Place, OnManyNodesPassesOnlyThoseThatAreFull) {
  int placed = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Prng random(seed);
    Cluster cluster;
    const std::int64_t count = random.between(20, 200);
    for (std::int64_t i = 1; i <= count; ++i) {
      Inventory inventory;
      inventory.cores = static_cast<int>(random.between(1, 8));
      inventory.memory_mib = random.between(1, 8) * 100;
      if (random.chance(300)) inventory.devices.push_back({"gpu", 2});
      const std::string name = "n" + std::to_string(i);
      cluster.define(name, inventory);
      cluster.find(name)->responding = true;
    }
    FreeTable free = cluster.free();
    std::vector<std::pair<JobSpec, Plan>> running;
    for (int step = 0; step < 150; ++step) {
      const JobSpec spec = random_spec(random, 6);
      const Plan plan = place(spec, cluster.nodes(), free, all_of(cluster));
      ASSERT_EQ(plan, place_slowly(spec, cluster, free)) << "seed " << seed << ", step " << step;
      const auto at = [&](const PlannedShare& share) -> const Node& {
        return cluster.nodes()[static_cast<std::size_t>(share.node)];
      };
      for (const PlannedShare& share : plan) free.take(share.node, at(share), spec, share.tasks);
      if (!plan.empty()) running.emplace_back(spec, plan);
      placed += !plan.empty();
      if (!running.empty() && random.chance(300)) {
        const auto& [ended, where] = running.back();
        for (const PlannedShare& share : where) {
          free.give(share.node, at(share), ended, share.tasks);
        }
        running.pop_back();
      }
      if (random.chance(50)) {  // what is beside something else
        FreeTable less = free;
        less.cut_to(cluster.free());
        less.copy(free, 0);
        ASSERT_EQ(place(spec, cluster.nodes(), less, all_of(cluster)),
                  place_slowly(spec, cluster, less));
      }
    }
  }
  EXPECT_GT(placed, 1000);
}

}  // namespace
}  // namespace hyades
