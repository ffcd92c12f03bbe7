// The port behind which a learned global policy lives. What stands behind it may be slow, wrong,
// hang or be gone: whoever asks goes on without it.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "policy/global_action.hpp"
#include "policy/global_state.hpp"
#include "policy/rollout_scene.hpp"

namespace hyades {

constexpr double no_gate = std::numeric_limits<double>::infinity();

struct GlobalQuestion {
  std::string queue;
  WallMs at_ms = 0;
  GlobalState state;
  RolloutScene scene;
  std::optional<Objective> look_ahead;  // nothing: a model is to answer
  // What a model chooses may cost this share more than the hand-set action.
  double gate = no_gate;
};

struct GlobalAdvice {
  GlobalAction action;
  std::vector<float> values;  // that the model expects of each choice (global_choice.hpp), or none
  std::string model;          // digest; "": looking ahead chose
  std::optional<PlayedCosts> played = {};
  std::size_t choice = 0;  // of the model: the action came of it, unless it was gated
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
  // What it answers from may be another one now: it reads that anew with the next question.
  virtual void renew() {}
};

}  // namespace hyades
