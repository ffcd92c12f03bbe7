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
