// Power that is capped for a real job while it can do without, on a tree that stands for /sys.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cluster.hpp"
#include "wait_until.hpp"

namespace hyades::test {
namespace {

constexpr const char* kConfig =
    "[jobs]\ncap_power = true\ncap_every = \"0:05\"\nallow_root_jobs = true\nmin_uid = 0\n"
    "[telemetry]\nreport_ms = 500\n";
constexpr const char* kUsual = "200000000";
// Loses nothing down to 80 % of the power and then much, however long its turns take; "sensitive"
// makes it lose much always.
constexpr const char* kJob = R"sh(
done=0
last=${EPOCHREALTIME/./}
while :; do
  percent=$(($(cat "$LIMIT") / 2000000))
  pace=1000
  if [ "$percent" -lt 80 ]; then pace=100; fi
  if [ "$percent" -lt 100 ] && [ -e sensitive ]; then pace=100; fi
  now=${EPOCHREALTIME/./}
  done=$((done + pace * (now - last) / 1000000))
  last=$now
  "$HREPORT" "progress=$(printf '0.%07d' $done)"
  sleep 0.1
done)sh";

// A machine whose only package may draw 200 W.
class FakeMachine {
 public:
  FakeMachine() {
    std::string path = (std::filesystem::temp_directory_path() / "hyades-power-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp failed: " + path);
    root_ = path;
    zone_ = root_ + "/sys/class/powercap/intel-rapl:0";
    std::filesystem::create_directories(zone_);
    write("name", "package-0");
    write("enabled", "1");
    write("constraint_0_name", "long_term");
    write("constraint_0_power_limit_uw", kUsual);
    std::filesystem::create_directories(root_ + "/run");
  }
  FakeMachine(const FakeMachine&) = delete;
  FakeMachine& operator=(const FakeMachine&) = delete;
  ~FakeMachine() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  const std::string& root() const { return root_; }
  std::string limit_file() const { return zone_ + "/constraint_0_power_limit_uw"; }
  std::string limit() const {
    std::string text;
    std::getline(std::ifstream(limit_file()) >> std::ws, text);
    return text;
  }

 private:
  void write(const std::string& name, const std::string& text) {
    std::ofstream(zone_ + '/' + name) << text << '\n';
  }
  std::string root_;
  std::string zone_;
};

class Power : public testing::Test {
 protected:
  void SetUp() override {
    cluster_.must_up();
    ASSERT_TRUE(wait_until([&] { return !state().is_null(); }));
    const std::string text = state()["text"];
    if (text.find("is not all this node's") != std::string::npos) GTEST_SKIP() << text;
    ASSERT_TRUE(state()["running"]) << text;
  }
  // What the node says of it.
  Json state() {
    const Json layers = cluster_.run({"hinfo", "--layers", "vn1", "--json"}).json()["layers"];
    for (const Json& layer : layers) {
      if (layer["component"] == "power_caps") return layer;
    }
    return nullptr;
  }
  Json caps_of(JobId job) {
    const Json shown = cluster_.run({"hctl", "show", "job", std::to_string(job), "--json"}).json();
    return shown["jobs"][0]["power_caps"];
  }
  JobId start() {
    cluster_.write_file("job.sh", "#!/bin/bash\nset -e\nHREPORT=" + program("hreport") +
                                      "\nLIMIT=" + machine_.limit_file() + kJob);
    return cluster_.must_submit({"--power-margin=45", "job.sh"});
  }
  bool is_capped() { return machine_.limit() != kUsual; }

  FakeMachine machine_;
  Cluster cluster_{{.nodes = 1,
                    .cores = 2,
                    .config = kConfig,
                    .environment = {{"HYADES_TELEMETRY_ROOT", machine_.root()}}}};
};

TEST_F(Power, IsCappedWhileTheJobCanDoWithoutAndGivenBackWhenItCannot) {
  const JobId job = start();
  ASSERT_TRUE(wait_until([&] { return !caps_of(job).empty() && is_capped(); }));
  const Json cap = caps_of(job)[0];
  EXPECT_EQ(cap["node"], "vn1");
  EXPECT_LT(cap["percent"], 100);
  EXPECT_NE(cap["why"], "");
  const std::string text = cluster_.run({"hexplain", std::to_string(job)}).out;
  EXPECT_NE(text.find("power       vn1 gives it "), std::string::npos) << text;
  ASSERT_TRUE(wait_until([&] { return machine_.limit() <= "170000000"; })) << machine_.limit();

  cluster_.write_file("sensitive", "");
  EXPECT_TRUE(wait_until([&] { return !is_capped() && caps_of(job).empty(); }));
  const std::string events = cluster_.run({"hstat", "--events", std::to_string(job), "--json"}).out;
  EXPECT_NE(events.find("power-capped"), std::string::npos) << events;
  EXPECT_NE(events.find("of its speed, and can do with 45 % less"), std::string::npos) << events;
  ASSERT_TRUE(cluster_.run({"hcancel", std::to_string(job)}).good());
  cluster_.must_wait(job);
}

TEST_F(Power, WhyItIsNotCappedIsSaid) {
  const JobId job = cluster_.must_submit({"--power-margin=45", "--wrap", "sleep 1000"});
  const auto told = [&] { return cluster_.run({"hexplain", std::to_string(job)}).out; };
  const std::string words = "power       may run 45 % slower; vn1: job 1 shows no progress";
  EXPECT_TRUE(wait_until([&] { return told().find(words) != std::string::npos; })) << told();
  EXPECT_TRUE(wait_until([&] {
    return std::string(state()["text"]).find("job 1 shows no progress") != std::string::npos;
  })) << state();
  ASSERT_TRUE(cluster_.run({"hcancel", std::to_string(job)}).good());
  cluster_.must_wait(job);
}

TEST_F(Power, ComesBackWithTheEndOfTheJob) {
  const JobId job = start();
  ASSERT_TRUE(wait_until([&] { return is_capped(); }));
  ASSERT_TRUE(cluster_.run({"hcancel", std::to_string(job)}).good());
  cluster_.must_wait(job);
  EXPECT_TRUE(wait_until([&] { return !is_capped(); }));
}

TEST_F(Power, ComesBackWithTheEndOfTheCluster) {
  const JobId job = start();
  ASSERT_TRUE(wait_until([&] { return is_capped(); }));
  cluster_.must_down();  // the job lives on
  EXPECT_EQ(machine_.limit(), kUsual);
  cluster_.must_up();
  EXPECT_EQ(cluster_.state_of(job), "RUNNING");
  ASSERT_TRUE(cluster_.run({"hcancel", std::to_string(job)}).good());
  cluster_.must_wait(job);
}

TEST_F(Power, ComesBackWithANewWorkerWhenTheOldOneIsKilled) {
  const JobId job = start();
  ASSERT_TRUE(wait_until([&] { return !caps_of(job).empty() && is_capped(); }));
  kill(cluster_.worker_pid("vn1"), SIGKILL);
  EXPECT_TRUE(wait_until([&] { return !is_capped() && caps_of(job).empty(); }));
  EXPECT_EQ(cluster_.state_of(job), "RUNNING");
  ASSERT_TRUE(cluster_.run({"hcancel", std::to_string(job)}).good());
  cluster_.must_wait(job);
}

}  // namespace
}  // namespace hyades::test
