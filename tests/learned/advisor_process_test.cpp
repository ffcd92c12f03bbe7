// The program that answers for the learned policy: its answers arrive, and whatever else it does
// ends in a sentence.
#include "master/advisor_process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include "e2e/wait_until.hpp"
#include "model_files.hpp"
#include "policy/learned/network_adviser.hpp"

namespace hyades {
namespace {

using testing::HasSubstr;

class AdvisorProcessTest : public testing::Test {
 protected:
  static GlobalQuestion question() {
    GlobalQuestion question{"batch", 1'000, {}};
    question.state.frames.back()[3] = 0.5f;
    return question;
  }
  std::string script(const std::string& text) {
    const std::string path = files_.write("advisor", "#!/bin/sh\n" + text + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  static AdviserReply ask(AdvisorProcess& advisor, const GlobalQuestion& asked = question()) {
    advisor.ask(asked);
    EXPECT_FALSE(advisor.idle());
    AdviserReply reply;
    EXPECT_TRUE(test::wait_until([&] {
      auto answer = advisor.answer();
      if (answer) reply = std::move(*answer);
      return answer.has_value();
    }));
    EXPECT_TRUE(advisor.idle());
    return reply;
  }

  learned::ModelFiles files_;
};

TEST_F(AdvisorProcessTest, AnswersAsItsModelDoes) {
  const std::string path = files_.random_model("model", 4);
  AdvisorProcess advisor({.program = HYADES_ADVISOR, .model = [&] { return path; }});
  const learned::PolicyModel model = learned::load_policy(path);
  const AdviserReply expected =
      learned::reply_of(model.network.evaluate(question().state), model.margin, model.digest, {});
  for (int i = 0; i < 3; ++i) {
    const AdviserReply reply = ask(advisor);
    ASSERT_TRUE(reply.advice) << reply.failure;
    EXPECT_EQ(reply.advice->action, expected.advice->action);
    EXPECT_EQ(reply.advice->values, expected.advice->values);
    EXPECT_EQ(reply.advice->model, model.digest);
  }
}

TEST_F(AdvisorProcessTest, AnotherModelIsAnotherProcess) {
  std::string path = files_.random_model("one", 1);
  AdvisorProcess advisor({.program = HYADES_ADVISOR, .model = [&] { return path; }});
  const auto one = ask(advisor).advice->model;
  path = files_.random_model("two", 2, learned::Encoder::CnnLstm);
  EXPECT_NE(ask(advisor).advice->model, one);
}

TEST_F(AdvisorProcessTest, ReadsItsFileAnewWhenItIsTold) {
  const std::string path = files_.random_model("model", 1);
  AdvisorProcess advisor({.program = HYADES_ADVISOR, .model = [&] { return path; }});
  const auto one = ask(advisor).advice->model;
  files_.random_model("model", 2);
  EXPECT_EQ(ask(advisor).advice->model, one);
  advisor.renew();
  EXPECT_NE(ask(advisor).advice->model, one);
}

TEST_F(AdvisorProcessTest, RefusesAFileThatIsNotWhatWasTakenOver) {
  const std::string path = files_.random_model("model", 1);
  std::string digest = learned::load_policy(path).digest;
  AdvisorProcess advisor(
      {.program = HYADES_ADVISOR, .model = [&] { return ModelFile(path, digest); }});
  EXPECT_EQ(ask(advisor).advice->model, digest);
  files_.random_model("model", 2);
  advisor.renew();
  EXPECT_THAT(ask(advisor).failure, HasSubstr("changed"));
}

TEST_F(AdvisorProcessTest, SaysWhatIsWrongWithAModel) {
  const std::string path = files_.write("model", "nothing of the kind");
  AdvisorProcess advisor({.program = HYADES_ADVISOR, .model = [&] { return path; }});
  const AdviserReply reply = ask(advisor);
  EXPECT_FALSE(reply.advice);
  EXPECT_THAT(reply.failure, HasSubstr(path));
  EXPECT_EQ(advisor.process(), 0);
  files_.random_model("model", 1);
  EXPECT_TRUE(ask(advisor).advice);
}

TEST_F(AdvisorProcessTest, AKilledOneIsStartedAgain) {
  const std::string path = files_.random_model("model", 1);
  AdvisorProcess advisor({.program = HYADES_ADVISOR, .model = [&] { return path; }});
  ASSERT_TRUE(ask(advisor).advice);
  kill(advisor.process(), SIGKILL);
  EXPECT_THAT(ask(advisor).failure, HasSubstr("signal 9"));
  EXPECT_TRUE(ask(advisor).advice);
}

TEST_F(AdvisorProcessTest, AStoppedOneIsKilled) {
  const std::string path = files_.random_model("model", 1);
  AdvisorProcess advisor(
      {.program = HYADES_ADVISOR, .model = [&] { return path; }, .next_ms = 200});
  ASSERT_TRUE(ask(advisor).advice);
  const pid_t stopped = advisor.process();
  kill(stopped, SIGSTOP);
  EXPECT_THAT(ask(advisor).failure, HasSubstr("in time"));
  EXPECT_EQ(kill(stopped, 0), -1);
}

// As if a question had brought it to its limit.
TEST_F(AdvisorProcessTest, OneThatHasNoMemoryLeftSaysSoAndIsStartedAgain) {
  const std::string path = files_.random_model("model", 1);
  AdvisorProcess advisor({.program = HYADES_ADVISOR, .model = [&] { return path; }});
  ASSERT_TRUE(ask(advisor).advice);
  const rlimit nothing{0, 0};
  ASSERT_EQ(prlimit(advisor.process(), RLIMIT_DATA, &nothing, nullptr), 0);
  GlobalQuestion big = question();
  big.look_ahead = Objective::Slowdown;
  big.scene.cores = 64;
  big.scene.jobs.assign(RolloutScene::waiting_most + RolloutScene::coming_most,
                        {-5, 100, 0.01, 120, 2});
  EXPECT_THAT(ask(advisor, big).failure, HasSubstr("more memory"));
  EXPECT_TRUE(ask(advisor, big).advice);
}

TEST_F(AdvisorProcessTest, WhateverElseItDoesIsOneSentence) {
  const auto failure_of = [&](const std::string& program) {
    std::string told;
    AdvisorProcess advisor({.program = program,
                            .first_ms = 300,
                            .complain = [&](const std::string& why) { told = why; }});
    const AdviserReply reply = ask(advisor);
    EXPECT_FALSE(reply.advice);
    EXPECT_EQ(told, reply.failure);
    return reply.failure;
  };
  EXPECT_THAT(failure_of(script("exit 3")), HasSubstr("exit code 3"));
  EXPECT_THAT(failure_of(script("echo rubbish; sleep 60")), HasSubstr("no answer"));
  EXPECT_THAT(failure_of(script("exec sleep 60")), HasSubstr("in time"));
  EXPECT_THAT(failure_of(files_.path("nowhere")), HasSubstr("cannot run"));
}

}  // namespace
}  // namespace hyades
