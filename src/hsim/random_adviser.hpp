// Answers with an action by chance: what a learned policy must be better than.
#pragma once

#include "policy/prompt_adviser.hpp"

namespace hyades {

// The same question gets the same answer.
class RandomAdviser : public PromptAdviser {
  AdviserReply reply_to(const GlobalQuestion& question) override;
};

}  // namespace hyades
