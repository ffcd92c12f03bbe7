// What a job meets on its node: exact exit codes, only its own files, an environment in which MPI
// works; and what it leaves behind.
#include "census.hpp"
#include "shared_cluster_test.hpp"
#include "taken_time.hpp"
#include "trace/swf_reader.hpp"

namespace hyades::test {
namespace {

class Jobs : public SharedClusterTest<Jobs> {
 public:
  static ClusterOptions options() { return {.nodes = 2, .cores = 8}; }
};

std::string number(JobId id) { return std::to_string(id); }

// F06. All at once: 255 exit codes and every signal that ends a process.
class JobResults : public SharedClusterTest<JobResults> {
 public:
  static ClusterOptions options() { return {.nodes = 2, .cores = 8}; }
};

TEST_F(JobResults, EveryExitCodeAndSignalIsExact) {
  struct Expected {
    int exit_code;
    int signal;
  };
  std::map<JobId, Expected> expected;
  // In sh: bash takes no notice of SIGQUIT.
  cluster().write_file("end.sh", "#!/bin/sh\n[ $1 = exit ] && exit $2\nkill -$2 $$\nsleep 60\n");
  const auto submit = [&](const char* how, int value) {
    return cluster().must_submit(
        {"--no-requeue", "-o", "/dev/null", "end.sh", how, std::to_string(value)});
  };
  for (int code = 0; code < 256; ++code) expected[submit("exit", code)] = {code, 0};
  // Not those that stop a process, or that it survives by default.
  for (const int signal : {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,
                           15, 16, 24, 25, 26, 27, 29, 30, 31, 34, 40, 50, 63, 64}) {
    expected[submit("kill", signal)] = {0, signal};
  }
  std::vector<std::string> wait{"hwait", "--quiet", "--timeout", "120"};
  for (const auto& [id, end] : expected) wait.push_back(number(id));
  EXPECT_EQ(cluster().run(wait, {.timeout_ms = 150'000}).exit_code, 255);
  const Json jobs = cluster().run({"hacct", "--json", "--all-users", "--limit", "1000"}).json();
  ASSERT_EQ(jobs["jobs"].size(), expected.size());
  for (const Json& job : jobs["jobs"]) {
    const Expected& end = expected.at(job["id"].get<JobId>());
    EXPECT_EQ(job["exit_code"], end.exit_code) << job.dump();
    EXPECT_EQ(job["exit_signal"], end.signal) << job.dump();
    EXPECT_EQ(job["state"], end.exit_code + end.signal == 0 ? "COMPLETED" : "FAILED");
    EXPECT_EQ(job["attempts"], 1);
  }
}

std::map<std::string, std::int64_t> counters_of(const Json& job) {
  std::map<std::string, std::int64_t> counters;
  for (const Json& counter : job["usage"]["counters"]) {
    counters[counter["name"].get<std::string>()] = counter["value"].get<std::int64_t>();
  }
  return counters;
}

TEST_F(Jobs, WhatTheyUsedIsKnown) {
  const TakenTime taken;
  const JobId id = cluster().must_wrap(
      "( " + program("known_load") + " cpu 200 & wait ); " + program("known_load") + " pages 10000",
      {"-o", "/dev/null", "--counters=perf::TASK-CLOCK,perf::PAGE-FAULTS,PAPI_CA_SNP"});
  const Json job = cluster().must_wait(id);
  const Json& usage = job["usage"];
  const auto counters = counters_of(job);
  ASSERT_EQ(counters.count("perf::TASK-CLOCK"), 1u) << job.dump(2);
  const double accounted = usage["user_ms"].get<double>() + usage["system_ms"].get<double>();
  const double counted = static_cast<double>(counters.at("perf::TASK-CLOCK")) / 1e6;
  EXPECT_GE(counted, 0.95 * accounted - 20);
  EXPECT_LE(counted, 1.05 * accounted + 20 + taken.ms());
  EXPECT_GE(counters.at("perf::TASK-CLOCK"), 200'000'000);
  EXPECT_GE(counters.at("perf::PAGE-FAULTS"), 10000);
  EXPECT_GE(usage["minor_faults"].get<std::int64_t>(), 10000);
  // Nobody's processor has had this one for long; whoever asked is told so.
  if (counters.count("PAPI_CA_SNP") == 0) {
    ASSERT_EQ(usage["missing_counters"].size(), 1u) << job.dump(2);
    EXPECT_EQ(usage["missing_counters"][0]["name"], "PAPI_CA_SNP");
    EXPECT_NE(usage["missing_counters"][0]["why"], "");
  }
}

TEST_F(Jobs, GetTheConfigurationsCountersOrNone) {
  const JobId usual = cluster().must_wrap("true", {"-o", "/dev/null"});
  const JobId none = cluster().must_wrap("true", {"-o", "/dev/null", "--counters=none"});
  const Json counted = cluster().must_wait(usual)["usage"];
  EXPECT_EQ(counters_of({{"usage", counted}}).count("perf::TASK-CLOCK"), 1u) << counted.dump(2);
  EXPECT_TRUE(counted["missing_counters"].empty()) << counted.dump(2);  // nobody asked
  const Json uncounted = cluster().must_wait(none)["usage"];
  EXPECT_TRUE(uncounted["counters"].empty()) << uncounted.dump(2);
  EXPECT_GT(uncounted["minor_faults"].get<std::int64_t>(), 0);
  const CommandResult refused =
      cluster().run({"hsub", "--counters=perf::PAGE-FAULT", "--wrap", "true"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_NE(refused.err.find("did you mean perf::PAGE-FAULTS?"), std::string::npos) << refused.err;
}

TEST_F(Jobs, CountersOfSeveralNodesAreTheirSum) {
  const JobId id = cluster().must_wrap(
      program("hrun") + " " + program("known_load") + " cpu 200",
      {"-n", "2", "-N", "2", "-o", "/dev/null", "--counters=perf::TASK-CLOCK,perf::CPU-CLOCK"});
  const Json job = cluster().must_wait(id);
  const auto counters = counters_of(job);
  ASSERT_EQ(counters.count("perf::TASK-CLOCK"), 1u) << job.dump(2);
  EXPECT_GE(counters.at("perf::TASK-CLOCK"), 400'000'000);
  EXPECT_EQ(counters.count("perf::CPU-CLOCK"), 1u);
}

// S23.
TEST_F(Jobs, SeeOnlyTheirThreeFiles) {
  cluster().must_wait(
      cluster().must_wrap("ls /proc/self/fd | tr '\\n' ' '; ls /proc/$PPID/fd", {"-o", "fds"}));
  // The third of `ls` is the directory that it reads.
  EXPECT_TRUE(cluster().read_file("fds").starts_with("0 1 2 3 ")) << cluster().read_file("fds");
  cluster().must_wait(cluster().must_wrap(
      "for f in /proc/$$/fd/*; do echo ${f##*/} $(readlink $f); done", {"-o", "own-fds"}));
  const std::string own = cluster().read_file("own-fds");
  EXPECT_NE(own.find("0 /dev/null\n"), std::string::npos) << own;
  EXPECT_NE(own.find("1 " + cluster().path("own-fds")), std::string::npos) << own;
  EXPECT_EQ(own.find("queue.db"), std::string::npos) << own;
  EXPECT_EQ(own.find("socket:"), std::string::npos) << own;
}

TEST_F(Jobs, CanRunMpi) {
  const JobId id = cluster().must_wrap(
      "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1\n"
      "mpirun --oversubscribe -n 2 " +
          program("mpi_hello"),
      {"-n", "2", "-N", "1", "-o", "mpi.out"});
  const Json job = cluster().must_wait(id);
  const std::string out = cluster().read_file("mpi.out");
  EXPECT_EQ(job["state"], "COMPLETED") << out;
  EXPECT_NE(out.find("rank 0 of 2"), std::string::npos) << out;
  EXPECT_NE(out.find("rank 1 of 2"), std::string::npos) << out;
}

// F32. Every way out that a process has: background, nohup, a session of its own twice over, with
// its files closed and its environment emptied.
TEST_F(Jobs, NothingIsLeftBehind) {
  const JobId id = cluster().must_wrap(
      "sleep 1000 &\n"
      "nohup sleep 1001 >/dev/null 2>&1 &\n"
      "setsid sh -c 'setsid sleep 1002 & sleep 1003 &' &\n"
      "(exec env -i setsid sh -c 'exec 0<&- 1>&- 2>&-; sleep 1004 & exec sleep 1005') &\n"
      "trap '' TERM; (trap '' TERM INT HUP; while :; do sleep 1; done) &\n"
      "sleep 0.3; exit 4",
      {"-o", "/dev/null"});
  const Json job = cluster().must_wait(id);
  EXPECT_EQ(job["state"], "FAILED");
  EXPECT_EQ(job["exit_code"], 4);
  // At once: the end is told only when nothing is left.
  reap_orphans();
  for (const Kin& kin : family()) {
    EXPECT_EQ(kin.command.find("sleep 100"), std::string::npos) << kin.command;
  }
}

TEST_F(Jobs, TheirHistoryIsALogThatCanBeReplayed) {
  const JobId id = cluster().must_wrap("sleep 1.2", {"-c", "3", "-t", "5", "-o", "/dev/null"});
  EXPECT_EQ(cluster().must_wait(id)["state"], "COMPLETED");
  const CommandResult result = cluster().run({"hacct", "--all-users", "--swf"});
  ASSERT_TRUE(result.good()) << result.text();
  const SwfLog log = parse_swf("history.swf", result.out);
  EXPECT_TRUE(log.clean_ups.lines().empty());
  EXPECT_EQ(log.workload.procs, 16);  // two nodes of eight cores
  const auto& jobs = log.workload.jobs;
  const auto job = std::find_if(jobs.begin(), jobs.end(), [&](const TraceJob& each) {
    return each.id == static_cast<std::int64_t>(id);
  });
  ASSERT_NE(job, jobs.end());
  EXPECT_GE(job->run_s, 1);
  EXPECT_EQ(job->request_s, 300);
  EXPECT_EQ(job->procs, 3);
  EXPECT_EQ(cluster().run({"hacct", "--swf", "--json"}).exit_code, 2);
}

TEST_F(Jobs, NothingIsLeftBehindByACancel) {
  const JobId id = cluster().must_wrap(
      "trap '' TERM; setsid sleep 1010 & (setsid sh -c 'trap \"\" TERM; sleep 1011' &)\n"
      "echo ready; wait; sleep 1012",
      {"-o", "cancel.out"});
  ASSERT_TRUE(cluster().wait_for_output("cancel.out", "ready"));
  ASSERT_EQ(cluster().run({"hcancel", number(id)}).exit_code, 0);
  EXPECT_EQ(cluster().must_wait(id)["state"], "CANCELLED");
  reap_orphans();
  for (const Kin& kin : family()) {
    EXPECT_EQ(kin.command.find("sleep 101"), std::string::npos) << kin.command;
  }
}

TEST_F(Jobs, SeveralShareANodeUpToItsCores) {
  std::vector<JobId> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(cluster().must_wrap("echo $HYADES_CORES >cores." + std::to_string(i) +
                                          "; while [ ! -e all.go ]; do sleep 0.05; done",
                                      {"-w", "vn1", "-c", "2", "-o", "/dev/null"}));
  }
  std::set<std::string> cores;
  ASSERT_TRUE(wait_until([&] {
    cores.clear();
    for (int i = 0; i < 4; ++i) cores.insert(cluster().read_file("cores." + std::to_string(i)));
    return !cores.contains("");
  }));
  EXPECT_EQ(cluster().state_of(ids[4]), "PENDING");
  EXPECT_EQ(cluster().job(ids[4])["reason"], "Resources");
  EXPECT_EQ(cores, (std::set<std::string>{"0-1\n", "2-3\n", "4-5\n", "6-7\n"}));
  cluster().write_file("all.go", "");
  for (const JobId id : ids) EXPECT_EQ(cluster().must_wait(id)["state"], "COMPLETED");
}

}  // namespace
}  // namespace hyades::test
