// Makes models at once, in the caller's time: for replays, where time stands still meanwhile.
#pragma once

#include <deque>
#include <future>
#include <map>
#include <mutex>

#include "policy/run_model.hpp"

namespace hyades {

// Models that were made already, by what they were made from: studies replay the same jobs under
// many rules. The newest are kept. Any thread; who asks for what another makes waits for it.
class ModelShelf {
 public:
  explicit ModelShelf(std::size_t most = 16) : most_(most) {}

  // Throws what making it threw.
  std::shared_ptr<const RunModel> get(const std::vector<RunExample>& examples);

 private:
  using Made = std::shared_future<std::shared_ptr<const RunModel>>;

  const std::size_t most_;
  std::mutex mutex_;
  std::map<std::int64_t, Made> models_;  // by checksum
  std::deque<std::int64_t> order_;
};

class InlineTrainer : public RunModelTrainer {
 public:
  // `shelf` must outlive this; nullptr: there is none.
  explicit InlineTrainer(ModelShelf* shelf = nullptr) : shelf_(shelf) {}

  void begin(std::vector<RunExample> examples) override;
  bool idle() const override { return true; }
  std::shared_ptr<const RunModel> finished() override { return std::move(model_); }

 private:
  ModelShelf* shelf_;
  std::shared_ptr<const RunModel> model_;
};

}  // namespace hyades
