#include "policy/adviser_bytes.hpp"

#include "policy/plain_bytes.hpp"

namespace hyades {
namespace {

constexpr std::uint64_t kQuestionMagic = 0x31534551564441;  // "ADVQES1"
constexpr std::uint64_t kReplyMagic = 0x31504552564441;     // "ADVREP1"
constexpr std::size_t kTextMost = 1'024;

void put_text(std::string& out, const std::string& text) {
  const std::size_t size = std::min(text.size(), kTextMost);
  put_value(out, std::uint64_t{size});
  put(out, text.data(), size);
}

bool take_text(Taker& taker, std::string& text) {
  std::vector<char> letters;
  if (!taker.take(letters, kTextMost)) return false;
  text.assign(letters.begin(), letters.end());
  return true;
}

bool take_advice(Taker& taker, GlobalAdvice& advice) {
  std::uint64_t rule = 0;
  GlobalAction& action = advice.action;
  if (!taker.take(rule) || !taker.take(action.reserve) || !taker.take(action.reserve_after_s) ||
      !taker.take(action.ageing) || !taker.take(advice.values, global_rules_count) ||
      advice.values.size() != global_rules_count) {
    return false;
  }
  action.rule = rule;
  return take_text(taker, advice.model);
}

}  // namespace

std::string to_bytes(const NumberedState& question) {
  std::string out;
  put_value(out, kQuestionMagic);
  put_value(out, question.number);
  put_value(out, question.state);
  return out;
}

std::optional<NumberedState> question_from(std::string_view bytes) {
  Taker taker(bytes);
  std::uint64_t magic = 0;
  NumberedState question;
  if (!taker.take(magic) || magic != kQuestionMagic || !taker.take(question.number) ||
      !taker.take(question.state) || !taker.is_empty()) {
    return std::nullopt;
  }
  return question;
}

std::string to_bytes(const NumberedReply& numbered) {
  std::string out;
  put_value(out, kReplyMagic);
  put_value(out, numbered.number);
  put_text(out, numbered.reply.failure);
  put_value(out, std::uint64_t{numbered.reply.advice ? 1u : 0u});
  if (!numbered.reply.advice) return out;
  const GlobalAdvice& advice = *numbered.reply.advice;
  put_value(out, std::uint64_t{advice.action.rule});
  put_value(out, advice.action.reserve);
  put_value(out, advice.action.reserve_after_s);
  put_value(out, advice.action.ageing);
  put_value(out, std::uint64_t{advice.values.size()});
  put(out, advice.values.data(), advice.values.size());
  put_text(out, advice.model);
  return out;
}

std::optional<NumberedReply> reply_from(std::string_view bytes) {
  Taker taker(bytes);
  std::uint64_t magic = 0, advised = 0;
  NumberedReply numbered;
  if (!taker.take(magic) || magic != kReplyMagic || !taker.take(numbered.number) ||
      !take_text(taker, numbered.reply.failure) || !taker.take(advised) || advised > 1) {
    return std::nullopt;
  }
  if (advised == 1 && !take_advice(taker, numbered.reply.advice.emplace())) return std::nullopt;
  if (!taker.is_empty()) return std::nullopt;
  return numbered;
}

}  // namespace hyades
