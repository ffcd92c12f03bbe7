// Which model is in use and which is the shadow: by the rules, and by the rows of the queue's
// database, which are replayed after each change.
#include "master/model_registry.hpp"

#include <csignal>

#include "contract/queue_on_disk.hpp"
#include "core/failpoint.hpp"

namespace hyades {
namespace {

const std::string kOne(64, '1'), kTwo = "12" + std::string(62, '0'), kThree(64, 'f');

enum class Kind { Memory, Reopened };

// The same from memory, and from a queue that is opened again after every change.
class ModelRegistryTest : public testing::TestWithParam<Kind> {
 protected:
  void change(ModelAct act, const std::string& digest, bool is_new = false) {
    ModelChange change{{}, {act, digest, ++at_ms_, "ann"}};
    if (is_new) change.added = model(digest);
    registry_.apply(change);
    if (GetParam() == Kind::Memory) return;
    {
      OpenQueue queue = open_queue(temporary_.path());
      ASSERT_TRUE(queue.store) << queue.error;
      ASSERT_EQ(queue->commit(change), CommitResult::Committed) << queue->last_error();
    }
    OpenQueue queue = open_queue(temporary_.path());
    ASSERT_TRUE(queue.store) << queue.error;
    const ModelRegistry stored = queue->load_models();
    EXPECT_EQ(queue->last_error(), "");
    EXPECT_EQ(stored.events(), registry_.events());
    EXPECT_EQ(stored.models(), registry_.models());
    registry_ = stored;
  }
  void promote(const std::string& digest) { change(ModelAct::Promoted, digest); }
  void roll_back() { change(ModelAct::RolledBack, *registry_.before()); }
  static RegisteredModel model(const std::string& digest) {
    return {digest, "a b\n\xff.safetensors", {{"logs", "x y"}, {"quote\"", "\\"}}, 77, "root"};
  }

  ModelRegistry registry_;
  TemporaryDirectory temporary_;
  WallMs at_ms_ = 1000;
};

TEST_P(ModelRegistryTest, AtFirstTheConfiguredOneIsInUse) {
  EXPECT_EQ(registry_.in_use(), "");
  EXPECT_EQ(registry_.shadow(), "");
  EXPECT_EQ(registry_.why_in_use(), nullptr);
  EXPECT_EQ(registry_.why_shadow(), nullptr);
  EXPECT_FALSE(registry_.before());
}

TEST_P(ModelRegistryTest, RollbacksGoBackOneByOne) {
  promote(kOne);
  promote(kTwo);
  EXPECT_EQ(registry_.in_use(), kTwo);
  promote("");
  EXPECT_EQ(registry_.in_use(), "");
  ASSERT_NE(registry_.why_in_use(), nullptr);
  promote(kThree);
  EXPECT_EQ(*registry_.before(), "");
  roll_back();
  EXPECT_EQ(*registry_.before(), kTwo);
  roll_back();
  EXPECT_EQ(registry_.in_use(), kTwo);
  EXPECT_EQ(registry_.why_in_use()->at_ms, 1002);
  roll_back();
  EXPECT_EQ(registry_.in_use(), kOne);
  promote(kThree);
  roll_back();
  roll_back();
  EXPECT_EQ(registry_.in_use(), "");
  EXPECT_FALSE(registry_.before());
}

TEST_P(ModelRegistryTest, OneThatIsPromotedAgainIsNotBeforeItself) {
  promote(kOne);
  promote(kOne);
  roll_back();
  EXPECT_EQ(registry_.in_use(), "");
}

TEST_P(ModelRegistryTest, AShadowEndsWhenItIsPromotedOrSwitchedOff) {
  change(ModelAct::Shadow, kOne);
  change(ModelAct::Shadow, kTwo);
  EXPECT_EQ(registry_.shadow(), kTwo);
  EXPECT_EQ(registry_.why_shadow()->at_ms, 1002);
  promote(kThree);
  EXPECT_EQ(registry_.shadow(), kTwo);
  promote(kTwo);
  EXPECT_EQ(registry_.shadow(), "");
  EXPECT_EQ(registry_.why_shadow(), nullptr);
  change(ModelAct::Shadow, kThree);
  roll_back();
  EXPECT_EQ(registry_.in_use(), kThree);
  EXPECT_EQ(registry_.shadow(), "");
  change(ModelAct::Shadow, kOne);
  change(ModelAct::ShadowOff, kOne);
  EXPECT_EQ(registry_.shadow(), "");
}

TEST_P(ModelRegistryTest, FindsModelsByHowTheirDigestsBegin) {
  change(ModelAct::Shadow, kOne, true);
  change(ModelAct::Shadow, kTwo, true);
  change(ModelAct::Shadow, kThree, true);
  std::string problem;
  ASSERT_NE(registry_.find("11", problem), nullptr);
  EXPECT_EQ(*registry_.find("11", problem), model(kOne));
  EXPECT_EQ(registry_.find("ff", problem)->digest, kThree);
  EXPECT_EQ(registry_.find(kTwo, problem)->digest, kTwo);
  EXPECT_EQ(problem, "");
  EXPECT_EQ(registry_.find("1", problem), nullptr);
  EXPECT_NE(problem.find("several"), std::string::npos);
  EXPECT_EQ(registry_.find("13", problem), nullptr);
  EXPECT_NE(problem.find("no model"), std::string::npos);
  EXPECT_EQ(registry_.find("", problem), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ModelRegistryTest, testing::Values(Kind::Memory, Kind::Reopened),
                         [](const auto& kind) {
                           return kind.param == Kind::Memory ? "Memory" : "Reopened";
                         });

class ModelRowsTest : public QueueOnDisk {};

TEST_F(ModelRowsTest, ADeathLeavesAllOfAChangeOrNothing) {
  make_queue(3);
  for (const std::string point : {"store_before_commit", "store_after_commit"}) {
    static std::string strike;
    strike = point;
    const int status = in_child([&] {
      OpenQueue queue = open_queue(temporary_.path());
      failpoint_handler = [](const char* name) {
        if (strike == name) raise(SIGKILL);
      };
      ModelChange change{RegisteredModel{kOne, "name", {}, 1, "ann"}, {}};
      change.event = {ModelAct::Promoted, kOne, 1, "ann"};
      queue->commit(change);
      return 2;
    });
    ASSERT_TRUE(WIFSIGNALED(status)) << point;
    OpenQueue queue = open_queue(temporary_.path());
    ASSERT_TRUE(queue.store) << queue.error;
    const ModelRegistry stored = queue->load_models();
    const bool committed = point == "store_after_commit";
    EXPECT_EQ(stored.in_use(), committed ? kOne : "");
    EXPECT_EQ(stored.models().size(), committed ? 1u : 0u);
  }
  expect_whole();
}

// Facts are for people. An event that nobody knows would be another state than was acknowledged.
TEST_F(ModelRowsTest, WhatCannotBeReadIsSaid) {
  make_queue(1);
  with_shell(file(), "INSERT INTO model VALUES ('aa', 'n', 'no JSON', 1, 'ann')");
  {
    OpenQueue queue = open_queue(temporary_.path());
    ASSERT_TRUE(queue.store) << queue.error;
    const ModelRegistry stored = queue->load_models();
    EXPECT_EQ(queue->last_error(), "");
    EXPECT_TRUE(stored.models().at("aa").facts.empty());
  }
  with_shell(file(),
             "PRAGMA ignore_check_constraints = 1;"
             "INSERT INTO model_event (at_ms, by, kind, digest) VALUES (1, 'ann', 'x', 'aa')");
  OpenQueue queue = open_queue(temporary_.path());
  if (!queue.store) return;  // refused as a whole
  queue->load_models();
  EXPECT_NE(queue->last_error().find("unknown event"), std::string::npos);
}

}  // namespace
}  // namespace hyades
