#include "telemetry/frequency_collector.hpp"

#include <algorithm>

#include "telemetry/fields.hpp"

namespace hyades {
namespace {

constexpr std::size_t long_table = 4 * 1024 * 1024;  // some KiB for each of hundreds of processors
constexpr double khz_per_mhz = 1000;
constexpr double most_mhz = 20'000;

bool is_processor(const std::string& name) {
  std::uint64_t ignored = 0;
  return name.compare(0, 3, "cpu") == 0 && parse_count(std::string_view(name).substr(3), ignored);
}

}  // namespace

struct FrequencyCollector::Sum {
  double mhz = 0;
  double most = 0;
  int processors = 0;

  bool add(double one) {
    if (one <= 0 || one > most_mhz) return false;
    mhz += one;
    most = std::max(most, one);
    ++processors;
    return true;
  }
};

FrequencyCollector::FrequencyCollector(const std::string& root)
    : cpuinfo_(root + "/proc/cpuinfo", long_table) {
  const std::string directory = root + "/sys/devices/system/cpu";
  for (const std::string& processor : names_in(directory)) {
    if (!is_processor(processor)) continue;
    SourceFile file(directory + '/' + processor + "/cpufreq/scaling_cur_freq");
    if (file.read()) cpufreq_.push_back(std::move(file));
  }
  Sum sum;
  if (!cpufreq_.empty()) read_cpufreq(sum);
  if (sum.processors == 0) {
    cpufreq_.clear();
    read_cpuinfo(sum);
  }
  if (sum.processors == 0) {
    add_trouble(trouble_, directory + ": no cpufreq");
    return;
  }
  for (const char* name : {"cpu.frequency_mean", "cpu.frequency_max"}) {
    Metric metric;
    metric.name = name;
    metric.unit = "MHz";
    metric.of = MetricClass::Power;
    metrics_.push_back(metric);
  }
}

void FrequencyCollector::read_cpufreq(Sum& sum) {
  for (SourceFile& file : cpufreq_) {
    // A processor that was taken offline says nothing; it does not run at 0 MHz.
    if (!file.read()) continue;
    std::uint64_t khz = 0;
    if (!parse_count(only_line(file.text()), khz) ||
        !sum.add(static_cast<double>(khz) / khz_per_mhz)) {
      add_trouble(trouble_, file.path() + ": not a frequency");
    }
  }
  if (sum.processors == 0) add_trouble(trouble_, "no processor says how fast it runs");
}

void FrequencyCollector::read_cpuinfo(Sum& sum) {
  if (!cpuinfo_.read()) return add_trouble(trouble_, cpuinfo_.why());
  std::string_view text = cpuinfo_.text();
  std::string_view line;
  const std::string_view key = "cpu MHz";
  while (next_line(text, line)) {
    if (line.substr(0, key.size()) != key) continue;
    line.remove_prefix(std::min(line.size(), line.find(':') + 1));
    double mhz = 0;
    if (!parse_decimal(next_word(line), mhz) || !sum.add(mhz)) {
      add_trouble(trouble_, cpuinfo_.path() + ": not a frequency");
    }
  }
  if (sum.processors == 0) add_trouble(trouble_, cpuinfo_.path() + ": no frequency in it");
}

void FrequencyCollector::sample(std::vector<double>& values) {
  values.assign(metrics_.size(), kNoReading);
  trouble_.clear();
  if (metrics_.empty()) return;
  Sum sum;
  if (cpufreq_.empty()) read_cpuinfo(sum);
  if (!cpufreq_.empty()) read_cpufreq(sum);
  if (sum.processors == 0) return;
  values[0] = sum.mhz / sum.processors;
  values[1] = sum.most;
}

}  // namespace hyades
