#include "worker/sampler.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>

#include "telemetry/clocks.hpp"
#include "telemetry/energy_share.hpp"

namespace hyades {

namespace {

// Every job is looked at so often, at the least: processes are many, and the kernel counts what
// they use whether somebody looks or not.
constexpr int kJobPeriod_ms = 1000;
constexpr int kComponentsEvery = 5;  // reports
constexpr int kSeriesEvery = 10;     // likewise, of jobs that run
// What a driver said of GPUs' processes is of use for so long, and two periods.
constexpr BootMs kGpuAnswerMax_ms = 10'000;
constexpr double kPpm = 1e-6;
constexpr const char* kMonitoring = "monitoring";
constexpr const char* kEnergySource = "energy";
constexpr const char* kEnergy = "energy.node";
constexpr const char* kBusy = "cpu.busy";

double resident_mib() {
  std::ifstream statm("/proc/self/statm");
  double size = 0, resident = kNoReading;
  statm >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

EngineOptions engine_options(const TelemetrySettings& settings) {
  EngineOptions options;
  options.ring_bytes = static_cast<std::size_t>(settings.ring_mib) << 20;
  options.retention_ms.fill(settings.retention_s * WallMs{1000});
  options.average_ms = settings.report_ms;
  options.cpu_us = thread_cpu_us;
  return options;
}

SamplingOptions plan_options(const TelemetrySettings& settings) {
  return {.period_ms = settings.period_ms,
          .idle_stretch = settings.idle_factor,
          .budget_share = settings.budget_ppm * kPpm};
}

// As people want it: what a counter grows by in a second.
Figure figure_of(const std::string& name, const LatestReading& reading) {
  const bool counter = reading.behavior == Behavior::Counter;
  double value = reading.average;
  if (std::isnan(value)) value = counter ? reading.rate : reading.value;
  return {name, counter ? rate_unit(reading.unit) : reading.unit, value, reading.modelled};
}

}  // namespace

Sampler::Sampler(SamplerNode node, FoundCollectors found, const TelemetrySettings& settings,
                 const Now& now)
    : node_(std::move(node)),
      settings_(settings),
      missing_(std::move(found.missing)),
      energy_source_(std::move(found.energy_source)),
      engine_(std::move(found.collectors), engine_options(settings)),
      plan_(plan_options(settings), now.boot_ms),
      jobs_(node_.spool_directory),
      gpus_(std::move(found.gpu_processes)),
      jobs_due_ms_(now.boot_ms),
      report_due_ms_(now.boot_ms + settings.report_ms),
      reported_wall_ms_(now.wall_ms) {}

void Sampler::configure(const TelemetrySettings& settings, const Now& now) {
  settings_ = settings;
  plan_ = SamplingPlan(plan_options(settings), now.boot_ms);
  plan_.set_busy(!jobs_.empty(), now.boot_ms);
}

BootMs Sampler::next_turn_ms() const {
  return std::min({plan_.next_wake_ms(), jobs_due_ms_, report_due_ms_});
}

void Sampler::turn(const Now& now, std::vector<TelemetryReport>& out) {
  const std::vector<MetricClass> due = plan_.due(now.boot_ms);
  const std::int64_t begin_us = thread_cpu_us();
  const TelemetryEngine::Costs costs = engine_.run(due, now);
  // With its part of what the wake-up itself took.
  const std::int64_t looked_us = std::accumulate(costs.begin(), costs.end(), std::int64_t{0});
  const std::int64_t wake_us = std::max<std::int64_t>(0, thread_cpu_us() - begin_us - looked_us);
  for (const MetricClass of : due) {
    const std::int64_t cost_us = costs[static_cast<std::size_t>(of)];
    plan_.spent(of, cost_us + wake_us / static_cast<std::int64_t>(due.size()), now.boot_ms);
  }
  if (now.boot_ms >= jobs_due_ms_) look_at_jobs(now);
  add_minutes(now, out);
  for (const JobMeter& ended : jobs_.take_ended()) {
    TelemetryReport last{.from_ms = now.wall_ms, .until_ms = now.wall_ms};
    last.jobs.push_back({ended.page().key, ended.figures()});
    last.series = ended.series();
    out.push_back(std::move(last));
  }
  if (now.boot_ms < report_due_ms_) return;
  out.push_back(report(now));
  // A node on which nothing happens has little to tell.
  report_due_ms_ = now.boot_ms + settings_.report_ms * (jobs_.empty() ? settings_.idle_factor : 1);
}

void Sampler::look_at_jobs(const Now& now) {
  const std::int64_t begin_us = thread_cpu_us();
  jobs_.look(now);
  const int period_ms = settings_.period_ms[static_cast<std::size_t>(MetricClass::Application)];
  gpus_.look(engine_, jobs_.running(), kGpuAnswerMax_ms + 2 * period_ms, now);
  const bool was_busy = plan_.is_busy();
  plan_.set_busy(!jobs_.empty(), now.boot_ms);
  if (!was_busy && plan_.is_busy()) {
    report_due_ms_ = std::min(report_due_ms_, now.boot_ms + settings_.report_ms);
  }
  share_energy_out(now);
  ++job_looks_;
  job_troubles_ += jobs_.trouble().empty() ? 0 : 1;
  const std::int64_t cost_us = thread_cpu_us() - begin_us;
  job_cpu_us_ += cost_us;
  // Within the budget as well: half of it, at the most.
  const double budget_us = settings_.budget_ppm * kPpm / 2 * kJobPeriod_ms * 1000;
  const double stretch = std::max(1.0, static_cast<double>(cost_us) / budget_us);
  job_period_ms_ = static_cast<int>(kJobPeriod_ms * std::min(stretch, 60.0));
  jobs_due_ms_ = now.boot_ms + job_period_ms_;
}

void Sampler::share_energy_out(const Now& now) {
  const auto energy = engine_.latest(kEnergy, now);
  if (!energy || std::isnan(energy->value)) return;
  const auto busy = engine_.latest(kBusy, now);
  const double elapsed_s = static_cast<double>(now.boot_ms - energy_.at_ms) / 1e3;
  const double joules = energy->value - energy_.joules;
  const bool first = energy_.at_ms == 0;
  // Not read since the last look: what it says next time is of all the time until then.
  if (!first && joules == 0) return;
  energy_ = {.at_ms = now.boot_ms, .joules = energy->value};
  if (first || joules < 0 || elapsed_s <= 0 || !busy) return;
  const double processors = static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
  const double gpu_joules = gpus_.take_joules();
  const double rest = std::max(joules - gpu_joules, 1e-9);
  NodeUse node{.joules = joules,
               .idle_share = std::min(1.0, node_.idle_watts * elapsed_s / rest),
               .cpu_seconds = busy->average / 100 * processors * elapsed_s,
               .cores = static_cast<double>(node_.cores),
               .gpu_joules = gpu_joules};
  for (auto& [key, meter] : jobs_.running()) {
    node.jobs.push_back({.cpu_seconds = meter.take_cpu_s(),
                         .cores = static_cast<double>(meter.page().cores),
                         .gpu_joules = meter.take_gpu_joules()});
  }
  const EnergyShares shares = share_energy(node);
  std::size_t i = 0;
  for (auto& [key, meter] : jobs_.running()) {
    meter.add_energy(shares.jobs_joules[i++], elapsed_s, energy->modelled, now);
  }
}

void Sampler::add_minutes(const Now& now, std::vector<TelemetryReport>& out) {
  TelemetryReport minute{.whole_minute = true};
  const auto flush = [&] {
    if (!minute.node.empty()) out.push_back(std::move(minute));
    minute = {.whole_minute = true};
  };
  for (const MinuteRow& row : engine_.take_minutes(now)) {
    if (row.minute_ms != minute.from_ms) flush();
    minute.from_ms = row.minute_ms;
    minute.until_ms = row.minute_ms + 60'000;
    const Metric& metric = engine_.metrics()[row.metric];
    const bool counter = metric.behavior == Behavior::Counter;
    const std::string unit = counter ? rate_unit(metric.unit) : metric.unit;
    const auto add = [&](const std::string& name, double value) {
      if (std::isfinite(value)) minute.node.push_back({name, unit, value, metric.modelled});
    };
    add(metric.name, counter ? row.summary.mean : by_class(row.summary, metric));
    if (metric.of == MetricClass::Compute) add(metric.name + ".max", row.summary.max);
  }
  flush();
}

TelemetryReport Sampler::report(const Now& now) {
  TelemetryReport report{.from_ms = reported_wall_ms_, .until_ms = now.wall_ms};
  reported_wall_ms_ = now.wall_ms;
  for (const auto& [name, reading] : engine_.latest(now)) {
    Figure figure = figure_of(name, reading);
    if (std::isfinite(figure.value)) report.node.push_back(std::move(figure));
  }
  for (const auto& [key, meter] : jobs_.running()) report.jobs.push_back({key, meter.figures()});
  if (reports_ % kSeriesEvery == 0) {
    for (const auto& [key, meter] : jobs_.running()) {
      for (JobSeries& series : meter.series()) report.series.push_back(std::move(series));
    }
  }
  if (reports_ % kComponentsEvery == 0) report.components = components();
  ++reports_;
  return report;
}

std::vector<ComponentState> Sampler::components() const {
  std::vector<ComponentState> all;
  for (const CollectorState& state : engine_.state()) all.push_back(component_of(state));
  for (const MissingSource& missing : missing_) {
    all.push_back({.name = missing.name, .layer = kMonitoring, .text = missing.why});
  }
  all.push_back({.name = "jobs",
                 .layer = kMonitoring,
                 .running = true,
                 .samples = job_looks_,
                 .troubles = job_troubles_,
                 .cpu_ms = static_cast<double>(job_cpu_us_) / 1e3,
                 .period_ms = job_period_ms_,
                 .text = jobs_.words()});
  all.push_back(sampling_component());
  return all;
}

ComponentState Sampler::component_of(const CollectorState& state) const {
  ComponentState component{.name = state.name,
                           .layer = kMonitoring,
                           .running = state.metrics > 0,
                           .samples = state.samples,
                           .troubles = state.troubles,
                           .cpu_ms = static_cast<double>(state.cpu_us) / 1e3,
                           .text = state.trouble};
  for (int i = 0; i < kMetricClasses; ++i) {
    const int period_ms = plan_.period_ms(static_cast<MetricClass>(i));
    if (!state.has[static_cast<std::size_t>(i)] || period_ms == 0) continue;
    const int others_ms = component.period_ms;
    component.period_ms = others_ms == 0 ? period_ms : std::min(period_ms, others_ms);
  }
  if (!component.text.empty()) return component;
  component.text = std::to_string(state.metrics) + " metrics";
  if (state.name == kEnergySource && !energy_source_.empty()) {
    component.text += "; " + energy_source_;
  }
  return component;
}

// All of this process, and what the periods are now.
ComponentState Sampler::sampling_component() const {
  ComponentState component{.name = "sampling",
                           .layer = kMonitoring,
                           .running = true,
                           .samples = static_cast<std::uint64_t>(reports_),
                           .cpu_ms = static_cast<double>(process_cpu_us()) / 1e3};
  const auto add = [&](const std::string& name, const std::string& unit, double value) {
    if (std::isfinite(value)) component.figures.push_back({name, unit, value});
  };
  add("memory", "MiB", resident_mib());
  add("rings", "bytes", static_cast<double>(engine_.ring_bytes()));
  add("share", "%", 100 * plan_.share());
  add("missed", "count", static_cast<double>(plan_.missed()));
  for (const auto& [of, word] : metric_class_words) {
    if (engine_.has(of)) add("period." + std::string(word), "ms", plan_.period_ms(of));
  }
  if (plan_.budget_stretch() > 1) {
    component.text = "periods are " + std::to_string(plan_.budget_stretch()) +
                     " times as long as configured, to keep within budget_ppm";
  } else if (!plan_.is_busy() && settings_.idle_factor > 1) {
    component.text = "no job runs: periods are " + std::to_string(settings_.idle_factor) +
                     " times as long as configured";
  }
  return component;
}

}  // namespace hyades
