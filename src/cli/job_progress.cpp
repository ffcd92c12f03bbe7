#include "cli/job_progress.hpp"

#include <algorithm>
#include <cmath>

#include "cli/times.hpp"
#include "core/reported_figure.hpp"
#include "core/units.hpp"

namespace hyades {
namespace {

// As of when the job was last looked at: what it said then is held against the time until then.
std::int64_t elapsed_ms(const JobEfficiency& job) {
  const std::int64_t told_ms = job.telemetry_ms - job.job.start_ms();
  return job.telemetry_ms > 0 ? std::clamp<std::int64_t>(told_ms, 0, job.elapsed_ms)
                              : job.elapsed_ms;
}

const pb::Figure* reported_progress(const JobEfficiency& job) {
  const auto found =
      std::find_if(job.reported.begin(), job.reported.end(),
                   [](const pb::Figure& figure) { return figure.name() == progress_name; });
  return found == job.reported.end() ? nullptr : &*found;
}

bool can_be_one(const pb::Figure& progress) {
  return progress.value() >= 0 && progress.value() <= 1;
}

}  // namespace

std::optional<JobProgress> progress_of(const JobEfficiency& job) {
  const pb::Figure* found = reported_progress(job);
  if (found == nullptr || !can_be_one(*found)) return std::nullopt;
  JobProgress progress{.done = found->value()};
  constexpr double most_ms = 100.0 * 366 * 24 * 3600 * 1000;
  const double whole_ms = static_cast<double>(elapsed_ms(job)) / progress.done;
  if (job.ended || !job.started || !(whole_ms > 0 && whole_ms < most_ms)) return progress;
  const auto expected_ms = static_cast<std::int64_t>(std::llround(whole_ms));
  progress.expected_end_ms = job.job.start_ms() + expected_ms;
  const std::int64_t limit_ms = job.job.time_limit_s() * std::int64_t{1000};
  if (limit_ms > 0 && expected_ms > limit_ms) {
    progress.over_limit_s = (expected_ms - limit_ms + 999) / 1000;
  }
  return progress;
}

std::optional<double> whole_run_s(const JobEfficiency& job) {
  const auto progress = progress_of(job);
  if (!progress || progress->done <= 0 || progress->done >= 1) return std::nullopt;
  constexpr double most_s = 100.0 * 366 * 24 * 3600;
  return std::min(most_s, static_cast<double>(job.elapsed_ms) / 1000 / progress->done);
}

std::optional<double> wrong_progress(const JobEfficiency& job) {
  const pb::Figure* found = reported_progress(job);
  if (found == nullptr || can_be_one(*found)) return std::nullopt;
  return found->value();
}

std::string expected_end_text(const JobProgress& progress) {
  if (progress.expected_end_ms == 0) return "";
  std::string text = "expected end " + local_time(progress.expected_end_ms) + ", extrapolated";
  if (progress.over_limit_s > 0) {
    text += ": " + format_duration(progress.over_limit_s) + " after its time limit";
  }
  return text;
}

}  // namespace hyades
