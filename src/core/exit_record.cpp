#include "core/exit_record.hpp"

#include <algorithm>

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

void add_usage(Usage& sum, const Usage& part) {
  const auto add = [&](std::int64_t Usage::*field) {
    sum.*field = add_without_overflow(sum.*field, part.*field);
  };
  add(&Usage::user_ms);
  add(&Usage::system_ms);
  sum.max_rss_kib = std::max(sum.max_rss_kib, part.max_rss_kib);
  add(&Usage::minor_faults);
  add(&Usage::major_faults);
  add(&Usage::voluntary_switches);
  add(&Usage::involuntary_switches);
  add(&Usage::read_bytes);
  add(&Usage::write_bytes);
  add(&Usage::refused_reports);
  add_counters(sum.counters, sum.missing_counters, part.counters, part.missing_counters);
  add_reported(sum.reported, part.reported);
}

}  // namespace hyades
