// Answers with an action by chance: what a learned policy must be better than.
#pragma once

#include <optional>
#include <utility>

#include "policy/adviser.hpp"

namespace hyades {

// The same question gets the same answer.
class RandomAdviser : public Adviser {
 public:
  void ask(const GlobalQuestion& question) override;
  bool idle() const override { return true; }
  std::optional<AdviserReply> answer() override { return std::exchange(reply_, std::nullopt); }

 private:
  std::optional<AdviserReply> reply_;
};

}  // namespace hyades
