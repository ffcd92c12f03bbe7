#include "telemetry/energy_meter.hpp"

#include <cmath>
#include <ctime>
#include <map>
#include <utility>

#include "telemetry/fields.hpp"

namespace hyades {
namespace {

// A package that took this much in which the platform took nothing shows that the platform's
// counter does not work.
constexpr double proves_it_dead_j = 5;
constexpr double kept_joules = 0.01;
constexpr double kept_watts = 0.1;

bool starts_with(const std::string& text, std::string_view prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

Metric describe_metric(const char* name, const char* unit, bool modelled) {
  Metric metric;
  metric.name = name;
  metric.unit = unit;
  metric.of = MetricClass::Power;
  metric.behavior = metric.unit == "J" ? Behavior::Counter : Behavior::Gauge;
  metric.resolution = metric.unit == "J" ? kept_joules : kept_watts;
  metric.modelled = modelled;
  return metric;
}

std::string rounded(double value) { return std::to_string(std::lround(value)); }

}  // namespace

double EnergyMeter::monotonic_seconds() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void EnergyMeter::Source::look(std::string& trouble) {
  if (!collector) return;
  collector->sample(values);
  add_trouble(trouble, collector->trouble());
}

EnergyMeter::EnergyMeter(Sources sources, Clock clock)
    : rapl_{std::move(sources.rapl), {}},
      board_{std::move(sources.board), {}},
      gpus_{std::move(sources.gpus), {}},
      cpu_(std::move(sources.cpu)),
      model_(sources.model),
      clock_(std::move(clock)) {
  find_sums();
  find_gpus();
  choose();
  describe_metrics();
}

void EnergyMeter::find_sums() {
  if (rapl_.collector) {
    const std::vector<Metric>& metrics = rapl_.collector->metrics();
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      const std::string& name = metrics[i].name;
      if (name == "power.psys") platform_.add(metrics[i], i);
      if (starts_with(name, "power.package") || starts_with(name, "power.dram")) {
        packages_.add(metrics[i], i);
      }
    }
  }
  if (!board_.collector) return;
  const std::vector<Metric>& metrics = board_.collector->metrics();
  for (std::size_t i = 0; i < metrics.size() && board_sum_.empty(); ++i) {
    if (metrics[i].unit == "W") board_sum_.add(metrics[i], i);
  }
}

void EnergyMeter::find_gpus() {
  if (!gpus_.collector) return;
  const std::vector<Metric>& metrics = gpus_.collector->metrics();
  std::map<std::string, std::size_t> best;  // of each device
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    const std::string& name = metrics[i].name;
    const std::string device = name.substr(0, name.find('.'));
    if (name == device + ".energy") best[device] = i;
    if (name == device + ".power") best.try_emplace(device, i);
  }
  for (const auto& [device, place] : best) {
    EnergySum sum;
    if (sum.add(metrics[place], place)) gpu_sums_.push_back(std::move(sum));
  }
}

void EnergyMeter::choose() {
  if (!platform_.empty()) {
    choice_ = Choice::Platform;
  } else if (!packages_.empty()) {
    choice_ = Choice::Packages;
  } else if (!board_sum_.empty()) {
    choice_ = Choice::Board;
  } else if (cpu_ && model_.is_stated()) {
    choice_ = Choice::Model;
  }
  // What is not used costs nothing.
  if (choice_ != Choice::Platform && choice_ != Choice::Packages) rapl_.collector.reset();
  if (choice_ != Choice::Board) board_.collector.reset();
  if (gpu_sums_.empty()) gpus_.collector.reset();
}

void EnergyMeter::describe_metrics() {
  const bool modelled = choice_ == Choice::Model;
  if (choice_ != Choice::None) {
    metrics_.push_back(describe_metric("energy.node", "J", modelled));
    metrics_.push_back(describe_metric("power.node", "W", modelled));
  }
  if (!gpu_sums_.empty()) metrics_.push_back(describe_metric("energy.gpus", "J", false));
  if (choice_ == Choice::None) trouble_ = describe();
}

std::string EnergyMeter::describe() const {
  std::string text;
  switch (choice_) {
    case Choice::None:
      return "the node's energy is not known: it has no energy counter that can be read, and no "
             "power model is configured";
    case Choice::Platform:
      return "measured: the platform's own counter (RAPL psys)";
    case Choice::Board:
      return "measured: the board's power meter (hwmon)";
    case Choice::Packages:
      text = "measured: processors and their memory (RAPL); boards, disks and fans are not in it";
      break;
    case Choice::Model:
      text = "modelled, not measured: " + rounded(model_.idle_w) + " W idle to " +
             rounded(model_.peak_w) + " W busy, by the processors' use";
      break;
  }
  if (gpu_sums_.empty()) return text;
  return text + "; plus " + std::to_string(gpu_sums_.size()) + " GPUs, measured (NVML)";
}

double EnergyMeter::host_step(double now_s) {
  rapl_.look(trouble_);
  board_.look(trouble_);
  switch (choice_) {
    case Choice::None:
      break;
    case Choice::Platform:
      return platform_step(now_s);
    case Choice::Packages:
      return packages_.step(rapl_.values, now_s, trouble_);
    case Choice::Board:
      return board_sum_.step(board_.values, now_s, trouble_);
    case Choice::Model:
      return model_step(now_s);
  }
  return kNoReading;
}

double EnergyMeter::platform_step(double now_s) {
  const double platform = platform_.step(rapl_.values, now_s, trouble_);
  if (platform > 0) platform_moved_ = true;
  if (platform_moved_ || packages_.empty()) return platform;
  std::string ignored;
  const double packages = packages_.step(rapl_.values, now_s, ignored);
  if (!std::isnan(packages)) beside_platform_j_ += packages;
  if (beside_platform_j_ < proves_it_dead_j) return platform;
  add_trouble(trouble_, "the platform's energy counter stands still; the packages' are used");
  choice_ = Choice::Packages;
  return beside_platform_j_;
}

double EnergyMeter::model_step(double now_s) {
  CpuShares shares;
  const CpuTimes::Answer answer = cpu_->look(shares);
  if (answer == CpuTimes::Answer::Trouble) add_trouble(trouble_, cpu_->why());
  double joules = kNoReading;
  if (std::isnan(modelled_until_s_) && answer == CpuTimes::Answer::NotYet) joules = 0;
  if (answer == CpuTimes::Answer::Shares) {
    joules = model_.watts(shares.busy()) * (now_s - modelled_until_s_);
  }
  if (!std::isnan(joules)) modelled_until_s_ = now_s;
  return joules;
}

void EnergyMeter::add_gpu_steps(double now_s) {
  gpus_.look(trouble_);
  for (EnergySum& gpu : gpu_sums_) {
    const double joules = gpu.step(gpus_.values, now_s, trouble_);
    if (std::isnan(joules)) continue;
    gpus_j_ += joules;
    gpus_pending_j_ += joules;
  }
}

void EnergyMeter::sample(std::vector<double>& values) {
  values.assign(metrics_.size(), kNoReading);
  trouble_.clear();
  const double now_s = clock_();
  double host = host_step(now_s);
  add_gpu_steps(now_s);
  if (!gpu_sums_.empty()) values.back() = gpus_j_;
  if (choice_ == Choice::None || std::isnan(host)) return;
  if (adds_gpus()) host += std::exchange(gpus_pending_j_, 0);
  node_j_ += host;
  values[0] = node_j_;
  if (now_s > known_until_s_) values[1] = host / (now_s - known_until_s_);
  known_until_s_ = now_s;
}

}  // namespace hyades
