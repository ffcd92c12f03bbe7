// The boxes themselves: a test that trusts them must know that they do what they say.
#include <gtest/gtest.h>

#include <chrono>

#include "namespace_cluster.hpp"
#include "wait_until.hpp"

namespace hyades::test {
namespace {

class Machines : public testing::Test {
 protected:
  void SetUp() override { HYADES_NEEDS_NAMESPACES(); }
};

std::string said(const CommandResult& result) {
  EXPECT_EQ(result.exit_code, 0) << result.text();
  return result.out;
}

CommandResult call(NamespaceCluster& cluster, const std::string& from, const std::string& to,
                   const std::string& command) {
  return cluster.run_on(from, {program("cluster_node"), "shell", to, command});
}

TEST_F(Machines, EachHasItsOwn) {
  NamespaceCluster cluster({.nodes = 2});
  for (const char* name : {"head", "n1", "n2"}) {
    EXPECT_EQ(said(cluster.run_on(name, {"hostname"})), std::string(name) + "\n");
    EXPECT_EQ(said(cluster.run_on(name, {"sh", "-c", "ls /tmp /run /dev/shm | wc -l"})), "6\n");
    said(cluster.run_on(name,
                        {"touch", "/tmp/x", "/run/x", "/dev/shm/x", cluster.directory() + "/x"}));
  }
  const std::string boot = "/proc/sys/kernel/random/boot_id";
  const std::string first = said(cluster.run_on("n1", {"cat", boot}));
  EXPECT_NE(first, said(cluster.run_on("n2", {"cat", boot})));
  EXPECT_EQ(first, said(cluster.run_on("n1", {"cat", boot})));
  said(cluster.run_on("n1", {"sh", "-c", "echo shared >one"}));
  EXPECT_EQ(said(cluster.run_on("n2", {"cat", "one"})), "shared\n");
  EXPECT_EQ(read_whole(cluster.disk_of("n1") + "/mine"), "");
  said(cluster.run_on("n1", {"sh", "-c", "echo disk >" + cluster.directory() + "/mine"}));
  EXPECT_EQ(read_whole(cluster.disk_of("n1") + "/mine"), "disk\n");
  EXPECT_EQ(read_whole(cluster.disk_of("n2") + "/mine"), "");
  EXPECT_EQ(read_whole(cluster.directory() + "/mine"), "");
}

TEST_F(Machines, APowerCutTakesEverythingButTheDisk) {
  NamespaceCluster cluster({.nodes = 1});
  const std::string boot = said(cluster.run_on("n1", {"cat", "/proc/sys/kernel/random/boot_id"}));
  said(cluster.run_on("n1", {"touch", "/dev/shm/x", "/tmp/x", cluster.directory() + "/x"}));
  said(call(cluster, "head", "n1", "sleep 1000 >/dev/null 2>&1 &"));
  EXPECT_EQ(cluster.processes("n1", "sleep 1000").size(), 1u);
  cluster.power_off("n1");
  EXPECT_EQ(call(cluster, "head", "n1", "true").exit_code, 255);
  cluster.power_on("n1");
  EXPECT_NE(said(cluster.run_on("n1", {"cat", "/proc/sys/kernel/random/boot_id"})), boot);
  EXPECT_TRUE(cluster.processes("n1", "sleep 1000").empty());
  EXPECT_NE(cluster.run_on("n1", {"ls", "/dev/shm/x"}).exit_code, 0);
  EXPECT_NE(cluster.run_on("n1", {"ls", "/tmp/x"}).exit_code, 0);
  EXPECT_EQ(cluster.run_on("n1", {"ls", cluster.directory() + "/x"}).exit_code, 0);
  EXPECT_EQ(call(cluster, "head", "n1", "exit 7").exit_code, 7);
}

TEST_F(Machines, CablesCanBeCut) {
  NamespaceCluster cluster({.nodes = 2});
  EXPECT_EQ(said(call(cluster, "n1", "n2", "hostname")), "n2\n");
  cluster.cut("n2");
  EXPECT_EQ(call(cluster, "n1", "n2", "true").exit_code, 255);
  EXPECT_EQ(call(cluster, "head", "n1", "true").exit_code, 0);
  EXPECT_EQ(cluster.run_on("n2", {"true"}).exit_code, 0) << "the console needs no network";
  cluster.mend("n2");
  EXPECT_TRUE(wait_until([&] { return call(cluster, "n1", "n2", "true").exit_code == 0; }));
  cluster.cut_one_way("n1", "n2");
  EXPECT_EQ(call(cluster, "n1", "n2", "true").exit_code, 255);
  EXPECT_EQ(call(cluster, "head", "n2", "true").exit_code, 0);
  cluster.mend_one_way("n1", "n2");
  EXPECT_TRUE(wait_until([&] { return call(cluster, "n1", "n2", "true").exit_code == 0; }));
}

TEST_F(Machines, LinksCanBeSlow) {
  NamespaceCluster cluster({.nodes = 2});
  cluster.slow("n2", 64);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(said(call(cluster, "n2", "n1", "head -c 20000 /dev/zero")).size(), 20'000u);
  EXPECT_GT(std::chrono::steady_clock::now() - before, std::chrono::seconds(1));
  cluster.slow("n2", 0);
  EXPECT_EQ(said(call(cluster, "n2", "n1", "head -c 2000000 /dev/zero")).size(), 2'000'000u);
}

}  // namespace
}  // namespace hyades::test
