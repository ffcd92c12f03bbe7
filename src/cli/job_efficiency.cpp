#include "cli/job_efficiency.hpp"

#include <algorithm>
#include <cmath>

#include "cli/job_series.hpp"
#include "cli/job_words.hpp"

namespace hyades {
namespace {

using Figures = google::protobuf::RepeatedPtrField<pb::Figure>;

std::optional<double> value_of(const Figures& figures, const std::string& name) {
  const pb::Figure* figure = find_figure(figures, name);
  if (figure == nullptr) return std::nullopt;
  return figure->value();
}

// Amounts cannot be negative; one that is was not measured.
std::optional<double> amount_of(const Figures& figures, const std::string& name) {
  const std::optional<double> value = value_of(figures, name);
  return value && *value >= 0 ? value : std::nullopt;
}

std::optional<double> share(std::optional<double> part, double whole) {
  if (!part || whole <= 0) return std::nullopt;
  return *part / whole;
}

void measure_time(const pb::JobInfo& job, WallMs now_ms, JobEfficiency& out) {
  out.ended = has_ended(job);
  out.started = job.start_ms() > 0 && job.state() != "PENDING";
  out.nodes = std::max(1, job.node_count());
  out.cores = std::max(0, job.cores());
  if (!out.started) return;
  const WallMs until_ms = out.ended ? job.end_ms() : now_ms;
  out.elapsed_ms = std::max<std::int64_t>(0, until_ms - job.start_ms());
  out.limit_share = share(out.elapsed_ms / 1000.0, job.time_limit_s());
}

std::string counter_unit(const std::string& name) { return name.ends_with("-CLOCK") ? "ns" : ""; }

// Of the same source as the counters. No program ever ran without a page fault: without one, nobody
// has looked.
void take_counts(const pb::Usage& usage, JobEfficiency& out) {
  if (usage.minor_faults() <= 0) return;
  out.minor_faults = usage.minor_faults();
  out.major_faults = usage.major_faults();
  out.voluntary_switches = usage.voluntary_switches();
  out.involuntary_switches = usage.involuntary_switches();
  out.read_bytes = usage.read_bytes();
  out.write_bytes = usage.write_bytes();
  for (const pb::JobCounter& counter : usage.counters()) {
    out.counters.push_back({counter.name(), counter_unit(counter.name()),
                            static_cast<double>(counter.value()), counter.running_share(),
                            counter.user_only()});
  }
  for (const pb::MissingCounter& missing : usage.missing_counters()) {
    out.missing_counters.push_back({missing.name(), missing.why()});
  }
}

// What the kernel counted until the job's end. No program ever ran without memory: without a peak
// nobody has looked, and the zeros mean nothing.
void take_usage(const pb::Usage& usage, JobEfficiency& out) {
  if (!out.ended || usage.max_rss_kib() <= 0) return;
  out.user_s = usage.user_ms() / 1000.0;
  out.system_s = usage.system_ms() / 1000.0;
  out.cpu_s = *out.user_s + *out.system_s;
  out.peak_mib = usage.max_rss_kib() / 1024.0;
  out.peak_source = PeakSource::ExitRecord;
  take_counts(usage, out);
}

// The last word counts, and that is in the record of the end.
void take_reported(const pb::Usage& usage, JobEfficiency& out) {
  if (!out.ended) return;
  for (const pb::ReportedFigure& figure : usage.reported()) {
    pb::Figure& added = out.reported.emplace_back();
    added.set_name(figure.name());
    added.set_value(figure.value());
  }
  out.refused_reports = usage.refused_reports();
}

void take_if_unknown(std::optional<double>& out, std::optional<double> value) {
  if (!out) out = value;
}

void take_sampled_peak(const Figures& figures, JobEfficiency& out) {
  auto seen = amount_of(figures, "job.memory_peak");
  if (!seen) return;
  out.peak_source = PeakSource::WholeJob;
  const auto limit_mib = static_cast<double>(out.job.memory_mib());
  if (out.ended && limit_mib > 0) seen = std::min(*seen, limit_mib);
  out.peak_sampled = *seen > out.peak_mib.value_or(0);
  if (out.peak_sampled) out.peak_mib = seen;
}

void take_figures(const Figures& figures, JobEfficiency& out) {
  take_if_unknown(out.user_s, amount_of(figures, "job.user_time"));
  take_if_unknown(out.system_s, amount_of(figures, "job.system_time"));
  take_if_unknown(out.cpu_s, amount_of(figures, "job.cpu_time"));
  take_sampled_peak(figures, out);
  if (const auto refused = amount_of(figures, "job.refused_reports"); refused && !out.ended) {
    out.refused_reports = static_cast<std::int64_t>(*refused);
  }
  take_if_unknown(out.read_bytes, amount_of(figures, "job.read"));
  take_if_unknown(out.write_bytes, amount_of(figures, "job.write"));
  out.gpu_memory_peak_mib = amount_of(figures, "job.gpu.memory_peak");
  out.gpus_busy = amount_of(figures, "job.gpu.busy_mean");
  if (!out.gpus_busy) out.gpus_busy = amount_of(figures, "job.gpu.busy");
  // Of the GPUs that it is on: of those it asked for, only where nothing better is known.
  const auto percent = amount_of(figures, "job.gpu.utilization");
  if (percent && !out.gpus_busy) out.gpu_share = *percent / 100;
  if (const pb::Figure* energy = find_figure(figures, "job.energy");
      energy && energy->value() >= 0) {
    out.energy_j = energy->value();
    out.energy_modelled = energy->modelled();
  }
  if (!out.ended) {
    out.busy_cores_now = amount_of(figures, "job.cpu");
    out.memory_mib = amount_of(figures, "job.memory");
    out.read_rate = amount_of(figures, "job.read_rate");
    out.write_rate = amount_of(figures, "job.write_rate");
    out.gpu_memory_mib = amount_of(figures, "job.gpu.memory");
  }
}

void take_named(const Figures& figures, JobEfficiency& out) {
  for (const pb::Figure& figure : figures) {
    if (!std::isfinite(figure.value())) continue;
    if (figure.name().starts_with("counter.")) {
      const std::string name = figure.name().substr(8);
      const bool known = std::any_of(out.counters.begin(), out.counters.end(),
                                     [&](const auto& counter) { return counter.name == name; });
      if (!known) out.counters.push_back({name, counter_unit(name), figure.value(), 1, false});
    } else if (figure.name().starts_with("app.")) {
      const std::string name = figure.name().substr(4);
      const bool known = std::any_of(out.reported.begin(), out.reported.end(),
                                     [&](const auto& other) { return other.name() == name; });
      if (known) continue;
      out.reported.push_back(figure);
      out.reported.back().set_name(name);
    }
  }
}

// The mean of a GPU's use over the whole run says more than the last report.
void take_gpu_series(const pb::JobTelemetry& telemetry, JobEfficiency& out) {
  if (out.gpus_busy) return;
  const Series series = merge_series(telemetry, "job.gpu.utilization");
  double total = 0;
  int count = 0;
  for (const double value : series.mean) {
    if (std::isnan(value)) continue;
    total += value;
    ++count;
  }
  if (count > 0) out.gpu_share = total / count / 100;
}

// Of each node by itself: what one node needs is what all must ask for.
void take_cpu_series(const pb::JobTelemetry& telemetry, JobEfficiency& out) {
  for (const pb::JobTelemetryNode& node : telemetry.nodes()) {
    for (const pb::JobSeries& one : node.series()) {
      if (one.name() != "job.cpu") continue;
      std::vector<double> known = read_series(one).most;
      std::erase_if(known, [](double value) { return std::isnan(value); });
      if (known.empty()) continue;
      std::sort(known.begin(), known.end());
      const std::size_t at = (known.size() * 95 + 99) / 100 - 1;
      out.peak_cores_node = std::max(out.peak_cores_node.value_or(0), known[at]);
    }
  }
  const Series all = merge_series(telemetry, "job.cpu");
  std::size_t idle = 0;
  while (idle < all.most.size() && all.most[all.most.size() - 1 - idle] < 0.02) ++idle;
  if (idle > 0) out.idle_end_s = static_cast<double>(idle) * all.step_ms / 1000.0;
}

void take_idle_nodes(const pb::JobTelemetry& telemetry, JobEfficiency& out) {
  double busiest_s = 0;
  for (const pb::JobTelemetryNode& node : telemetry.nodes()) {
    busiest_s = std::max(busiest_s, amount_of(node.figures(), "job.cpu_time").value_or(0));
  }
  if (busiest_s < 60) return;
  for (const pb::JobTelemetryNode& node : telemetry.nodes()) {
    const auto cpu_s = amount_of(node.figures(), "job.cpu_time");
    if (cpu_s && *cpu_s < 0.02 * busiest_s) out.idle_nodes.push_back(node.node());
  }
}

const CounterFigure* counter_named(const JobEfficiency& out, const std::string& name) {
  const auto found = std::find_if(out.counters.begin(), out.counters.end(),
                                  [&](const auto& counter) { return counter.name == name; });
  return found == out.counters.end() ? nullptr : &*found;
}

void derive(JobEfficiency& out) {
  if (!out.cpu_s && out.user_s && out.system_s) out.cpu_s = *out.user_s + *out.system_s;
  const double elapsed_s = out.elapsed_ms / 1000.0;
  out.busy_cores = share(out.cpu_s, elapsed_s);
  out.cpu_share = share(out.busy_cores, out.cores);
  if (out.cpu_s && out.cores > 0 && elapsed_s > 0) {
    out.waiting_s = std::max(0.0, elapsed_s * out.cores - *out.cpu_s);
  }
  if (out.gpus_busy && out.gpus > 0) out.gpu_share = share(out.gpus_busy, out.gpus);
  out.memory_share = share(out.peak_mib, static_cast<double>(out.job.memory_mib()));
  out.power_w = share(out.energy_j, elapsed_s);
  const CounterFigure* instructions = counter_named(out, "PAPI_TOT_INS");
  const CounterFigure* cycles = counter_named(out, "PAPI_TOT_CYC");
  if (instructions != nullptr && cycles != nullptr && cycles->value > 0) {
    out.instructions_per_cycle = instructions->value / cycles->value;
  }
}

}  // namespace

JobEfficiency measure_efficiency(const pb::JobInfo& job, const pb::JobTelemetry* telemetry,
                                 WallMs now_ms) {
  JobEfficiency out;
  out.job = job;
  measure_time(job, now_ms, out);
  take_usage(job.usage(), out);
  take_reported(job.usage(), out);
  for (const pb::DeviceCount& device : job.devices_per_node()) {
    if (device.kind() == "gpu") out.gpus += std::max(0, device.count()) * out.nodes;
  }
  if (telemetry != nullptr && telemetry->attempt() != 0 && telemetry->attempt() != job.attempts()) {
    out.estranged = true;
  } else if (telemetry != nullptr && out.started) {
    out.telemetry_ms = telemetry->at_ms();
    take_figures(telemetry->figures(), out);
    take_named(telemetry->figures(), out);
    take_gpu_series(*telemetry, out);
    take_cpu_series(*telemetry, out);
    take_idle_nodes(*telemetry, out);
  }
  derive(out);
  return out;
}

bool was_crowded_out(const JobEfficiency& job) {
  if (!job.involuntary_switches || !job.cpu_share || *job.cpu_share > 0.8) return false;
  const double times = *job.involuntary_switches;
  // Of what it did in a while, not of the cores it holds: it may hold many that it never wanted.
  const double cpu_s = job.cpu_s.value_or(0), elapsed_s = job.elapsed_ms / 1000.0;
  const int tasks = std::max({1, job.job.tasks(), job.nodes});
  const double often = *job.busy_cores < 0.9 * tasks ? 20 : 100;  // the kernel's own need some
  return times > 10 * job.voluntary_switches.value_or(0) && times > often * cpu_s &&
         times > elapsed_s;
}

const pb::Figure* find_figure(const Figures& figures, const std::string& name) {
  for (const pb::Figure& figure : figures) {
    if (figure.name() == name && std::isfinite(figure.value())) return &figure;
  }
  return nullptr;
}

const pb::JobTelemetry* find_telemetry(const pb::ClientReply& reply, std::uint64_t job) {
  for (const pb::JobTelemetry& telemetry : reply.job_telemetry()) {
    if (telemetry.job() == job) return &telemetry;
  }
  return nullptr;
}

}  // namespace hyades
