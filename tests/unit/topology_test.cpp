#include "telemetry/topology.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <string>

namespace hyades {
namespace {

IdSet set(const std::string& text) {
  IdSet result;
  EXPECT_TRUE(IdSet::parse(text, result)) << text;
  return result;
}

// For one test, and put back afterwards.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    setenv(name, value, 1);
  }
  ~Variable() {
    if (old_.empty()) {
      unsetenv(name_);
    } else {
      setenv(name_, old_.c_str(), 1);
    }
  }

 private:
  const char* name_;
  std::string old_;
};

TEST(Topology, ReadsThisMachine) {
  const Topology topology = Topology::load();
  ASSERT_TRUE(topology.is_this_machine());
  cpu_set_t allowed;
  ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  EXPECT_EQ(topology.inventory().cores, CPU_COUNT(&allowed));
  EXPECT_TRUE(topology.inventory().features.empty());
  EXPECT_GE(topology.numa_nodes(), 1);
  EXPECT_GE(topology.packages(), 1);

  std::ifstream meminfo("/proc/meminfo");
  std::string name;
  MiB kib = 0;
  meminfo >> name >> kib;
  ASSERT_EQ(name, "MemTotal:");
  EXPECT_EQ(topology.inventory().memory_mib, kib / 1024);
}

TEST(Topology, CoresOfThisMachineAreProcessorsOfItsOwn) {
  const Topology topology = Topology::load();
  const int cores = topology.inventory().cores;
  std::vector<int> cpus = topology.cpus_for(IdSet::first(cores));
  ASSERT_EQ(cpus.size(), static_cast<std::size_t>(cores));
  EXPECT_EQ(std::adjacent_find(cpus.begin(), cpus.end()), cpus.end());
  EXPECT_TRUE(topology.cpus_for(IdSet()).empty());
  EXPECT_TRUE(topology.cpus_for(set("0-" + std::to_string(cores))).empty());  // one too many
}

TEST(Topology, RespectsTheRestrictionOfTheProcess) {
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
  if (CPU_COUNT(&all) < 2) GTEST_SKIP() << "only one processor";
  int last = CPU_SETSIZE - 1;
  while (!CPU_ISSET(last, &all)) --last;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(last, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  const Topology topology = Topology::load();
  {
    // Such a binding is mpirun's own idea and says nothing about the node.
    const Variable bound("OMPI_MCA_orte_bound_at_launch", "1");
    EXPECT_EQ(Topology::load().inventory().cores, CPU_COUNT(&all));
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof all, &all), 0);
  EXPECT_EQ(topology.inventory().cores, 1);
  EXPECT_EQ(topology.cpus_for(set("0")), std::vector<int>{last});
}

TEST(Topology, ReadsSyntheticMachines) {
  const Topology topology =
      Topology::from_synthetic("package:2 [numa(memory=64GB)] l3:2 core:8 pu:2");
  EXPECT_FALSE(topology.is_this_machine());
  EXPECT_EQ(topology.inventory().cores, 64);
  EXPECT_EQ(topology.packages(), 2);
  EXPECT_EQ(topology.numa_nodes(), 2);
  EXPECT_NEAR(static_cast<double>(topology.inventory().memory_mib),
              128 * 1000 * 1000 / 1024.0 * 1e3 / 1024, 8000);
  EXPECT_TRUE(topology.inventory().devices.empty());
  EXPECT_TRUE(topology.cpus_for(set("0")).empty());  // nothing can be bound to it
}

TEST(Topology, LowCoreNumbersAreCloseTogether) {
  const Topology topology = Topology::from_synthetic("package:2 [numa] l3:2 core:8 pu:2");
  EXPECT_EQ(topology.numa_nodes_for(set("0-31")), std::vector<int>{0});
  EXPECT_EQ(topology.numa_nodes_for(set("32-63")), std::vector<int>{1});
  EXPECT_EQ(topology.numa_nodes_for(set("31-32")), (std::vector<int>{0, 1}));
  EXPECT_TRUE(topology.numa_nodes_for(set("64")).empty());
}

TEST(Topology, SaysWhichCoresAreNearOneMemory) {
  const Topology topology = Topology::from_synthetic("package:2 [numa] l3:2 core:8 pu:2");
  const std::vector<MemoryDomain>& domains = topology.inventory().domains;
  ASSERT_EQ(domains.size(), 2u);
  EXPECT_EQ(domains[0].cores, set("0-31"));
  EXPECT_EQ(domains[1].cores, set("32-63"));
  EXPECT_TRUE(domains[0].devices.empty());
  EXPECT_TRUE(Topology::from_synthetic("package:2 core:8 pu:1").inventory().domains.empty());
}

TEST(Topology, TheEnvironmentCanDescribeAnotherMachine) {
  const Variable synthetic("HWLOC_SYNTHETIC", "package:4 core:4 pu:1");
  const Topology topology = Topology::load();
  EXPECT_EQ(topology.inventory().cores, 16);
  EXPECT_FALSE(topology.is_this_machine());
}

TEST(Topology, SaysWhatItCannotRead) {
  try {
    Topology::from_synthetic("core:two");
    FAIL();
  } catch (const TopologyError& error) {
    EXPECT_NE(std::string(error.what()).find("\"core:two\""), std::string::npos) << error.what();
  }
  const Variable file("HWLOC_XMLFILE", "/does/not/exist.xml");
  try {
    Topology::load();
    FAIL();
  } catch (const TopologyError& error) {
    EXPECT_NE(std::string(error.what()).find("/does/not/exist.xml"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace hyades
