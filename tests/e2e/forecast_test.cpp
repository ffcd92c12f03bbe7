// A queue that predicts run times and keeps a reserve, on a real cluster.
#include <gtest/gtest.h>

#include "shared_cluster_test.hpp"

namespace hyades::test {
namespace {

class Forecast : public SharedClusterTest<Forecast> {
 public:
  static ClusterOptions options() {
    return {.nodes = 2,
            .cores = 4,
            .config =
                "[[queue]]\nname = \"batch\"\npolicy = \"index\"\n"
                "[[queue]]\nname = \"asked\"\npolicy = \"index\"\nrun_times = \"request\"\n"
                "reserve = 0.25\nreserve_after = \"0:01:00\"\n"};
  }

 protected:
  static std::string why_it_waits(JobId id) {
    const CommandResult listed = cluster().run({"hstat", "--json", "-j", std::to_string(id)});
    return listed.good() ? listed.text() : "";
  }
};

// Eight cores, of which long jobs leave two alone.
TEST_F(Forecast, ALongJobLeavesTheReserveToAShortOne) {
  const auto wrap = [&](const char* command, const char* tasks, const char* limit) {
    return cluster().must_wrap(command, {"-p", "asked", "-n", tasks, "-t", limit});
  };
  const JobId first = wrap("sleep 600", "5", "20");
  ASSERT_TRUE(cluster().wait_for_state(first, "RUNNING"));
  const JobId second = wrap("sleep 600", "2", "20");  // would leave one core
  EXPECT_TRUE(wait_until([&] { return why_it_waits(second).find("Reserve") != std::string::npos; }))
      << why_it_waits(second);
  EXPECT_EQ(cluster().must_wait(wrap("true", "3", "0:30"))["state"], "COMPLETED");
  EXPECT_EQ(cluster().state_of(second), "PENDING");
  EXPECT_TRUE(cluster().run({"hcancel", std::to_string(first)}).good());
  EXPECT_TRUE(cluster().wait_for_state(second, "RUNNING"));
  EXPECT_TRUE(cluster().run({"hcancel", std::to_string(second)}).good());
  cluster().must_wait(second);
}

// Of eight cores five are taken: two jobs wait, the second behind the first.
TEST_F(Forecast, AWaitingJobIsExplained) {
  const auto wrap = [&](const char* tasks, const char* limit) {
    return cluster().must_wrap("sleep 600", {"-p", "asked", "-n", tasks, "-t", limit});
  };
  const JobId runs = wrap("5", "20");
  ASSERT_TRUE(cluster().wait_for_state(runs, "RUNNING"));
  const JobId next = wrap("8", "30");
  const JobId behind = wrap("3", "60");
  const auto explained = [&](JobId id) {
    return cluster().run({"hexplain", "--json", std::to_string(id)}).json()["jobs"][0];
  };
  ASSERT_TRUE(wait_until([&] { return explained(next)["reason"] == "Resources"; }))
      << explained(next).dump(2);
  const Json first = explained(next)["schedule"], second = explained(behind)["schedule"];
  EXPECT_EQ(first["policy"], "index");
  EXPECT_EQ(first["run_times"], "request");
  EXPECT_EQ(first["cores"], 8);
  EXPECT_EQ(first["free_cores"], 3);
  EXPECT_EQ(first["queue_cores"], 8);
  EXPECT_EQ(first["waiting"], 2);
  EXPECT_EQ(first["expected_run"], 1800);
  EXPECT_TRUE(first["guarded"]);
  EXPECT_FALSE(first["first"]);
  EXPECT_NE(first["reserved_nodes"], "");
  EXPECT_EQ(first["position"].get<int>() + second["position"].get<int>(), 3);
  // A shorter one fits before the reservation, and then the reserve does not concern it either.
  ASSERT_FALSE(second["starts_with"].empty()) << second.dump(2);
  const CommandResult page = cluster().run({"hexplain", std::to_string(behind)});
  ASSERT_TRUE(page.good());
  EXPECT_NE(page.text().find("it would start with --"), std::string::npos) << page.text();
  EXPECT_FALSE(cluster().run({"hexplain", "424242"}).good());
  const CommandResult running = cluster().run({"hexplain", std::to_string(runs)});
  EXPECT_NE(running.text().find("RUNNING"), std::string::npos) << running.text();
  for (const JobId id : {behind, next, runs}) {
    EXPECT_TRUE(cluster().run({"hcancel", std::to_string(id)}).good());
    cluster().must_wait(id);
  }
}

// The master's own trainer, as it is installed beside it.
TEST_F(Forecast, AModelIsMadeOfTheJobsThatHaveEnded) {
  int jobs = 0;
  EXPECT_TRUE(wait_until([&] {
    cluster().must_wrap("true", {"-o", "/dev/null", "-t", "0:30"});
    return ++jobs > 200 && cluster().log().find("a new model of run times") != std::string::npos;
  })) << jobs
      << " jobs\n"
      << cluster().log();
  EXPECT_EQ(cluster().must_wait(cluster().must_wrap("true", {"-t", "0:30"}))["state"], "COMPLETED");
}

}  // namespace
}  // namespace hyades::test
