// Jobs and what was measured of them, for tests of what the commands print.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hyades.pb.h"

namespace hyades::samples {

constexpr std::int64_t kStart = 1'800'000'000'000;

// 4 cores, two hours and 16 GiB asked for; ended after `seconds`.
inline pb::JobInfo ended_job(const std::string& state, int seconds) {
  pb::JobInfo job;
  job.set_id(42);
  job.set_name("train");
  job.set_user("ada");
  job.set_queue("batch");
  job.set_state(state);
  job.set_node_count(1);
  job.set_node_names("n1");
  job.set_tasks(1);
  job.set_cpus_per_task(4);
  job.set_cores(4);
  job.set_memory_mib(16 << 10);
  job.set_time_limit_s(2 * 3600);
  job.set_submit_ms(kStart - 60'000);
  job.set_start_ms(kStart);
  job.set_end_ms(kStart + seconds * std::int64_t{1000});
  job.set_attempts(1);
  return job;
}

inline void use(pb::JobInfo& job, double user_s, double system_s, std::int64_t peak_mib) {
  job.mutable_usage()->set_user_ms(static_cast<std::int64_t>(user_s * 1000));
  job.mutable_usage()->set_system_ms(static_cast<std::int64_t>(system_s * 1000));
  job.mutable_usage()->set_max_rss_kib(peak_mib << 10);
}

inline pb::JobTelemetry telemetry_of(const pb::JobInfo& job) {
  pb::JobTelemetry telemetry;
  telemetry.set_job(job.id());
  telemetry.set_attempt(job.attempts());
  telemetry.set_at_ms(job.end_ms());
  telemetry.add_nodes()->set_node("n1");
  return telemetry;
}

template <typename Message>
pb::Figure& add_figure(Message& to, const std::string& name, const std::string& unit,
                       double value) {
  pb::Figure& figure = *to.add_figures();
  figure.set_name(name);
  figure.set_unit(unit);
  figure.set_value(value);
  return figure;
}

// A minute a step; `most` the same as `mean` unless given.
inline pb::JobSeries& add_series(pb::JobTelemetryNode& node, const std::string& name,
                                 const std::string& unit, const std::vector<float>& mean,
                                 const std::vector<float>& most = {}) {
  pb::JobSeries& series = *node.add_series();
  series.set_name(name);
  series.set_unit(unit);
  series.set_from_ms(kStart);
  series.set_step_ms(60'000);
  for (const float value : mean) series.add_mean(value);
  for (const float value : most.empty() ? mean : most) series.add_most(value);
  return series;
}

inline std::vector<float> minutes(int count, float value) {
  return std::vector<float>(static_cast<std::size_t>(count), value);
}

// 36 minutes on 4 cores, one of them busy all the time, of 16 GiB a thousand MiB used.
struct Serial {
  pb::JobInfo job = ended_job("COMPLETED", 2172);
  pb::JobTelemetry telemetry;

  Serial() {
    use(job, 2150, 22, 990);
    telemetry = telemetry_of(job);
    add_figure(telemetry, "job.memory_peak", "MiB", 1000);
    add_figure(telemetry, "job.read", "bytes", 3e9);
    add_figure(telemetry, "job.write", "bytes", 2e6);
    add_series(*telemetry.mutable_nodes(0), "job.cpu", "cores", minutes(36, 1.01f));
  }
};

}  // namespace hyades::samples
