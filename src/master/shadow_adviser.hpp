// Asks a second adviser, the shadow, what the one in use is asked, and compares. Its answers go
// nowhere, and nothing that it does or fails to do is seen through this Adviser. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "policy/adviser.hpp"

namespace hyades {

class ShadowAdviser : public Adviser {
 public:
  // Told when both have answered a question: which model the shadow's is, and whether it chose the
  // same rule.
  using Compared = std::function<void(const std::string& model, bool agreed)>;

  // `in_use` must outlive this.
  ShadowAdviser(Adviser& in_use, Compared compared)
      : in_use_(in_use), compared_(std::move(compared)) {}

  // nullptr: there is none from now on. One that was there ends.
  void set_shadow(std::unique_ptr<Adviser> shadow);
  // Takes the shadow's answer, if it is there; to be called now and then.
  void look();

  // Of the shadow, for people.
  struct Health {
    std::uint64_t answers = 0;
    std::uint64_t failures = 0;
    std::string failure;  // the last one
  };
  const Health& health() const { return health_; }

  void ask(const GlobalQuestion& question) override;
  bool idle() const override { return in_use_.idle(); }
  std::optional<AdviserReply> answer() override;
  // The shadow's is kept by the master, and does not change.
  void renew() override { in_use_.renew(); }

 private:
  void compare();

  Adviser& in_use_;
  Compared compared_;
  std::unique_ptr<Adviser> shadow_;
  Health health_;
  // Of the question that the shadow was asked last.
  bool same_question_ = false;  // the one in use was not asked another one since
  std::optional<std::size_t> rule_in_use_;
  std::optional<GlobalAdvice> shadows_;
};

}  // namespace hyades
