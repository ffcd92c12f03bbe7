// Stands between the policy and its adviser, and keeps what was asked and answered; of looking
// ahead only what changed.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "hyades.pb.h"
#include "policy/adviser.hpp"

namespace hyades {

class DecisionRecorder : public Adviser {
 public:
  using Keep = std::function<void(const pb::PolicyDecision&)>;

  // `adviser` must outlive this.
  DecisionRecorder(Adviser& adviser, Keep keep) : adviser_(adviser), keep_(std::move(keep)) {}

  void ask(const GlobalQuestion& question) override;
  bool idle() const override { return adviser_.idle(); }
  std::optional<AdviserReply> answer() override;

 private:
  Adviser& adviser_;
  Keep keep_;
  GlobalQuestion question_;
  struct Kept {
    bool looked_ahead = false;
    GlobalAction action;
    friend bool operator==(const Kept&, const Kept&) = default;
  };
  std::map<std::string, Kept> last_;  // by queue
};

pb::PlayedCosts to_proto(const PlayedCosts& played);

}  // namespace hyades
