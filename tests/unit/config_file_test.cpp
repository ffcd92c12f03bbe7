// The configuration file: what it may say, and what people are told when it says something else.
#include "master/config_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "contract/queue_on_disk.hpp"
#include "master/config_render.hpp"
#include "master/late_settings.hpp"
#include "master/networks.hpp"

namespace hyades {
namespace {

ClusterConfig parsed(const std::string& text) {
  const ConfigResult result = parse_config(text, "site.toml");
  for (const std::string& error : result.errors) ADD_FAILURE() << error;
  return result.config.value_or(ClusterConfig{});
}

constexpr const char* kEverything = R"(
[cluster]
name = "pleiades"
heartbeat_ms = 500
node_timeout_ms = 3000
resend_ms = 700
kill_grace_s = 10
max_restarts = 2
max_launch_failures = 3
backfill_depth = 50
networks = ["10.0.0.0/24", "eth1"]

[guard]
factor = 1.75
after = "2:00:00"

[[node]]
name = "n[01-04]"
cores = 64
memory = "256G"
devices = { gpu = 4, fpga = 1 }
features = ["ib", "avx512"]

[[node]]
name = ["login", "big[1-2]"]
memory = 1024
group = "rack7"

[placement]
enabled = false
contention = 2
transfer = 0.5
energy_s_per_kj = 3
balance = 1.5
far = 4
patient = false
jobs_most = 7

[jobs]
lend_cores = false
lend_every = "0:30"
cap_power = true
cap_least = 60
cap_every = "1:00"

[[class]]
name = "cfd"
memory = 0.7
network = 0.25

[[queue]]
name = "batch"

[[queue]]
name = "gpu"
nodes = "n[01-04]"
priority = 10
default_time = 30
max_time = "2-00:00:00"
max_nodes_per_job = 4
max_queued_per_user = 100
max_running_per_user = 10
max_cores_per_user = 128
enabled = false
policy = "fcfs"
backfill = "none"
placement = false
elastic = true
power_margin = 5
class = "cfd"

[device_files]
gpu = ["/dev/nvidia%d", "/dev/dri/renderD%+128d"]
fpga = "/dev/fpga%d"

[security]
admins = ["root", 1001]
operators = [1002, 1001, 1002]
user = "nobody"
)";

TEST(ConfigFile, AnEmptyFileMeansTheDefaults) {
  const ClusterConfig config = parsed("");
  EXPECT_EQ(config.name, "hyades");
  EXPECT_EQ(config.node_settings.heartbeat_ms, 1000);
  EXPECT_TRUE(config.nodes.empty());
  ASSERT_EQ(config.queues.size(), 1u);
  EXPECT_EQ(config.queues[0].name, "batch");
}

TEST(ConfigFile, ReadsEveryKey) {
  const ClusterConfig config = parsed(kEverything);
  EXPECT_EQ(config.name, "pleiades");
  EXPECT_EQ(config.node_settings.heartbeat_ms, 500);
  EXPECT_EQ(config.node_timeout_ms, 3000);
  EXPECT_EQ(config.resend_ms, 700);
  EXPECT_EQ(config.kill_grace_s, 10);
  EXPECT_EQ(config.max_restarts, 2);
  EXPECT_EQ(config.max_launch_failures, 3);
  EXPECT_EQ(config.backfill_depth, 50);
  EXPECT_EQ(config.guard, (GuardSettings{true, 1.75, 7200}));

  ASSERT_EQ(config.nodes.size(), 7u);
  EXPECT_EQ(config.nodes[0].name, "n01");
  EXPECT_EQ(config.nodes[3].name, "n04");
  const Inventory expected{64, 256 * 1024, {{"fpga", 1}, {"gpu", 4}}, {"avx512", "ib"}};
  EXPECT_EQ(config.nodes[3].inventory, expected);
  EXPECT_EQ(config.nodes[6].name, "big2");
  EXPECT_EQ(config.nodes[6].inventory, (Inventory{0, 1024, {}, {}}));

  ASSERT_EQ(config.queues.size(), 2u);
  EXPECT_EQ(config.queues[0].default_time_s, 3600);
  const QueueConfig& gpu = config.queues[1];
  EXPECT_EQ(gpu.nodes, std::vector<std::string>({"n01", "n02", "n03", "n04"}));
  EXPECT_EQ(gpu.priority, 10);
  EXPECT_EQ(gpu.default_time_s, 1800);
  EXPECT_EQ(gpu.max_time_s, 2 * 86400);
  EXPECT_EQ(gpu.max_nodes_per_job, 4);
  EXPECT_EQ(gpu.max_queued_per_user, 100);
  EXPECT_EQ(gpu.max_running_per_user, 10);
  EXPECT_EQ(gpu.max_cores_per_user, 128);
  EXPECT_FALSE(gpu.enabled);
  EXPECT_EQ(gpu.backfill, Backfill::None);
  EXPECT_FALSE(gpu.placement);
  EXPECT_TRUE(gpu.elastic);
  EXPECT_EQ(gpu.power_margin, 5);
  EXPECT_FALSE(config.node_settings.lend_cores);
  EXPECT_EQ(config.node_settings.lend_every_s, 30);
  EXPECT_TRUE(config.node_settings.cap_power);
  EXPECT_EQ(config.node_settings.cap_least_percent, 60);
  EXPECT_EQ(config.node_settings.cap_every_s, 60);
  EXPECT_EQ(gpu.work_class, "cfd");
  EXPECT_EQ(config.placement, (PlacementSettings{false, 2, 0.5, 3, 1.5, 4, false, 7}));
  EXPECT_EQ(config.work_classes,
            std::vector<WorkClass>({{.name = "cfd", .memory = 0.7, .network = 0.25}}));
  EXPECT_EQ(config.nodes[0].group, "");
  EXPECT_EQ(config.nodes[6].group, "rack7");

  const std::vector<DeviceFiles> files = {{"fpga", {"/dev/fpga%d"}},
                                          {"gpu", {"/dev/nvidia%d", "/dev/dri/renderD%+128d"}}};
  EXPECT_EQ(config.node_settings.device_files, files);
  EXPECT_EQ(config.admin_uids, std::vector<std::uint32_t>({0, 1001}));
  EXPECT_EQ(config.operator_uids, std::vector<std::uint32_t>({1001, 1002}));
  EXPECT_EQ(config.daemon_user, "nobody");
  EXPECT_EQ(config.networks, std::vector<std::string>({"10.0.0.0/24", "eth1"}));
}

TEST(ConfigFile, NetworksAreThoseOfThisHostOrNot) {
  for (const char* own : {"lo", "127.0.0.0/8", "127.0.0.1/32", "127.1.2.3/8", "0.0.0.0/0"}) {
    EXPECT_EQ(network_problem(own), "") << own;
    EXPECT_TRUE(is_own_network(own)) << own;
  }
  for (const char* other : {"eth99", "127.0.0.2/32", "203.0.113.0/24", "2001:db8::/32"}) {
    EXPECT_EQ(network_problem(other), "") << other;
    EXPECT_FALSE(is_own_network(other)) << other;
  }
  EXPECT_NE(own_networks().find("lo (127.0.0.1)"), std::string::npos) << own_networks();
}

TEST(ConfigFile, AShortMaxTimeShortensTheDefault) {
  EXPECT_EQ(parsed("[[queue]]\nname = \"a\"\nmax_time = 10").queues[0].default_time_s, 600);
}

TEST(ConfigFile, WhatIsPrintedCanBeRead) {
  for (const std::string text : {"", kEverything}) {
    const std::string printed = render_config(parsed(text));
    EXPECT_EQ(render_config(parsed(printed)), printed);
    const ClusterConfig config = parsed(printed);
    EXPECT_EQ(config.nodes.size(), parsed(text).nodes.size());
    EXPECT_EQ(config.admin_uids, parsed(text).admin_uids);
    EXPECT_EQ(config.queues.back().max_time_s, parsed(text).queues.back().max_time_s);
    EXPECT_EQ(config.placement, parsed(text).placement);
    EXPECT_EQ(config.work_classes, parsed(text).work_classes);
    EXPECT_EQ(config.queues.back().work_class, parsed(text).queues.back().work_class);
    EXPECT_EQ(config.nodes.empty() ? "rack7" : config.nodes.back().group, "rack7");
  }
}

// ---- reload ----------------------------------------------------------------------------------

TEST(LateSettings, WaitForTheNextStart) {
  const ClusterConfig running = parsed("[cluster]\nname = \"a\"\n");
  ClusterConfig loaded = parsed(
      "[cluster]\nname = \"b\"\nnetworks = [\"10.0.0.0/24\", \"eth1\"]\n"
      "kill_grace_s = 3\n[security]\nuser = \"nobody\"\nlisten = \":6710\"\n"
      "munge_socket = \"/run/m\"\nadmins = [5]\n");
  const std::vector<LateSetting> late = keep_running_settings(running, loaded);
  EXPECT_EQ(late_sentence(late),
            "name, networks, user, listen and munge_socket take effect at the next "
            "start of the cluster");
  EXPECT_EQ(loaded.kill_grace_s, 3);
  EXPECT_EQ(loaded.admin_uids, std::vector<std::uint32_t>{5});
  ClusterConfig expected = running;
  expected.kill_grace_s = 3;
  expected.admin_uids = {5};
  EXPECT_EQ(render_config(loaded), render_config(expected));
  const std::string comments = render_late(late);
  EXPECT_NE(comments.find("\n# [cluster] networks = [\"10.0.0.0/24\", \"eth1\"]\n"),
            std::string::npos)
      << comments;
  EXPECT_NE(comments.find("\n# [security] user = \"nobody\"\n"), std::string::npos) << comments;
  EXPECT_EQ(render_config(parsed(render_config(loaded) + comments)), render_config(loaded));
}

TEST(LateSettings, SamplersKeepTheirSources) {
  ClusterConfig loaded = parsed(
      "[telemetry]\nretention = \"2:00:00\"\nring_memory = \"32M\"\npeak_watts = 400\n"
      "compute_ms = 50\n[[accelerator]]\nkind = \"npu\"\nfolder = \"/sys/class/npu/npu*\"\n"
      "figures = [{ name = \"temp\", file = \"temp\", unit = \"degC\" }]\n");
  const std::string comments = render_late(keep_running_settings(ClusterConfig(), loaded));
  EXPECT_EQ(comments,
            "\n# At the next start of the cluster:\n# [telemetry] retention = \"2:00:00\"\n"
            "# [telemetry] ring_memory = \"32M\"\n# [telemetry] peak_watts = 400\n"
            "# [[accelerator]] accelerators = [\"npu\"]\n");
  EXPECT_EQ(loaded.node_settings.telemetry.period_ms[0], 50);
  EXPECT_EQ(loaded.node_settings.telemetry.ring_mib, 16);
  EXPECT_TRUE(loaded.node_settings.telemetry.accelerators.empty());
}

TEST(LateSettings, AreNoneWhereNothingWaits) {
  ClusterConfig loaded = parsed("[cluster]\nkill_grace_s = 3\n");
  EXPECT_EQ(keep_running_settings(ClusterConfig(), loaded), std::vector<LateSetting>());
  EXPECT_EQ(late_sentence({}), "");
  EXPECT_EQ(render_late({}), "");
  EXPECT_EQ(late_sentence({{"[security]", "user", "x"}}),
            "user takes effect at the next start of the cluster");
}

TEST(ConfigFile, AQueueSaysHowItForecasts) {
  const auto queue = [](const std::string& lines) {
    return parsed("[[queue]]\nname = \"q\"\n" + lines).queues.front();
  };
  EXPECT_EQ(run_times_of(queue("")), RunTimes::Request);
  EXPECT_EQ(reserve_of(queue("")), 0);
  EXPECT_EQ(run_times_of(queue("policy = \"index\"")), RunTimes::Learned);
  EXPECT_EQ(reserve_of(queue("policy = \"index\"")), 0.05);
  EXPECT_EQ(reserve_of(queue("policy = \"index\"\nbackfill = \"cons\"")), 0);
  const QueueConfig said =
      queue("policy = \"index\"\nrun_times = \"last2\"\nreserve = 0\nreserve_after = 30");
  EXPECT_EQ(run_times_of(said), RunTimes::LastTwo);
  EXPECT_EQ(reserve_of(said), 0);
  EXPECT_EQ(said.reserve_after_s, 1800);
}

// The example in the reference is one that works.
TEST(ConfigFile, TheDocumentedExampleIsRight) {
  const std::string reference = read_bytes(HYADES_SCHEMA_DIRECTORY "/config.md");
  const std::size_t begin = reference.find("```toml\n");
  ASSERT_NE(begin, std::string::npos);
  const std::size_t end = reference.find("```", begin + 8);
  const ClusterConfig config = parsed(reference.substr(begin + 8, end - begin - 8));
  EXPECT_GT(config.nodes.size(), 1u);
  EXPECT_GT(config.queues.size(), 1u);
  for (const char* key : {"heartbeat_ms",
                          "node_timeout_ms",
                          "resend_ms",
                          "kill_grace_s",
                          "max_restarts",
                          "max_launch_failures",
                          "bad_node_jobs",
                          "bad_node_window",
                          "backfill_depth",
                          "[guard]",
                          "factor",
                          "lease",
                          "command",
                          "after",
                          "timeout",
                          "hook_directory",
                          "hook_timeout",
                          "min_uid",
                          "allow_root_jobs",
                          "no_new_privileges",
                          "private_tmp",
                          "pam_service",
                          "[device_files]",
                          "contain_cores",
                          "contain_memory",
                          "lend_cores",
                          "lend_every",
                          "cap_power",
                          "cap_least",
                          "cap_every",
                          "processes_per_core",
                          "every",
                          "program",
                          "disk_free",
                          "memory_free",
                          "load_per_core",
                          "clock_off_s",
                          "counters",
                          "counters_every_ms",
                          "cores",
                          "memory",
                          "devices",
                          "features",
                          "nodes",
                          "priority",
                          "default_time",
                          "max_time",
                          "max_nodes_per_job",
                          "max_queued_per_user",
                          "max_running_per_user",
                          "max_cores_per_user",
                          "enabled",
                          "policy",
                          "backfill",
                          "placement",
                          "class",
                          "group",
                          "contention",
                          "transfer",
                          "far",
                          "energy_s_per_kj",
                          "balance",
                          "patient",
                          "jobs_most",
                          "run_times",
                          "reserve",
                          "reserve_after",
                          "admins",
                          "operators"}) {
    EXPECT_NE(reference.find("`" + std::string(key) + "`"), std::string::npos) << key;
  }
}

// ---- mistakes --------------------------------------------------------------------------------

struct Mistake {
  std::string text;
  std::string error;  // after "site.toml:"
};

TEST(ConfigFile, NamesPlaceAndFix) {
  const std::vector<Mistake> table = {
      {"[cluster]\nheartbeat = 1",
       "2: unknown key 'heartbeat' in [cluster]; did you mean "
       "'heartbeat_ms'?"},
      {"[cluster]\nHeartbeat-ms = 1",
       "2: unknown key 'Heartbeat-ms' in [cluster]; did you mean "
       "'heartbeat_ms'?"},
      {"[cluster]\nbanana = 1",
       "2: unknown key 'banana' in [cluster]; possible: name, heartbeat_ms"},
      {"\n\n[[queue]]\nname = \"a\"\nprioritty = 1",
       "5: unknown key 'prioritty' in [[queue]]; did "
       "you mean 'priority'?"},
      {"[[node]]\nname = \"a\"\ncpus = 1", "3: unknown key 'cpus' in [[node]]"},
      {"[security]\nadmin = []", "2: unknown key 'admin' in [security]; did you mean 'admins'?"},
      {"[clustr]\n", "1: unknown section 'clustr'; did you mean 'cluster'?"},
      {"[slurm]\n", "1: unknown section 'slurm'; possible: [cluster], [[node]], [[queue]]"},
      {"name = \"x\"", "1: unknown section 'name'"},
      {"[queue]\nname = \"a\"", "1: queue must be written [[queue]], with two brackets"},
      {"queue = [1]", "1: queue must be written [[queue]]"},
      {"[[cluster]]\nname = \"a\"", "1: cluster must be a section, written [cluster]"},
      {"[placement]\nfar = 0.5", "2: far in [placement] must be at least 1"},
      {"[placement]\ncontention = -1", "2: contention in [placement] must be a number from 0 to"},
      {"[[class]]\ncompute = 1", "1: [[class]] needs a name"},
      {"[[class]]\nname = \"a\"\ncompute = 0.7\nmemory = 0.4",
       "2: the shares of class 'a' add up to more than 1"},
      {"[[class]]\nname = \"a\"\n[[class]]\nname = \"a\"", "4: class 'a' is defined twice"},
      {"[[queue]]\nname = \"a\"\nclass = \"comput\"", "did you mean 'compute'?"},
      // types
      {"[cluster]\nname = 5", "2: name in [cluster] must be a string, not the number 5"},
      {"[cluster]\nheartbeat_ms = \"1s\"",
       "2: heartbeat_ms in [cluster] must be a whole number from "
       "100 to 60000, not a string"},
      {"[cluster]\nheartbeat_ms = 1000.5", "not the number 1000.5"},
      {"[cluster]\nheartbeat_ms = true", "not true or false"},
      {"[cluster]\nheartbeat_ms = 2024-01-01", "not a date or time"},
      {"[[queue]]\nname = \"a\"\nenabled = \"yes\"",
       "3: enabled in [[queue]] must be true or false, "
       "not a string"},
      {"[[queue]]\nname = \"a\"\nnodes = 4", "3: nodes in [[queue]] must be a string such as"},
      {"[[queue]]\nname = \"a\"\nreserve = 0.6",
       "3: reserve in [[queue]] must be a number from 0 to 0.5"},
      {"[[queue]]\nname = \"a\"\nreserve = \"5 %\"", "a number from 0 to 0.5"},
      {"[[queue]]\nname = \"a\"\nbackfill = \"cons\"\nreserve = 0.1", "plans without one"},
      {"[[queue]]\nname = \"a\"\nrun_times = \"gdbt\"", "gbdt"},
      {"[[queue]]\nname = \"a\"\nnodes = [\"n1\", 4]", "not the number 4"},
      {"[[node]]\nname = \"a\"\ndevices = [\"gpu\"]",
       "3: devices in [[node]] must be a table such "
       "as { gpu = 2 }"},
      {"[[node]]\nname = \"a\"\nfeatures = \"ib\"", "3: features in [[node]] must be a list"},
      {"[security]\nuser = \"no-such-user\"",
       "2: there is no user 'no-such-user' (user of [security]): create it, on every node"},
      {"[security]\nuser = \"root\"", "2: user of [security] is 'root'"},
      {"[telemetry]\ncounters = [\"perf::PAGEFAULTS\"]",
       "2: counters of [telemetry]: there is no counter 'perf::PAGEFAULTS'; did you mean "
       "perf::PAGE-FAULTS?"},
      {"[telemetry]\ncounters = [1]", "2: counters of [telemetry]: there is no counter"},
      {"[telemetry]\ncounters = \"PAPI_TOT_INS\"", "2: counters in [telemetry] must be a list"},
      {"[telemetry]\ncounters_every_ms = -1", "2: counters_every_ms in [telemetry] must be"},
      {"[telemetry]\nring_memory = \"1k\"",
       "2: ring_memory '1k' in [telemetry] must be an amount such as \"64G\" or a number of MiB, "
       "at least 1M"},
      {"[telemetry]\nring_memory = 0", "2: ring_memory '0' in [telemetry] must be an amount"},
      {"[telemetri]\n", "1: unknown section 'telemetri'; did you mean 'telemetry'?"},
      {"[cluster]\nnetworks = [1]", "2: networks in [cluster] must hold networks"},
      {"[cluster]\nnetworks = [\"a b\"]", "2: networks in [cluster]: 'a b' is neither a network"},
      {"[cluster]\nnetworks = [\"-x\"]", "2: networks in [cluster]: '-x' is neither a network"},
      {"[cluster]\nnetworks = [\"\"]", "2: networks in [cluster]: '' is neither a network"},
      {"[cluster]\nnetworks = [\"enp0123456789012\"]", "is neither a network"},
      {"[cluster]\nnetworks = [\"10.0.0.0/99\"]",
       "2: networks in [cluster]: '10.0.0.0/99' is no network: an address, '/' and the length"},
      {"[cluster]\nnetworks = [\"10.0.0.0/33\"]", "'10.0.0.0/33' is no network"},
      {"[cluster]\nnetworks = [\"10.0.0.0/\"]", "'10.0.0.0/' is no network"},
      {"[cluster]\nnetworks = [\"10.0.0/24\"]", "'10.0.0/24' is no network"},
      {"[cluster]\nnetworks = [\"fe80::/129\"]", "'fe80::/129' is no network"},
      {"[cluster]\nnetworks = [\"10.0.0.7\"]", "'10.0.0.7' lacks the length"},
      {"[security]\nadmins = \"root\"", "2: admins in [security] must be a list"},
      {"[security]\nadmins = [1.5]", "2: admins in [security] must hold user names or uids"},
      {"[health]\nprogram = \"check\"",
       "2: program 'check' in [health] must be an absolute path, such as \"/etc/hyades/program\""},
      {"[jobs]\nhook_directory = \"hooks\"",
       "2: hook_directory 'hooks' in [jobs] must be an absolute path"},
      {"[jobs]\nhook_directory = 7",
       "2: hook_directory in [jobs] must be an absolute path, not the number 7"},
      {"[fence]\ncommand = [\"off\"]",
       "2: command in [fence] must begin with a program's absolute path and be printable, not "
       "'off'"},
      {"[fence]\ncommand = [1]",
       "2: command in [fence] must be a list of strings, not the number 1"},
      // ranges
      {"[cluster]\nheartbeat_ms = 1",
       "2: heartbeat_ms in [cluster] must be a whole number from 100 "
       "to 60000, not 1"},
      {"[cluster]\nheartbeat_ms = 99999999999999", "not 99999999999999"},
      {"[cluster]\nmax_launch_failures = 0", "from 1 to 1000000, not 0"},
      {"[cluster]\nheartbeat_ms = 3000\nnode_timeout_ms = 4000",
       "3: node_timeout_ms (4000) must be at least twice heartbeat_ms (3000)"},
      {"[cluster]\nheartbeat_ms = 30000", "2: node_timeout_ms (5000) must be at least twice"},
      {"[policy]\ngate = 11", "not the number 11"},
      {"[[node]]\nname = \"a\"\ncores = 0", "3: cores in [[node]] must be a whole number from 1"},
      {"[[node]]\nname = \"a\"\ndevices = { gpu = 0 }", "3: the number of gpu devices"},
      {"[device_files]\ngpu = 1", "2: gpu in [device_files] must be an absolute path with one %d"},
      {"[device_files]\ngpu = \"/dev/nvidia\"", "2: gpu in [device_files] must be"},
      {"[device_files]\ngpu = [\"/dev/a%d\", \"/dev/%s%d\"]", "2: gpu in [device_files] must be"},
      {"[device_files]\n\"a b\" = \"/dev/a%d\"", "2: 'a b' in [device_files] is not a kind of"},
      {"[jobs]\npam_service = \"../su\"", "2: pam_service '../su' in [jobs] must be 1 to 64"},
      {"[[node]]\nname = \"a\"\ndevices = { \"a b\" = 1 }", "'a b' is not a kind of device"},
      {"[security]\nadmins = [-1]", "2: -1 in admins of [security] is not a uid"},
      {"[security]\nadmins = [4294967295]", "is not a uid"},
      // units
      {"[[node]]\nname = \"a\"\nmemory = \"64 GiB\"",
       "3: memory '64 GiB' in [[node]] must be an "
       "amount such as \"64G\" or a number of MiB"},
      {"[[node]]\nname = \"a\"\nmemory = -1", "memory '-1'"},
      {"[[node]]\nname = \"a\"\nmemory = \"9000000000000T\"", "must be an amount"},
      {"[[queue]]\nname = \"a\"\nmax_time = \"2h\"",
       "3: max_time '2h' in [[queue]] must be a time "
       "such as \"0:30\", \"2:00:00\""},
      {"[[queue]]\nname = \"a\"\nmax_time = 1.5", "not the number 1.5"},
      {"[[queue]]\nname = \"a\"\ndefault_time = 0",
       "3: default_time '0' in [[queue]] must be from "
       "0:01 to 366-00:00:00"},
      {"[[queue]]\nname = \"a\"\nmax_time = \"1000-0\"", "must be from 0:00 to 366-00:00:00"},
      {"[[queue]]\nname = \"a\"\nmax_time = 10\ndefault_time = 20",
       "4: default_time 20:00 is longer than max_time 10:00 of queue 'a'"},
      // names
      {"[cluster]\nname = \"a b\"", "2: name 'a b' in [cluster] must be 1 to 64 letters"},
      {"[cluster]\nname = \"\"", "2: name '' in [cluster] must be"},
      {"[cluster]\nname = \"\\u001b[31mred\\n2026 root login\"",
       "2: name '\\x1b[31mred\\x0a2026 root login' in [cluster]"},
      {"[[queue]]\nname = \"-x\"", "2: name '-x' in [[queue]] must be"},
      {"[[queue]]\npriority = 1", "1: [[queue]] needs a name"},
      {"[[node]]\ncores = 1", "1: [[node]] needs a name"},
      {"[[queue]]\nname = \"a\"\n[[queue]]\nname = \"a\"",
       "4: queue 'a' is defined twice; the first "
       "is in line 2"},
      {"[[node]]\nname = \"n[1-3]\"\n[[node]]\nname = \"n2\"",
       "4: node 'n2' is defined twice; the "
       "first is in line 2"},
      {"[[node]]\nname = \"n[1-\"", "2: name in [[node]]: '[' without ']'"},
      {"[[node]]\nname = \"a;b\"", "is not a node name"},
      {"[[node]]\nname = \"-oProxyCommand=x\"", "is not a node name"},
      {"[[node]]\nname = \"n[0-99999]\"", "stands for more than 65536 names"},
      {"[[node]]\nname = \"n[1-4]\"\n[[queue]]\nname = \"a\"\nnodes = \"n[3-5]\"",
       "5: unknown node 'n5' in queue 'a'; did you mean 'n1'?"},
      {"[[node]]\nname = \"n1\"\n[[queue]]\nname = \"a\"\nnodes = \"compute7\"",
       "5: unknown node 'compute7' in queue 'a'; no [[node]] has this name"},
      {"[[queue]]\nname = \"a\"\npolicy = \"fifo\"",
       "3: unknown policy 'fifo' in [[queue]]; possible: "
       "fcfs"},
      {"[[queue]]\nname = \"a\"\nbackfill = \"esay\"",
       "3: unknown backfill 'esay' in [[queue]]; did "
       "you mean 'easy'?"},
      {"[security]\nadmins = [\"no-such-user\"]",
       "2: there is no user 'no-such-user' (admins of "
       "[security])"},
      {"[security]\nadmins = [\"root\\u0000x\"]", "2: there is no user 'root\\x00x'"},
      // TOML
      {"[cluster]\nname = \"a\"\nname = \"b\"", "3: "},
      {"[cluster]\n[cluster]", "2: "},
      {"[cluster\nname = 1", "1: "},
      {"[cluster]\nname = \n", "2: "},
      {"[cluster]\nname = \"abc", "2: "},
      {"\xff\xfe[cluster]", "1: "},
      {std::string("[cluster]\nname = \"a\0b\"", 22), "2: "},
  };
  for (const Mistake& mistake : table) {
    const ConfigResult result = parse_config(mistake.text, "site.toml");
    EXPECT_FALSE(result.config) << mistake.text;
    ASSERT_FALSE(result.errors.empty()) << mistake.text;
    const std::string& error = result.errors[0];
    EXPECT_EQ(error.find("site.toml:"), 0u) << error;
    EXPECT_NE(error.find(mistake.error), std::string::npos) << error;
    if (mistake.error[0] >= '1' && mistake.error[0] <= '9') {
      EXPECT_EQ(error.find("site.toml:" + mistake.error), 0u) << error;
    }
  }
}

TEST(ConfigFile, ListsAllMistakesInOrder) {
  const ConfigResult result = parse_config(
      "[security]\nadmins = [\"no-such-user\", -1]\n[[queue]]\nname = \"a\"\nnodse = \"n1\"\n"
      "priority = \"high\"\n[cluster]\nheartbeat_ms = 0\n",
      "site.toml");
  ASSERT_EQ(result.errors.size(), 5u);
  int line = 0;
  for (const std::string& error : result.errors) {
    const int at = std::stoi(error.substr(std::string("site.toml:").size()));
    EXPECT_GE(at, line) << error;
    line = at;
  }
}

TEST(ConfigFile, SurvivesHugeAndBinaryFiles) {
  const std::string megabyte(1 << 20, 'x');
  std::string binary;
  for (int i = 0; i < 100'000; ++i) binary += static_cast<char>(i * 37 + i / 256);
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "key" + std::to_string(i) + " = 1\n";
  for (const std::string& text :
       {"[cluster]\nname = \"" + megabyte + "\"", "[cluster]\n" + megabyte + " = 1", megabyte,
        "[cluster]\nname = [" + std::string(1 << 20, '[') + "]",
        "[[queue]]\nname = \"a\"\nnodes = \"n[" + megabyte + "]\"",
        "[[queue]]\nname = \"a\"\npolicy = \"" + megabyte + "\"", binary, "[cluster]\n" + many,
        std::string(5 << 20, '\n'), std::string(100, '\0')}) {
    const ConfigResult result = parse_config(text, "site.toml");
    EXPECT_FALSE(result.config);
    ASSERT_FALSE(result.errors.empty());
    EXPECT_LE(result.errors.size(), 101u);
    for (const std::string& error : result.errors) {
      EXPECT_LT(error.size(), 1000u);
      for (const char c : error) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
    }
  }
}

TEST(ConfigFile, EveryPrefixAndFlipIsAnswered) {
  const std::string text = kEverything;
  for (std::size_t size = 0; size < text.size(); ++size) {
    const ConfigResult result = parse_config(text.substr(0, size), "site.toml");
    EXPECT_NE(result.config.has_value(), !result.errors.empty());
    std::string flipped = text;
    flipped[size] = static_cast<char>(flipped[size] ^ (1 << (size % 8)));
    const ConfigResult other = parse_config(flipped, "site.toml");
    EXPECT_NE(other.config.has_value(), !other.errors.empty());
  }
}

// ---- the file itself -------------------------------------------------------------------------

TEST(ConfigFile, AMissingFileIsFineOnlyWhenNobodyNamedIt) {
  TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/hyades.toml";
  const ConfigResult optional = load_config(path, false);
  ASSERT_TRUE(optional.config);
  EXPECT_EQ(optional.config->name, "hyades");
  const ConfigResult named = load_config(path, true);
  EXPECT_FALSE(named.config);
  EXPECT_EQ(named.errors.at(0),
            "cannot read the configuration " + path + ": No such file or directory");
  EXPECT_FALSE(load_config(temporary.path(), false).config) << "a directory";
}

TEST(ConfigFile, RefusesAFileThatEverybodyMayChange) {
  TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/hyades.toml";
  write_bytes(path, "[cluster]\nname = \"x\"\n");
  for (const mode_t mode : {0600, 0644, 0664}) {
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
    EXPECT_TRUE(load_config(path, true).config) << mode;
  }
  for (const mode_t mode : {0666, 0777, 0602}) {
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
    const ConfigResult result = load_config(path, true);
    EXPECT_FALSE(result.config) << mode;
    EXPECT_NE(result.errors.at(0).find("chmod o-w " + path), std::string::npos);
  }
  ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  if (geteuid() != 0) return;
  ASSERT_EQ(chown(path.c_str(), 12345, 12345), 0);
  EXPECT_NE(load_config(path, true).errors.at(0).find(path + " belongs to uid 12345"),
            std::string::npos);
}

TEST(ConfigFile, SaysWhenItCannotBeRead) {
  TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/hyades.toml";
  write_bytes(path, "");
  ASSERT_EQ(chmod(path.c_str(), 0000), 0);
  ASSERT_EQ(chmod(temporary.path().c_str(), 0755), 0);
  if (geteuid() == 0) {
    ASSERT_EQ(chown(path.c_str(), 65534, 65534), 0);
  }
  const int status = in_child([&] {
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0) return 2;
    const ConfigResult result = load_config(path, false);
    return !result.config && result.errors.at(0).find("Permission denied") != std::string::npos ? 0
                                                                                                : 1;
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace hyades
