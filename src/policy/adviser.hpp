// The port behind which a learned global policy lives. What stands behind it may be slow, wrong,
// hang or be gone: whoever asks goes on without it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/global_action.hpp"
#include "policy/global_state.hpp"

namespace hyades {

struct GlobalQuestion {
  std::string queue;
  WallMs at_ms = 0;
  GlobalState state;
};

struct GlobalAdvice {
  GlobalAction action;
  std::vector<float> values;  // that the model expects of each rule of the portfolio
  std::string model;          // digest
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
