// What users and admins do to jobs and nodes: dependencies, hold, cancel, requeue, limits, drain,
// reload.
#include <set>

#include "shared_cluster_test.hpp"

namespace hyades::test {
namespace {

class Control : public SharedClusterTest<Control> {
 public:
  static ClusterOptions options() {
    return {.config =
                "[[queue]]\nname = \"batch\"\nmax_time = 60\n"
                "[[queue]]\nname = \"small\"\nmax_queued_per_user = 2\n"
                "max_running_per_user = 1\nmax_cores_per_user = 3\n"};
  }

 protected:
  // A job that waits for the file NAME.go and then ends with 0.
  JobId submit_gate(const std::string& name, std::vector<std::string> options = {}) {
    options.insert(options.end(), {"-J", name, "-o", name + ".out"});
    return cluster().must_wrap("echo ready; while [ ! -e " + name + ".go ]; do sleep 0.05; done",
                               options);
  }
  void open_gate(const std::string& name) { cluster().write_file(name + ".go", ""); }

  bool refused(const CommandResult& result, const std::string& why) {
    EXPECT_NE(result.err.find(why), std::string::npos) << result.text();
    return result.exit_code == 1;
  }
};

std::string number(JobId id) { return std::to_string(id); }

TEST_F(Control, PipelineRunsInOrder) {
  const JobId prepare = cluster().must_wrap("sleep 0.3; echo 1 >>order", {"-o", "/dev/null"});
  const JobId train = cluster().must_wrap("echo 2 >>order",
                                          {"-o", "/dev/null", "-d", "afterok:" + number(prepare)});
  const JobId evaluate =
      cluster().must_wrap("echo 3 >>order", {"-o", "/dev/null", "-d", "afterok:" + number(train)});
  EXPECT_EQ(cluster().must_wait(evaluate)["state"], "COMPLETED");
  EXPECT_EQ(cluster().read_file("order"), "1\n2\n3\n");
}

// The component of that name of the only job in the answer.
double feature(const Json& answer, const std::string& name) {
  for (const Json& component : answer["jobs"].at(0)["features"]) {
    if (component["name"] == name) return component["value"];
  }
  ADD_FAILURE() << "no " << name << " in " << answer.dump();
  return -1;
}

TEST_F(Control, FeaturesOfAJobAreThoseOfEarlierOnes) {
  const JobId first = submit_gate("learn-1");
  ASSERT_TRUE(cluster().wait_for_state(first, "RUNNING"));
  const std::vector<std::string> show{"hctl", "show", "features", "--json"};
  const auto features_of = [&](JobId id) {
    std::vector<std::string> words = show;
    words.push_back(number(id));
    const CommandResult result = cluster().run(words);
    EXPECT_EQ(result.exit_code, 0) << result.text();
    return Json::parse(result.out);
  };
  const Json running = features_of(first);
  EXPECT_EQ(running["jobs"][0]["features"].size(), 118u);
  EXPECT_EQ(feature(running, "job.running"), 1);
  EXPECT_EQ(feature(running, "queue.known"), 1);
  EXPECT_EQ(feature(running, "name.known"), 0);
  open_gate("learn-1");
  EXPECT_EQ(cluster().must_wait(first)["state"], "COMPLETED");
  const JobId second = submit_gate("learn-2", {"--hold"});
  const Json waiting = features_of(second);
  EXPECT_EQ(feature(waiting, "job.running"), 0);
  EXPECT_EQ(feature(waiting, "name.known"), 1);
  EXPECT_EQ(feature(waiting, "name.failed"), 0);
  EXPECT_EQ(feature(waiting, "name.measured"), 1);
  EXPECT_LT(feature(waiting, "name.ratio_last"), 1);
  // Of one that has ended: what was known when it was submitted.
  EXPECT_EQ(feature(features_of(first), "name.known"), 0);
  const CommandResult page = cluster().run({"hctl", "show", "features", number(second)});
  EXPECT_NE(page.out.find("name.ratio_last"), std::string::npos) << page.text();
  EXPECT_TRUE(refused(cluster().run({"hctl", "show", "features", "99999"}), "there is no job"));
  EXPECT_EQ(cluster().run({"hcancel", number(second)}).exit_code, 0);
}

TEST_F(Control, AFailureCancelsWhatNeededIt) {
  const JobId first = submit_gate("fails-first");
  const JobId second = cluster().must_wrap("true", {"-d", "afterok:" + number(first)});
  const JobId third = cluster().must_wrap("true", {"-d", "afterok:" + number(second)});
  const JobId cleaner =
      cluster().must_wrap("echo cleaned >cleaned", {"-d", "afternotok:" + number(first)});
  const JobId any = cluster().must_wrap("true", {"-d", "afterany:" + number(first)});
  EXPECT_EQ(cluster().job(second)["reason"], "Dependency");
  ASSERT_EQ(cluster().run({"hcancel", number(first)}).exit_code, 0);
  EXPECT_EQ(cluster().must_wait(first)["state"], "CANCELLED");
  const Json cancelled = cluster().must_wait(second);
  EXPECT_EQ(cancelled["state"], "CANCELLED");
  EXPECT_EQ(cancelled["reason"],
            "DependencyNeverSatisfied: afterok:" + number(first) + ", which ended CANCELLED");
  EXPECT_EQ(cluster().must_wait(third)["state"], "CANCELLED");
  EXPECT_EQ(cluster().must_wait(cleaner)["state"], "COMPLETED");
  EXPECT_EQ(cluster().must_wait(any)["state"], "COMPLETED");
  EXPECT_EQ(cluster().read_file("cleaned"), "cleaned\n");
  EXPECT_TRUE(refused(cluster().run({"hsub", "-d", "afterok:" + number(first), "--wrap", "true"}),
                      "can never be met"));
  EXPECT_TRUE(refused(cluster().run({"hsub", "-d", "afterok:999999", "--wrap", "true"}),
                      "there is no job 999999"));
}

TEST_F(Control, HeldJobsWaitForTheirRelease) {
  const JobId id = cluster().must_wrap("true", {"--hold", "-o", "/dev/null"});
  EXPECT_EQ(cluster().job(id)["reason"], "JobHeldUser");
  const JobId later = cluster().must_wrap("true", {"-o", "/dev/null"});
  EXPECT_EQ(cluster().must_wait(later)["state"], "COMPLETED");
  EXPECT_EQ(cluster().state_of(id), "PENDING");
  ASSERT_EQ(cluster().run({"hctl", "release", number(id)}).exit_code, 0);
  EXPECT_EQ(cluster().must_wait(id)["state"], "COMPLETED");
  EXPECT_TRUE(refused(cluster().run({"hctl", "hold", number(id)}), "has already ended"));
}

TEST_F(Control, CancelWaitingAndRunning) {
  const JobId waiting = cluster().must_wrap("echo ran >cancelled-ran", {"--hold"});
  ASSERT_EQ(cluster().run({"hcancel", number(waiting)}).exit_code, 0);
  EXPECT_EQ(cluster().state_of(waiting), "CANCELLED");
  const JobId running = submit_gate("cancel-me");
  ASSERT_TRUE(cluster().wait_for_output("cancel-me.out", "ready"));
  ASSERT_EQ(cluster().run({"hcancel", number(running)}).exit_code, 0);
  const Json job = cluster().must_wait(running);
  EXPECT_EQ(job["state"], "CANCELLED");
  EXPECT_TRUE(job["reason"].get<std::string>().starts_with("cancelled by ")) << job.dump(2);
  EXPECT_EQ(cluster().read_file("cancelled-ran"), "");
  EXPECT_TRUE(refused(cluster().run({"hcancel", number(running)}), "has already ended"));
  EXPECT_TRUE(refused(cluster().run({"hcancel", "999999"}), "there is no job 999999"));
}

// A job that ignores SIGTERM gets SIGKILL after the grace (2 s here).
TEST_F(Control, CancelWhatIgnoresSigterm) {
  const JobId id = cluster().must_wrap("trap '' TERM; echo ready; while :; do sleep 0.1; done",
                                       {"-o", "stubborn.out"});
  ASSERT_TRUE(cluster().wait_for_output("stubborn.out", "ready"));
  ASSERT_EQ(cluster().run({"hcancel", number(id)}).exit_code, 0);
  EXPECT_EQ(cluster().must_wait(id)["state"], "CANCELLED");
}

TEST_F(Control, SignalsReachTheJob) {
  const JobId id = cluster().must_wrap(
      "trap 'echo got it; exit 5' USR1; echo ready; while :; do sleep 0.05; done",
      {"-o", "signal.out"});
  ASSERT_TRUE(cluster().wait_for_output("signal.out", "ready"));
  ASSERT_TRUE(cluster().wait_for_state(id, "RUNNING"));
  ASSERT_EQ(cluster().run({"hcancel", "--signal=USR1", "--batch", number(id)}).exit_code, 0);
  EXPECT_EQ(cluster().must_wait(id)["exit_code"], 5);
  EXPECT_EQ(cluster().read_file("signal.out"), "ready\ngot it\n");
}

TEST_F(Control, ARequeuedJobGoesOnFromItsCheckpoint) {
  const JobId id = cluster().must_wrap(
      "echo \"start $HYADES_RESTART_COUNT\"; exec " + program("checkpoint_job") +
          " --steps 400 --side 64 --delay-ms 5 --checkpoint cp.state",
      {"-o", "cp.out", "--open-mode=append"});
  ASSERT_TRUE(cluster().wait_for_output("cp.out", "start at step 0"));
  ASSERT_EQ(cluster().run({"hctl", "requeue", number(id)}).exit_code, 0);
  const Json job = cluster().must_wait(id);
  EXPECT_EQ(job["state"], "COMPLETED") << job.dump(2);
  EXPECT_EQ(job["restarts"], 1);
  EXPECT_EQ(job["attempts"], 2);
  const std::string out = cluster().read_file("cp.out");
  EXPECT_NE(out.find("(SIGTERM)"), std::string::npos) << out;
  EXPECT_NE(out.find("start 1\nresumed at step"), std::string::npos) << out;
  EXPECT_NE(out.find("checksum=50284f86aa924819"), std::string::npos) << out;
}

TEST_F(Control, TheTimeLimitIsAnnouncedAndKept) {
  const JobId id =
      cluster().must_wrap("trap 'echo warned' USR2; echo ready; while :; do sleep 0.05; done",
                          {"-t", "0:04", "--signal=B:USR2@2", "-o", "limit.out"});
  const Json job = cluster().must_wait(id);
  EXPECT_EQ(job["state"], "TIMEOUT") << job.dump(2);
  EXPECT_EQ(job["reason"], "stopped at its time limit");
  EXPECT_EQ(cluster().read_file("limit.out").substr(0, 13), "ready\nwarned\n");
}

TEST_F(Control, ADrainedNodeGetsNothingNew) {
  const JobId running = submit_gate("on-drained", {"-w", "vn1"});
  ASSERT_TRUE(cluster().wait_for_output("on-drained.out", "ready"));
  const CommandResult drain = cluster().run({"hctl", "drain", "vn1", "--reason", "new memory"});
  ASSERT_EQ(drain.exit_code, 0);
  EXPECT_EQ(drain.out, "node vn1: draining; 1 job there will end first\n");
  const JobId waits = cluster().must_wrap("true", {"-w", "vn1", "-o", "/dev/null"});
  const JobId elsewhere = cluster().must_wrap("echo $HYADES_NODENAME", {"-o", "elsewhere"});
  cluster().must_wait(elsewhere);
  EXPECT_EQ(cluster().read_file("elsewhere"), "vn2\n");
  EXPECT_EQ(cluster().job(waits)["reason"], "ReqNodeNotAvail");
  EXPECT_EQ(cluster().state_of(running), "RUNNING");
  const Json nodes = cluster().run({"hinfo", "-N", "--json"}).json();
  EXPECT_NE(nodes.dump().find("new memory"), std::string::npos) << nodes.dump(2);
  open_gate("on-drained");
  EXPECT_EQ(cluster().must_wait(running)["state"], "COMPLETED");
  const CommandResult resume = cluster().run({"hctl", "resume", "vn1"});
  ASSERT_EQ(resume.exit_code, 0);
  EXPECT_EQ(resume.out, "node vn1: resumed\n");
  EXPECT_EQ(cluster().run({"hctl", "resume", "vn1", "--json"}).json()["results"][0]["message"],
            "it was not drained");
  EXPECT_EQ(cluster().must_wait(waits)["state"], "COMPLETED");
  EXPECT_TRUE(
      refused(cluster().run({"hctl", "drain", "vn9", "--reason", "x"}), "there is no node 'vn9'"));
}

TEST_F(Control, QueueLimitsAreKept) {
  const JobId first = submit_gate("limit-a", {"-p", "small"});
  const JobId second = submit_gate("limit-b", {"-p", "small"});
  ASSERT_TRUE(cluster().wait_for_output("limit-a.out", "ready"));
  EXPECT_EQ(cluster().job(second)["state"], "PENDING");
  EXPECT_EQ(cluster().job(second)["reason"], "QueueLimit");
  EXPECT_TRUE(refused(cluster().run({"hsub", "-p", "small", "--wrap", "true"}),
                      "queue 'small' allows queued jobs a user up to 2; this would be 3"));
  EXPECT_TRUE(refused(cluster().run({"hsub", "-p", "small", "-c", "4", "--wrap", "true"}),
                      "queue 'small' allows cores a user up to 3; this would be 4"));
  EXPECT_TRUE(refused(cluster().run({"hsub", "-t", "2:00:00", "--wrap", "true"}),
                      "queue 'batch' allows a time limit up to 1:00:00"));
  EXPECT_TRUE(refused(cluster().run({"hsub", "-p", "smal", "--wrap", "true"}),
                      "there is no queue 'smal'; queues: batch small"));
  open_gate("limit-a");
  open_gate("limit-b");
  EXPECT_EQ(cluster().must_wait(first)["state"], "COMPLETED");
  EXPECT_EQ(cluster().must_wait(second)["state"], "COMPLETED");
}

TEST_F(Control, ReloadTakesGoodAndKeepsTheOldForBad) {
  const std::string file = cluster().directory() + "/hyades.toml";
  const std::string old = cluster().read_file(file);
  cluster().write_file(file, old + "[[queue]]\nname = \"extra\"\npriorty = 3\n", 0600);
  const int line = static_cast<int>(std::count(old.begin(), old.end(), '\n')) + 3;
  const CommandResult bad = cluster().run({"hctl", "reload"});
  EXPECT_TRUE(refused(bad, file + ":" + std::to_string(line) +
                               ": unknown key 'priorty' in [[queue]]; did you mean 'priority'?"));
  EXPECT_TRUE(refused(bad, "the configuration in effect is kept"));
  EXPECT_EQ(cluster().run({"hctl", "show", "queue", "extra"}).exit_code, 1);
  EXPECT_EQ(cluster().run({"hctl", "config", "check", file}).exit_code, 1);
  cluster().must_wait(cluster().must_wrap("true", {"-o", "/dev/null"}));

  cluster().write_file(file, old + "[[queue]]\nname = \"extra\"\npriority = 3\n", 0600);
  EXPECT_EQ(cluster().run({"hctl", "reload"}).exit_code, 0);
  const JobId id = cluster().must_wrap("true", {"-p", "extra", "-o", "/dev/null"});
  EXPECT_EQ(cluster().must_wait(id)["state"], "COMPLETED");
  cluster().write_file(file, old, 0600);
  EXPECT_EQ(cluster().run({"hctl", "reload"}).exit_code, 0);
}

// What takes more than a reload is not shown as if it were in effect.
TEST_F(Control, ReloadSaysWhatWaitsForTheNextStart) {
  const std::string file = cluster().directory() + "/hyades.toml";
  const std::string old = cluster().read_file(file);
  cluster().write_file(file, old + "[security]\nlisten = \":6710\"\n[health]\nevery = 7\n", 0600);
  const CommandResult reload = cluster().run({"hctl", "reload"});
  EXPECT_EQ(reload.exit_code, 0);
  EXPECT_EQ(reload.out,
            "reload: the new configuration is in effect; listen takes effect at the next start of "
            "the cluster\n");
  const std::string shown = cluster().run({"hctl", "show", "config"}).out;
  EXPECT_EQ(shown.find("\nlisten"), std::string::npos) << shown;
  EXPECT_NE(shown.find("\n# [security] listen = [\":6710\"]\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find("\nevery = \"7:00\"\n"), std::string::npos) << shown;
  EXPECT_NE(cluster()
                .run({"hctl", "reload", "--json"})
                .json()["message"]
                .get<std::string>()
                .find("listen takes effect at the next start"),
            std::string::npos);
  cluster().write_file(file, old + "[cluster", 0600);
  EXPECT_EQ(cluster().run({"hctl", "reload"}).exit_code, 1);
  EXPECT_EQ(cluster().run({"hctl", "show", "config"}).out, shown);
  cluster().write_file(file, old, 0600);
  EXPECT_EQ(cluster().run({"hctl", "reload"}).out, "reload: the new configuration is in effect\n");
  EXPECT_EQ(cluster().run({"hctl", "show", "config"}).out.find("# "), std::string::npos);
}

TEST_F(Control, JobsAreFoundByTheirNode) {
  const JobId first = submit_gate("node-a", {"-w", "vn1"});
  const JobId ended = cluster().must_wrap("true", {"-w", "vn2", "-o", "/dev/null"});
  ASSERT_TRUE(cluster().wait_for_output("node-a.out", "ready"));
  EXPECT_EQ(cluster().must_wait(ended)["state"], "COMPLETED");
  const auto ids = [&](std::vector<std::string> words) {
    std::set<JobId> found;
    words.insert(words.end(), {"-w", "vn2", "--json"});
    const Json reply = cluster().run(words).json();
    for (const Json& job : reply["jobs"]) found.insert(job["id"].get<JobId>());
    return found;
  };
  EXPECT_EQ(ids({"hacct", "-a"}).count(first), 0u);
  EXPECT_EQ(ids({"hacct", "-a"}).count(ended), 1u);
  EXPECT_EQ(ids({"hstat"}).count(first), 0u);
  const Json on_first = cluster().run({"hstat", "-w", "vn[1,9]", "--json"}).json()["jobs"];
  ASSERT_EQ(on_first.size(), 1u) << on_first.dump(2);
  EXPECT_EQ(on_first[0]["id"], first);
  open_gate("node-a");
  EXPECT_EQ(cluster().must_wait(first)["state"], "COMPLETED");
}

}  // namespace
}  // namespace hyades::test
