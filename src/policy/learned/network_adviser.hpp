// A network as an adviser.
#pragma once

#include "policy/learned/policy_network.hpp"
#include "policy/lookahead.hpp"
#include "policy/prompt_adviser.hpp"

namespace hyades::learned {

// Checks what the network says: what is not finite is a failure. `scene`: for looking ahead, if
// that is what it chooses.
AdviserReply reply_of(const Evaluation& evaluation, double margin, const std::string& model,
                      const RolloutScene& scene);

class NetworkAdviser : public PromptAdviser {
 public:
  // `network` must outlive this.
  NetworkAdviser(const PolicyNetwork& network, double margin)
      : network_(network), margin_(margin) {}

 private:
  AdviserReply reply_to(const GlobalQuestion& question) override {
    if (question.look_ahead) return {look_ahead(question), ""};
    return reply_of(network_.evaluate(question.state), margin_, "", question.scene);
  }

  const PolicyNetwork& network_;
  double margin_;
};

}  // namespace hyades::learned
