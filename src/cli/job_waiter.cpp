#include "cli/job_waiter.hpp"

#include <algorithm>
#include <chrono>
#include <set>

#include "cli/failure.hpp"
#include "cli/job_words.hpp"

namespace hyades {
namespace {

using Clock = std::chrono::steady_clock;

// One question lasts at most so long; then it is asked again, so that a connection that broke
// without a sound is noticed.
constexpr std::int64_t kPollMs = 60'000;

std::int64_t remaining_ms(Clock::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
  return std::max<std::int64_t>(0, left.count());
}

void check_known(const std::set<std::uint64_t>& asked, const pb::ClientReply& reply) {
  std::set<std::uint64_t> missing = asked;
  for (const pb::JobInfo& job : reply.jobs()) missing.erase(job.id());
  if (!missing.empty()) {
    throw Failure("job " + std::to_string(*missing.begin()) + ": no such job");
  }
}

}  // namespace

WaitOutcome wait_for_jobs(MasterClient& master, const std::vector<std::uint64_t>& ids,
                          std::int64_t timeout_ms,
                          const std::function<void(const pb::JobInfo&)>& ended) {
  WaitOutcome outcome;
  std::set<std::uint64_t> open(ids.begin(), ids.end());
  const auto until =
      Clock::now() + std::chrono::milliseconds(std::max<std::int64_t>(0, timeout_ms));
  while (!open.empty()) {
    const std::int64_t left = timeout_ms < 0 ? kPollMs : std::min(kPollMs, remaining_ms(until));
    pb::ClientRequest request;
    // 0 would mean "for ever" to the master.
    request.mutable_wait_jobs()->set_timeout_ms(std::max<std::int64_t>(1, left));
    for (const std::uint64_t id : open) request.mutable_wait_jobs()->add_ids(id);
    const pb::ClientReply reply =
        master.ask(request, Retry::Always, static_cast<int>(left) + 30'000);
    if (!reply.error().empty()) throw Failure(reply.message());
    check_known(open, reply);
    for (const pb::JobInfo& job : reply.jobs()) {
      if (!has_ended(job) || open.erase(job.id()) == 0) continue;
      outcome.exit_code = std::max(outcome.exit_code, exit_code_for(job));
      ended(job);
    }
    if (!open.empty() && timeout_ms >= 0 && remaining_ms(until) == 0) {
      outcome.timed_out = true;
      return outcome;
    }
  }
  return outcome;
}

}  // namespace hyades
