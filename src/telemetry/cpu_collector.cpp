#include "telemetry/cpu_collector.hpp"

#include "telemetry/fields.hpp"

namespace hyades {
namespace {

constexpr std::size_t time_metrics = 5;
constexpr std::size_t load_metrics = 2;

Metric gauge(const char* name, const char* unit, double resolution) {
  Metric metric;
  metric.name = name;
  metric.unit = unit;
  metric.of = MetricClass::Compute;
  metric.resolution = resolution;
  return metric;
}

}  // namespace

CpuCollector::CpuCollector(const std::string& root)
    : times_(root), load_(root + "/proc/loadavg"), pressure_(root, "cpu") {
  // With another one, so that the first sample does not tell of the time since now.
  CpuTimes look_only(root);
  CpuShares shares;
  has_times_ = look_only.look(shares) != CpuTimes::Answer::Trouble;
  if (has_times_) {
    for (const char* name : {"cpu.busy", "cpu.user", "cpu.system", "cpu.iowait", "cpu.steal"}) {
      metrics_.push_back(gauge(name, "%", 0.1));
    }
  }
  add_trouble(trouble_, look_only.why());
  double load = 0;
  double running = 0;
  has_load_ = read_load(load, running);
  if (has_load_) {
    metrics_.push_back(gauge("cpu.load1", "count", 0.01));
    metrics_.push_back(gauge("cpu.running", "count", 1));
  }
  double percent = 0;
  has_pressure_ = pressure_.read(percent);
  if (has_pressure_) metrics_.push_back(gauge("cpu.pressure", "%", 0.01));
  add_trouble(trouble_, pressure_.why());
}

void CpuCollector::sample(std::vector<double>& values) {
  values.assign(metrics_.size(), kNoReading);
  trouble_.clear();
  double* next = values.data();
  if (has_times_) {
    sample_times(next);
    next += time_metrics;
  }
  if (has_load_) {
    if (!read_load(next[0], next[1])) next[0] = next[1] = kNoReading;
    next += load_metrics;
  }
  if (has_pressure_ && !pressure_.read(*next)) add_trouble(trouble_, pressure_.why());
}

void CpuCollector::sample_times(double* values) {
  CpuShares shares;
  const CpuTimes::Answer answer = times_.look(shares);
  if (answer == CpuTimes::Answer::Trouble) add_trouble(trouble_, times_.why());
  if (answer != CpuTimes::Answer::Shares) return;
  values[0] = shares.busy();
  values[1] = shares.user;
  values[2] = shares.system;
  values[3] = shares.iowait;
  values[4] = shares.steal;
}

// "0.74 3.06 3.11 3/116 14490": the mean number of tasks that ran or waited to in the last minute,
// and of those that do now, this one among them.
bool CpuCollector::read_load(double& load, double& running) {
  if (!load_.read()) return add_trouble(trouble_, load_.why()), false;
  std::string_view text = load_.text();
  const std::string_view first = next_word(text);
  next_word(text);
  next_word(text);
  const std::string_view tasks = next_word(text);
  std::uint64_t count = 0;
  if (parse_decimal(first, load) && load >= 0 && !next_word(text).empty() &&
      parse_count(tasks.substr(0, tasks.find('/')), count)) {
    running = static_cast<double>(count);
    return true;
  }
  return add_trouble(trouble_, load_.path() + ": no load in it"), false;
}

}  // namespace hyades
