#include "policy/adviser_bytes.hpp"

#include "policy/global_choice.hpp"
#include "policy/plain_bytes.hpp"

namespace hyades {
namespace {

constexpr std::uint64_t kQuestionMagic = 0x32534551564441;  // "ADVQES2"
constexpr std::uint64_t kReplyMagic = 0x32504552564441;     // "ADVREP2"
constexpr std::size_t kTextMost = 1'024;

constexpr std::int32_t kNone = -1;

std::optional<Objective> objective_from(std::int32_t number) {
  for (const Objective objective : {Objective::Wait, Objective::Slowdown}) {
    if (number == static_cast<std::int32_t>(objective)) return objective;
  }
  return std::nullopt;
}

void put_action(std::string& out, const GlobalAction& action) {
  put_value(out, std::uint64_t{action.rule});
  put_value(out, action.reserve);
  put_value(out, action.reserve_after_s);
  put_value(out, action.ageing);
}

bool take_action(Taker& taker, GlobalAction& action) {
  std::uint64_t rule = 0;
  if (!taker.take(rule) || !taker.take(action.reserve) || !taker.take(action.reserve_after_s) ||
      !taker.take(action.ageing)) {
    return false;
  }
  action.rule = rule;
  return true;
}

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

void put_played(std::string& out, const PlayedCosts& played) {
  put_value(out, static_cast<std::int32_t>(played.objective));
  put_value(out, played.cost);
  put_value(out, played.hand_set);
  put_value(out, played.least);
  put_text(out, played.best_rule);
  put_value(out, played.best_reserve);
  put_value(out, std::uint64_t{played.gated ? 1u : 0u});
}

bool take_played(Taker& taker, PlayedCosts& played) {
  std::int32_t objective = kNone;
  std::uint64_t gated = 0;
  if (!taker.take(objective) || !taker.take(played.cost) || !taker.take(played.hand_set) ||
      !taker.take(played.least) || !take_text(taker, played.best_rule) ||
      !taker.take(played.best_reserve) || !taker.take(gated) || gated > 1 ||
      !objective_from(objective)) {
    return false;
  }
  played.objective = *objective_from(objective);
  played.gated = gated == 1;
  return true;
}

bool take_advice(Taker& taker, GlobalAdvice& advice) {
  std::uint64_t played = 0, choice = 0;
  if (!take_action(taker, advice.action) || !taker.take(choice) || choice >= global_choices_count ||
      !taker.take(advice.values, global_choices_count) ||
      !(advice.values.empty() || advice.values.size() == global_choices_count) ||
      !take_text(taker, advice.model) || !taker.take(played) || played > 1) {
    return false;
  }
  advice.choice = choice;
  return played == 0 || take_played(taker, advice.played.emplace());
}

}  // namespace

std::string to_bytes(const NumberedQuestion& numbered) {
  const GlobalQuestion& question = numbered.question;
  std::string out;
  put_value(out, kQuestionMagic);
  put_value(out, numbered.number);
  put_value(out, question.state);
  put(out, question.scene);
  put_value(out, question.look_ahead ? static_cast<std::int32_t>(*question.look_ahead) : kNone);
  put_value(out, question.gate);
  return out;
}

std::optional<NumberedQuestion> question_from(std::string_view bytes) {
  Taker taker(bytes);
  std::uint64_t magic = 0;
  std::int32_t objective = kNone;
  NumberedQuestion numbered;
  GlobalQuestion& question = numbered.question;
  if (!taker.take(magic) || magic != kQuestionMagic || !taker.take(numbered.number) ||
      !taker.take(question.state) || !take(taker, question.scene) || !taker.take(objective) ||
      !taker.take(question.gate) || !taker.is_empty()) {
    return std::nullopt;
  }
  if (objective == kNone) return numbered;
  question.look_ahead = objective_from(objective);
  if (!question.look_ahead) return std::nullopt;
  return numbered;
}

std::string to_bytes(const NumberedReply& numbered) {
  std::string out;
  put_value(out, kReplyMagic);
  put_value(out, numbered.number);
  put_text(out, numbered.reply.failure);
  put_value(out, std::uint64_t{numbered.reply.advice ? 1u : 0u});
  if (!numbered.reply.advice) return out;
  const GlobalAdvice& advice = *numbered.reply.advice;
  put_action(out, advice.action);
  put_value(out, std::uint64_t{advice.choice});
  put_value(out, std::uint64_t{advice.values.size()});
  put(out, advice.values.data(), advice.values.size());
  put_text(out, advice.model);
  put_value(out, std::uint64_t{advice.played ? 1u : 0u});
  if (advice.played) put_played(out, *advice.played);
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
