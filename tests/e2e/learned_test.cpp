// A queue whose order is learned, on a real cluster: a model that fails costs nobody anything, and
// one that answers is obeyed.
#include <gtest/gtest.h>

#include "cluster.hpp"
#include "wait_until.hpp"

namespace hyades::test {
namespace {

class Learned : public testing::Test {
 protected:
  void configure(const std::string& model) {
    cluster_.configure("[[queue]]\nname = \"batch\"\npolicy = \"learned\"\n" +
                       (model.empty() ? "" : "[policy]\nmodel = \"" + model + "\"\n"));
  }
  Json learned() {
    const CommandResult health = cluster_.run({"hinfo", "--health", "--json"});
    return health.json().value("learned_policy", Json::object());
  }
  // Advice is asked for when jobs come and go.
  bool wait_with_jobs(const std::function<bool(const Json&)>& until) {
    return wait_until([&] {
      cluster_.must_wait(cluster_.must_wrap("true", {"-o", "/dev/null"}));
      return until(learned());
    });
  }
  // What is remembered of the job's start.
  Json assigned(JobId job) {
    Json found;
    wait_until([&] {
      const Json said = cluster_.run({"hstat", "--events", std::to_string(job), "--json"}).json();
      for (const Json& event : said["events"]) {
        if (event["event"] == "assigned") found = event["detail"];
      }
      return !found.is_null();
    });
    return found;
  }

  Cluster cluster_;
};

TEST_F(Learned, AModelThatCannotBeUsedCostsNobodyAJob) {
  configure(cluster_.write_file("model", "this is no model"));
  cluster_.must_up();
  ASSERT_TRUE(wait_with_jobs([](const Json& state) { return state.value("failures", 0) > 0; }))
      << learned().dump(2);
  EXPECT_NE(learned().value("failure", "").find("model"), std::string::npos);
  EXPECT_EQ(learned()["queues"][0]["by"], "rule");
  EXPECT_EQ(learned()["queues"][0]["policy"], "index");
  EXPECT_NE(cluster_.log().find("the advisor has no answer"), std::string::npos);
  EXPECT_EQ(cluster_.must_wait(cluster_.must_wrap("true", {}))["state"], "COMPLETED");

  // The one that is installed.
  configure("");
  ASSERT_TRUE(cluster_.run({"hctl", "reload"}).good());
  ASSERT_TRUE(wait_with_jobs([](const Json& state) { return state.value("answers", 0) > 0; }))
      << learned().dump(2) << cluster_.log();
  EXPECT_EQ(learned()["queues"][0]["by"], "model");
  EXPECT_EQ(learned()["model"].get<std::string>().size(), 64u);

  // What it answered is kept, and it says so again.
  const Json listed = cluster_.run({"hctl", "policy", "list", "--json"}).json();
  ASSERT_FALSE(listed["decisions"].empty());
  EXPECT_EQ(listed["decisions"][0]["queue"], "batch");
  EXPECT_EQ(listed["decisions"][0]["model"], learned()["model"]);
  const std::string id = std::to_string(listed["decisions"][0]["id"].get<int>());
  const CommandResult again = cluster_.run({"hctl", "policy", "replay", id});
  EXPECT_TRUE(again.good()) << again.text();
  EXPECT_NE(again.text().find("the same answer"), std::string::npos) << again.text();
  EXPECT_TRUE(cluster_.run({"hctl", "policy", "show", id}).good());
  EXPECT_EQ(assigned(cluster_.must_wrap("true", {}))["chosen_by"], learned()["model"]);
  EXPECT_FALSE(cluster_.run({"hctl", "policy", "replay", "4242"}).good());
  EXPECT_EQ(cluster_.must_wait(cluster_.must_wrap("true", {}))["state"], "COMPLETED");
}

// Of eight cores seven are taken: others wait, and which of them comes first is worth a look.
TEST_F(Learned, LookingAheadChoosesForJobsThatWait) {
  cluster_.configure("[[queue]]\nname = \"batch\"\npolicy = \"lookahead-wait\"\n");
  cluster_.must_up();
  const auto wrap = [&](const char* tasks, const char* limit) {
    return cluster_.must_wrap("sleep 600", {"-n", tasks, "-t", limit});
  };
  const JobId runs = wrap("7", "20");
  ASSERT_TRUE(cluster_.wait_for_state(runs, "RUNNING"));
  const JobId wide = wrap("8", "60");
  const auto schedule = [&] {
    const Json why =
        cluster_.run({"hexplain", "--json", std::to_string(wide)}).json()["jobs"][0]["schedule"];
    return why.is_null() ? Json::object() : why;
  };
  const JobId small = wrap("2", "5");
  for (int i = 0; i < 2; ++i) wrap("2", "5");
  // Nothing happens from now on but that the answer comes.
  ASSERT_TRUE(wait_until([&] { return schedule().value("by", "") == "lookahead"; }))
      << cluster_.run({"hexplain", std::to_string(wide)}).text() << cluster_.log();
  EXPECT_EQ(schedule()["played"]["objective"], "wait");
  EXPECT_LE(schedule()["played"]["least"], schedule()["played"]["hand_set"]);
  EXPECT_TRUE(schedule()["model"].is_null());
  const std::string page = cluster_.run({"hexplain", std::to_string(wide)}).text();
  EXPECT_NE(page.find("chosen by looking ahead"), std::string::npos) << page;
  EXPECT_NE(page.find("by hand-set"), std::string::npos) << page;
  EXPECT_EQ(learned()["queues"][0]["by"], "lookahead");
  EXPECT_EQ(learned()["looking_ahead"]["failures"], 0);
  EXPECT_GT(learned()["looking_ahead"]["answers"], 0);

  const Json listed = cluster_.run({"hctl", "policy", "list", "--json"}).json();
  ASSERT_FALSE(listed["decisions"].empty());
  const std::string id = std::to_string(listed["decisions"][0]["id"].get<int>());
  const CommandResult again = cluster_.run({"hctl", "policy", "replay", id});
  EXPECT_NE(again.text().find("the same answer"), std::string::npos) << again.text();
  EXPECT_TRUE(again.good()) << again.text();

  ASSERT_TRUE(cluster_.run({"hcancel", std::to_string(runs), std::to_string(wide)}).good());
  const Json started = assigned(small);
  EXPECT_EQ(started["chosen_by"], "lookahead") << started.dump();
  EXPECT_NE(started.value("policy", "").find("+easy"), std::string::npos) << started.dump();
}

}  // namespace
}  // namespace hyades::test
