// Questions and answers between the processes of a scheduler and of its adviser: one message each,
// with the question's number. What is not exactly such a thing is nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "policy/adviser.hpp"

namespace hyades {

constexpr std::size_t adviser_message_most = 65'536;  // bytes

struct NumberedQuestion {
  std::uint64_t number = 0;
  GlobalQuestion question;  // without queue and time, which are nothing to an adviser
};
struct NumberedReply {
  std::uint64_t number = 0;  // of the question; 0: of none, there will be no answers
  AdviserReply reply;
};

std::string to_bytes(const NumberedQuestion& question);
std::string to_bytes(const NumberedReply& reply);
std::optional<NumberedQuestion> question_from(std::string_view bytes);
std::optional<NumberedReply> reply_from(std::string_view bytes);

}  // namespace hyades
