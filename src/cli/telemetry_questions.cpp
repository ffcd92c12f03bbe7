#include "cli/telemetry_questions.hpp"

#include <unistd.h>

#include <algorithm>

#include "cli/failure.hpp"
#include "core/request.hpp"

namespace hyades {
namespace {

using Ids = std::vector<std::uint64_t>;

// False, and nothing is taken, when the master denies it because of any of these jobs.
bool take(MasterClient& master, const Ids& ids, TelemetryAnswer& out) {
  if (ids.empty()) return true;
  pb::ClientRequest request;
  request.mutable_show_job_telemetry()->mutable_ids()->Add(ids.begin(), ids.end());
  pb::ClientReply reply = master.ask(request, Retry::Always);
  if (reply.error() == to_string(ErrorCode::Denied)) return false;
  if (!reply.error().empty()) throw Failure(reply.message());
  for (pb::JobTelemetry& telemetry : *reply.mutable_job_telemetry()) {
    const std::uint64_t job = telemetry.job();
    out.by_job[job] = std::move(telemetry);
  }
  return true;
}

}  // namespace

const pb::JobTelemetry* TelemetryAnswer::find(std::uint64_t job) const {
  const auto found = by_job.find(job);
  return found == by_job.end() ? nullptr : &found->second;
}

TelemetryAnswer ask_job_telemetry(MasterClient& master, const std::vector<pb::JobInfo>& jobs) {
  constexpr std::size_t at_once = 20;
  TelemetryAnswer out;
  for (std::size_t begin = 0; begin < jobs.size(); begin += at_once) {
    Ids all, own;
    for (std::size_t i = begin; i < std::min(begin + at_once, jobs.size()); ++i) {
      all.push_back(jobs[i].id());
      if (jobs[i].uid() == geteuid()) own.push_back(jobs[i].id());
    }
    if (take(master, all, out)) continue;
    for (const std::uint64_t id : all) {
      if (std::find(own.begin(), own.end(), id) == own.end()) out.hidden.push_back(id);
    }
    take(master, own, out);
  }
  return out;
}

TelemetryAnswer ask_job_telemetry(MasterClient& master, std::uint64_t job) {
  pb::ClientRequest request;
  request.mutable_show_job_telemetry()->add_ids(job);
  const pb::ClientReply reply = master.get(request);
  TelemetryAnswer out;
  for (const pb::JobTelemetry& telemetry : reply.job_telemetry()) {
    out.by_job[telemetry.job()] = telemetry;
  }
  return out;
}

}  // namespace hyades
