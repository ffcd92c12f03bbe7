// A network as an adviser.
#pragma once

#include "policy/learned/policy_network.hpp"
#include "policy/prompt_adviser.hpp"

namespace hyades::learned {

// Checks what the network says: what is not finite is a failure.
AdviserReply reply_of(const Evaluation& evaluation, double margin, const std::string& model);

class NetworkAdviser : public PromptAdviser {
 public:
  // `network` must outlive this.
  NetworkAdviser(const PolicyNetwork& network, double margin)
      : network_(network), margin_(margin) {}

 private:
  AdviserReply reply_to(const GlobalQuestion& question) override {
    return reply_of(network_.evaluate(question.state), margin_, "");
  }

  const PolicyNetwork& network_;
  double margin_;
};

}  // namespace hyades::learned
