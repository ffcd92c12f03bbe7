// Steps of jobs on several nodes of a real cluster: hrun and a plain mpirun in job scripts.
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>

#include "shared_cluster_test.hpp"

namespace hyades::test {
namespace {

using Lines = std::vector<std::string>;

class Steps : public SharedClusterTest<Steps> {
 public:
  static ClusterOptions options() { return {.nodes = 3, .cores = 4}; }

 protected:
  // Waits for the job and returns the sorted lines of its output.
  Lines lines_of(JobId id, const std::string& state = "COMPLETED") {
    const Json job = cluster().must_wait(id);
    EXPECT_EQ(job["state"], state) << job.dump();
    Lines lines;
    std::istringstream text(cluster().read_file("out"));
    for (std::string line; std::getline(text, line);) {
      // mpirun's own words: of a race, and of users like nobody.
      const bool chatter = line.find("plm:rsh: Warning: setpgid") != std::string::npos ||
                           line.find("local probe returned unhandled shell") != std::string::npos;
      if (!chatter) lines.push_back(line);
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  // In the order of the ranks; the job has ended.
  std::string node_of(JobId id, int number) {
    return cluster().must_wait(id)["nodes"][static_cast<std::size_t>(number)];
  }
  Lines ranks(int count) {
    Lines all;
    for (int i = 0; i < count; ++i) {
      all.push_back("rank " + std::to_string(i) + " of " + std::to_string(count) + ", sum " +
                    std::to_string(count * (count - 1) / 2));
    }
    return all;
  }
};

TEST_F(Steps, HrunSpansTheJobsNodes) {
  const JobId id = cluster().must_wrap(
      program("hrun") + " --label sh -c 'echo $HYADES_NODENAME $LOCAL_RANK $SLURM_PROCID; pwd'",
      {"-N", "3", "--ntasks-per-node", "2", "-n", "6", "-o", "out"});
  Lines expected;
  for (int rank = 0; rank < 6; ++rank) {
    const std::string label = std::to_string(rank) + ": ";
    expected.push_back(label + cluster().work());
    expected.push_back(label + node_of(id, rank / 2) + ' ' + std::to_string(rank % 2));
  }
  EXPECT_EQ(lines_of(id), expected);
}

// Each node's shepherd hears its own tasks; where several say the same name, the batch node's word
// counts.
TEST_F(Steps, TasksOnAllNodesCanReport) {
  const JobId id =
      cluster().must_wrap(program("hrun") + " sh -c '" + program("hreport") +
                              " rank=$RANK seen.on.$HYADES_NODENAME=1' && mpirun sh -c '" +
                              program("hreport") + " mpi.on.$HYADES_NODENAME=1'",
                          {"-N", "3", "-n", "3", "-o", "out"});
  cluster().must_wait(id);
  const Json job = cluster().job(id);
  std::map<std::string, double> reported;
  for (const Json& figure : job["usage"]["reported"]) {
    reported[figure["name"]] = figure["value"];
  }
  std::map<std::string, double> expected = {{"rank", 0}};
  for (int i = 0; i < 3; ++i) {
    expected["seen.on." + node_of(id, i)] = expected["mpi.on." + node_of(id, i)] = 1;
  }
  EXPECT_EQ(reported, expected) << cluster().read_file("out");
}

TEST_F(Steps, HrunOnOneNodeNeedsNoMore) {
  const JobId id = cluster().must_wrap(program("hrun") + " sh -c 'echo $RANK/$WORLD_SIZE'",
                                       {"-n", "3", "-N", "1", "-o", "out"});
  EXPECT_EQ(lines_of(id), (Lines{"0/3", "1/3", "2/3"}));
}

TEST_F(Steps, PlainMpirunSpansTheJobsNodes) {
  const JobId id = cluster().must_wrap(
      "mpirun " + program("mpi_hello") + " && mpirun sh -c 'echo on $HYADES_NODENAME'",
      {"-N", "3", "--ntasks-per-node", "2", "-n", "5", "-o", "out"});
  Lines expected = ranks(5);
  for (int rank = 0; rank < 5; ++rank) expected.push_back("on " + node_of(id, rank / 2));
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(lines_of(id), expected);
  EXPECT_EQ(cluster().job(id)["reason"], "");  // what mpirun leaves to us is nobody's concern
}

TEST_F(Steps, PlainMpirunUsesTheTasksOfAJobOnOneNode) {
  const JobId id =
      cluster().must_wrap("mpirun " + program("mpi_hello"), {"-n", "3", "-N", "1", "-o", "out"});
  EXPECT_EQ(lines_of(id), ranks(3));
}

TEST_F(Steps, SlurmScriptsFindTheirNames) {
  cluster().write_script("train.sbatch",
                         "#SBATCH --nodes=3 --ntasks=3 --ntasks-per-node=1 --output=out\n"
                         "echo $SLURM_JOB_NODELIST $SLURM_TASKS_PER_NODE $SLURM_NTASKS_PER_NODE\n" +
                             program("hrun") +
                             " sh -c 'echo $SLURM_PROCID $SLURM_LOCALID "
                             "$SLURM_NODEID $SLURMD_NODENAME "
                             "$SLURM_STEP_NUM_TASKS'\n" +
                             "mpirun " + program("mpi_hello") + "\n" +
                             "srun --mpi=none --ntasks=2 -c 1 --kill-on-bad-exit=1 --label -- "
                             "sh -c 'echo srun $SLURM_PROCID $X' --export=ALL\n"
                             "srun --export=ALL,X=3 -n 1 -N 1 -o lines -- sh -c 'echo $X'\n"
                             "cat lines; scontrol show hostnames\n"
                             "scontrol show hostnames n[08-09]\n");
  const JobId id = cluster().must_submit({"train.sbatch"});
  Lines expected;
  Lines names;
  for (int rank = 0; rank < 3; ++rank) {
    const std::string number = std::to_string(rank);
    names.push_back(node_of(id, rank));
    expected.push_back(number + " 0 " + number + ' ' + names.back() + " 3");
  }
  const std::string list =
      names == Lines{"vn1", "vn2", "vn3"} ? "vn[1-3]" : names[0] + ',' + names[1] + ',' + names[2];
  expected.push_back(list + " 1(x3) 1");
  for (const std::string& rank : ranks(3)) expected.push_back(rank);  // a plain mpirun as well
  for (const char* line : {"0: srun 0", "1: srun 1", "3", "n08", "n09"}) expected.push_back(line);
  for (const std::string& name : names) expected.push_back(name);
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(lines_of(id), expected);
}

TEST_F(Steps, AStepsFailureIsTheScriptsToKnow) {
  const JobId id = cluster().must_wrap(program("hrun") + " sh -c 'exit $((RANK + 4))'; exit $?",
                                       {"-N", "3", "-n", "3", "-o", "out"});
  Lines expected;
  for (int rank = 0; rank < 3; ++rank) {
    expected.push_back("hrun: task " + std::to_string(rank) + " on " + node_of(id, rank) +
                       ": exit code " + std::to_string(rank + 4));
  }
  EXPECT_EQ(lines_of(id, "FAILED"), expected);
  EXPECT_EQ(cluster().job(id)["exit_code"], 6);
}

TEST_F(Steps, NothingOfACancelledJobStaysOnAnyNode) {
  const JobId id = cluster().must_wrap(
      program("hrun") + " sh -c 'trap \"\" TERM; touch up.$RANK; while true; do sleep 0.1; done'",
      {"-N", "3", "-n", "3", "-o", "out"});
  for (const char* file : {"up.0", "up.1", "up.2"}) {
    ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(cluster().path(file)); })) << file;
  }
  EXPECT_TRUE(cluster().run({"hcancel", std::to_string(id)}).good());
  EXPECT_EQ(cluster().must_wait(id)["state"], "CANCELLED");
  // The cluster's destructor fails the test when a process of it is left.
}

TEST(StepsAlone, StepsStartAndGoOnWhileTheControlPlaneIsDead) {
  Cluster cluster({.nodes = 3, .cores = 2});
  cluster.must_up();
  const JobId id = cluster.must_wrap(
      program("hrun") +
          " sh -c 'touch up.$RANK; until [ -e go ]; do sleep 0.05; done; echo $RANK';" +
          program("hrun") +
          " sh -c 'echo again $RANK'; touch done; until [ -e end ]; do sleep "
          "0.05; done",
      {"-N", "3", "-n", "3", "-o", "out"});
  ASSERT_TRUE(cluster.wait_for_state(id, "RUNNING"));
  for (const char* file : {"up.0", "up.1", "up.2"}) {
    ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(cluster.path(file)); })) << file;
  }
  const std::vector<pid_t> victims = {
      cluster.pid_of("supervisor_pid"), cluster.pid_of("mpirun_pid"), cluster.pid_of("master_pid"),
      cluster.worker_pid("vn1"),        cluster.worker_pid("vn2"),    cluster.worker_pid("vn3")};
  for (pid_t pid : victims) kill(pid, SIGKILL);
  cluster.write_file("go", "");
  ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(cluster.path("done")); }));
  EXPECT_EQ(cluster.read_file("out").find("hrun:"), std::string::npos) << cluster.read_file("out");
  cluster.must_up();
  cluster.write_file("end", "");
  EXPECT_EQ(cluster.must_wait(id)["state"], "COMPLETED");
  const std::string out = cluster.read_file("out");
  for (const char* line : {"0\n", "1\n", "2\n", "again 0\n", "again 1\n", "again 2\n"}) {
    EXPECT_NE(out.find(line), std::string::npos) << out;
  }
}

}  // namespace
}  // namespace hyades::test
