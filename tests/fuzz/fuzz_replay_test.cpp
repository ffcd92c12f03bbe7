// A small, repeatable run of the fuzz targets for every build: the seeds, and mutations of them
// from a fixed sequence. The long runs are libFuzzer's (preset "asan").
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "fuzz_targets.hpp"

namespace hyades::fuzz {
namespace {

constexpr int kMutationsPerSeed = 20'000;

class Mutator {
 public:
  explicit Mutator(std::vector<std::string> seeds) : seeds_(std::move(seeds)) {}

  std::string mutate(const std::string& seed) {
    std::string bytes = seed;
    for (std::size_t i = 0; i <= below(4); ++i) change(bytes);
    return bytes;
  }

 private:
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  void change(std::string& bytes) {
    const std::size_t at = below(bytes.size());
    const std::size_t count = below(bytes.size() - at + 1);
    switch (below(7)) {
      case 0:
        if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ (1u << below(8)));
        break;
      case 1:  // a number that is likely to hurt
        bytes.insert(at, kNumbers[below(std::size(kNumbers))]);
        break;
      case 2:
        bytes.erase(at, below(8));
        break;
      case 3:
        bytes.insert(at, bytes.substr(at, count));
        break;
      case 4: {  // from another message
        const std::string& other = seeds_[below(seeds_.size())];
        bytes.insert(at, other.substr(below(other.size()), below(32)));
        break;
      }
      case 5:
        if (!bytes.empty()) bytes[at] = static_cast<char>(below(256));
        break;
      default:
        bytes.resize(at);
    }
  }

  const std::string kNumbers[7] = {std::string(1, '\0'),   "\x7f",
                                   "\xff\xff\xff\xff\x07", "\x80\x80\x80\x80\x08",
                                   "\xff\xff\xff\xff\x0f", std::string(9, '\xff') + '\x01',
                                   std::string(11, '\xff')};
  std::vector<std::string> seeds_;
  std::mt19937 random_{20'240'229};
};

class FuzzReplay : public ::testing::TestWithParam<FuzzTarget> {};

TEST_P(FuzzReplay, Survives) {
  const FuzzTarget& target = GetParam();
  Mutator mutator(target.seeds);
  for (const std::string& seed : target.seeds) {
    target.run(seed);
    for (int i = 0; i < kMutationsPerSeed; ++i) target.run(mutator.mutate(seed));
  }
}

INSTANTIATE_TEST_SUITE_P(All, FuzzReplay, ::testing::ValuesIn(fuzz_targets()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace hyades::fuzz
