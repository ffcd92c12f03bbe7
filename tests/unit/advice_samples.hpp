// What heff makes of the samples.
#pragma once

#include <string>
#include <vector>

#include "cli/efficiency_advice.hpp"
#include "cli/efficiency_text.hpp"
#include "cli/job_efficiency.hpp"
#include "telemetry_samples.hpp"

namespace hyades::samples {

inline std::vector<std::string> keys_of(const Advice& advice) {
  std::vector<std::string> keys;
  for (const Finding& finding : advice.findings) keys.push_back(finding.key);
  return keys;
}

inline bool says(const Advice& advice, const std::string& words) {
  for (const Finding& finding : advice.findings) {
    if ((finding.what + " " + finding.change).find(words) != std::string::npos) return true;
  }
  return false;
}

inline Advice advice_for(const pb::JobInfo& job, const pb::JobTelemetry* telemetry = nullptr) {
  return advise(measure_efficiency(job, telemetry, kStart + 600'000));
}

inline std::string page_for(const pb::JobInfo& job, const pb::JobTelemetry* telemetry = nullptr) {
  const JobEfficiency measured = measure_efficiency(job, telemetry, kStart + 600'000);
  return efficiency_text(measured, advise(measured), {});
}

}  // namespace hyades::samples
