// Where control groups are, from what the kernel says.
#include <gtest/gtest.h>

#include "worker/cgroup_file.hpp"
#include "worker/cgroup_mounts.hpp"

namespace hyades {
namespace {

TEST(CgroupMounts, Hybrid) {
  const CgroupMounts mounts = parse_cgroup_mounts(
      "23 1 254:0 / / rw - ext4 /dev/vda rw\n"
      "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
      "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:1 - cgroup cgroup "
      "rw,cpu,cpuacct\n"
      "33 31 0:30 / /sys/fs/cgroup/memory rw,relatime shared:2 master:1 - cgroup cgroup rw,memory\n"
      "34 31 0:31 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
      "9:name=systemd:/user\n4:memory:/site/a\n1:cpu,cpuacct:/\n0::/user/b\n");
  EXPECT_EQ(mounts.v2, "/sys/fs/cgroup/unified/user/b");
  const std::map<std::string, std::string> v1 = {{"cpu", "/sys/fs/cgroup/cpu,cpuacct"},
                                                 {"cpuacct", "/sys/fs/cgroup/cpu,cpuacct"},
                                                 {"memory", "/sys/fs/cgroup/memory/site/a"}};
  EXPECT_EQ(mounts.v1, v1);
}

TEST(CgroupMounts, UnifiedOnly) {
  const CgroupMounts mounts = parse_cgroup_mounts(
      "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
      "0::/system.slice/hyades.service\n");
  EXPECT_EQ(mounts.v2, "/sys/fs/cgroup/system.slice/hyades.service");
  EXPECT_TRUE(mounts.v1.empty());
}

// A container sees part of a hierarchy, under another name.
TEST(CgroupMounts, PartOfAHierarchy) {
  const std::string mount = "30 23 0:26 /docker/7 /cgroup ro - cgroup2 none rw\n";
  EXPECT_EQ(parse_cgroup_mounts(mount, "0::/docker/7/job\n").v2, "/cgroup/job");
  EXPECT_EQ(parse_cgroup_mounts(mount, "0::/docker/7\n").v2, "/cgroup");
  EXPECT_EQ(parse_cgroup_mounts(mount, "0::/docker/77\n").v2, "");
  EXPECT_EQ(parse_cgroup_mounts(mount, "0::/elsewhere\n").v2, "");
  // Seen from a name space that begins further down.
  const std::string whole = "30 23 0:26 / /cgroup ro - cgroup2 none rw\n";
  EXPECT_EQ(parse_cgroup_mounts(whole, "0::/../../other\n").v2, "");
}

TEST(CgroupMounts, WhatIsNotUnderstoodIsNotThere) {
  for (const char* text : {"", "\n\n", "- cgroup2", "1 2 3 - cgroup2 x y",
                           "a b c d e f g h - cgroup", "1 2 3 / /m rw - cgroup cgroup rw"}) {
    EXPECT_EQ(parse_cgroup_mounts(text, "0::/\n4:memory:/\n"), CgroupMounts()) << text;
  }
  EXPECT_EQ(parse_cgroup_mounts("3 2 0:2 / /m rw - cgroup2 c rw\n", "nonsense\n:\n"),
            CgroupMounts());
}

TEST(CgroupFile, Numbers) {
  const std::string text = "oom_kill_disable 0\nunder_oom 1\noom_kill 17\n";
  EXPECT_EQ(cgroup_number(text, "oom_kill", -1), 17);
  EXPECT_EQ(cgroup_number(text, "under_oom", -1), 1);
  EXPECT_EQ(cgroup_number(text, "oom", -1), -1);
  EXPECT_EQ(cgroup_number("", "oom", -1), -1);
  EXPECT_EQ(cgroup_number("4096\n", 0), 4096);
  EXPECT_EQ(cgroup_number("max\n", 7), 7);
  EXPECT_EQ(cpu_list({0, 2, 5}), "0,2,5");
}

TEST(CgroupFile, AMissingFileIsAnError) {
  std::string text = "old";
  EXPECT_FALSE(read_cgroup_file("/no/such/file", text));
  EXPECT_EQ(errno, ENOENT);
  EXPECT_FALSE(write_cgroup_file("/no/such/file", "1"));
  EXPECT_EQ(errno, ENOENT);
}

}  // namespace
}  // namespace hyades
