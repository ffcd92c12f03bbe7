// Which model of the learned policy is in use, which is the shadow, and what was before. Says what
// a wish of an admin's would change; the change counts once it is committed and applied. One
// thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "master/model_event.hpp"

namespace hyades {

class ModelRegistry {
 public:
  // In the order in which they were committed.
  void apply(const ModelChange& change);
  void apply(RegisteredModel model) { models_[model.digest] = std::move(model); }
  void apply(const ModelEvent& event);

  // Digests; "" in use: the one that is configured or installed. "" as the shadow: there is none.
  const std::string& in_use() const;
  const std::string& shadow() const { return shadow_; }
  // The event by which the one in use came there, and the shadow; nullptr: nobody did anything.
  const ModelEvent* why_in_use() const;
  const ModelEvent* why_shadow() const;
  // What a rollback makes the one in use again; nothing: nobody promoted any.
  std::optional<std::string> before() const;

  const std::map<std::string, RegisteredModel>& models() const { return models_; }
  const std::vector<ModelEvent>& events() const { return events_; }
  // The only one whose digest begins so; nullptr, with why in `problem`.
  const RegisteredModel* find(const std::string& begin, std::string& problem) const;

 private:
  std::map<std::string, RegisteredModel> models_;  // by digest
  std::vector<ModelEvent> events_;
  std::vector<std::size_t> promoted_;  // events whose models are in use, or would be again
  std::string shadow_;
};

}  // namespace hyades
