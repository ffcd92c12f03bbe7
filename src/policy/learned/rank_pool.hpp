// The replays of a training, shared by ranks: every rank has all windows, and plays each so-manyth
// of what rank 0 orders. Rank 0 gets the results by their number, so what is learned from them does
// not depend on how many ranks there are.
//
// Rank 0 uses it as any pool, and dismisses the others at last; they serve.
#pragma once

#include "policy/learned/replay_pool.hpp"
#include "policy/learned/training_ranks.hpp"

namespace hyades::learned {

class RankPool final : public ReplayPool {
 public:
  // `ranks` must outlive this. The windows are the same on every rank.
  RankPool(TrainingWindows windows, const ReplaySettings& settings, Encoder encoder,
           TrainingRanks& ranks);

  void replay_hand_set(WindowSet set) override;
  std::vector<Episode> play(const PolicyNetwork& network,
                            const std::vector<EpisodePlan>& plans) override;
  std::vector<double> slowdowns(WindowSet set, const PolicyNetwork& network,
                                double margin) override;

  // Of rank 0: nothing more will be ordered.
  void dismiss();
  // Of the other ranks: does what is ordered; returns when it is dismissed.
  void serve();

 private:
  // Results of every place, as bytes, by place.
  std::vector<std::string> shared(const std::string& order, std::size_t count);
  std::vector<std::size_t> own_places(std::size_t count) const;
  // What this rank makes of an order, for each of its places.
  std::vector<std::string> obey(const std::string& order);
  std::vector<std::string> obey_hand_set(WindowSet set);
  std::vector<std::string> obey_play(const std::vector<EpisodePlan>& plans);
  std::vector<std::string> obey_try(WindowSet set, double margin);
  void spread_hand_set(WindowSet set, const std::string& results);

  TrainingRanks& ranks_;
  PolicyNetwork network_;  // as rank 0 has sent it
};

}  // namespace hyades::learned
