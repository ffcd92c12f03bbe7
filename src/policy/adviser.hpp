// The port behind which a learned global policy lives. What stands behind it may be slow, wrong,
// hang or be gone: whoever asks goes on without it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/global_action.hpp"
#include "policy/global_state.hpp"
#include "policy/rollout_scene.hpp"

namespace hyades {

struct GlobalQuestion {
  std::string queue;
  WallMs at_ms = 0;
  GlobalState state;
  RolloutScene scene;
  std::optional<Objective> look_ahead;  // nothing: a model is to answer
  double gate = 0;  // a model's action may cost this share more than the hand-set one
};

struct GlobalAdvice {
  GlobalAction action;
  std::vector<float> values;  // that the model expects of each rule of the portfolio, or none
  std::string model;          // digest; "": looking ahead chose
  std::optional<PlayedCosts> played = {};
};

// One of the two.
struct AdviserReply {
  std::optional<GlobalAdvice> advice;
  std::string failure;  // for people
};

class Adviser {
 public:
  virtual ~Adviser() = default;
  // At most one question at a time: ask only when idle().
  virtual void ask(const GlobalQuestion& question) = 0;
  virtual bool idle() const = 0;
  // Once for each question, sooner or later; nothing: not yet. Does not wait.
  virtual std::optional<AdviserReply> answer() = 0;
};

}  // namespace hyades
