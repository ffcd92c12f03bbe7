#include "cli/efficiency_json.hpp"

#include "cli/job_progress.hpp"
#include "cli/times.hpp"

namespace hyades {
namespace {

Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json source_word(PeakSource source) {
  switch (source) {
    case PeakSource::WholeJob:
      return "whole_job";
    case PeakSource::ExitRecord:
      return "exit_record";
    case PeakSource::None:
      break;
  }
  return nullptr;
}

const char* kind_word(FindingKind kind) {
  return kind == FindingKind::Problem ? "problem" : "notice";
}

Json counters_json(const JobEfficiency& job) {
  Json out = Json::array();
  for (const CounterFigure& counter : job.counters) {
    out.push_back({{"name", counter.name},
                   {"value", counter.value},
                   {"unit", counter.unit},
                   {"running_share", counter.running_share},
                   {"user_only", counter.user_only}});
  }
  return out;
}

void add_use(const JobEfficiency& job, Json& out) {
  out["elapsed_s"] = static_cast<double>(job.elapsed_ms) / 1000;
  out["limit_share"] = number(job.limit_share);
  out["user_s"] = number(job.user_s);
  out["system_s"] = number(job.system_s);
  out["cpu_s"] = number(job.cpu_s);
  out["waiting_s"] = number(job.waiting_s);
  out["busy_cores"] = number(job.busy_cores);
  out["busy_cores_now"] = number(job.busy_cores_now);
  out["peak_cores_node"] = number(job.peak_cores_node);
  out["cpu_share"] = number(job.cpu_share);
  out["memory_now_mib"] = number(job.memory_mib);
  out["memory_peak_mib"] = number(job.peak_mib);
  out["memory_peak_source"] = source_word(job.peak_source);
  out["memory_peak_sampled"] = job.peak_sampled;
  out["memory_share"] = number(job.memory_share);
  out["gpus"] = job.gpus;
  out["gpu_share"] = number(job.gpu_share);
  out["gpus_busy"] = number(job.gpus_busy);
  out["gpu_memory_mib"] = number(job.gpu_memory_mib);
  out["gpu_memory_peak_mib"] = number(job.gpu_memory_peak_mib);
  out["read_bytes"] = number(job.read_bytes);
  out["write_bytes"] = number(job.write_bytes);
  out["minor_faults"] = number(job.minor_faults);
  out["major_faults"] = number(job.major_faults);
  out["voluntary_switches"] = number(job.voluntary_switches);
  out["involuntary_switches"] = number(job.involuntary_switches);
  out["energy_j"] = number(job.energy_j);
  out["energy_modelled"] = job.energy_j ? Json(job.energy_modelled) : Json(nullptr);
  out["power_w"] = number(job.power_w);
  out["instructions_per_cycle"] = number(job.instructions_per_cycle);
}

}  // namespace

Json efficiency_json(const JobEfficiency& job, const Advice& advice) {
  Json out;
  out["job"] = job_json(job.job);
  out["measured_time"] = job.telemetry_ms > 0 ? Json(utc_time(job.telemetry_ms)) : Json(nullptr);
  add_use(job, out);
  out["counters"] = counters_json(job);
  out["missing_counters"] = Json::array();
  for (const MissingFigure& missing : job.missing_counters) {
    out["missing_counters"].push_back({{"name", missing.name}, {"why", missing.why}});
  }
  out["reported"] = Json::array();
  for (const pb::Figure& figure : job.reported) {
    out["reported"].push_back(
        {{"name", figure.name()}, {"value", figure.value()}, {"unit", figure.unit()}});
  }
  out["refused_reports"] = job.refused_reports;
  out["progress"] = progress_json(job);
  out["idle_nodes"] = job.idle_nodes;
  out["findings"] = Json::array();
  for (const Finding& finding : advice.findings) {
    out["findings"].push_back({{"key", finding.key},
                               {"kind", kind_word(finding.kind)},
                               {"what", finding.what},
                               {"change", finding.change}});
  }
  out["directives"] = Json::array();
  for (const Directive& directive : advice.directives) {
    out["directives"].push_back(directive.text());
  }
  out["no_directives"] = advice.no_directives;
  return out;
}

Json progress_json(const JobEfficiency& job) {
  const auto progress = progress_of(job);
  if (!progress) return nullptr;
  const WallMs end_ms = progress->expected_end_ms;
  return {{"done", progress->done},
          {"extrapolated_end_time", end_ms == 0 ? Json(nullptr) : Json(utc_time(end_ms))},
          {"over_limit_s", progress->over_limit_s}};
}

Json figures_json(const google::protobuf::RepeatedPtrField<pb::Figure>& figures) {
  Json out = Json::array();
  for (const pb::Figure& figure : figures) {
    out.push_back({{"name", figure.name()},
                   {"value", figure.value()},
                   {"unit", figure.unit()},
                   {"modelled", figure.modelled()}});
  }
  return out;
}

Json series_json(const Series& series) {
  return {
      {"name", series.name},       {"unit", series.unit}, {"from_time", utc_time(series.from_ms)},
      {"step_ms", series.step_ms}, {"mean", series.mean}, {"most", series.most}};
}

}  // namespace hyades
