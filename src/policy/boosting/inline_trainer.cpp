#include "policy/boosting/inline_trainer.hpp"

#include "core/checksum.hpp"
#include "policy/boosting/boost_run_model.hpp"

namespace hyades {
namespace {

std::shared_ptr<const RunModel> make(const std::vector<RunExample>& examples) {
  return std::make_shared<const RunModel>(boost_run_model(examples));
}

}  // namespace

std::shared_ptr<const RunModel> ModelShelf::get(const std::vector<RunExample>& examples) {
  const std::int64_t key = Checksum().add_alone(to_bytes(examples)).value();
  std::promise<std::shared_ptr<const RunModel>> promise;
  std::unique_lock lock(mutex_);
  if (const auto found = models_.find(key); found != models_.end()) {
    const Made made = found->second;
    lock.unlock();
    return made.get();
  }
  models_.emplace(key, promise.get_future().share());
  order_.push_back(key);
  if (order_.size() > most_) {
    models_.erase(order_.front());
    order_.pop_front();
  }
  lock.unlock();
  try {
    auto model = make(examples);
    promise.set_value(model);
    return model;
  } catch (...) {
    promise.set_exception(std::current_exception());
    throw;
  }
}

void InlineTrainer::begin(std::vector<RunExample> examples) {
  model_ = shelf_ == nullptr ? make(examples) : shelf_->get(examples);
}

}  // namespace hyades
