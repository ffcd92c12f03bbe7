// Idle cores that a real job is lent, and gives back when another one starts.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "cluster.hpp"
#include "wait_until.hpp"

namespace hyades::test {
namespace {

constexpr const char* kConfig =
    "[jobs]\nlend_every = \"0:01\"\nallow_root_jobs = true\nmin_uid = 0\n"
    "[telemetry]\nreport_ms = 500\n";
// As many busy processes as there are words.
constexpr const char* kTwoBusy = "for i in a b; do (while :; do :; done) & done; wait";

class Lending : public testing::Test {
 protected:
  void SetUp() override {
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) GTEST_SKIP() << "only one processor";
    cluster_.must_up();
    ASSERT_TRUE(wait_until([&] { return !lending().is_null(); }));
    if (!lending()["running"]) GTEST_SKIP() << lending()["text"];
  }
  // What the node says of it.
  Json lending() {
    const Json layers = cluster_.run({"hinfo", "--layers", "vn1", "--json"}).json()["layers"];
    for (const Json& layer : layers) {
      if (layer["component"] == "lending") return layer;
    }
    return nullptr;
  }
  Json lent_to(JobId job) {
    const Json shown = cluster_.run({"hctl", "show", "job", std::to_string(job), "--json"}).json();
    return shown["jobs"][0]["lent_cores"];
  }

  double cores_busy(JobId job) {
    const CommandResult look = cluster_.run({"hwatch", "--once", "--json", std::to_string(job)});
    const Json seen = Json::parse(look.out, nullptr, false);
    if (!seen.is_object()) return 0;
    for (const Json& figure : seen["figures"]) {
      if (figure["name"] == "job.cpu") return figure["value"];
    }
    return 0;
  }

  Cluster cluster_{{.nodes = 1, .cores = 2, .config = kConfig}};
};

TEST_F(Lending, IdleCoresGoToABusyJobAndComeBack) {
  const JobId busy = cluster_.must_wrap(kTwoBusy, {"--elastic"});
  double most_busy = 0;
  const bool lent = wait_until([&] {
    most_busy = std::max(most_busy, cores_busy(busy));
    return !lent_to(busy).empty();
  });
  if (!lent && most_busy < 0.95) {
    cluster_.run({"hcancel", std::to_string(busy)});
    GTEST_SKIP() << "something else uses this machine's processors: the job had " << most_busy;
  }
  ASSERT_TRUE(lent) << most_busy;
  const Json loan = lent_to(busy)[0];
  EXPECT_EQ(loan["cores"], "1");
  EXPECT_NE(loan["why"].get<std::string>().find("busy"), std::string::npos) << loan;

  const std::string text = cluster_.run({"hexplain", std::to_string(busy)}).out;
  EXPECT_NE(text.find("lent        cores 1 of vn1 since "), std::string::npos) << text;

  const JobId other = cluster_.must_wrap("cut -f 2 -d : /proc/self/cpuset; nproc", {"-o", "other"});
  EXPECT_EQ(cluster_.must_wait(other)["state"], "COMPLETED");
  ASSERT_TRUE(cluster_.run({"hcancel", std::to_string(busy)}).good());
  cluster_.must_wait(busy);
  const std::string events =
      cluster_.run({"hstat", "--events", std::to_string(busy), "--json"}).out;
  EXPECT_NE(events.find("cores-lent"), std::string::npos) << events;
  EXPECT_NE(events.find("job " + std::to_string(other) + " was given 1 core"), std::string::npos)
      << events;
}

}  // namespace
}  // namespace hyades::test
