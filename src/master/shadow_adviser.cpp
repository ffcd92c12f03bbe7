#include "master/shadow_adviser.hpp"

namespace hyades {

void ShadowAdviser::set_shadow(std::unique_ptr<Adviser> shadow) {
  shadow_ = std::move(shadow);
  health_ = {};
  same_question_ = false;
  rule_in_use_.reset();
  shadows_.reset();
}

// A shadow that is still busy with another question misses this one; looking ahead needs no model.
void ShadowAdviser::ask(const GlobalQuestion& question) {
  in_use_.ask(question);
  same_question_ = shadow_ && !question.look_ahead && shadow_->idle();
  if (!same_question_) return;
  rule_in_use_.reset();
  shadows_.reset();
  shadow_->ask(question);
}

std::optional<AdviserReply> ShadowAdviser::answer() {
  std::optional<AdviserReply> reply = in_use_.answer();
  if (same_question_ && reply && reply->advice && legal(reply->advice->action)) {
    rule_in_use_ = reply->advice->action.rule;
    compare();
  }
  return reply;
}

void ShadowAdviser::look() {
  if (!shadow_) return;
  std::optional<AdviserReply> reply = shadow_->answer();
  if (!reply) return;
  if (!reply->advice || !legal(reply->advice->action)) {
    ++health_.failures;
    health_.failure =
        reply->advice ? "it answered with something that no queue can do" : reply->failure;
    return;
  }
  ++health_.answers;
  shadows_ = std::move(reply->advice);
  compare();
}

void ShadowAdviser::compare() {
  if (!rule_in_use_ || !shadows_) return;
  compared_(shadows_->model, shadows_->action.rule == *rule_in_use_);
  rule_in_use_.reset();
  shadows_.reset();
}

}  // namespace hyades
