// Answers at once, in the caller's process and time.
#pragma once

#include <optional>

#include "policy/learned/policy_network.hpp"

namespace hyades::learned {

// Checks what the network says: what is not finite is a failure.
AdviserReply reply_of(const Evaluation& evaluation, double margin, const std::string& model);

class NetworkAdviser : public Adviser {
 public:
  // `network` must outlive this.
  NetworkAdviser(const PolicyNetwork& network, double margin)
      : network_(network), margin_(margin) {}

  void ask(const GlobalQuestion& question) override {
    reply_ = reply_of(network_.evaluate(question.state), margin_, "");
  }
  bool idle() const override { return true; }
  std::optional<AdviserReply> answer() override { return std::exchange(reply_, std::nullopt); }

 private:
  const PolicyNetwork& network_;
  double margin_;
  std::optional<AdviserReply> reply_;
};

}  // namespace hyades::learned
