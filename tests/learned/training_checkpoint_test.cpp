// A training that was written down and read again goes on as if nothing had happened, and nothing
// else is taken for one.
#include "policy/learned/training_checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model_files.hpp"
#include "policy/learned/training_bytes.hpp"
#include "small_training.hpp"

namespace hyades::learned {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class Checkpoint : public testing::TestWithParam<Encoder> {
 protected:
  Checkpoint() : pool_(made_windows(), {.threads = 2}) {
    replay_all(pool_);
    settings_ = few_rounds();
    settings_.encoder = GetParam();
    settings_.rounds = 6;
    settings_.memory = 150;  // it is full before the end
  }

  ReplayPool pool_;
  TrainingSettings settings_;
};

TEST_P(Checkpoint, GoesOnToTheSameModelBitByBit) {
  TrainingRun whole(settings_, pool_);
  whole.run({});
  EXPECT_EQ(whole.trials().back().experiences, settings_.memory);
  std::string bytes;
  {
    TrainingRun first(settings_, pool_);
    while (first.round() < 3) {
      first.advance();
      if (first.trial_is_due()) first.note(first.trial());
    }
    bytes = first.bytes();
    EXPECT_EQ(first.trials().size(), 1u);
  }
  TrainingRun second(settings_, pool_);
  second.restore(bytes);
  EXPECT_EQ(second.round(), 3);
  EXPECT_EQ(second.bytes(), bytes);
  second.run({});
  EXPECT_EQ(second.bytes(), whole.bytes());
  EXPECT_EQ(second.best_network().weights(), whole.best_network().weights());
  EXPECT_EQ(second.network().weights(), whole.network().weights());
  EXPECT_EQ(second.trials().size(), 3u);
  EXPECT_EQ(second.best().ratio, whole.best().ratio);
}

TEST_P(Checkpoint, OfAnotherShapeIsRefused) {
  TrainingRun run(settings_, pool_);
  run.advance();
  const std::string bytes = run.bytes();
  TrainingSettings other = settings_;
  other.encoder = GetParam() == Encoder::Mlp ? Encoder::CnnLstm : Encoder::Mlp;
  EXPECT_THROW(TrainingRun(other, pool_).restore(bytes), std::invalid_argument);
  other = settings_;
  other.memory = 10;
  EXPECT_THROW(TrainingRun(other, pool_).restore(bytes), std::invalid_argument);
  for (std::size_t size = 0; size < bytes.size(); size += bytes.size() / 40) {
    TrainingRun again(settings_, pool_);
    EXPECT_THROW(again.restore(bytes.substr(0, size)), std::invalid_argument) << size;
  }
  EXPECT_THROW(TrainingRun(settings_, pool_).restore(bytes + "x"), std::invalid_argument);
}

INSTANTIATE_TEST_SUITE_P(Encoders, Checkpoint, testing::Values(Encoder::Mlp, Encoder::CnnLstm),
                         [](const auto& encoder) {
                           return encoder.param == Encoder::Mlp ? "Mlp" : "CnnLstm";
                         });

TEST(CheckpointFile, GivesBackWhatWasWritten) {
  const ModelFiles files;
  const std::string path = files.path("a.checkpoint");
  save_checkpoint(path, {{{"--seed", "1"}, {"log a.swf", "f00"}}, 12.5, std::string(999, '\0')});
  const TrainingCheckpoint back = load_checkpoint(path);
  EXPECT_EQ(back.facts, (TrainingFacts{{"--seed", "1"}, {"log a.swf", "f00"}}));
  EXPECT_EQ(back.seconds, 12.5);
  EXPECT_EQ(back.state, std::string(999, '\0'));
}

TEST(CheckpointFile, DamagedOnesAreRefused) {
  const ModelFiles files;
  const std::string path = files.path("a.checkpoint");
  save_checkpoint(path, {{{"--seed", "1"}}, 1, "state"});
  const std::string good = ModelFiles::bytes_of(path);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = static_cast<char>(changed[i] ^ 4);
    EXPECT_THROW(load_checkpoint(files.write("changed", changed)), std::runtime_error) << i;
    EXPECT_THROW(load_checkpoint(files.write("short", good.substr(0, i))), std::runtime_error) << i;
  }
  const auto load = [&](const std::string& file) { return [=] { load_checkpoint(file); }; };
  EXPECT_THAT(load(files.write("short", good.substr(0, 30))),
              ThrowsMessage<std::runtime_error>(HasSubstr("truncated")));
  EXPECT_THAT(load(files.write("pickle", "\x80\x04K\x01.")),
              ThrowsMessage<std::runtime_error>(HasSubstr("not a checkpoint of htrain")));
  EXPECT_THAT(load(files.path("none")),
              ThrowsMessage<std::runtime_error>(HasSubstr("without --resume")));
}

TEST(CheckpointFile, SaysInWhatATrainingDiffers) {
  const TrainingFacts there{{"--seed", "1"}, {"log a.swf", "f00"}, {"log b.swf", "ba7"}};
  EXPECT_EQ(difference(there, there), "");
  EXPECT_EQ(difference(there, {{"--seed", "2"}, {"log a.swf", "f01"}, {"log c.swf", "ba7"}}),
            "--seed is 1 there and 2 here; log a.swf has other jobs there; log c.swf is not of it; "
            "log b.swf is of it, and is not here");
}

TEST(TrainingBytes, SharedStatesStayShared) {
  const auto one = std::make_shared<GlobalState>(), two = std::make_shared<GlobalState>();
  Experience a{one, 3, {0.25f, 0.5f, 1}, 1.5f, 0.5f, two};
  Experience b{two, 0, {}, -1, 0, nullptr};
  std::string bytes;
  put_experiences(bytes, std::vector{a, b});
  EXPECT_LT(bytes.size(), 2 * sizeof(GlobalState) + 200);
  std::vector<Experience> back;
  Taker from(bytes);
  ASSERT_TRUE(take_experiences(from, back));
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[0].next, back[1].state);
  EXPECT_NE(back[0].state, back[0].next);
  EXPECT_EQ(back[1].next, nullptr);
  EXPECT_EQ(back[0].choice, 3u);
  EXPECT_EQ(back[0].numbers, a.numbers);
  EXPECT_EQ(back[0].gain, 1.5f);
  EXPECT_EQ(back[0].discount, 0.5f);
}

// A choice that is none would be read beyond the end of something.
TEST(TrainingBytes, WhatCannotBeIsRefused) {
  const Experience wrong{std::make_shared<GlobalState>(), global_choices_count, {}, 0, 0, nullptr};
  std::string bytes;
  put_experiences(bytes, std::vector{wrong});
  std::vector<Experience> back;
  Taker from(bytes);
  EXPECT_FALSE(take_experiences(from, back));
}

}  // namespace
}  // namespace hyades::learned
