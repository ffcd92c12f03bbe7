#include "cli/telemetry_questions.hpp"

#include <algorithm>

namespace hyades {

TelemetryByJob ask_job_telemetry(MasterClient& master, const std::vector<std::uint64_t>& ids) {
  constexpr std::size_t at_once = 20;
  TelemetryByJob all;
  for (std::size_t begin = 0; begin < ids.size(); begin += at_once) {
    pb::ClientRequest request;
    pb::ShowJobTelemetry& show = *request.mutable_show_job_telemetry();
    const std::size_t end = std::min(begin + at_once, ids.size());
    for (std::size_t i = begin; i < end; ++i) show.add_ids(ids[i]);
    pb::ClientReply reply = master.get(request);
    for (pb::JobTelemetry& telemetry : *reply.mutable_job_telemetry()) {
      const std::uint64_t job = telemetry.job();
      all[job] = std::move(telemetry);
    }
  }
  return all;
}

const pb::JobTelemetry* telemetry_of(const TelemetryByJob& all, std::uint64_t job) {
  const auto found = all.find(job);
  return found == all.end() ? nullptr : &found->second;
}

}  // namespace hyades
