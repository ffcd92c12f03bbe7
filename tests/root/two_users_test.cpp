// What one user may know of, and do to, another's jobs on the same cluster, and what an operator
// may (reliability table: S11, S12, S15, S18, S20).
#include "two_users.hpp"

#include "wait_until.hpp"

namespace hyades::test {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

int count_of(const std::string& text, const std::string& part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_F(TwoUsers, JobsAreTheirUsers) {
  EXPECT_EQ(output_of_job(kAda, "id -un; id -u"), "hyades-ada\n54321\n");
  EXPECT_EQ(output_of_job(kBob, "id -un; id -u"), "hyades-bob\n54322\n");
}

TEST_F(TwoUsers, WhomNobodyKnowsSubmitsNothing) {
  const CommandResult nobody = as(60'123, {"hsub", "--wrap", "true"});
  EXPECT_EQ(nobody.exit_code, 1);
  EXPECT_TRUE(contains(nobody.err, "has no user with the uid 60123")) << nobody.text();
  EXPECT_TRUE(as(60'123, {"hstat"}).good());
}

// What they may not see of its processes does not make it look dead.
TEST_F(TwoUsers, EverybodySeesThatTheClusterIsUp) {
  const CommandResult status = as(kAda, {"hyades", "status", "--dir", cluster().directory()});
  EXPECT_EQ(status.exit_code, 0) << status.text();
  EXPECT_TRUE(contains(status.out, "cluster      up\n")) << status.out;
  EXPECT_TRUE(contains(status.out, "supervisor   not visible to you\n")) << status.out;
  EXPECT_TRUE(contains(status.out, "master       answers; its process is not visible to you\n"))
      << status.out;
  EXPECT_EQ(status.err, "");
  const Json json = as(kBob, {"hyades", "status", "--json"}).json();
  EXPECT_EQ(json["state"], "up") << json.dump(2);
  EXPECT_EQ(json["not_visible"], Json::array({"supervisor_pid", "master_pid"}));
  EXPECT_EQ(json["workers"].size(), cluster().status()["workers"].size()) << json.dump(2);
  EXPECT_EQ(cluster().status()["not_visible"], Json::array());
}

// ---- S11: what is seen of another's jobs -------------------------------------------------------

// Every way to ask about a job, of those commands that ask.
std::string all_words_about(uid_t asker, JobId job,
                            CommandResult (*as)(uid_t, std::vector<std::string>, CommandOptions)) {
  const std::string id = std::to_string(job);
  std::string all;
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"hctl", "show", "script", id},
                                             {"hctl", "show", "script", "--json", id},
                                             {"hctl", "show", "job", id},
                                             {"hctl", "show", "job", "--json", id},
                                             {"hstat", id},
                                             {"hstat", "-l", id},
                                             {"hstat", "--json", id},
                                             {"hstat", "--json", "--all-users"},
                                             {"hstat", "--events", id},
                                             {"hstat", "--events", "--json", id},
                                             {"hacct", "--all-users"},
                                             {"hacct", "-j", id},
                                             {"hacct", "-P", "-j", id},
                                             {"hacct", "--json", "-j", id},
                                             {"hctl", "show", "script", id + "_1"},
                                             {"hacct", "--json", "-j", id + "_1"}}) {
    all += as(asker, words, {}).text();
  }
  return all;
}

TEST_F(TwoUsers, ScriptEnvironmentPathsAndCommentAreTheOwnersAlone) {
  mkdir(cluster().path("secret-place").c_str(), 0777);
  chmod(cluster().path("secret-place").c_str(), 0777);
  const std::vector<std::string> hidden{
      "--comment", "secret-comment", "--chdir", cluster().path("secret-place"),
      "-o",        "secret-out",     "--wrap"};
  std::vector<std::string> waiting = hidden, ending = hidden;
  waiting.insert(waiting.end(), {"echo secret-script", "--hold"});
  ending.insert(ending.end(), "echo secret-script");
  const CommandOptions options{.environment = {{"API_TOKEN", "secret-variable"}}};
  const JobId held = must_submit(kAda, waiting, options);
  const JobId ended = must_submit(kAda, ending, options);
  EXPECT_EQ(cluster().must_wait(ended)["state"], "COMPLETED");
  for (const JobId job : {held, ended}) {
    for (const uid_t other : {kBob, kOperator}) {
      EXPECT_EQ(count_of(all_words_about(other, job, &as), "secret"), 0) << other;
    }
    for (const uid_t entitled : {kAda, kAdmin}) {
      const std::string all = all_words_about(entitled, job, &as);
      EXPECT_TRUE(contains(all, "secret-script")) << all;
      EXPECT_TRUE(contains(all, "secret-out")) << all;
      EXPECT_TRUE(contains(all, "secret-comment")) << all;
      EXPECT_FALSE(contains(all, "secret-variable")) << all;
    }
  }
  EXPECT_TRUE(as(kAda, {"hcancel", std::to_string(held)}).good());
}

// How all of a user's jobs went is in them.
TEST_F(TwoUsers, FeaturesOfAJobAreForTheOwnerAndOperators) {
  const JobId job = must_submit(kAda, {"-o", "/dev/null", "--hold", "--wrap", "true"});
  const std::vector<std::string> show{"hctl", "show", "features", std::to_string(job)};
  const CommandResult others = as(kBob, show, {});
  EXPECT_FALSE(others.good());
  EXPECT_FALSE(contains(others.text(), "job.limit")) << others.text();
  EXPECT_TRUE(contains(others.text(), "only its owner and operators may see")) << others.text();
  for (const uid_t entitled : {kAda, kOperator, kAdmin}) {
    const CommandResult result = as(entitled, show, {});
    EXPECT_TRUE(contains(result.text(), "job.limit")) << result.text();
  }
  EXPECT_TRUE(as(kAda, {"hcancel", std::to_string(job)}).good());
}

// By a shepherd of root's, from a job of a user's.
TEST_F(TwoUsers, WhatAJobReportsIsForTheOwnerAndOperators) {
  const JobId job =
      must_submit(kAda, {"-o", "/dev/null", "--wrap", program("hreport") + " secret.figure=42"});
  cluster().must_wait(job);
  const std::vector<std::string> show{"hacct", "--json", "-j", std::to_string(job)};
  for (const uid_t entitled : {kAda, kOperator, kAdmin}) {
    const CommandResult result = as(entitled, show, {});
    EXPECT_TRUE(contains(result.text(), "secret.figure")) << result.text();
  }
  const CommandResult others = as(kBob, show, {});
  EXPECT_TRUE(contains(others.text(), "COMPLETED")) << others.text();
  EXPECT_FALSE(contains(others.text(), "secret.figure")) << others.text();
}

// It names the file that could not be opened.
TEST_F(TwoUsers, WhyALaunchFailedIsForTheOwnerAndOperators) {
  const JobId job = must_submit(kAda, {"-o", "/no/secret-place/out", "--wrap", "true"});
  const CommandResult waited = as(kBob, {"hwait", "--json", std::to_string(job)});
  EXPECT_FALSE(contains(waited.text(), "secret-place")) << waited.text();
  EXPECT_EQ(cluster().must_wait(job)["state"], "LAUNCH_FAILED");
  const std::string others = all_words_about(kBob, job, &as);
  EXPECT_FALSE(contains(others, "secret-place")) << others;
  EXPECT_TRUE(contains(others, "only its owner may see why")) << others;
  for (const uid_t entitled : {kAda, kOperator, kAdmin}) {
    EXPECT_TRUE(contains(all_words_about(entitled, job, &as), "secret-place")) << entitled;
  }
}

// Likewise why a job waits again: what it could not be started for may be in it.
TEST_F(TwoUsers, WhyAJobWaitsAgainIsForTheOwnerAndOperators) {
  const JobId job = must_submit(kAda, {"-w", "vn1", "-o", "/dev/null", "--wrap", "sleep 60"});
  ASSERT_TRUE(cluster().wait_for_state(job, "RUNNING"));
  ASSERT_TRUE(as(kAdmin, {"hctl", "drain", "vn1", "--reason", "test"}).good());
  ASSERT_TRUE(as(kAda, {"hctl", "requeue", std::to_string(job)}).good());
  ASSERT_TRUE(cluster().wait_for_state(job, "PENDING"));
  const std::vector<std::string> show{"hctl", "show", "job", std::to_string(job), "--json"};
  const auto reason = [&](uid_t uid) {
    const Json reply = as(uid, show).json();
    return reply["jobs"][0]["last_reason"].get<std::string>();
  };
  const std::string why = reason(kAda);
  EXPECT_FALSE(why.empty() || contains(why, "only its owner")) << why;
  EXPECT_EQ(reason(kOperator), why);
  EXPECT_EQ(reason(kBob), "only its owner may see why");
  EXPECT_TRUE(as(kAda, {"hcancel", std::to_string(job)}).good());
  EXPECT_TRUE(as(kAdmin, {"hctl", "resume", "vn1"}).good());
}

// ---- S12: what is done to another's jobs -------------------------------------------------------

TEST_F(TwoUsers, NobodyActsOnAnothersJob) {
  const JobId running = must_run("acted-on");
  const JobId waiting = must_submit(kAda, {"--hold", "--wrap", "true"});
  for (const JobId job : {running, waiting}) {
    const std::string id = std::to_string(job);
    for (const auto& [words, verb] : std::vector<std::pair<std::vector<std::string>, const char*>>{
             {{"hcancel", id}, "cancel"},
             {{"hcancel", "--signal", "KILL", id}, "signal"},
             {{"hcancel", "--signal", "KILL", "--batch", id}, "signal"},
             {{"hctl", "hold", id}, "hold"},
             {{"hctl", "release", id}, "release"},
             {{"hctl", "requeue", id}, "requeue"}}) {
      const CommandResult result = as(kBob, words);
      EXPECT_EQ(result.exit_code, 1) << words[1] << result.text();
      EXPECT_TRUE(contains(result.err, "belongs to hyades-ada, not to hyades-bob"))
          << result.text();
      const std::string line =
          "client: uid 54322 from this host: " + std::string(verb) + " job " + id + ": denied";
      EXPECT_TRUE(is_logged(line)) << line << cluster().log();
    }
  }
  EXPECT_TRUE(as(kBob, {"hcancel", "--all-users", "-t", "all"}).text().find("hyades-ada") !=
              std::string::npos);
  EXPECT_EQ(cluster().state_of(waiting), "PENDING");
  EXPECT_TRUE(cluster().job(waiting)["held"].get<bool>()) << cluster().job(waiting).dump(2);
  EXPECT_TRUE(as(kAda, {"hcancel", std::to_string(waiting)}).good());
  let_end(running, "acted-on");
  EXPECT_EQ(cluster().job(running)["attempts"], 1);
}

// ---- S15: operators ----------------------------------------------------------------------------

TEST_F(TwoUsers, AnOperatorActsOnJobsAndNodesAndIsInTheLog) {
  const JobId job = must_submit(kAda, {"--hold", "--wrap", "true"});
  const std::string id = std::to_string(job);
  for (const auto& [words, line] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"hctl", "hold", id}, "hold job " + id},
           {{"hctl", "drain", "vn2", "--reason", "to look at"}, "drain node vn2"},
           {{"hctl", "resume", "vn2"}, "resume node vn2"},
           {{"hctl", "release", id}, "release job " + id}}) {
    EXPECT_TRUE(as(kOperator, words).good()) << words[1];
    EXPECT_TRUE(is_logged("client: uid 54341 from this host: " + line + ": ok"))
        << line << cluster().log();
    if (words[1] != "hold") continue;
    EXPECT_TRUE(contains(as(kAda, {"hctl", "release", id}).err, "was held by an operator"));
  }
  cluster().must_wait(job);
  for (const uid_t user : {kAda, kBob}) {
    EXPECT_TRUE(contains(as(user, {"hctl", "drain", "vn2", "-r", "x"}).err, "only an operator"));
    EXPECT_TRUE(contains(as(user, {"hctl", "resume", "vn2"}).err, "only an operator"));
    EXPECT_TRUE(contains(as(user, {"hctl", "node", "confirm-dead", "vn2"}).err, "only an oper"));
    EXPECT_TRUE(contains(as(user, {"hsub", "--priority", "1", "--wrap", "true"}).err,
                         "only an operator may raise a job's priority"));
  }
}

TEST_F(TwoUsers, AnOperatorIsNoAdminAndMakesNone) {
  const std::string config = cluster().directory() + "/hyades.toml";
  const std::string before = read_whole(config);
  const std::string mine = cluster().write_file(
      "mine.toml", "[security]\nadmins = [54341, 54322]\noperators = [54322]\n");
  for (const uid_t uid : {kOperator, kBob, kAda}) {
    const CommandResult reload = as(uid, {"hctl", "reload"});
    EXPECT_TRUE(contains(reload.err, "only an admin may load a configuration")) << reload.text();
    EXPECT_TRUE(
        is_logged("client: uid " + std::to_string(uid) + " from this host: reload: denied"));
    // Another file is nothing that a reload could be told of.
    EXPECT_EQ(as(uid, {"hctl", "reload", mine}).exit_code, 2);
    EXPECT_FALSE(as(uid, {"hctl", "reload", "--config", mine}).good());
    // What decides who is who is a file that nobody but root can change or replace.
    const auto change = [&] {
      return access(config.c_str(), W_OK) == 0 || unlink(config.c_str()) == 0 ||
             rename(mine.c_str(), config.c_str()) == 0;
    };
    EXPECT_EQ(as_user(uid, change), 0);
    EXPECT_FALSE(as(uid, {"hctl", "node", "rejoin"}).good());
    const CommandResult down = as(uid, {"hyades", "down"});
    EXPECT_TRUE(contains(down.err, "only who started the cluster in " + cluster().directory()))
        << down.text();
  }
  EXPECT_EQ(read_whole(config), before);
  EXPECT_TRUE(cluster().is_up());
}

// Which model orders the queue is nobody's business but an admin's; which it is may be seen.
TEST_F(TwoUsers, OnlyAnAdminChangesTheModelOfTheLearnedPolicy) {
  const Json before = as(kAda, {"hctl", "model", "list", "--json"}).json();
  const std::string file = cluster().write_file("model", "nobody looks at it");
  for (const uid_t uid : {kOperator, kBob, kAda}) {
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"promote", file}, {"shadow", file}, {"rollback"}, {"promote", "--configured"}}) {
      std::vector<std::string> all{"hctl", "model"};
      all.insert(all.end(), words.begin(), words.end());
      const CommandResult result = as(uid, all);
      EXPECT_EQ(result.exit_code, 1);
      EXPECT_TRUE(contains(result.err, "only an admin may change the model")) << result.text();
    }
    EXPECT_TRUE(is_logged("client: uid " + std::to_string(uid) +
                          " from this host: rollback model: denied"));
  }
  EXPECT_EQ(as(kBob, {"hctl", "model", "list", "--json"}).json(), before);
  EXPECT_TRUE(contains(as(kAdmin, {"hctl", "model", "rollback"}).err, "none to go back to"));
}

// The configuration counts as it is when the request comes.
TEST_F(TwoUsers, ARoleEndsWithTheConfigurationThatGaveIt) {
  const std::string config = cluster().directory() + "/hyades.toml";
  const std::string before = read_whole(config);
  std::string without = before;
  without.replace(without.find("[54341]"), 7, "[54322]");
  cluster().write_file(config, without);
  EXPECT_TRUE(as(kAdmin, {"hctl", "reload"}).good());
  EXPECT_TRUE(is_logged("client: uid 54342 from this host: reload: ok"));
  EXPECT_FALSE(as(kOperator, {"hctl", "drain", "vn2", "-r", "mine"}).good());
  EXPECT_TRUE(as(kBob, {"hctl", "drain", "vn2", "-r", "mine"}).good());
  cluster().write_file(config, before);
  EXPECT_TRUE(as(kAdmin, {"hctl", "reload"}).good());
  EXPECT_FALSE(as(kBob, {"hctl", "resume", "vn2"}).good());
  EXPECT_TRUE(as(kOperator, {"hctl", "resume", "vn2"}).good());
}

}  // namespace
}  // namespace hyades::test
