// What a job does, from its node's sampler to the one who asks; and that nothing depends on it.
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/ids.hpp"
#include "shared_cluster_test.hpp"

namespace hyades::test {
namespace {

class Telemetry : public SharedClusterTest<Telemetry> {
 public:
  static ClusterOptions options() {
    return {.nodes = 1,
            .cores = 4,
            .config = "[telemetry]\nreport_ms = 500\ncounters_every_ms = 200\nidle_factor = 1\n"};
  }

 protected:
  static Json efficiency(JobId id) {
    const CommandResult result = cluster().run({"heff", "--json", std::to_string(id)});
    return result.exit_code == 0 ? result.json()["jobs"][0] : Json();
  }
  static Json node(const std::string& name) {
    return cluster().run({"hinfo", "--telemetry", name, "--json"}).json()["nodes"][0];
  }
  static double figure(const Json& node, const std::string& name) {
    for (const Json& figure : node["figures"]) {
      if (figure["name"] == name) return figure["value"].get<double>();
    }
    return -1;
  }
  // The sampler of the only node: a child of its worker.
  static pid_t sampler() {
    const std::string worker = std::to_string(cluster().worker_pid("vn1"));
    const CommandResult found =
        run_command({"/bin/sh", "-c",
                     "grep -l '^PPid:[[:blank:]]*" + worker +
                         "$' /proc/[0-9]*/status | xargs grep -l '^Name:[[:blank:]]*hyades-sampler'"
                         " | cut -d/ -f3"});
    return found.out.empty() ? 0 : std::stoi(found.out);
  }
};

TEST_F(Telemetry, ARunningJobIsSeenAndItsRowStays) {
  // 80 MiB, held; and one core kept busy until the file is there.
  const JobId id =
      cluster().must_wrap("exec " + program("known_load") + " hold 80 " + cluster().path("enough"),
                          {"-c", "2", "-o", "/dev/null"});
  EXPECT_TRUE(wait_until([&] {
    const Json job = efficiency(id);
    return job.is_object() && job["memory_now_mib"].is_number() &&
           job["memory_now_mib"].get<double>() > 80 && job["busy_cores_now"].is_number() &&
           job["busy_cores_now"].get<double>() > 0 && job["energy_j"].is_number();
  }));
  Json job = efficiency(id);
  EXPECT_EQ(job["job"]["state"], "RUNNING");
  EXPECT_LT(job["memory_now_mib"].get<double>(), 160);
  EXPECT_EQ(job["energy_modelled"], true);
  cluster().write_file("enough", "");
  cluster().must_wait(id);
  EXPECT_TRUE(wait_until([&] {
    job = efficiency(id);
    return job["energy_j"].is_number() && job["job"]["state"] == "COMPLETED";
  }));
  EXPECT_GT(job["memory_peak_mib"].get<double>(), 80);
  EXPECT_GT(job["cpu_s"].get<double>(), 0);
}

TEST_F(Telemetry, ANodeIsSeenWithItsParts) {
  EXPECT_TRUE(wait_until([] { return figure(node("vn1"), "cpu.busy") >= 0; }));
  const Json seen = node("vn1");
  EXPECT_GT(figure(seen, "memory.total"), 0);
  EXPECT_GE(figure(seen, "power.node"), 0);
  EXPECT_TRUE(wait_until([] {
    const CommandResult layers = cluster().run({"hinfo", "--layers"});
    return layers.out.find("memory") != std::string::npos &&
           layers.out.find("rapl") != std::string::npos;
  }));
}

TEST_F(Telemetry, WhatMeasuringCostsIsSeen) {
  const auto sampling = []() -> Json {
    const Json seen = node("vn1");
    for (const Json& part : seen["components"]) {
      if (part["name"] == "sampling") return part;
    }
    return {};
  };
  ASSERT_TRUE(wait_until([&] { return sampling().is_object(); }));
  EXPECT_GT(figure(sampling(), "memory"), 0);
  EXPECT_GT(sampling()["cpu_ms"].get<double>(), 0);
  EXPECT_GE(figure(sampling(), "period.compute"), 100);
}

TEST_F(Telemetry, QueuesAreSeen) {
  const auto queues = [] {
    return cluster().run({"hinfo", "--telemetry", "--queues", "--json"}).json();
  };
  const JobId first =
      cluster().must_wrap("while [ ! -e queues.go ]; do sleep 0.05; done", {"-c", "4", "-J", "a"});
  const JobId second = cluster().must_wrap("true", {"-c", "4", "-J", "b"});
  EXPECT_TRUE(wait_until([&] {
    const Json seen = queues();
    return figure(seen, "queue.batch.running_cores") == 4 &&
           figure(seen, "queue.batch.eligible_cores") == 4 &&
           figure(seen, "queue.batch.oldest_wait") >= 0;
  })) << queues().dump(2);
  cluster().write_file("queues.go", "");
  cluster().must_wait(first);
  cluster().must_wait(second);
  EXPECT_TRUE(wait_until([&] { return figure(queues(), "queue.batch.running") == 0; }));
  EXPECT_EQ(figure(queues(), "queue.batch.oldest_wait"), -1);
  EXPECT_NE(cluster().run({"hinfo", "--telemetry", "--queues"}).out.find("queue.batch.pending"),
            std::string::npos);
}

// The job's own words, from its shepherd to everybody who asks; the last of them with its end,
// which no worker has seen.
TEST_F(Telemetry, WhatAJobReportsIsSeenAndOutlivesTheWorker) {
  const JobId id =
      cluster().must_wrap("set -e; " + program("hreport") +
                              " progress=0.25 loss=1.5; until test -e last; do sleep 0.05;"
                              " done; " +
                              program("hreport") +
                              " progress=1 loss=-0.5; touch said;"
                              " until test -e end; do sleep 0.05; done",
                          {"-o", "/dev/null", "-t", "1:00:00"});
  const auto watched = [&](const std::string& name) {
    const CommandResult result = cluster().run({"hwatch", "--once", "--json", std::to_string(id)});
    return result.exit_code == 0 ? figure(result.json(), name) : -1;
  };
  EXPECT_TRUE(wait_until([&] { return watched("app.progress") == 0.25; }));
  EXPECT_EQ(watched("app.loss"), 1.5);
  const Json job = efficiency(id);
  EXPECT_EQ(job["progress"]["done"], 0.25);
  EXPECT_TRUE(job["progress"]["extrapolated_end_time"].is_string()) << job["progress"];
  EXPECT_EQ(job["reported"].size(), 2u) << job["reported"];
  // Its last words fall on nobody's ears but the shepherd's.
  kill(cluster().worker_pid("vn1"), SIGKILL);
  cluster().write_file("last", "");
  EXPECT_TRUE(wait_until([] { return access(cluster().path("said").c_str(), F_OK) == 0; }));
  cluster().write_file("end", "");
  const Json ended = cluster().must_wait(id);
  EXPECT_EQ(ended["state"], "COMPLETED");
  const Json said =
      Json::array({{{"name", "progress"}, {"value", 1.0}}, {{"name", "loss"}, {"value", -0.5}}});
  EXPECT_EQ(cluster().job(id)["usage"]["reported"], said);
  EXPECT_EQ(efficiency(id)["progress"]["done"], 1);
  const CommandResult text = cluster().run({"heff", std::to_string(id)});
  EXPECT_NE(text.out.find("Reported by the job"), std::string::npos) << text.text();
}

TEST_F(Telemetry, WhoCannotReportIsToldWhy) {
  const auto say = [](std::vector<std::string> words, const std::string& where = "") {
    words.insert(words.begin(), "hreport");
    CommandOptions options;
    if (!where.empty()) options.environment["HYADES_REPORT"] = where;
    return cluster().run(words, options);
  };
  const CommandResult outside = say({"loss=1"});
  EXPECT_EQ(outside.exit_code, 1);
  EXPECT_EQ(outside.err, "hreport: not inside a Hyades job (HYADES_REPORT is not set)\n");
  EXPECT_EQ(say({"--quiet", "loss=1"}).exit_code, 0);
  EXPECT_EQ(say({"--quiet", "loss=1"}).err, "");
  const CommandResult gone = say({"loss=1"}, "@no shepherd");
  EXPECT_EQ(gone.exit_code, 1);
  EXPECT_NE(gone.err.find("has gone"), std::string::npos) << gone.text();
  const std::pair<const char*, const char*> wrong[] = {
      {"loss", "NAME=VALUE"},   {"Loss=1", "try loss=1"},         {"loss=nan", "finite"},
      {"loss=50%", "loss=0.5"}, {"progress=42", "progress=0.42"}, {"--los=1", "no such option"}};
  for (const auto& [word, hint] : wrong) {
    const CommandResult result = say({"a=1", word}, "@no shepherd");
    EXPECT_EQ(result.exit_code, 2) << word;
    EXPECT_NE(result.err.find(word), std::string::npos) << result.text();
    EXPECT_NE(result.err.find(hint), std::string::npos) << result.text();
  }
  EXPECT_EQ(say({}).exit_code, 2);
  EXPECT_EQ(say({"--help"}).exit_code, 0);
}

// Whoever measures may die: the job does not notice, and another one takes over.
TEST_F(Telemetry, TheSamplerMayDie) {
  const JobId id = cluster().must_wrap(
      "exec " + program("known_load") + " hold 10 " + cluster().path("over"), {"-o", "/dev/null"});
  ASSERT_TRUE(wait_until([] { return sampler() != 0; }));
  ASSERT_TRUE(wait_until([&] {
    const Json job = efficiency(id);
    return job.is_object() && job["energy_j"].is_number() && job["energy_j"].get<double>() > 50;
  }));
  const double used_j = efficiency(id)["energy_j"].get<double>();
  const pid_t first = sampler();
  kill(first, SIGKILL);
  EXPECT_TRUE(wait_until([&] {
    const pid_t now = sampler();
    return now != 0 && now != first;
  }));
  EXPECT_TRUE(wait_until([&] {
    const Json job = efficiency(id);
    return job.is_object() && job["memory_now_mib"].is_number();
  }));
  // What it has used so far is not forgotten at any time.
  bool forgotten = false;
  EXPECT_TRUE(wait_until([&] {
    const double now_j = efficiency(id)["energy_j"].get<double>();
    forgotten = forgotten || now_j < used_j;
    return now_j > used_j;
  }));
  EXPECT_FALSE(forgotten);
  cluster().write_file("over", "");
  EXPECT_EQ(cluster().must_wait(id)["state"], "COMPLETED");
}

// Its nodes have a GPU that a fake library tells of, as a file says.
class TelemetryOfGpus : public SharedClusterTest<TelemetryOfGpus> {
 public:
  static ClusterOptions options() {
    std::filesystem::remove(library());
    std::filesystem::create_symlink(HYADES_FAKE_NVML, library());
    say("devices 1\n");
    return {.nodes = 1,
            .cores = 2,
            .config = "[telemetry]\nreport_ms = 500\ncounters_every_ms = 200\nidle_factor = 1\n",
            .environment = {{"HYADES_NVML", library()}}};
  }

 protected:
  // Under a name of its own, by which it finds what to say.
  static const std::string& library() {
    static const std::string link = std::filesystem::temp_directory_path() /
                                    ("hyades-nvml-" + std::to_string(getpid()) + ".so");
    return link;
  }
  // In one piece, for somebody reads it all the time.
  static void say(const std::string& state) {
    const std::string file = library() + ".state";
    std::ofstream(file + ".new") << state;
    std::filesystem::rename(file + ".new", file);
  }
  static void TearDownTestSuite() {
    SharedClusterTest::TearDownTestSuite();
    std::filesystem::remove(library());
    std::filesystem::remove(library() + ".state");
  }

  static Json efficiency(JobId id) {
    const CommandResult result = cluster().run({"heff", "--json", std::to_string(id)});
    return result.exit_code == 0 ? result.json()["jobs"][0] : Json();
  }
  static bool is_above(const Json& job, const std::string& key, double least) {
    return job.is_object() && job[key].is_number() && job[key].get<double>() > least;
  }
};

TEST_F(TelemetryOfGpus, AJobIsToldWhatItsProcessesDoThere) {
  const std::string pid_file = cluster().path("pid");
  const JobId id = cluster().must_wrap("echo $$ >" + pid_file + ".new; mv " + pid_file + ".new " +
                                           pid_file + "; exec " + program("known_load") +
                                           " hold 10 " + cluster().path("done"),
                                       {"-o", "/dev/null"});
  ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(pid_file); }));
  int pid = 0;
  std::ifstream(pid_file) >> pid;
  say("devices 1\n0 utilization 70\n0 processes 1\n0 process_used 1073741824\n0 first_pid " +
      std::to_string(pid) + "\n");
  EXPECT_TRUE(wait_until([&] {
    const Json job = efficiency(id);
    return is_above(job, "gpus_busy", 0.1) && is_above(job, "gpu_memory_mib", 1023);
  }));
  EXPECT_LE(efficiency(id)["gpus_busy"].get<double>(), 0.71);
  cluster().write_file("done", "");
  cluster().must_wait(id);
  EXPECT_TRUE(wait_until([&] { return efficiency(id)["gpu_memory_mib"].is_null(); }));
  const Json job = efficiency(id);
  EXPECT_EQ(job["gpu_memory_peak_mib"], 1024);
  EXPECT_GT(job["gpus_busy"].get<double>(), 0);
}

}  // namespace
}  // namespace hyades::test
