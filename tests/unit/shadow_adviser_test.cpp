// A shadow is asked and compared, and nothing of it is ever seen by who asks.
#include "master/shadow_adviser.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "policy/global_choice.hpp"

namespace hyades {
namespace {

AdviserReply advised(std::size_t rule, const std::string& model) {
  return {GlobalAdvice{{.rule = rule}, std::vector<float>(global_choices_count), model}, ""};
}

class FakeAdviser : public Adviser {
 public:
  explicit FakeAdviser(int* alive = nullptr) : alive_(alive) {
    if (alive_ != nullptr) ++*alive_;
  }
  ~FakeAdviser() override {
    if (alive_ != nullptr) --*alive_;
  }
  void ask(const GlobalQuestion& question) override {
    questions.push_back(question.queue);
    asked_ = true;
  }
  bool idle() const override { return !asked_; }
  std::optional<AdviserReply> answer() override {
    if (!asked_ || replies.empty()) return std::nullopt;
    asked_ = false;
    const AdviserReply reply = replies.front();
    replies.pop_front();
    return reply;
  }

  std::vector<std::string> questions;
  std::deque<AdviserReply> replies;

 private:
  int* alive_;
  bool asked_ = false;
};

class ShadowAdviserTest : public testing::Test {
 protected:
  ShadowAdviserTest() {
    auto shadow = std::make_unique<FakeAdviser>(&alive_);
    shadow_ = shadow.get();
    both_.set_shadow(std::move(shadow));
  }
  // What is known of the one in use after a question about that queue.
  std::optional<std::size_t> ask(const std::string& queue) {
    both_.ask({queue, 1, {}});
    return take();
  }
  std::optional<std::size_t> take() {
    const auto reply = both_.answer();
    if (!reply || !reply->advice) return std::nullopt;
    EXPECT_EQ(reply->advice->model, "used");
    return reply->advice->action.rule;
  }

  int alive_ = 0;
  std::vector<bool> compared_;
  FakeAdviser used_;
  ShadowAdviser both_{used_, [this](const std::string& model, bool agreed) {
                        EXPECT_EQ(model, "shadow");
                        compared_.push_back(agreed);
                      }};
  FakeAdviser* shadow_ = nullptr;
};

TEST_F(ShadowAdviserTest, LookingAheadIsNoQuestionToAModel) {
  used_.replies = {advised(1, "used")};
  shadow_->replies = {advised(1, "shadow")};
  GlobalQuestion question{"a", 1};
  question.look_ahead = Objective::Wait;
  both_.ask(question);
  EXPECT_EQ(take(), 1u);
  both_.look();
  EXPECT_TRUE(shadow_->questions.empty());
  EXPECT_TRUE(compared_.empty());
}

TEST_F(ShadowAdviserTest, BothAreAskedAndOneIsHeard) {
  used_.replies = {advised(1, "used"), advised(1, "used")};
  shadow_->replies = {advised(2, "shadow"), advised(1, "shadow")};
  EXPECT_EQ(ask("a"), 1u);
  EXPECT_TRUE(compared_.empty());
  both_.look();
  EXPECT_EQ(compared_, std::vector<bool>{false});
  EXPECT_EQ(ask("b"), 1u);
  both_.look();
  EXPECT_EQ(compared_, (std::vector<bool>{false, true}));
  EXPECT_EQ(shadow_->questions, used_.questions);
  EXPECT_EQ(both_.health().answers, 2u);
}

TEST_F(ShadowAdviserTest, TheShadowMayBeFirst) {
  shadow_->replies = {advised(1, "shadow")};
  EXPECT_FALSE(ask("a"));
  both_.look();
  used_.replies = {advised(1, "used")};
  EXPECT_EQ(take(), 1u);
  EXPECT_EQ(compared_, std::vector<bool>{true});
}

// It misses what is asked meanwhile; its late answer counts against the question that it was asked.
TEST_F(ShadowAdviserTest, ASlowShadowHoldsNobodyUp) {
  used_.replies = {advised(1, "used"), advised(3, "used"), advised(4, "used")};
  EXPECT_EQ(ask("a"), 1u);
  EXPECT_TRUE(both_.idle());
  EXPECT_EQ(ask("b"), 3u);
  EXPECT_EQ(shadow_->questions, std::vector<std::string>{"a"});
  shadow_->replies = {advised(1, "shadow"), advised(4, "shadow")};
  both_.look();
  EXPECT_EQ(compared_, std::vector<bool>{true});
  EXPECT_EQ(ask("c"), 4u);
  both_.look();
  EXPECT_EQ(compared_, (std::vector<bool>{true, true}));
}

TEST_F(ShadowAdviserTest, AnAnswerToAnotherQuestionIsNotCompared) {
  used_.replies = {AdviserReply{std::nullopt, "it broke"}, advised(1, "used")};
  EXPECT_FALSE(ask("a"));
  EXPECT_EQ(ask("b"), 1u);
  shadow_->replies = {advised(1, "shadow")};  // to "a"
  both_.look();
  EXPECT_TRUE(compared_.empty());
}

TEST_F(ShadowAdviserTest, ItsFailuresAreItsOwn) {
  used_.replies = {advised(1, "used"), advised(1, "used")};
  shadow_->replies = {AdviserReply{std::nullopt, "it broke"},
                      advised(global_rules_count, "shadow")};
  EXPECT_EQ(ask("a"), 1u);
  both_.look();
  EXPECT_EQ(both_.health().failure, "it broke");
  EXPECT_EQ(ask("b"), 1u);
  both_.look();
  EXPECT_EQ(both_.health().failures, 2u);
  EXPECT_NE(both_.health().failure.find("no queue can do"), std::string::npos);
  EXPECT_EQ(both_.health().answers, 0u);
  EXPECT_TRUE(compared_.empty());
}

TEST_F(ShadowAdviserTest, AnotherShadowBeginsAnew) {
  used_.replies = {advised(1, "used"), advised(1, "used")};
  shadow_->replies = {advised(1, "shadow")};
  EXPECT_EQ(ask("a"), 1u);
  both_.look();
  both_.set_shadow(nullptr);
  EXPECT_EQ(alive_, 0);
  EXPECT_EQ(both_.health().answers, 0u);
  both_.look();
  EXPECT_EQ(ask("b"), 1u);
  EXPECT_EQ(compared_.size(), 1u);
}

}  // namespace
}  // namespace hyades
