// What an admin's wish about a model comes to: all of it or nothing, and an answer for each. The
// program that tries models is a script here; tests/learned has the real one.
#include "master/model_keeper.hpp"

#include <gmock/gmock.h>

#include "contract/queue_on_disk.hpp"
#include "e2e/wait_until.hpp"
#include "master/kept_model.hpp"
#include "master/model_glance.hpp"
#include "policy/learned/policy_header.hpp"

namespace hyades {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ModelKeeperTest : public testing::Test {
 protected:
  ModelKeeperTest() {
    advise("exit 0");
    open();
  }
  // Another master.
  void open() {
    keeper_.reset();
    queue_ = {};
    queue_ = open_queue(temporary_.path());
    ASSERT_TRUE(queue_.store) << queue_.error;
    keeper_ = std::make_unique<ModelKeeper>(
        *queue_.store,
        ModelKeeper::Surroundings{.state_directory = temporary_.path(),
                                  .configured = [] { return "/configured"; },
                                  .changed = [this](ModelAct act) { changes_.push_back(act); },
                                  .advisor = path("advisor")});
    EXPECT_EQ(keeper_->trouble(), "");
  }
  std::string path(const std::string& name) const { return temporary_.path() + "/" + name; }
  // What trying a model does.
  void advise(const std::string& script) {
    write_bytes(path("advisor.new"), "#!/bin/sh\n" + script + "\n");
    fs::permissions(path("advisor.new"), fs::perms::owner_all);
    fs::rename(path("advisor.new"), path("advisor"));
  }
  std::string bytes_of_model(const std::string& logs) const {
    auto facts = learned::policy_facts(0.5);
    facts["logs"] = logs;
    jobscripts::write_safetensors(path("model"), {{"weights", {1}, {1}}}, facts);
    return read_bytes(path("model"));
  }

  static pb::ActOnModel act(pb::ModelAction action, const std::string& file = "") {
    pb::ActOnModel act;
    act.set_action(action);
    if (!file.empty()) {
      act.set_file(file);
      act.set_name("dir/mine");
    }
    return act;
  }
  void take(const pb::ActOnModel& what) { keeper_->take({++id_, "ann", what}); }
  std::vector<ModelKeeper::Answer> answers(std::size_t count) {
    std::vector<ModelKeeper::Answer> all;
    EXPECT_TRUE(test::wait_until([&] {
      for (auto& answer : keeper_->answers(1000)) all.push_back(answer);
      return all.size() >= count;
    }));
    EXPECT_EQ(all.size(), count);
    return all;
  }
  ModelKeeper::Answer wish(const pb::ActOnModel& what) {
    take(what);
    const auto answer = answers(1).at(0);
    EXPECT_EQ(answer.id, id_);
    return answer;
  }
  void must(const pb::ActOnModel& what) {
    const auto answer = wish(what);
    EXPECT_EQ(answer.error, ErrorCode::None) << answer.message;
  }
  void expect_nothing_kept() {
    EXPECT_EQ(keeper_->file_in_use(), "/configured");
    EXPECT_TRUE(keeper_->registry().events().empty());
    EXPECT_TRUE(changes_.empty());
    EXPECT_TRUE(!fs::exists(path("models")) || fs::is_empty(path("models")));
    open();
    EXPECT_TRUE(keeper_->registry().models().empty());
  }

  TemporaryDirectory temporary_;
  OpenQueue queue_;
  std::vector<ModelAct> changes_;
  std::unique_ptr<ModelKeeper> keeper_;
  RequestId id_ = 0;
};

TEST_F(ModelKeeperTest, WhatIsAcknowledgedIsKept) {
  const std::string bytes = bytes_of_model("logs");
  const std::string digest = learned::sha256(bytes);
  must(act(pb::MODEL_SHADOW, bytes));
  EXPECT_EQ(keeper_->shadow_file(), kept_model_file(temporary_.path(), digest));
  EXPECT_EQ(read_bytes(keeper_->shadow_file()), bytes);
  EXPECT_EQ(keeper_->file_in_use(), "/configured");
  must(act(pb::MODEL_PROMOTE));
  EXPECT_EQ(changes_, (std::vector{ModelAct::Shadow, ModelAct::Promoted}));
  open();
  EXPECT_EQ(keeper_->file_in_use(), kept_model_file(temporary_.path(), digest));
  EXPECT_EQ(keeper_->shadow_file(), "");
  const RegisteredModel& model = keeper_->registry().models().at(digest);
  EXPECT_EQ(model.name, "mine");
  EXPECT_EQ(model.added_by, "ann");
  EXPECT_EQ(model.facts.at("logs"), "logs");
}

TEST_F(ModelKeeperTest, ARefusedFileChangesNothing) {
  const std::string bytes = bytes_of_model("logs");
  auto answer = wish(act(pb::MODEL_PROMOTE, bytes.substr(0, 100)));
  EXPECT_EQ(answer.error, ErrorCode::Invalid);
  EXPECT_THAT(answer.message, testing::StartsWith("dir/mine: truncated"));
  // Found by the one that tries it, who knows it by another name.
  advise("echo \"$2: bad shape\" >&2; exit 1");
  answer = wish(act(pb::MODEL_PROMOTE, bytes));
  EXPECT_EQ(answer.error, ErrorCode::Invalid);
  EXPECT_EQ(answer.message, "dir/mine: bad shape");
  answer = wish(act(pb::MODEL_PROMOTE, std::string(learned::policy_file_most + 1, ' ')));
  EXPECT_EQ(answer.error, ErrorCode::Invalid);
  expect_nothing_kept();
}

TEST_F(ModelKeeperTest, NothingIsTakenOverThatCannotBeWritten) {
  write_bytes(path("models"), "in the way");
  const auto answer = wish(act(pb::MODEL_PROMOTE, bytes_of_model("logs")));
  EXPECT_EQ(answer.error, ErrorCode::StorageFull);
  EXPECT_TRUE(changes_.empty());
  EXPECT_EQ(keeper_->file_in_use(), "/configured");
  EXPECT_TRUE(keeper_->registry().events().empty());
}

TEST_F(ModelKeeperTest, WishesAreAnsweredInTheirOrder) {
  const std::string one = bytes_of_model("one"), two = bytes_of_model("two");
  take(act(pb::MODEL_PROMOTE, one));
  take(act(pb::MODEL_PROMOTE, two));
  take(act(pb::MODEL_ROLLBACK));
  const auto all = answers(3);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].id, i + 1);
    EXPECT_EQ(all[i].error, ErrorCode::None) << all[i].message;
  }
  EXPECT_EQ(keeper_->registry().in_use(), learned::sha256(one));
}

TEST_F(ModelKeeperTest, TooManyAtOnceAreTurnedAway) {
  advise("exec sleep 600");
  for (int i = 0; i < 10; ++i) take(act(pb::MODEL_PROMOTE, bytes_of_model(std::to_string(i))));
  const auto all = answers(2);
  EXPECT_EQ(all.at(0).error, ErrorCode::Unavailable);
  EXPECT_EQ(all.at(1).error, ErrorCode::Unavailable);
}

TEST_F(ModelKeeperTest, AFileThatIsBadNowIsNotGoneBackTo) {
  const std::string one = bytes_of_model("one"), two = bytes_of_model("two");
  must(act(pb::MODEL_PROMOTE, one));
  must(act(pb::MODEL_PROMOTE, two));
  write_bytes(kept_model_file(temporary_.path(), learned::sha256(one)), "changed");
  EXPECT_THAT(wish(act(pb::MODEL_ROLLBACK)).message, HasSubstr("was changed"));
  EXPECT_EQ(keeper_->registry().in_use(), learned::sha256(two));
  // The one in use, given again, is whole again, and is not before itself.
  write_bytes(keeper_->file_in_use(), "changed");
  must(act(pb::MODEL_PROMOTE, two));
  EXPECT_EQ(read_bytes(keeper_->file_in_use()), two);
  EXPECT_EQ(*keeper_->registry().before(), learned::sha256(one));
  // Nor is the configured one taken when it cannot be used.
  advise("echo \"$2: is gone\" >&2; exit 1");
  EXPECT_EQ(wish(act(pb::MODEL_PROMOTE_CONFIGURED)).message,
            "the configured model /configured: is gone");
  EXPECT_EQ(keeper_->registry().in_use(), learned::sha256(two));
}

TEST_F(ModelKeeperTest, WhatIsSoAlreadyIsNoChange) {
  const std::string one = bytes_of_model("one");
  must(act(pb::MODEL_PROMOTE_CONFIGURED));
  must(act(pb::MODEL_SHADOW_OFF));
  must(act(pb::MODEL_PROMOTE, one));
  must(act(pb::MODEL_PROMOTE, one));
  EXPECT_EQ(keeper_->registry().events().size(), 1u);
  EXPECT_EQ(changes_.size(), 1u);
  EXPECT_EQ(wish(act(pb::MODEL_SHADOW, one)).error, ErrorCode::Conflict);
  EXPECT_EQ(wish(act(pb::MODEL_PROMOTE)).error, ErrorCode::Conflict);
  EXPECT_EQ(wish(act(pb::MODEL_NO_ACTION)).error, ErrorCode::Invalid);
}

// A master that died with a file half taken over.
// The configured one is in use, but may have become another since.
TEST_F(ModelKeeperTest, ThatABadFileIsInUseAlreadyIsNoAnswer) {
  EXPECT_THAT(wish(act(pb::MODEL_PROMOTE_CONFIGURED)).message, HasSubstr("in use already"));
  advise("echo \"$2: it is bad\"; exit 1");
  const auto answer = wish(act(pb::MODEL_PROMOTE_CONFIGURED));
  EXPECT_EQ(answer.error, ErrorCode::Invalid);
  EXPECT_THAT(answer.message, HasSubstr("it is bad"));
  EXPECT_TRUE(keeper_->registry().events().empty());
}

TEST_F(ModelKeeperTest, WhatAnotherMasterLeftIsRemoved) {
  must(act(pb::MODEL_SHADOW, bytes_of_model("one")));
  write_bytes(path("models/upload"), "half");
  write_bytes(path("models/upload.x7Gh2k"), "half");
  open();
  EXPECT_FALSE(fs::exists(path("models/upload")));
  EXPECT_FALSE(fs::exists(path("models/upload.x7Gh2k")));
  EXPECT_TRUE(fs::exists(keeper_->shadow_file()));
}

// Whoever asks for a file that cannot be read in time does not wait, and hears of it later.
TEST(ModelGlance, DoesNotWaitForAFileSystem) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/model";
  write_bytes(path, "no model");
  ModelGlance glance(std::chrono::milliseconds(0));
  EXPECT_TRUE(test::wait_until([&] {
    const std::string problem = glance.look(path).problem;
    EXPECT_THAT(problem, testing::AnyOf(HasSubstr("does not answer"), HasSubstr(path)));
    return problem.find(path) != problem.npos;
  }));
}

}  // namespace
}  // namespace hyades
