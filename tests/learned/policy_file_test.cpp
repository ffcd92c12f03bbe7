// Models in files: what is not exactly one is refused, with a sentence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <cstring>

#include "core/prng.hpp"
#include "model_files.hpp"

namespace hyades::learned {
namespace {

using testing::HasSubstr;

class PolicyFile : public testing::Test {
 protected:
  std::string complaint(const std::string& bytes) {
    try {
      load_policy(files_.write("bad", bytes));
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }
  std::string good_bytes() {
    save_policy(files_.path("good"), PolicyNetwork(Encoder::Mlp, 3), 0.25, {{"seed", "3"}});
    return ModelFiles::bytes_of(files_.path("good"));
  }

  ModelFiles files_;
};

TEST_F(PolicyFile, ComesBackAsItWas) {
  for (const Encoder encoder : {Encoder::Mlp, Encoder::CnnLstm}) {
    const PolicyNetwork network(encoder, 9);
    const std::string digest = save_policy(files_.path("model"), network, 0.125, {{"a", "b"}});
    const PolicyModel model = load_policy(files_.path("model"));
    EXPECT_EQ(model.digest, digest);
    EXPECT_EQ(digest.size(), 64u);
    EXPECT_EQ(model.margin, 0.125);
    EXPECT_EQ(model.facts.at("a"), "b");
    EXPECT_EQ(model.network.encoder(), encoder);
    EXPECT_EQ(model.network.weights(), network.weights());
    EXPECT_LT(std::filesystem::file_size(files_.path("model")), 2'000'000u);
  }
}

TEST_F(PolicyFile, ATruncatedOneIsRefused) {
  const std::string good = good_bytes();
  Prng random(1);
  for (int i = 0; i < 100; ++i) {
    const std::size_t size = static_cast<std::size_t>(random.below(good.size()));
    EXPECT_NE(complaint(good.substr(0, size)), "") << size;
  }
}

// The margin decides as much as the weights do, and nobody would see by its value that it was
// another one.
TEST_F(PolicyFile, AFlippedBitIsNoticed) {
  const std::string good = good_bytes();
  const auto flipped = [&](std::size_t place, std::uint64_t bit) {
    std::string bad = good;
    bad[place] = static_cast<char>(bad[place] ^ (1 << bit));
    return bad;
  };
  Prng random(2);
  for (int i = 0; i < 200; ++i) {
    const auto place = static_cast<std::size_t>(random.below(i < 100 ? 4'000 : good.size()));
    EXPECT_NE(complaint(flipped(place, random.below(8))), "") << place;
  }
  const std::size_t margin = good.find("\"margin\":\"") + 10;
  for (std::size_t place = margin; good[place] != '"'; ++place) {
    for (std::uint64_t bit = 0; bit < 8; ++bit) EXPECT_NE(complaint(flipped(place, bit)), "");
  }
}

TEST_F(PolicyFile, WhatIsNoNumberIsRefused) {
  PolicyNetwork network(Encoder::Mlp, 1);
  std::vector<NamedTensor> weights = network.weights();
  weights[2].values[1] = NAN;
  network.set_weights(weights);
  save_policy(files_.path("nan"), network, 0, {});
  EXPECT_THAT(complaint(ModelFiles::bytes_of(files_.path("nan"))), HasSubstr("not finite"));
}

TEST_F(PolicyFile, ProgramsAreRefusedByHowTheyBegin) {
  EXPECT_THAT(complaint(std::string("PK\x03\x04 and so on")), HasSubstr("TorchScript"));
  EXPECT_THAT(complaint("\x80\x02}q"), HasSubstr("pickle"));
  EXPECT_THAT(complaint(""), HasSubstr("truncated"));
}

// The length of a header comes first, and is any number.
TEST_F(PolicyFile, AHeaderIsNotTakenForAPickle) {
  std::string bytes;
  for (std::size_t size = 0; !bytes.starts_with("\x80\x04"); size += 8) {
    ASSERT_LT(size, 2'000u);
    jobscripts::write_safetensors(files_.path("other"), {{"conv", {2}, {1, 2}}},
                                  {{"logs", std::string(size, 'x')}});
    bytes = ModelFiles::bytes_of(files_.path("other"));
  }
  EXPECT_THAT(complaint(bytes), HasSubstr("not a global policy"));
}

TEST_F(PolicyFile, WeightsOfSomethingElseAreRefused) {
  jobscripts::write_safetensors(files_.path("other"), {{"conv", {2}, {1, 2}}});
  EXPECT_THAT(complaint(ModelFiles::bytes_of(files_.path("other"))),
              HasSubstr("not a global policy"));
  const PolicyNetwork network(Encoder::Mlp, 1);
  save_policy(files_.path("model"), network, 0, {});
  jobscripts::Safetensors file =
      jobscripts::read_safetensors_file(files_.path("model"), "", policy_file_most);
  const auto with = [&](const std::string& key, const std::string& value) {
    auto metadata = file.metadata;
    metadata[key] = value;
    jobscripts::write_safetensors(files_.path("changed"), file.tensors, metadata);
    return complaint(ModelFiles::bytes_of(files_.path("changed")));
  };
  EXPECT_EQ(with("seed", "4"), "");
  EXPECT_THAT(with("portfolio", "fcfs "), HasSubstr("another portfolio"));
  EXPECT_THAT(with("encoder", "cnn-lstm"), HasSubstr("value.encode"));
  EXPECT_THAT(with("margin", "nan"), HasSubstr("margin"));
  EXPECT_THAT(with("margin", "much"), HasSubstr("margin"));
}

TEST_F(PolicyFile, OneThatSaysTooMuchIsRefused) {
  const PolicyNetwork network(Encoder::Mlp, 1);
  save_policy(files_.path("model"), network, 0, {{"logs", std::string(policy_facts_most, 'x')}});
  EXPECT_THAT(complaint(ModelFiles::bytes_of(files_.path("model"))), HasSubstr("says more"));
}

TEST_F(PolicyFile, NobodyWaitsForAPipe) {
  ASSERT_EQ(mkfifo(files_.path("pipe").c_str(), 0600), 0);
  try {
    load_policy(files_.path("pipe"));
    ADD_FAILURE() << "it was read";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("not a regular file"));
  }
}

TEST_F(PolicyFile, AFileThatIsNotThereSaysSo) {
  EXPECT_THROW(
      {
        try {
          load_policy(files_.path("nowhere"));
        } catch (const std::runtime_error& error) {
          EXPECT_THAT(error.what(), HasSubstr("cannot read"));
          throw;
        }
      },
      std::runtime_error);
}

}  // namespace
}  // namespace hyades::learned
