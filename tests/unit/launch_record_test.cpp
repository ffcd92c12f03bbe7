// The pure parts between an order from the master and a running script: what goes over the
// launcher's socket, the job's environment, the names of its output files.
#include "worker/launch_record.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "worker/job_environment.hpp"
#include "worker/job_steps.hpp"
#include "worker/launcher_order.hpp"
#include "worker/output_pattern.hpp"
#include "worker/process_table.hpp"

namespace hyades {
namespace {

LaunchRecord full_record() {
  LaunchRecord record;
  record.key = {1ull << 60, 4000000000u, 77};
  record.uid = 4294967295u;
  record.gid = 100;
  record.user = "somebody";
  record.script = std::string("#!/bin/sh\n\0binary", 17);
  record.arguments = {"", "a b"};
  record.environment = {"A=1", "B="};
  record.working_directory = "/home";
  record.stdin_path = "in";
  record.stdout_path = "out";
  record.stderr_path = "err";
  record.append_output = true;
  record.umask = 077;
  record.cpus = {0, 63};
  record.time_limit_s = 3600;
  record.kill_grace_s = 5;
  record.warning = {.signal = 10, .seconds_before_end = 60, .batch_only = true};
  record.preparation_limit_s = 7;
  record.step_file = std::string("key\0binary", 10);
  record.mpi_hostfile = "vn1 slots=2\n";
  record.companion = true;
  record.step_program = "/usr/libexec/hyades-stepd";
  record.step_key = "0123456789abcdef0123456789abcdef";
  record.lease_s = 20;
  record.lease_base_ms = 1'000'000;
  record.cluster_id = "0a1b-2c_D";
  record.contain_cpus = true;
  record.memory_limit_mib = 4096;
  record.processes_max = 2048;
  record.forbidden_devices = {"/dev/nvidia1"};
  record.hook_directory = "/etc/hyades";
  record.hook_timeout_s = 5;
  record.node_name = "vn1";
  record.job_name = "train";
  record.allow_root = false;
  record.min_uid = 1000;
  record.no_new_privileges = true;
  record.private_tmp = true;
  record.pam_service = "hyades";
  record.counters.counters = {
      {"PAPI_TOT_INS", CounterSide::User, {{4, UINT64_MAX, 2, 3, false}, {0, 1, 0, 0, true}}},
      {"perf::CPU-MIGRATIONS", CounterSide::MostlyKernel, {{1, 4, 0, 0, false}}}};
  record.counters.missing = {{"PAPI_L3_TCM", "there is none"}};
  record.counters.asked = false;
  record.counters_every_ms = 500;
  return record;
}

TEST(LaunchRecordCodec, KeepsEveryField) {
  LaunchRecord copy;
  ASSERT_TRUE(decode(encode(full_record()), copy));
  EXPECT_EQ(copy, full_record());
}

TEST(LaunchRecordCodec, RefusesEveryOtherLength) {
  const std::string bytes = encode(full_record());
  LaunchRecord copy;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode(std::string_view(bytes).substr(0, size), copy)) << size;
  }
  for (std::size_t extra = 1; extra <= 64; ++extra) {
    for (const char filler : {'\0', '\x01', '\x7f', '\xff'}) {
      EXPECT_FALSE(decode(bytes + std::string(extra, filler), copy)) << extra;
    }
    EXPECT_FALSE(decode(bytes + bytes.substr(0, extra), copy)) << extra;
  }
}

TEST(LaunchRecordCodec, RefusesLengthsThatCannotBe) {
  const std::string bytes = encode(full_record());
  for (std::size_t at = 0; at + 8 <= bytes.size(); ++at) {
    std::string damaged = bytes;
    std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(at), 8, '\xff');
    LaunchRecord copy;
    decode(damaged, copy);  // never more than it got, whatever the answer
    EXPECT_LE(copy.arguments.size() + copy.environment.size() + copy.cpus.size(), bytes.size());
  }
}

TEST(LaunchRecordCodec, NoiseIsHarmless) {
  std::mt19937 random(7);
  const std::string bytes = encode(full_record());
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = bytes;
    for (int i = 0; i < 3; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    LaunchRecord copy;
    LauncherOrder order;
    decode(damaged, copy);
    decode(damaged, order);
  }
}

// Its shepherd may be root: it opens no event for its giver of orders that could tell of more than
// the job.
TEST(LaunchRecordCodec, RefusesCountersThatNoJobNeeds) {
  const auto is_refused = [](const auto& change) {
    LaunchRecord record = full_record();
    change(record.counters);
    LaunchRecord copy;
    return !decode(encode(record), copy);
  };
  const auto is_refused_term = [&](const PerfTerm& term) {
    return is_refused([&](CounterPlan& plan) { plan.counters[0].terms = {term}; });
  };
  EXPECT_FALSE(is_refused([](CounterPlan&) {}));
  EXPECT_FALSE(is_refused_term({1, 6, 0, 0, false}));
  EXPECT_TRUE(is_refused_term({1, 7, 0, 0, false}));  // not a count
  EXPECT_TRUE(is_refused_term({1, 2, 9, 0, false}));
  EXPECT_TRUE(is_refused_term({2, 1, 0, 0, false}));  // a tracepoint
  EXPECT_TRUE(is_refused_term({5, 1, 0, 0, false}));  // a breakpoint
  EXPECT_TRUE(is_refused_term({6, 1, 0, 0, false}));  // a probe, or some device
  EXPECT_TRUE(is_refused([](CounterPlan& plan) { plan.counters[0].terms.clear(); }));
  EXPECT_TRUE(is_refused([](CounterPlan& plan) { plan.counters[0].name = "a b"; }));
  EXPECT_TRUE(is_refused([](CounterPlan& plan) { plan.missing[0].why = "a\nb"; }));
  EXPECT_TRUE(is_refused([](CounterPlan& plan) {
    plan.counters[0].terms.resize(counter_terms_max + 1, plan.counters[0].terms[0]);
  }));
  EXPECT_TRUE(is_refused(
      [](CounterPlan& plan) { plan.counters.resize(job_counters_max + 1, plan.counters[0]); }));
}

TEST(LaunchRecordCodec, RefusesNulInPathsAndVariables) {
  const auto is_refused = [](auto change) {
    LaunchRecord record = full_record();
    change(record);
    LaunchRecord copy;
    return !decode(encode(record), copy);
  };
  const std::string nul("a\0b", 3);
  EXPECT_TRUE(is_refused([&](LaunchRecord& r) { r.working_directory = nul; }));
  EXPECT_TRUE(is_refused([&](LaunchRecord& r) { r.stdout_path = nul; }));
  EXPECT_TRUE(is_refused([&](LaunchRecord& r) { r.arguments = {nul}; }));
  EXPECT_TRUE(is_refused([&](LaunchRecord& r) { r.environment = {nul}; }));
  EXPECT_TRUE(is_refused([&](LaunchRecord& r) { r.umask = 01000; }));
  EXPECT_TRUE(is_refused([&](LaunchRecord& r) { r.time_limit_s = -1; }));
  EXPECT_TRUE(is_refused([&](LaunchRecord& r) { r.cpus = {-1}; }));
  EXPECT_TRUE(is_refused([&](LaunchRecord& r) { r.elastic = -2; }));
  EXPECT_TRUE(is_refused([&](LaunchRecord& r) { r.warning.signal = 65; }));
  EXPECT_TRUE(is_refused([&](LaunchRecord& r) { r.step_key = "0123"; }));
  EXPECT_TRUE(is_refused([&](LaunchRecord& r) { r.step_key[0] = 'G'; }));
  EXPECT_TRUE(is_refused([&](LaunchRecord& r) { r.step_key += '0'; }));
  EXPECT_TRUE(is_refused([&](LaunchRecord& r) { r.step_program = "hyades-stepd"; }));
  EXPECT_TRUE(is_refused([&](LaunchRecord& r) { r.lease_s = -1; }));
  EXPECT_TRUE(is_refused([&](LaunchRecord& r) { r.counters_every_ms = -1; }));
  EXPECT_TRUE(is_refused([&](LaunchRecord& r) { r.cluster_id = "../x"; }));
  EXPECT_TRUE(is_refused([&](LaunchRecord& r) { r.memory_limit_mib = -1; }));
  EXPECT_TRUE(is_refused([&](LaunchRecord& r) { r.processes_max = -1; }));
  EXPECT_TRUE(is_refused([&](LaunchRecord& r) { r.lease_base_ms = -1; }));
}

TEST(LauncherOrderCodec, KeepsEveryField) {
  const LaunchKey key = {42, 3, 77};
  LauncherOrder order;
  const std::string start = encode(StartLaunch{key, "record"});
  ASSERT_TRUE(decode(start, order));
  EXPECT_EQ(std::get<StartLaunch>(order).key, key);
  EXPECT_EQ(std::get<StartLaunch>(order).record, "record");
  ASSERT_TRUE(decode(encode(StopLaunch{key, StopReason::ScriptEnded, 30}), order));
  EXPECT_EQ(std::get<StopLaunch>(order).reason, StopReason::ScriptEnded);
  EXPECT_EQ(std::get<StopLaunch>(order).grace_s, 30);
  ASSERT_TRUE(decode(encode(SignalLaunch{key, 64, true}), order));
  EXPECT_EQ(std::get<SignalLaunch>(order).signal, 64);
  EXPECT_TRUE(std::get<SignalLaunch>(order).batch_only);
}

TEST(LauncherOrderCodec, KeepsSweepsAndTheirAnswers) {
  const LaunchKey key = {42, 3, 77};
  LauncherOrder order;
  ASSERT_TRUE(decode(encode(SweepLaunch{key, "0a1b"}), order));
  EXPECT_EQ(std::get<SweepLaunch>(order).key, key);
  EXPECT_EQ(std::get<SweepLaunch>(order).cluster_id, "0a1b");
  EXPECT_FALSE(decode(encode(SweepLaunch{key, "../x"}), order));
  SweepAnswer answer;
  ASSERT_TRUE(decode(encode(SweepAnswer{key, true}), answer));
  EXPECT_EQ(answer.key, key);
  EXPECT_TRUE(answer.clean);
  EXPECT_FALSE(decode(encode(SweepAnswer{key, true}) + "x", answer));
  EXPECT_FALSE(decode(encode(SweepLaunch{key, "0a1b"}), answer));
}

TEST(LauncherOrderCodec, KeepsCoresAndWhatIsWrongWithThem) {
  const LaunchKey key = {42, 3, 77};
  LauncherOrder order;
  ASSERT_TRUE(decode(encode(SetCores{key, "0a1b", {0, 7, 65535}}), order));
  EXPECT_EQ(std::get<SetCores>(order).key, key);
  EXPECT_EQ(std::get<SetCores>(order).cluster_id, "0a1b");
  EXPECT_EQ(std::get<SetCores>(order).cpus, (std::vector<int>{0, 7, 65535}));
  EXPECT_FALSE(decode(encode(SetCores{key, "0a1b", {}}), order));
  EXPECT_FALSE(decode(encode(SetCores{key, "0a1b", {-1}}), order));
  EXPECT_FALSE(decode(encode(SetCores{key, "../x", {0}}), order));
  CoresTrouble trouble;
  const std::string answer = encode(CoresTrouble{key, std::string(10'000, 'x')});
  EXPECT_LE(answer.size(), answer_bytes_max);
  ASSERT_TRUE(decode(answer, trouble));
  EXPECT_EQ(trouble.key, key);
  EXPECT_EQ(trouble.why, std::string(400, 'x'));
  EXPECT_FALSE(decode(encode(SweepAnswer{key, true}), trouble));
}

TEST(LauncherOrderCodec, KeepsPowerAndWhatIsWrongWithIt) {
  LauncherOrder order;
  ASSERT_TRUE(decode(encode(SetPower{3, 65}), order));
  EXPECT_EQ(std::get<SetPower>(order).package, 3);
  EXPECT_EQ(std::get<SetPower>(order).percent, 65);
  EXPECT_FALSE(decode(encode(SetPower{-1, 65}), order));
  EXPECT_FALSE(decode(encode(SetPower{0, 19}), order));
  EXPECT_FALSE(decode(encode(SetPower{0, 101}), order));
  PowerTrouble trouble;
  const std::string answer = encode(PowerTrouble{std::string(10'000, 'x'), "package 0"});
  EXPECT_LE(answer.size(), answer_bytes_max);
  ASSERT_TRUE(decode(answer, trouble));
  EXPECT_EQ(trouble.why, std::string(400, 'x'));
  EXPECT_EQ(trouble.withheld, "package 0");
  CoresTrouble other;
  EXPECT_FALSE(decode(answer, other));
}

TEST(LauncherOrderCodec, RefusesEveryOtherLength) {
  const LaunchKey key = {42, 3, 77};
  const auto check = [](const std::string& bytes, bool open_ended) {
    LauncherOrder order;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const std::string cut = bytes.substr(0, size);
      // What a start carries is a record, whose length is checked when it is read.
      if (open_ended && decode(cut, order)) {
        LaunchRecord record;
        EXPECT_FALSE(decode(std::get<StartLaunch>(order).record, record)) << size;
      } else {
        EXPECT_FALSE(decode(cut, order)) << size;
      }
    }
    for (std::size_t extra = 1; extra <= 64 && !open_ended; ++extra) {
      EXPECT_FALSE(decode(bytes + std::string(extra, '\0'), order)) << extra;
    }
  };
  const std::string record = encode(full_record());
  check(encode(StartLaunch{key, record}), true);
  check(encode(StopLaunch{key, StopReason::Cancelled, 5}), false);
  check(encode(SignalLaunch{key, 9, true}), false);
  check(encode(SweepLaunch{key, "0a1b"}), false);
  check(encode(SetPower{3, 65}), false);
}

TEST(LauncherOrderCodec, RefusesWhatIsNotAnOrder) {
  LauncherOrder order;
  EXPECT_FALSE(decode("", order));
  EXPECT_FALSE(decode(std::string(32, '\x09'), order));
  EXPECT_FALSE(decode(encode(SignalLaunch{{1, 1, 1}, 65, false}), order));
  EXPECT_FALSE(decode(encode(StopLaunch{{1, 1, 1}, static_cast<StopReason>(9), 1}), order));
  EXPECT_FALSE(decode(encode(StopLaunch{{1, 1, 1}, StopReason::Requeue, -1}), order));
  EXPECT_FALSE(decode(encode(StopLaunch{{1, 1, 1}, StopReason::Requeue, 1}) + "x", order));
}

TEST(ShepherdWordCodec, FitsIntoASignal) {
  for (const ShepherdWord& word :
       {ShepherdWord{.kind = ShepherdWord::Kind::Stop,
       .reason = StopReason::TimeLimit,
       .grace_s = INT32_MAX},
        ShepherdWord{.kind = ShepherdWord::Kind::Signal, .signal = 64, .batch_only = true}}) {
    ShepherdWord copy;
    ASSERT_TRUE(unpack(pack(word), copy));
    EXPECT_EQ(copy, word);
  }
  ShepherdWord word;
  EXPECT_FALSE(unpack(0, word));
  EXPECT_FALSE(unpack(~0ull, word));
}

// ---- The environment ---------------------------------------------------------------------------

LaunchOrder order_on_three_nodes() {
  LaunchOrder order;
  order.key = {42, 3, 77};
  order.cluster = "star";
  order.restarts = 2;
  order.spec.name = "train";
  order.spec.queue = "batch";
  order.spec.user = "ada";
  order.spec.tasks = 5;
  order.spec.cpus_per_task = 2;
  order.spec.time_limit_s = 600;
  order.payload.script = "#!/bin/bash\ntrue\n";
  order.payload.working_directory = "/home/ada";
  order.placement.shares = {{.node = "vn1",
                             .boot_id = "boot-1",
                             .tasks = 2,
                             .cores = IdSet::first(4),
                             .memory_mib = 1000,
                             .devices = {{"gpu", IdSet::first(2)}}},
                            {.node = "vn2",
                             .boot_id = "boot-2",
                             .tasks = 2,
                             .cores = IdSet::first(4),
                             .memory_mib = 1000},
                            {.node = "vn3",
                             .boot_id = "boot-3",
                             .tasks = 1,
                             .cores = IdSet::first(2),
                             .memory_mib = 1000}};
  return order;
}

std::string variable(const LaunchOrder& order, const std::string& name,
                     const JobEnvironment& where = {"abc", "/state", "/opt/bin", "", ""}) {
  std::string value = "(not set)";
  int count = 0;
  for (const std::string& line : job_environment(order, where)) {
    if (!line.starts_with(name + '=')) continue;
    value = line.substr(name.size() + 1);
    ++count;
  }
  EXPECT_LE(count, 1) << name;
  return value;
}

TEST(JobEnvironment, DescribesTheJob) {
  const LaunchOrder order = order_on_three_nodes();
  const std::pair<const char*, const char*> expected[] = {{"HYADES_JOB_ID", "42"},
                                                          {"HYADES_JOB_NAME", "train"},
                                                          {"HYADES_NODELIST", "vn1,vn2,vn3"},
                                                          {"HYADES_NODENAME", "vn1"},
                                                          {"HYADES_NNODES", "3"},
                                                          {"HYADES_NTASKS", "5"},
                                                          {"HYADES_CPUS_PER_TASK", "2"},
                                                          {"HYADES_CPUS_ON_NODE", "4"},
                                                          {"HYADES_MEM_PER_NODE", "1000"},
                                                          {"HYADES_QUEUE", "batch"},
                                                          {"HYADES_SUBMIT_DIR", "/home/ada"},
                                                          {"HYADES_RESTART_COUNT", "2"},
                                                          {"HYADES_ATTEMPT", "3"},
                                                          {"HYADES_TIME_LIMIT_S", "600"},
                                                          {"HYADES_CLUSTER", "star"},
                                                          {"HYADES_DIR", "/state"},
                                                          {"HYADES_LAUNCH", "abc:42.3.77"},
                                                          {"OMP_NUM_THREADS", "2"},
                                                          {"CUDA_VISIBLE_DEVICES", "0,1"},
                                                          {"SLURM_JOB_ID", "(not set)"}};
  for (const auto& [name, value] : expected) EXPECT_EQ(variable(order, name), value) << name;
}

TEST(JobEnvironment, SpeaksSlurmToSlurmScripts) {
  LaunchOrder order = order_on_three_nodes();
  order.payload.script = "#!/bin/bash\n# SBATCH is not a directive\n#SBATCH -n5\n";
  const std::pair<const char*, const char*> expected[] = {{"SLURM_JOB_ID", "42"},
                                                          {"SLURM_JOBID", "42"},
                                                          {"SLURM_JOB_NAME", "train"},
                                                          {"SLURM_JOB_NODELIST", "vn[1-3]"},
                                                          {"SLURM_NODELIST", "vn[1-3]"},
                                                          {"SLURM_NNODES", "3"},
                                                          {"SLURM_JOB_NUM_NODES", "3"},
                                                          {"SLURM_NTASKS", "5"},
                                                          {"SLURM_CPUS_PER_TASK", "2"},
                                                          {"SLURM_CPUS_ON_NODE", "4"},
                                                          {"SLURM_SUBMIT_DIR", "/home/ada"},
                                                          {"SLURM_JOB_PARTITION", "batch"},
                                                          {"SLURM_RESTART_COUNT", "2"},
                                                          {"SLURMD_NODENAME", "vn1"},
                                                          {"SLURM_TASKS_PER_NODE", "2(x2),1"},
                                                          {"SLURM_JOB_CPUS_PER_NODE", "4(x2),2"},
                                                          {"SLURM_NPROCS", "5"},
                                                          {"SLURM_CLUSTER_NAME", "star"},
                                                          {"SLURM_JOB_USER", "ada"},
                                                          {"SLURM_JOB_UID", "0"},
                                                          {"SLURM_JOB_GID", "0"},
                                                          {"SLURM_NTASKS_PER_NODE", "(not set)"},
                                                          {"SLURM_MEM_PER_NODE", "(not set)"},
                                                          {"SLURM_GPUS_ON_NODE", "(not set)"},
                                                          {"SLURM_PROCID", "0"},
                                                          {"SLURM_LOCALID", "0"},
                                                          {"SLURM_NODEID", "0"}};
  for (const auto& [name, value] : expected) EXPECT_EQ(variable(order, name), value) << name;
  order.payload.script = "#!/bin/bash\necho '  #SBATCH'\n";
  EXPECT_EQ(variable(order, "SLURM_JOB_ID"), "(not set)");
}

TEST(JobEnvironment, TellsSlurmScriptsWhatWasAskedFor) {
  LaunchOrder order = order_on_three_nodes();
  order.payload.script = "#!/bin/bash\n#SBATCH -n5\n";
  order.spec.cpus_per_task = 1;
  order.spec.tasks_per_node = 2;
  order.spec.memory_per_node_mib = 4096;
  order.spec.memory_per_cpu_mib = 512;
  order.spec.devices_per_node = {{"gpu", 2}};
  const std::pair<const char*, const char*> expected[] = {
      {"SLURM_CPUS_PER_TASK", "(not set)"}, {"SLURM_NTASKS_PER_NODE", "2"},
      {"SLURM_MEM_PER_NODE", "4096"},       {"SLURM_MEM_PER_CPU", "512"},
      {"SLURM_GPUS_ON_NODE", "2"},          {"SLURM_JOB_GPUS", "0,1"}};
  for (const auto& [name, value] : expected) EXPECT_EQ(variable(order, name), value) << name;
}

TEST(JobEnvironment, ListsNodesInTheOrderOfTheirRanks) {
  LaunchOrder order = order_on_three_nodes();
  order.payload.script = "#!/bin/bash\n#SBATCH -n5\n";
  std::swap(order.placement.shares[0], order.placement.shares[2]);
  EXPECT_EQ(variable(order, "SLURM_JOB_NODELIST"), "vn3,vn2,vn1");
  EXPECT_EQ(variable(order, "HYADES_NODELIST"), "vn3,vn2,vn1");
}

TEST(JobEnvironment, MakesMpirunUseTheJobsNodes) {
  LaunchOrder order = order_on_three_nodes();
  order.spec.uid = 1000;
  const JobEnvironment where = {"abc", "/state", "/opt/bin", "/spool/x.steps", "/spool/x.hosts"};
  const std::pair<const char*, const char*> expected[] = {
      {"HYADES_STEP_FILE", "/spool/x.steps"},
      {"OMPI_MCA_orte_default_hostfile", "/spool/x.hosts"},
      {"OMPI_MCA_plm_rsh_agent", "/opt/bin/hrsh"},
      {"OMPI_MCA_plm", "rsh"},
      {"OMPI_MCA_ras", "^slurm"},
      {"OMPI_MCA_hwloc_base_binding_policy", "none"},
      {"OMPI_MCA_orte_set_default_slots", "(not set)"},
      {"OMPI_MCA_routed_radix", "(not set)"},
      {"OMPI_ALLOW_RUN_AS_ROOT", "(not set)"}};
  for (const auto& [name, value] : expected) EXPECT_EQ(variable(order, name, where), value) << name;
  for (int i = 4; i <= 100; ++i) {
    order.placement.shares.push_back(order.placement.shares.back());
    order.placement.shares.back().node = "vn" + std::to_string(i);
  }
  EXPECT_EQ(variable(order, "OMPI_MCA_routed_radix", where), "100");
  EXPECT_EQ(variable(order, "OMPI_MCA_plm_rsh_num_concurrent", where), "100");
}

TEST(JobEnvironment, MakesMpirunUseTheJobsTasksOnOneNode) {
  LaunchOrder order = order_on_three_nodes();
  order.placement.shares.resize(1);
  order.spec.uid = 0;
  const std::pair<const char*, const char*> expected[] = {
      {"HYADES_STEP_FILE", "(not set)"},
      {"OMPI_MCA_orte_default_hostfile", "(not set)"},
      {"OMPI_MCA_plm_rsh_agent", "/opt/bin/hrsh"},
      {"OMPI_MCA_orte_set_default_slots", "2"},
      {"OMPI_ALLOW_RUN_AS_ROOT", "1"},
      {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"}};
  for (const auto& [name, value] : expected) EXPECT_EQ(variable(order, name), value) << name;
}

TEST(JobSteps, ListTheSharesAndWhereTheyListen) {
  LaunchOrder order = order_on_three_nodes();
  order.step_key = "00112233445566778899aabbccddeeff";
  order.peers = {{"10.0.0.1", 7}, {"10.0.0.2", 40002}, {"n3", 40003}};
  const StepFile steps = job_steps(order);
  EXPECT_EQ(encode(steps),
            "hyades-steps 1\nlaunch 42.3.77\nkey 00112233445566778899aabbccddeeff\n"
            "node vn1 10.0.0.1 0 2 4\nnode vn2 10.0.0.2 40002 2 4\nnode vn3 n3 40003 1 2\nend 3\n");
  StepFile copy;
  std::string error;
  EXPECT_TRUE(parse_step_file(encode(steps), copy, error)) << error;
}

TEST(JobEnvironment, KeepsTheUsersAndDropsTheOuterMpis) {
  LaunchOrder order = order_on_three_nodes();
  order.payload.environment = {"OMP_NUM_THREADS=9",
                               "EMPTY=",
                               "OMPIRE=mine",
                               "HYADES_LAUNCH=old:1.1.1",
                               "OMPI_MCA_x=1",
                               "PMIX_RANK=0",
                               "ORTE_A=1",
                               "PRTE_A=1",
                               "OPAL_A=1",
                               "PMI_RANK=1",
                               "HYDRA_A=1",
                               "I_MPI_HYDRA_A=1",
                               "I_MPI_FABRICS=shm",
                               "HFI_NO_BACKTRACE=1",
                               "IPATH_NO_BACKTRACE=1",
                               "PSM2_DEVICES=self"};
  EXPECT_EQ(variable(order, "OMP_NUM_THREADS"), "9");
  EXPECT_EQ(variable(order, "EMPTY"), "");
  EXPECT_EQ(variable(order, "OMPIRE"), "mine");
  EXPECT_EQ(variable(order, "I_MPI_FABRICS"), "shm");
  EXPECT_EQ(variable(order, "HYADES_LAUNCH"), "abc:42.3.77");
  for (const char* name :
       {"OMPI_MCA_x", "PMIX_RANK", "ORTE_A", "PRTE_A", "OPAL_A", "PMI_RANK", "HYDRA_A",
        "I_MPI_HYDRA_A", "HFI_NO_BACKTRACE", "IPATH_NO_BACKTRACE", "PSM2_DEVICES"}) {
    EXPECT_EQ(variable(order, name), "(not set)") << name;
  }
}

// ---- Output files ------------------------------------------------------------------------------

TEST(OutputPattern, ExpandsWhatItKnows) {
  const LaunchOrder order = order_on_three_nodes();
  const std::pair<const char*, const char*> expected[] = {{default_output_pattern, "hyades-42.out"},
                                                          {"%x.%u.%N", "train.ada.vn1"},
                                                          {"%j %J %A %b %r", "42 42 42 2 2"},
                                                          {"%n%t%a%s", "000batch"},
                                                          {"%5j-%2a", "00042-00"},
                                                          {"%99j", "0000000042"},
                                                          {"100%%", "100%"},
                                                          {"%%j", "%j"},
                                                          {"%", "%"},
                                                          {"%5", "%5"},
                                                          {"%q %5q", "%q %5q"},
                                                          {"", ""},
                                                          {"/a/../%j", "/a/../42"}};
  for (const auto& [pattern, path] : expected) {
    EXPECT_EQ(expand_output_pattern(pattern, order), path) << pattern;
  }
}

TEST(OutputPattern, NamesLeadNowhereElse) {
  LaunchOrder order = order_on_three_nodes();
  order.spec.name = "../../etc/passwd";
  EXPECT_EQ(expand_output_pattern("%x", order), ".._.._etc_passwd");
  order.spec.name = "/x%j";  // and are not expanded themselves
  EXPECT_EQ(expand_output_pattern("%x.out", order), "_x%j.out");
}

// ---- Processes ---------------------------------------------------------------------------------

TEST(ProcessTable, ReadsStatLinesOfStrangeNames) {
  Process process;
  ASSERT_TRUE(parse_stat(
      "7 (a) (b) R 1) S 3 4 5 34816 -1 4194304 1 0 0 0 9 9 0 0 20 0 1 0 1234 1 1\n", process));
  EXPECT_EQ(process.pid, 7);
  EXPECT_EQ(process.name, "a) (b) R 1");
  EXPECT_EQ(process.parent, 3);
  EXPECT_EQ(process.group, 4);
  EXPECT_EQ(process.session, 5);
  EXPECT_EQ(process.terminal, 34816);
  EXPECT_EQ(process.start_ms, 1234 * 1000 / sysconf(_SC_CLK_TCK));
  EXPECT_FALSE(process.zombie);
  EXPECT_FALSE(parse_stat("7 (a) S 3", process));
  EXPECT_FALSE(parse_stat("", process));
}

TEST(ProcessTable, FindsDescendants) {
  const auto process = [](pid_t pid, pid_t parent) {
    return Process{.pid = pid, .parent = parent};
  };
  const std::vector<Process> all = {process(5, 4), process(4, 2), process(3, 1),
                                    process(2, 1), process(9, 8), process(8, 9)};
  std::vector<pid_t> found;
  for (const Process& one : descendants(all, 2)) found.push_back(one.pid);
  EXPECT_EQ(found, (std::vector<pid_t>{4, 5}));
  EXPECT_LE(descendants(all, 8).size(), all.size() + 2);  // a torn snapshot is not endless
}

}  // namespace
}  // namespace hyades
