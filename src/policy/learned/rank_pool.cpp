#include "policy/learned/rank_pool.hpp"

#include <stdexcept>

#include "policy/learned/training_bytes.hpp"

namespace hyades::learned {
namespace {

enum class Order : std::uint8_t { ReplayHandSet, Play, Try, Leave };

static_assert(std::is_trivially_copyable_v<EpisodePlan>);
static_assert(std::is_trivially_copyable_v<ReplayedJob>);

// Ranks are of one program: they understand each other, or something is broken.
void must(bool taken) {
  if (!taken) throw std::runtime_error("another rank sent what is no message of this htrain");
}

template <typename T>
T taken(Taker& from) {
  T value{};
  must(from.take(value));
  return value;
}

std::string order_of(Order order) {
  std::string bytes;
  put_value(bytes, order);
  return bytes;
}

void put_network(std::string& out, const PolicyNetwork& network) {
  put_value(out, std::uint64_t{network.allowed().to_ullong()});
  put_tensors(out, network.weights());
}

void take_network(Taker& from, PolicyNetwork& network) {
  network.allow(GlobalChoices(taken<std::uint64_t>(from)));
  std::vector<NamedTensor> weights;
  must(take_tensors(from, weights));
  network.set_weights(weights);
}

std::string bytes_of(const std::vector<std::string>& parts) {
  std::string bytes;
  put_value(bytes, static_cast<std::uint64_t>(parts.size()));
  for (const std::string& part : parts) put_text(bytes, part);
  return bytes;
}

std::vector<std::string> parts_of(const std::string& bytes) {
  Taker from(bytes);
  std::vector<std::string> parts(taken<std::uint64_t>(from));
  for (std::string& part : parts) must(take_text(from, part));
  return parts;
}

std::string bytes_of(const Episode& episode) {
  std::string bytes;
  put_value(bytes, episode.slowdown);
  put_experiences(bytes, episode.experiences);
  return bytes;
}

Episode episode_of(const std::string& bytes) {
  Taker from(bytes);
  Episode episode;
  must(from.take(episode.slowdown) && take_experiences(from, episode.experiences));
  return episode;
}

}  // namespace

RankPool::RankPool(TrainingWindows windows, const ReplaySettings& settings, Encoder encoder,
                   TrainingRanks& ranks)
    : ReplayPool(std::move(windows), settings), ranks_(ranks), network_(encoder, 0) {}

void RankPool::replay_hand_set(WindowSet set) {
  std::string order = order_of(Order::ReplayHandSet);
  put_value(order, set);
  const std::vector<std::string> results = shared(order, windows(set).size());
  spread_hand_set(set, bytes_of(results));
}

std::vector<Episode> RankPool::play(const PolicyNetwork& network,
                                    const std::vector<EpisodePlan>& plans) {
  std::string order = order_of(Order::Play);
  put_network(order, network);
  put_value(order, static_cast<std::uint64_t>(plans.size()));
  put(order, plans.data(), plans.size());
  std::vector<Episode> episodes;
  for (const std::string& result : shared(order, plans.size())) {
    episodes.push_back(episode_of(result));
  }
  return episodes;
}

std::vector<double> RankPool::slowdowns(WindowSet set, const PolicyNetwork& network,
                                        double margin) {
  std::string order = order_of(Order::Try);
  put_network(order, network);
  put_value(order, set);
  put_value(order, margin);
  std::vector<double> slowdowns;
  for (const std::string& result : shared(order, windows(set).size())) {
    Taker from(result);
    slowdowns.push_back(taken<double>(from));
  }
  return slowdowns;
}

void RankPool::dismiss() { ranks_.from_first(order_of(Order::Leave)); }

void RankPool::serve() {
  for (;;) {
    const std::string order = ranks_.from_first("");
    Taker from(order);
    const auto what = taken<Order>(from);
    if (what == Order::Leave) return;
    ranks_.to_first(bytes_of(obey(order)));
    if (what == Order::ReplayHandSet) spread_hand_set(taken<WindowSet>(from), "");
  }
}

std::vector<std::string> RankPool::shared(const std::string& order, std::size_t count) {
  ranks_.from_first(order);
  std::vector<std::string> by_place(count);
  const std::vector<std::string> of_ranks = ranks_.to_first(bytes_of(obey(order)));
  for (std::size_t rank = 0; rank < of_ranks.size(); ++rank) {
    std::size_t place = rank;
    for (std::string& part : parts_of(of_ranks[rank])) {
      by_place.at(place) = std::move(part);
      place += of_ranks.size();
    }
  }
  return by_place;
}

std::vector<std::size_t> RankPool::own_places(std::size_t count) const {
  std::vector<std::size_t> places;
  for (auto i = static_cast<std::size_t>(ranks_.rank()); i < count;
       i += static_cast<std::size_t>(ranks_.size())) {
    places.push_back(i);
  }
  return places;
}

std::vector<std::string> RankPool::obey(const std::string& order) {
  Taker from(order);
  const auto what = taken<Order>(from);
  if (what == Order::ReplayHandSet) return obey_hand_set(taken<WindowSet>(from));
  take_network(from, network_);
  if (what == Order::Play) {
    std::vector<EpisodePlan> plans;
    must(take_list(from, plans));
    return obey_play(plans);
  }
  const auto set = taken<WindowSet>(from);
  return obey_try(set, taken<double>(from));
}

std::vector<std::string> RankPool::obey_hand_set(WindowSet set) {
  const std::vector<std::size_t> places = own_places(windows(set).size());
  ReplayPool::replay_hand_set(set, places);
  std::vector<std::string> results;
  for (const std::size_t place : places) {
    put_list(results.emplace_back(), windows(set)[place].hand_set);
    put_value(results.back(), windows(set)[place].hand_set_slowdown);
  }
  return results;
}

std::vector<std::string> RankPool::obey_play(const std::vector<EpisodePlan>& plans) {
  std::vector<EpisodePlan> own;
  for (const std::size_t place : own_places(plans.size())) own.push_back(plans[place]);
  std::vector<std::string> results;
  for (const Episode& episode : ReplayPool::play(network_, own)) {
    results.push_back(bytes_of(episode));
  }
  return results;
}

std::vector<std::string> RankPool::obey_try(WindowSet set, double margin) {
  std::vector<std::string> results;
  for (const double slowdown :
       ReplayPool::slowdowns(set, network_, margin, own_places(windows(set).size()))) {
    put_value(results.emplace_back(), slowdown);
  }
  return results;
}

// What an action gains is beside the hand-set action: every rank needs all of it.
void RankPool::spread_hand_set(WindowSet set, const std::string& results) {
  const std::vector<std::string> by_place = parts_of(ranks_.from_first(results));
  for (std::size_t i = 0; i < by_place.size(); ++i) {
    TrainingWindow& window = of(set).at(i);
    Taker from(by_place[i]);
    must(take_list(from, window.hand_set) && from.take(window.hand_set_slowdown));
  }
}

}  // namespace hyades::learned
