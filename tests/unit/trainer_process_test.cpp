// The program that makes models for the master: what it makes arrives, and whatever else it does is
// of no consequence.
#include "master/trainer_process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "e2e/wait_until.hpp"

namespace hyades {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::vector<RunExample> examples() {
  std::vector<RunExample> all;
  for (int i = 0; i < 300; ++i) {
    ModelRow row{};
    row[0] = static_cast<float>(i % 10);
    all.push_back(run_example(row, i % 10 < 5 ? 100 : 1800, 3600));
  }
  return all;
}

class TrainerProcessTest : public testing::Test {
 protected:
  TrainerProcessTest() {
    char name[] = "/tmp/hyades-trainer-XXXXXX";
    root_ = mkdtemp(name);
  }
  ~TrainerProcessTest() override { fs::remove_all(root_); }

  std::string script(const std::string& text) {
    const fs::path program = root_ / "trainer";
    std::ofstream(program) << "#!/bin/sh\n" << text << "\n";
    fs::permissions(program, fs::perms::owner_all);
    return program;
  }
  static std::shared_ptr<const RunModel> result(TrainerProcess& trainer) {
    std::shared_ptr<const RunModel> model;
    EXPECT_TRUE(test::wait_until([&] {
      if (auto made = trainer.finished()) model = std::move(made);
      return trainer.idle();
    }));
    return model;
  }

  fs::path root_;
};

TEST_F(TrainerProcessTest, MakesAModel) {
  TrainerProcess trainer(HYADES_TRAINER);
  trainer.begin(examples());
  EXPECT_FALSE(trainer.idle());
  const auto model = result(trainer);
  ASSERT_NE(model, nullptr);
  EXPECT_EQ(model->jobs, 300);
  ModelRow row{};
  row[0] = 7;
  EXPECT_NEAR(model->forecast(row, 3600).run_s, 1800, 60);
  EXPECT_EQ(trainer.trouble(), "");
}

TEST_F(TrainerProcessTest, AFailureIsOnlyALineInTheLog) {
  TrainerProcess trainer(script("exit 3"));
  trainer.begin(examples());
  EXPECT_EQ(result(trainer), nullptr);
  EXPECT_THAT(trainer.trouble(), HasSubstr("exit code 3"));
  EXPECT_TRUE(trainer.idle());
}

TEST_F(TrainerProcessTest, RubbishIsNoModel) {
  TrainerProcess trainer(script("cat >/dev/null; echo rubbish"));
  trainer.begin(examples());
  EXPECT_EQ(result(trainer), nullptr);
  EXPECT_THAT(trainer.trouble(), HasSubstr("no model"));
}

TEST_F(TrainerProcessTest, OneThatTakesTooLongIsKilled) {
  TrainerProcess trainer(script("sleep 1000"), 0);
  trainer.begin(examples());
  EXPECT_EQ(result(trainer), nullptr);
  EXPECT_THAT(trainer.trouble(), HasSubstr("too long"));
}

TEST_F(TrainerProcessTest, AMissingProgramIsNoDisaster) {
  TrainerProcess trainer((root_ / "nothing").string());
  trainer.begin(examples());
  EXPECT_TRUE(trainer.idle());
  EXPECT_EQ(trainer.finished(), nullptr);
  EXPECT_THAT(trainer.trouble(), HasSubstr("cannot run"));
}

}  // namespace
}  // namespace hyades
