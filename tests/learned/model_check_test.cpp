// Models are tried by the program that would answer with them; whatever that does is one sentence.
#include "master/model_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "e2e/wait_until.hpp"
#include "model_files.hpp"

namespace hyades {
namespace {

using testing::HasSubstr;

class ModelCheckTest : public testing::Test {
 protected:
  std::string script(const std::string& text) {
    const std::string path = files_.write("advisor", "#!/bin/sh\n" + text + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  static std::string checked(ModelCheck& check, const std::string& path) {
    check.begin(path);
    EXPECT_FALSE(check.idle());
    std::optional<std::string> problem;
    EXPECT_TRUE(test::wait_until([&] { return (problem = check.finished()).has_value(); }));
    EXPECT_TRUE(check.idle());
    EXPECT_FALSE(check.finished());
    return problem.value_or("nothing");
  }
  std::string with_weight(const std::string& name, float value) {
    const std::string good = files_.random_model("good", 1);
    jobscripts::Safetensors file =
        jobscripts::read_safetensors_file(good, "", learned::policy_file_most);
    for (jobscripts::NamedTensor& tensor : file.tensors) {
      if (tensor.name.starts_with(name)) {
        std::fill(tensor.values.begin(), tensor.values.end(), value);
      }
    }
    jobscripts::write_safetensors(files_.path("bad"), file.tensors, file.metadata);
    return files_.path("bad");
  }

  learned::ModelFiles files_;
};

TEST_F(ModelCheckTest, GoodOnesAreGood) {
  ModelCheck check(HYADES_ADVISOR);
  EXPECT_EQ(checked(check, files_.random_model("mlp", 1)), "");
  EXPECT_EQ(checked(check, files_.random_model("cnn", 1, learned::Encoder::CnnLstm)), "");
}

TEST_F(ModelCheckTest, OthersAreRefusedWithTheirNameAndWhatIsWrong) {
  ModelCheck check(HYADES_ADVISOR);
  const std::string rubbish = files_.write("rubbish", "nothing of the kind");
  EXPECT_THAT(checked(check, rubbish), testing::StartsWith(rubbish + ": "));
  EXPECT_THAT(checked(check, files_.path("nowhere")), HasSubstr("cannot read"));
  // Weights that are numbers, and answers that are none.
  EXPECT_THAT(checked(check, with_weight("value.value", 3e38f)), HasSubstr("no number"));
  EXPECT_EQ(checked(check, with_weight("value.value", 3)), "");
}

TEST_F(ModelCheckTest, WhateverElseItDoesIsOneSentence) {
  const auto problem_with = [&](const std::string& program, BootMs most_ms = 60'000) {
    ModelCheck check(program, most_ms);
    return checked(check, "model");
  };
  EXPECT_THAT(problem_with(script("exit 3")), HasSubstr("exit code 3"));
  EXPECT_THAT(problem_with(script("kill -9 $$")), HasSubstr("signal 9"));
  EXPECT_THAT(problem_with(script("exec sleep 600"), 300), HasSubstr("in time"));
  EXPECT_THAT(problem_with(script("exit 1")), HasSubstr("without a reason"));
  EXPECT_EQ(problem_with(script("echo a >&2; echo \"$2: it is bad\" >&2; exit 1")),
            "model: it is bad");
  EXPECT_THAT(problem_with(files_.path("nowhere")), HasSubstr("cannot be checked"));
}

TEST_F(ModelCheckTest, NoneIsLeftBehind) {
  const std::string program = script("echo $$ >" + files_.path("pid") + "; exec sleep 600");
  {
    ModelCheck check(program);
    check.begin("model");
    ASSERT_TRUE(test::wait_until(
        [&] { return learned::ModelFiles::bytes_of(files_.path("pid")).ends_with('\n'); }));
  }
  EXPECT_EQ(kill(std::stoi(learned::ModelFiles::bytes_of(files_.path("pid"))), 0), -1);
}

}  // namespace
}  // namespace hyades
