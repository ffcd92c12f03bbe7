#include "policy/learned/federated_course.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "cli/failure.hpp"
#include "policy/learned/training_bytes.hpp"
#include "policy/learned/weight_average.hpp"

namespace hyades::learned {
namespace {

struct RankRatios {
  MarginRatios ratios{};
  std::uint64_t logs = 0;
};

// What every rank has of a value, on every rank.
template <typename T>
std::vector<T> of_all(TrainingRanks& ranks, const T& own) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::string bytes, all;
  put_value(bytes, own);
  for (const std::string& each : ranks.to_first(bytes)) all += each;
  all = ranks.from_first(all);
  std::vector<T> values(static_cast<std::size_t>(ranks.size()));
  Taker from(all);
  if (!from.take(values.data(), values.size())) {
    throw std::runtime_error("another rank sent what is no message of this htrain");
  }
  return values;
}

}  // namespace

MarginRatios ratios_of_ranks(TrainingRanks& ranks, const MarginRatios& own, std::size_t logs) {
  const std::vector<RankRatios> all = of_all(ranks, RankRatios{own, logs});
  MarginRatios joint = all.front().ratios;
  for (std::size_t i = 0; i < joint.size(); ++i) {
    double sum = 0, total = 0;
    for (const RankRatios& rank : all) {
      const auto weight = static_cast<double>(rank.logs);
      sum += weight * std::log(rank.ratios[i].value);
      total += weight;
      joint[i].low = std::min(joint[i].low, rank.ratios[i].low);
      joint[i].high = std::max(joint[i].high, rank.ratios[i].high);
    }
    joint[i].value = std::exp(sum / total);
  }
  return joint;
}

std::string texts_of_ranks(TrainingRanks& ranks, const std::string& own) {
  std::string all;
  for (const std::string& each : ranks.to_first(own)) all += (all.empty() ? "" : " ") + each;
  return ranks.from_first(all);
}

FederatedCourse::FederatedCourse(TrainingRun& run, const TrainOptions& options, TrainingFacts facts,
                                 std::function<double()> seconds, TrainingRanks& ranks,
                                 std::size_t logs)
    : TrainingCourse(run, options, std::move(facts), std::move(seconds)),
      ranks_(ranks),
      logs_(logs) {}

void FederatedCourse::resume() {
  TrainingCourse::resume();
  const std::vector<int> rounds = of_all(ranks_, run_.round());
  for (std::size_t rank = 1; rank < rounds.size(); ++rank) {
    if (rounds[rank] == rounds[0]) continue;
    throw Failure("the checkpoint of rank " + std::to_string(rank) + " is of round " +
                  std::to_string(rounds[rank]) + ", that of rank 0 of round " +
                  std::to_string(rounds[0]) + ". Begin anew without --resume");
  }
}

void FederatedCourse::begin() {
  // From here on a signal is heeded by every rank.
  const std::vector<int> rounds = of_all(ranks_, run_.round());
  if (rounds[0] > 0) return;  // resumed
  const std::vector<NamedTensor> own = run_.network().weights();
  // Only rank 0's count.
  run_.network().set_weights(average_of_ranks(ranks_, {ranks_.is_first() ? 1u : 0u, own}));
}

// Before a trial, too: what is tried is what all of them have.
void FederatedCourse::round_is_over() {
  if (run_.round() % options_.average_every != 0 && !run_.trial_is_due()) return;
  const std::uint64_t lived = run_.take_lived();
  run_.network().set_weights(average_of_ranks(ranks_, {lived, run_.network().weights()}));
}

Trial FederatedCourse::trial() {
  const Trial own = run_.trial();
  Trial joint = best_margin(ratios_of_ranks(ranks_, own.of_margins, logs_));
  joint.round = own.round;
  for (const double error : of_all(ranks_, own.error)) joint.error += error / ranks_.size();
  for (const std::size_t lived : of_all(ranks_, own.experiences)) joint.experiences += lived;
  return joint;
}

int FederatedCourse::signal_of_any(int own) {
  const std::vector<int> all = of_all(ranks_, own);
  return *std::max_element(all.begin(), all.end());
}

// The generator makes unrelated numbers of neighbouring seeds.
TrainingSettings settings_of_rank(TrainingSettings settings, int rank) {
  settings.seed += static_cast<std::uint64_t>(rank) << 32;
  return settings;
}

}  // namespace hyades::learned
