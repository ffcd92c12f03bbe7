#include "core/job_state.hpp"

#include "core/words.hpp"

namespace hyades {

namespace {

constexpr Word<JobPhase> kPhases[] = {
    {JobPhase::Pending, "PENDING"},
    {JobPhase::Launching, "LAUNCHING"},
    {JobPhase::Running, "RUNNING"},
    {JobPhase::Ended, "ENDED"},
};
constexpr Word<JobPhase> kPhaseCodes[] = {
    {JobPhase::Pending, "PD"},
    {JobPhase::Launching, "CF"},
    {JobPhase::Running, "R"},
    {JobPhase::Ended, "-"},
};
constexpr Word<Outcome> kOutcomes[] = {
    {Outcome::None, "NONE"},
    {Outcome::Completed, "COMPLETED"},
    {Outcome::Failed, "FAILED"},
    {Outcome::Cancelled, "CANCELLED"},
    {Outcome::TimedOut, "TIMEOUT"},
    {Outcome::NodeFailed, "NODE_FAIL"},
    {Outcome::LaunchFailed, "LAUNCH_FAILED"},
    {Outcome::OutOfMemory, "OUT_OF_MEMORY"},
};
constexpr Word<Outcome> kOutcomeCodes[] = {
    {Outcome::None, "-"},          {Outcome::Completed, "CD"},    {Outcome::Failed, "F"},
    {Outcome::Cancelled, "CA"},    {Outcome::TimedOut, "TO"},     {Outcome::NodeFailed, "NF"},
    {Outcome::LaunchFailed, "LF"}, {Outcome::OutOfMemory, "OOM"},
};
constexpr Word<PendingReason> kPendingReasons[] = {
    {PendingReason::None, "None"},
    {PendingReason::Priority, "Priority"},
    {PendingReason::Resources, "Resources"},
    {PendingReason::Reserve, "Reserve"},
    {PendingReason::FasterNodes, "FasterNodes"},
    {PendingReason::Dependency, "Dependency"},
    {PendingReason::HeldByUser, "JobHeldUser"},
    {PendingReason::HeldByAdmin, "JobHeldAdmin"},
    {PendingReason::BeginTime, "BeginTime"},
    {PendingReason::QueueLimit, "QueueLimit"},
    {PendingReason::NodesUnavailable, "ReqNodeNotAvail"},
    {PendingReason::LaunchBackoff, "LaunchBackoff"},
};
constexpr Word<StartReason> kStartReasons[] = {
    {StartReason::Immediate, "immediate"},
    {StartReason::Backfill, "backfill"},
    {StartReason::FasterNodes, "faster-nodes"},
};

}  // namespace

std::string_view to_string(JobPhase phase) { return word_of(kPhases, phase); }
std::string_view to_string(Outcome outcome) { return word_of(kOutcomes, outcome); }
std::string_view to_string(PendingReason reason) { return word_of(kPendingReasons, reason); }
std::string_view to_string(StartReason reason) { return word_of(kStartReasons, reason); }

std::string_view state_name(JobPhase phase, Outcome outcome) {
  return phase == JobPhase::Ended ? to_string(outcome) : to_string(phase);
}

std::string_view state_code(JobPhase phase, Outcome outcome) {
  return phase == JobPhase::Ended ? word_of(kOutcomeCodes, outcome) : word_of(kPhaseCodes, phase);
}

bool parse_outcome(std::string_view word, Outcome& out) { return parse_word(kOutcomes, word, out); }
bool parse_start_reason(std::string_view word, StartReason& out) {
  return parse_word(kStartReasons, word, out);
}

}  // namespace hyades
