// An adviser that answers at once, in the caller's process and time.
#pragma once

#include <optional>
#include <utility>

#include "policy/adviser.hpp"

namespace hyades {

class PromptAdviser : public Adviser {
 public:
  void ask(const GlobalQuestion& question) final { reply_ = reply_to(question); }
  bool idle() const final { return true; }
  std::optional<AdviserReply> answer() final { return std::exchange(reply_, std::nullopt); }

 private:
  virtual AdviserReply reply_to(const GlobalQuestion& question) = 0;

  std::optional<AdviserReply> reply_;
};

}  // namespace hyades
