#include "master/model_registry.hpp"

#include <array>
#include <utility>

namespace hyades {
namespace {

constexpr std::array<std::pair<ModelAct, std::string_view>, 4> kActs = {{
    {ModelAct::Shadow, "shadow"},
    {ModelAct::ShadowOff, "shadow_off"},
    {ModelAct::Promoted, "promoted"},
    {ModelAct::RolledBack, "rolled_back"},
}};

const std::string kConfigured;

}  // namespace

std::string_view to_string(ModelAct act) {
  for (const auto& [value, word] : kActs) {
    if (value == act) return word;
  }
  return "";
}

bool parse_model_act(std::string_view word, ModelAct& out) {
  for (const auto& [value, name] : kActs) {
    if (name != word) continue;
    out = value;
    return true;
  }
  return false;
}

void ModelRegistry::apply(const ModelChange& change) {
  if (change.added) apply(*change.added);
  apply(change.event);
}

void ModelRegistry::apply(const ModelEvent& event) {
  events_.push_back(event);
  switch (event.act) {
    case ModelAct::Shadow:
      shadow_ = event.digest;
      break;
    case ModelAct::ShadowOff:
      shadow_.clear();
      break;
    case ModelAct::Promoted:
      // Else its file was given again, and there is nothing to go back from.
      if (event.digest != in_use()) promoted_.push_back(events_.size() - 1);
      break;
    case ModelAct::RolledBack:
      if (!promoted_.empty()) promoted_.pop_back();
      break;
  }
  // To compare what is in use with itself tells nothing.
  if (shadow_ == in_use()) shadow_.clear();
}

const std::string& ModelRegistry::in_use() const {
  return promoted_.empty() ? kConfigured : events_[promoted_.back()].digest;
}

std::optional<std::string> ModelRegistry::before() const {
  if (promoted_.empty()) return std::nullopt;
  return promoted_.size() == 1 ? kConfigured : events_[promoted_[promoted_.size() - 2]].digest;
}

const ModelEvent* ModelRegistry::why_in_use() const {
  return promoted_.empty() ? nullptr : &events_[promoted_.back()];
}

const ModelEvent* ModelRegistry::why_shadow() const {
  for (auto event = events_.rbegin(); event != events_.rend() && !shadow_.empty(); ++event) {
    if (event->act == ModelAct::Shadow) return &*event;
  }
  return nullptr;
}

const RegisteredModel* ModelRegistry::find(const std::string& begin, std::string& problem) const {
  const auto first = models_.lower_bound(begin);
  if (begin.empty() || first == models_.end() || !first->first.starts_with(begin)) {
    problem = "no model whose digest begins with " + begin + " was given to the master";
    return nullptr;
  }
  if (const auto next = std::next(first); next != models_.end() && next->first.starts_with(begin)) {
    problem = "several models have digests that begin with " + begin + ": give more of it";
    return nullptr;
  }
  return &first->second;
}

}  // namespace hyades
