// A cluster's life: up, down, adoption, and deaths of its parts. Jobs must not notice.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "census.hpp"
#include "cluster.hpp"
#include "taken_time.hpp"
#include "wait_until.hpp"

namespace hyades::test {
namespace {

class Lifecycle : public testing::Test {
 protected:
  void SetUp() override {
    cluster_ = std::make_unique<Cluster>();
    cluster_->must_up();
  }
  Cluster& cluster() { return *cluster_; }

  // A job that runs until the file NAME.go is there and then ends with `exit_code`.
  JobId start_gate(const std::string& name, int exit_code, std::vector<std::string> options = {}) {
    options.insert(options.end(), {"-J", name, "-o", "/dev/null"});
    const JobId id =
        cluster().must_wrap("echo $$ started >>" + name + ".log; while [ ! -e " + name +
                                ".go ]; do sleep 0.05; done; exit " + std::to_string(exit_code),
                            options);
    EXPECT_TRUE(cluster().wait_for_output(name + ".log", "started"));
    return id;
  }
  void open_gate(const std::string& name) { cluster().write_file(name + ".go", ""); }

  // The job ran once, to its own end.
  void expect_untouched(JobId id, const std::string& name, int exit_code) {
    const Json job = cluster().must_wait(id);
    EXPECT_EQ(job["exit_code"], exit_code) << job.dump(2);
    EXPECT_EQ(job["attempts"], 1) << job.dump(2);
    const std::string log = cluster().read_file(name + ".log");
    EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
  }

  void kill_and_heal(pid_t pid) {
    ASSERT_GT(pid, 0);
    const pid_t master = cluster().pid_of("master_pid");
    ASSERT_EQ(kill(pid, SIGKILL), 0);
    ASSERT_TRUE(wait_until([&] {
      reap_orphans();
      const Json now = cluster().status();
      return now["state"] == "up" && now["master_pid"] != master;
    })) << cluster().status().dump(2)
        << cluster().log();
  }

  std::unique_ptr<Cluster> cluster_;
};

TEST_F(Lifecycle, StatusNamesEveryProcess) {
  const Json status = cluster().status();
  EXPECT_EQ(status["state"], "up");
  for (const char* key : {"supervisor_pid", "mpirun_pid", "master_pid"}) {
    EXPECT_EQ(kill(status[key].get<pid_t>(), 0), 0) << key;
  }
  ASSERT_EQ(status["workers"].size(), 2u);
  EXPECT_EQ(status["workers"][0]["node"], "vn1");
  EXPECT_EQ(status["workers"][1]["node"], "vn2");
  EXPECT_EQ(cluster().run({"hyades", "status"}).exit_code, 0);
}

TEST_F(Lifecycle, SecondUpSaysThatItIsUp) {
  const CommandResult again = cluster().up();
  EXPECT_EQ(again.exit_code, 0) << again.text();
  EXPECT_NE(again.out.find("runs in this directory already"), std::string::npos) << again.text();
  const CommandResult other = cluster().run({"hyades", "up", "--local", "3"});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_NE(other.err.find("it has 2 nodes, not 3; `hyades down` first"), std::string::npos)
      << other.text();
}

TEST_F(Lifecycle, SecondUpWithAnotherConfigurationSaysSo) {
  const std::string config = cluster().write_file("other.toml", "[cluster]\nname = \"x\"\n");
  const CommandResult other = cluster().run({"hyades", "up", "--local", "2", "--config", config});
  EXPECT_EQ(other.exit_code, 1) << other.text();
  EXPECT_NE(other.err.find("it was started without --config; `hyades down` first"),
            std::string::npos)
      << other.text();
  cluster().write_file("other.toml", "[cluster]\nnam = 1\n");
  const CommandResult wrong = cluster().run({"hyades", "up", "--local", "2", "--config", config});
  EXPECT_EQ(wrong.exit_code, 1) << wrong.text();
  EXPECT_NE(wrong.err.find("other.toml:2: "), std::string::npos) << wrong.text();
  EXPECT_TRUE(cluster().is_up());
}

TEST_F(Lifecycle, SecondMasterIsRefused) {
  std::vector<std::string> words{"/usr/bin/mpirun", "--oversubscribe"};
  if (geteuid() == 0) words.push_back("--allow-run-as-root");
  words.insert(words.end(), {"-n", "2", program("hyadesd"), "--dir", cluster().directory()});
  const CommandResult second = cluster().run(words);
  EXPECT_NE(second.exit_code, 0);
  EXPECT_NE(
      second.text().find("another master (pid " + std::to_string(cluster().pid_of("master_pid")) +
                         ") owns " + cluster().directory()),
      std::string::npos)
      << second.text();
  EXPECT_TRUE(wait_until([&] { return cluster().is_up(); }));
  cluster().must_wait(cluster().must_wrap("true", {"-o", "/dev/null"}));
}

TEST_F(Lifecycle, DownLeavesJobsAndUpAdoptsThem) {
  const JobId during = start_gate("during", 3);
  const JobId after = start_gate("after", 4);
  const CommandResult down = cluster().run({"hyades", "down"});
  EXPECT_EQ(down.exit_code, 0) << down.text();
  EXPECT_NE(down.out.find("2 jobs run on; the next `hyades up` adopts them."), std::string::npos)
      << down.text();
  const CommandResult status = cluster().run({"hyades", "status", "--json"});
  EXPECT_EQ(status.exit_code, 1);
  EXPECT_EQ(status.json()["jobs_running_on"], Json::array({during, after}));
  const CommandResult in_vain = cluster().run({"hyades", "down", "--cancel-jobs"});
  EXPECT_EQ(in_vain.exit_code, 1);
  EXPECT_NE(in_vain.out.find("is down already. 2 jobs run on; "), std::string::npos)
      << in_vain.text();
  EXPECT_NE(in_vain.err.find("no job was cancelled"), std::string::npos) << in_vain.text();
  // One of them ends while nobody of the control plane is there.
  open_gate("during");
  ASSERT_TRUE(wait_until([&] {
    reap_orphans();
    int shepherds = 0;
    for (const Kin& kin : family()) shepherds += kin.name == "hyades-shep" ? 1 : 0;
    return shepherds == 1;
  }));
  cluster().must_up();
  expect_untouched(during, "during", 3);
  EXPECT_TRUE(cluster().wait_for_state(after, "RUNNING"));
  open_gate("after");
  expect_untouched(after, "after", 4);
}

TEST_F(Lifecycle, UpWithFewerNodesNamesTheJobsOfTheOthers) {
  const JobId here = start_gate("here", 3, {"-w", "vn1"});
  const JobId there =
      cluster().must_wrap("echo started >>there.log; while [ ! -e there.go ]; do sleep 0.05; done",
                          {"-w", "vn2", "-o", "/dev/null"});
  ASSERT_TRUE(cluster().wait_for_output("there.log", "started"));
  ASSERT_EQ(cluster().job(here)["nodes"], Json::array({"vn1"})) << cluster().job(here).dump(2);
  EXPECT_EQ(cluster().status()["stranded_jobs"], Json::array());
  cluster().must_down();
  const CommandResult fewer = cluster().run({"hyades", "up", "--local", "1"});
  EXPECT_EQ(fewer.exit_code, 0) << fewer.text();
  const std::string warning = "job " + std::to_string(there) + " on vn2\n";
  EXPECT_NE(fewer.out.find(warning), std::string::npos) << fewer.text();
  EXPECT_EQ(fewer.out.find("job " + std::to_string(here) + " on"), std::string::npos);
  const Json expected = Json::array({{{"job", there}, {"nodes", {"vn2"}}}});
  EXPECT_EQ(cluster().status()["stranded_jobs"], expected);
  open_gate("here");
  expect_untouched(here, "here", 3);
  cluster().must_down();
  cluster().must_up();
  EXPECT_EQ(cluster().status()["stranded_jobs"], Json::array());
  open_gate("there");
  EXPECT_EQ(cluster().must_wait(there)["state"], "COMPLETED");
}

// A node that is silent, as an admin sees it at night, and what the word that it is dead settles.
TEST_F(Lifecycle, ASilentNodeIsNamedAndItsDeathSettlesItsJobs) {
  EXPECT_EQ(cluster().run({"hinfo", "--health"}).exit_code, 0);
  const JobId there = start_gate("silent", 0, {"-w", "vn2", "--no-requeue"});
  cluster().must_down();
  ASSERT_EQ(cluster().run({"hyades", "up", "--local", "1"}).exit_code, 0);
  ASSERT_TRUE(cluster().wait_for_state(there, "UNKNOWN"));
  const CommandResult health = cluster().run({"hinfo", "--health"});
  EXPECT_EQ(health.exit_code, 1);
  EXPECT_NE(health.out.find("1 node does not respond: vn2"), std::string::npos) << health.text();
  EXPECT_NE(health.out.find("1 job is UNKNOWN"), std::string::npos) << health.text();
  const CommandResult reasons = cluster().run({"hinfo", "-R", "--no-header"});
  EXPECT_EQ(reasons.out, "not heard since the master started - N/A vn2\n");
  const std::string id = std::to_string(there);
  EXPECT_EQ(cluster().run({"hcancel", id}).out,
            "job " + id + ": it will be cancelled when vn2 is back, fenced, or confirmed dead\n");
  EXPECT_EQ(cluster().run({"hctl", "node", "confirm-dead", "vn2"}).out,
            "node vn2: dead; 1 job that waited for it: " + id + "\n");
  EXPECT_EQ(cluster().must_wait(there)["state"], "CANCELLED");
  EXPECT_EQ(cluster().run({"hctl", "node", "confirm-dead", "vn2"}).out,
            "node vn2: dead; no job waited for it\n");
  open_gate("silent");
}

TEST_F(Lifecycle, SupervisorKilledAndUpAdoptsTheWorld) {
  const JobId job = start_gate("job", 5);
  const Json before = cluster().status();
  ASSERT_EQ(kill(before["supervisor_pid"].get<pid_t>(), SIGKILL), 0);
  ASSERT_TRUE(wait_until([&] {
    reap_orphans();
    return cluster().pid_of("supervisor_pid") == 0;
  }));
  const CommandResult alone = cluster().run({"hyades", "status"});
  EXPECT_EQ(alone.exit_code, 1);
  EXPECT_NE(alone.err.find("no supervisor watches it"), std::string::npos) << alone.text();
  EXPECT_NE(alone.err.find("hyades up --local 2"), std::string::npos) << alone.text();
  cluster().must_up();
  const Json after = cluster().status();
  EXPECT_NE(after["supervisor_pid"], before["supervisor_pid"]);
  EXPECT_EQ(after["mpirun_pid"], before["mpirun_pid"]);
  EXPECT_EQ(after["master_pid"], before["master_pid"]);
  open_gate("job");
  expect_untouched(job, "job", 5);
}

long files_in(const std::filesystem::path& directory) {
  return std::distance(std::filesystem::directory_iterator(directory), {});
}

TEST_F(Lifecycle, WorldsThatWereKilledLeaveNoFiles) {
  const auto sessions = [&] {
    const std::filesystem::recursive_directory_iterator all(cluster().directory() + "/run/mpi");
    return std::count_if(begin(all), end(all), [](const auto& entry) {
      return entry.path().filename().string().starts_with("pid.");
    });
  };
  // Mapped by the ranks, as they are, whatever the directory is called.
  const auto segments = [&] {
    std::ifstream maps("/proc/" + std::to_string(cluster().pid_of("master_pid")) + "/maps");
    std::string line;
    while (std::getline(maps, line)) {
      const std::size_t at = line.find("/dev/shm/hyades-");
      if (at == line.npos) continue;
      const std::filesystem::path file = line.substr(at);
      return std::pair(file.parent_path(), files_in(file.parent_path()));
    }
    return std::pair(std::filesystem::path(), 0l);
  };
  EXPECT_EQ(sessions(), 1);
  const auto before = segments();
  EXPECT_GT(before.second, 0);
  kill_and_heal(cluster().pid_of("mpirun_pid"));
  kill_and_heal(cluster().pid_of("master_pid"));
  EXPECT_EQ(sessions(), 1);
  EXPECT_EQ(segments(), before);
  ASSERT_EQ(cluster().run({"hyades", "down"}).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(before.first));
  cluster().must_up();
}

TEST_F(Lifecycle, DeathsOfTheControlPlaneHarmNoJob) {
  const JobId job = start_gate("job", 6);
  kill_and_heal(cluster().pid_of("master_pid"));
  kill_and_heal(cluster().worker_pid("vn1"));
  kill_and_heal(cluster().pid_of("mpirun_pid"));
  EXPECT_TRUE(cluster().wait_for_state(job, "RUNNING"));
  open_gate("job");
  expect_untouched(job, "job", 6);
}

TEST_F(Lifecycle, CountersOutliveTheControlPlane) {
  const TakenTime taken;
  const std::string load = program("known_load") + " cpu 100; ";
  const JobId id = cluster().must_wrap(
      load + "echo started; while [ ! -e counted.go ]; do sleep 0.05; done; " + load,
      {"-o", "counted.log", "--counters=perf::TASK-CLOCK"});
  EXPECT_TRUE(cluster().wait_for_output("counted.log", "started"));
  kill_and_heal(cluster().worker_pid("vn1"));
  open_gate("counted");
  const Json usage = cluster().must_wait(id)["usage"];
  ASSERT_EQ(usage["counters"].size(), 1u) << usage.dump(2);
  EXPECT_GE(usage["counters"][0]["value"], 200'000'000) << usage.dump(2);
  const double accounted = usage["user_ms"].get<double>() + usage["system_ms"].get<double>();
  const double counted = usage["counters"][0]["value"].get<double>() / 1e6;
  EXPECT_GE(counted, 0.95 * accounted - 20);
  EXPECT_LE(counted, 1.05 * accounted + 20 + taken.ms());
}

// Notes that somebody has spoilt are as good as none.
TEST_F(Lifecycle, RubbishInTheNotesHarmsNothing) {
  const JobId job = start_gate("job", 9);
  const std::string run = cluster().directory() + "/run/";
  const pid_t worker = cluster().worker_pid("vn1");
  for (const char* name : {"rank.1", "rank.7", "rank.x", "world"}) {
    cluster().write_file(run + name, R"({"pid": "x", "start_ticks": [], "rank": {}, "node": 3})");
  }
  cluster().write_file(run + "world", R"({"pid": "x", "start_ticks": [], "nodes": {}})");
  EXPECT_EQ(cluster().status()["state"], "forming");
  kill_and_heal(worker);
  for (const char* name : {"rank.0", "world"}) cluster().write_file(run + name, R"({"pid": "x"})");
  cluster().must_down();
  cluster().must_up();
  open_gate("job");
  expect_untouched(job, "job", 9);
}

// hsub retries by itself; the job exists once.
TEST_F(Lifecycle, HsubWaitsForAMasterThatIsDown) {
  cluster().must_down();
  const auto hsub =
      cluster().start({"hsub", "--parsable", "-o", "/dev/null", "--wrap", "echo x >>retried"});
  ASSERT_TRUE(
      wait_until([&] { return hsub->err().find("waiting for the master") != std::string::npos; }));
  EXPECT_TRUE(hsub->running());
  cluster().must_up();
  const CommandResult result = hsub->finish(60'000);
  ASSERT_EQ(result.exit_code, 0) << result.text();
  EXPECT_EQ(cluster().must_wait(std::stoull(result.out))["state"], "COMPLETED");
  EXPECT_EQ(cluster().read_file("retried"), "x\n");
  const Json jobs = cluster().run({"hacct", "--json", "--all-users"}).json();
  EXPECT_EQ(jobs["jobs"].size(), 1u);
}

TEST_F(Lifecycle, HwaitOutlivesTheMaster) {
  const JobId job = start_gate("job", 7);
  const auto hwait = cluster().start({"hwait", std::to_string(job)});
  kill_and_heal(cluster().pid_of("master_pid"));
  EXPECT_TRUE(hwait->running());
  open_gate("job");
  EXPECT_EQ(hwait->finish(60'000).exit_code, 7);
}

TEST_F(Lifecycle, DownWithCancelEndsTheJobs) {
  const JobId job = start_gate("job", 0);
  const CommandResult down = cluster().run({"hyades", "down", "--cancel-jobs"});
  EXPECT_EQ(down.exit_code, 0) << down.text();
  reap_orphans();
  for (const Kin& kin : family()) EXPECT_NE(kin.name, "hyades-shep");
  const CommandResult again = cluster().run({"hyades", "down"});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_NE(again.out.find("is down already"), std::string::npos) << again.text();
  EXPECT_TRUE(cluster().run({"hyades", "down", "--cancel-jobs"}).good()) << "none runs";
  cluster().must_up();
  EXPECT_EQ(cluster().must_wait(job)["state"], "CANCELLED");
}

// F05: the shepherd dies. The attempt is over, and the job runs again, or fails if it may not.
TEST_F(Lifecycle, ShepherdKilled) {
  const auto kill_shepherds = [] {
    int killed = 0;
    for (const Kin& kin : family()) {
      if (kin.name == "hyades-shep") killed += kill(kin.pid, SIGKILL) == 0 ? 1 : 0;
    }
    return killed;
  };
  const JobId again = start_gate("again", 2);
  ASSERT_EQ(kill_shepherds(), 1);
  ASSERT_TRUE(wait_until([&] {
    const std::string log = cluster().read_file("again.log");
    return std::count(log.begin(), log.end(), '\n') == 2;
  }));
  open_gate("again");
  const Json restarted = cluster().must_wait(again);
  EXPECT_EQ(restarted["exit_code"], 2);
  EXPECT_EQ(restarted["restarts"], 1);
  const JobId never = cluster().must_wrap("echo started >>never.log; sleep 1000",
                                          {"--no-requeue", "-o", "/dev/null"});
  ASSERT_TRUE(cluster().wait_for_output("never.log", "started"));
  ASSERT_EQ(kill_shepherds(), 1);
  const Json lost = cluster().must_wait(never);
  EXPECT_EQ(lost["state"], "NODE_FAIL") << lost.dump(2);
  EXPECT_NE(lost["reason"].get<std::string>().find("its shepherd was killed"), std::string::npos);
  EXPECT_EQ(cluster().read_file("never.log"), "started\n");
}

// ---- without a supervisor -----------------------------------------------------------------------

TEST(PlainMpirun, IsAClusterToo) {
  Cluster cluster;
  std::vector<std::string> words{"/usr/bin/mpirun", "--oversubscribe"};
  if (geteuid() == 0) words.push_back("--allow-run-as-root");
  words.insert(words.end(), {"-n", "3", program("hyadesd"), "--dir", cluster.directory()});
  const CommandResult refused = cluster.run(words);
  EXPECT_NE(refused.text().find("holds no queue"), std::string::npos) << refused.text();
  words.push_back("--init");
  const auto world = cluster.start(words);
  ASSERT_TRUE(wait_until([&] { return cluster.run({"hinfo"}).exit_code == 0; }, 30'000, 100))
      << world->err();
  const JobId id = cluster.must_wrap("echo $HYADES_NODENAME", {"-w", "vn2", "-o", "out"});
  EXPECT_EQ(cluster.must_wait(id)["state"], "COMPLETED");
  EXPECT_EQ(cluster.read_file("out"), "vn2\n");
  kill(world->pid(), SIGTERM);
  world->finish(30'000);
}

// Programs that were copied somewhere, but not all of them.
TEST(NoCluster, AMissingLauncherIsNamed) {
  Cluster cluster;
  for (const char* name : {"hyades", "hyadesd"}) {
    std::filesystem::copy_file(program(name), cluster.path(name));
  }
  const CommandResult up = cluster.run({cluster.path("hyades"), "up", "--local", "1"});
  EXPECT_EQ(up.exit_code, 1) << up.text();
  EXPECT_NE(up.err.find("the cluster did not start: node vn1: cannot run the launcher " +
                        cluster.path("hyades-launcher") +
                        ": No such file or directory; it belongs beside hyadesd"),
            std::string::npos)
      << up.text();
}

// What a failed `up` leaves must not be in the way of the next one.
TEST(NoCluster, AFailedUpCanBeRepeatedAtOnce) {
  Cluster cluster;
  for (int i = 0; i < 2; ++i) {
    const CommandResult up =
        cluster.run({"hyades", "up", "--local", "1", "--config", "/no/such.toml"});
    EXPECT_EQ(up.exit_code, 1) << up.text();
    EXPECT_NE(up.err.find("the cluster did not start: cannot read the configuration"),
              std::string::npos)
        << up.text();
    EXPECT_EQ(cluster.pid_of("supervisor_pid"), 0);
  }
  cluster.must_up();
}

// Whatever the reason is that the daemons do not come up, it is in what they have said.
TEST(NoCluster, WorldsThatDoNotComeUpSayWhy) {
  Cluster cluster({.environment = {{"PATH", make_directory() + ":/usr/bin:/bin"}}});
  const std::string path = cluster.options().environment.at("PATH");
  const std::string mpirun = path.substr(0, path.find(':')) + "/mpirun";
  cluster.write_script(mpirun, "echo; echo ------; echo it rains; exit 1");
  const CommandResult up = cluster.run({"hyades", "up", "--local", "1"}, {.timeout_ms = 90'000});
  EXPECT_EQ(up.exit_code, 1) << up.text();
  EXPECT_NE(up.err.find("the cluster did not start: 3 times in a row the daemons did not come up: "
                        "it rains (" +
                        cluster.directory() + "/log/cluster.log, line "),
            std::string::npos)
      << up.text();
  EXPECT_EQ(up.out.find("New, empty cluster"), std::string::npos) << up.text();
  EXPECT_NE(cluster.status()["failure"].dump().find("it rains"), std::string::npos);
  std::filesystem::remove_all(std::filesystem::path(mpirun).parent_path());
  const CommandResult again = cluster.up();
  EXPECT_EQ(again.exit_code, 0) << again.text();
  EXPECT_NE(again.out.find("New, empty cluster in " + cluster.directory()), std::string::npos);
}

TEST(NoCluster, OptionsThatMeanNothingAreRefused) {
  Cluster cluster;
  const std::string hosts = cluster.write_file("hosts", "n1\n");
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{"down", "--json"}, "--json goes with `hyades status`, not with `hyades down`"},
      {{"status", "--local", "3"}, "--local goes with `hyades up`, not with `hyades status`"},
      {{"status", "--cancel-jobs"}, "--cancel-jobs goes with `hyades down`"},
      {{"up", "--local", "1", "--json"}, "--json goes with `hyades status`"},
      {{"up", "--hostfile", hosts, "--local", "0"}, "up takes --local or --hostfile, not both"},
      {{"up", "--hostfile", hosts, "--launch-agent", ""}, "--launch-agent is empty"},
      {{"up", "--hostfile", ""}, "--hostfile is empty"},
  };
  for (const auto& [words, message] : cases) {
    std::vector<std::string> all{"hyades"};
    all.insert(all.end(), words.begin(), words.end());
    const CommandResult result = cluster.run(all);
    EXPECT_EQ(result.exit_code, 2) << message << result.text();
    EXPECT_NE(result.err.find(message), std::string::npos) << result.text();
  }
}

TEST(NoCluster, ADirectoryOfOthersIsLeftAlone) {
  Cluster cluster;
  const std::string directory = cluster.path("photos");
  std::filesystem::create_directory(directory);
  for (const char* verb : {"status", "down"}) {
    const CommandResult result = cluster.run({"hyades", verb, "--dir", directory});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_NE(result.err.find("there is no cluster in " + directory), std::string::npos)
        << result.text();
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory));
  cluster.write_file("file", "");
  for (std::vector<std::string> words :
       {std::vector<std::string>{"status"}, {"down"}, {"up", "--local", "1"}}) {
    words.insert(words.begin(), "hyades");
    words.insert(words.end(), {"--dir", cluster.path("file")});
    const CommandResult result = cluster.run(words);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_NE(result.err.find(cluster.path("file") + " is not a directory"), std::string::npos)
        << result.text();
  }
}

// As on a full disk; what it prints goes through a pipe, which has no limit.
TEST(NoCluster, UpThatCannotWriteItsNameSaysSo) {
  Cluster cluster;
  const CommandResult up = cluster.run(
      {"/bin/bash", "-o", "pipefail", "-c",
       "trap '' XFSZ; (ulimit -f 0; exec " + program("hyades") + " up --local 1) 2>&1 | cat"});
  EXPECT_EQ(up.exit_code, 1) << up.text();
  EXPECT_NE(up.out.find("cannot write " + cluster.directory() + "/run/supervisor.lock: "),
            std::string::npos)
      << up.text();
}

TEST(NoCluster, CommandsSaySo) {
  Cluster cluster;
  const CommandResult status = cluster.run({"hyades", "status"});
  EXPECT_EQ(status.exit_code, 1);
  const CommandResult hstat = cluster.run({"hstat", "--retry-for", "0"});
  EXPECT_EQ(hstat.exit_code, 1);
  EXPECT_NE(hstat.err.find("is the cluster up? start it with: hyades up --local 4 --dir " +
                           cluster.directory()),
            std::string::npos)
      << hstat.text();
}

}  // namespace
}  // namespace hyades::test
