// Federated averaging: the mean is what it should be, and nothing else travels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "policy/learned/federated_course.hpp"
#include "policy/learned/training_bytes.hpp"
#include "policy/learned/weight_average.hpp"
#include "small_training.hpp"

namespace hyades::learned {
namespace {

using testing::ElementsAre;

// What ranks send each other, in the order in which they did.
class Post {
 public:
  void send(int from, int to, const std::string& bytes) {
    const std::lock_guard lock(mutex_);
    boxes_[{from, to}].push_back(bytes);
    sent_.emplace_back(from, bytes);
    something_.notify_all();
  }
  std::string receive(int from, int to) {
    std::unique_lock lock(mutex_);
    auto& box = boxes_[{from, to}];
    something_.wait(lock, [&] { return !box.empty(); });
    std::string bytes = std::move(box.front());
    box.pop_front();
    return bytes;
  }
  std::vector<std::string> sent_by(int rank) const {
    std::vector<std::string> all;
    for (const auto& [from, bytes] : sent_) {
      if (from == rank) all.push_back(bytes);
    }
    return all;
  }

 private:
  std::mutex mutex_;
  std::condition_variable something_;
  std::map<std::pair<int, int>, std::deque<std::string>> boxes_;
  std::vector<std::pair<int, std::string>> sent_;
};

// A thread as a rank.
class ThreadRank final : public TrainingRanks {
 public:
  ThreadRank(Post& post, int rank, int size) : TrainingRanks(rank, size), post_(post) {}
  void leave() override {}

 private:
  void send(int to, const std::string& bytes) override { post_.send(rank(), to, bytes); }
  std::string receive(int from) override { return post_.receive(from, rank()); }

  Post& post_;
};

void as_ranks(Post& post, int size, const std::function<void(TrainingRanks&)>& each) {
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      ThreadRank ranks(post, rank, size);
      each(ranks);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

RankWeights weights_of(std::uint64_t experiences, std::vector<float> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return {experiences, {{"w", {count}, std::move(values)}}};
}

TEST(WeightedMean, CountsRanksForWhatTheyLivedThrough) {
  const auto mean = weighted_mean({weights_of(100, {1, -2}), weights_of(300, {5, 2})});
  EXPECT_THAT(mean.at(0).values, ElementsAre(4, 1));
  EXPECT_THAT(weighted_mean({weights_of(0, {1}), weights_of(7, {3})}).at(0).values, ElementsAre(3));
  EXPECT_THAT(weighted_mean({weights_of(0, {1}), weights_of(0, {3})}).at(0).values, ElementsAre(2));
}

TEST(WeightedMean, RefusesAnotherNetwork) {
  EXPECT_THAT(
      [] {
        weighted_mean({weights_of(1, {1}), weights_of(1, {1, 2})});
      },
      testing::ThrowsMessage<std::invalid_argument>(
          "rank 1 has the weights of another network than rank 0"));
}

TEST(WeightedMean, IsOfWhatTheRanksSentAndTheSameOnAll) {
  Post post;
  std::vector<std::vector<float>> means(3);
  as_ranks(post, 3, [&](TrainingRanks& ranks) {
    const auto rank = static_cast<std::size_t>(ranks.rank());
    const float value = static_cast<float>(rank) * 4;  // 0, 4, 8 with 1, 2, 1
    means[rank] = average_of_ranks(ranks, weights_of(rank == 1 ? 2 : 1, {value})).at(0).values;
  });
  EXPECT_THAT(means, ElementsAre(ElementsAre(4), ElementsAre(4), ElementsAre(4)));
}

TEST(RankRatios, AreBeyondDoubtOnlyWhereTheyAreSoOnEveryRank) {
  Post post;
  std::vector<MarginRatios> joint(2);
  as_ranks(post, 2, [&](TrainingRanks& ranks) {
    MarginRatios own;
    own.fill(ranks.is_first() ? Interval{0.5, 0.4, 0.6} : Interval{2, 1.5, 3});
    joint[static_cast<std::size_t>(ranks.rank())] =
        ratios_of_ranks(ranks, own, ranks.is_first() ? 3 : 1);
  });
  EXPECT_NEAR(joint[0][2].value, std::pow(0.5 * 0.5 * 0.5 * 2, 0.25), 1e-12);
  EXPECT_EQ(joint[0][2].low, 0.4);
  EXPECT_EQ(joint[0][2].high, 3);
  EXPECT_EQ(joint[1][2].value, joint[0][2].value);
}

// A message is either weights, all of the same size, or a few numbers: no job, no state and no
// experience leaves a rank.
TEST(Federated, OnlyWeightsAndAFewNumbersTravel) {
  Post post;
  std::string weights;
  put_tensors(weights, PolicyNetwork(Encoder::Mlp, 1).weights());
  std::vector<std::vector<NamedTensor>> models(2);
  as_ranks(post, 2, [&](TrainingRanks& ranks) {
    ReplayPool pool(made_windows(), {.threads = 1});
    replay_all(pool);
    TrainOptions options;
    options.training = settings_of_rank(few_rounds(), ranks.rank());
    options.training.rounds = 4;
    options.checkpoint_every = 0;
    options.average_every = 1;
    TrainingRun run(options.training, pool);
    FederatedCourse course(
        run, options, {}, [] { return 0.0; }, ranks, 1);
    course.run();
    models[static_cast<std::size_t>(ranks.rank())] = run.network().weights();
  });
  EXPECT_EQ(models[0], models[1]);
  std::size_t averages = 0;
  for (int rank = 0; rank < 2; ++rank) {
    for (const std::string& bytes : post.sent_by(rank)) {
      // Rank 0's answers have no number of experiences.
      const bool is_weights = bytes.size() + (rank == 0 ? 8 : 0) == weights.size() + 8;
      EXPECT_TRUE(is_weights || bytes.size() < 400) << rank << " sent " << bytes.size();
      averages += is_weights;
    }
  }
  EXPECT_EQ(averages, 2 * (1 + 4u)) << "the beginning, and each round";
}

}  // namespace
}  // namespace hyades::learned
