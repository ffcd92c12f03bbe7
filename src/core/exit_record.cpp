#include "core/exit_record.hpp"

#include "core/words.hpp"

namespace hyades {

namespace {
constexpr Word<StopReason> kStopReasons[] = {
    {StopReason::None, "none"},
    {StopReason::Cancelled, "cancelled"},
    {StopReason::TimeLimit, "time-limit"},
    {StopReason::Requeue, "requeue"},
    {StopReason::NodeFailure, "node-failure"},
    {StopReason::LeaseExpired, "lease-expired"},
    {StopReason::ScriptEnded, "script-ended"},
};
}  // namespace

std::string_view to_string(StopReason reason) { return word_of(kStopReasons, reason); }
bool parse_stop_reason(std::string_view word, StopReason& out) {
  return parse_word(kStopReasons, word, out);
}

}  // namespace hyades
