#include "telemetry/memory_collector.hpp"

#include <unistd.h>

#include <string_view>

#include "telemetry/fields.hpp"

namespace hyades {
namespace {

constexpr double kib_per_mib = 1024;
constexpr std::size_t size_metrics = 5;

struct CounterLine {
  const char* key;  // in /proc/vmstat
  const char* metric;
  bool in_pages;
};
constexpr CounterLine counter_lines[] = {{"pgmajfault ", "memory.major_faults", false},
                                         {"pswpin ", "memory.swapped_in", true},
                                         {"pswpout ", "memory.swapped_out", true},
                                         {"oom_kill ", "memory.oom_kills", false}};

double mib_per_page() {
  static const double mib = static_cast<double>(sysconf(_SC_PAGESIZE)) / (1024 * 1024);
  return mib;
}

Metric describe(const char* name, const char* unit, Behavior behavior) {
  Metric metric;
  metric.name = name;
  metric.unit = unit;
  metric.of = MetricClass::Memory;
  metric.behavior = behavior;
  return metric;
}

}  // namespace

struct MemoryCollector::Sizes {
  double total = 0;
  double available = 0;
  double cached = 0;
  double swap_used = 0;
};

MemoryCollector::MemoryCollector(const std::string& root)
    : meminfo_(root + "/proc/meminfo"), vmstat_(root + "/proc/vmstat"), pressure_(root, "memory") {
  Sizes sizes;
  has_sizes_ = read_sizes(sizes);
  if (has_sizes_) {
    for (const char* name :
         {"memory.total", "memory.available", "memory.used", "memory.cached", "memory.swap_used"}) {
      metrics_.push_back(describe(name, "MiB", Behavior::Gauge));
    }
  }
  const bool readable = vmstat_.read();
  for (std::size_t i = 0; readable && i < std::size(counter_lines); ++i) {
    const CounterLine& line = counter_lines[i];
    std::uint64_t count = 0;
    if (!count_after(vmstat_.text(), line.key, count)) continue;
    counters_.push_back(i);
    metrics_.push_back(describe(line.metric, line.in_pages ? "MiB" : "count", Behavior::Counter));
    if (line.in_pages) metrics_.back().resolution = mib_per_page();
  }
  add_trouble(trouble_, vmstat_.why());
  double percent = 0;
  has_pressure_ = pressure_.read(percent);
  if (has_pressure_) {
    metrics_.push_back(describe("memory.pressure", "%", Behavior::Gauge));
    metrics_.back().resolution = 0.01;
  }
  add_trouble(trouble_, pressure_.why());
}

// Caches are what the kernel gives back when it must, as free(1) counts them.
bool MemoryCollector::read_sizes(Sizes& sizes) {
  if (!meminfo_.read()) return add_trouble(trouble_, meminfo_.why()), false;
  std::uint64_t total = 0, available = 0, buffers = 0, cached = 0, slab = 0;
  std::uint64_t swap_total = 0, swap_free = 0;
  const std::string_view text = meminfo_.text();
  const bool good = count_after(text, "MemTotal:", total) &&
                    count_after(text, "MemAvailable:", available) &&
                    count_after(text, "Buffers:", buffers) && count_after(text, "Cached:", cached);
  // Without swap, or slabs, a kernel may leave these out.
  count_after(text, "SReclaimable:", slab);
  count_after(text, "SwapTotal:", swap_total);
  count_after(text, "SwapFree:", swap_free);
  if (!good || available > total || swap_free > swap_total) {
    add_trouble(trouble_, meminfo_.path() + (good ? ": more is free than there is"
                                                  : ": sizes are missing in it"));
    return false;
  }
  sizes.total = static_cast<double>(total) / kib_per_mib;
  sizes.available = static_cast<double>(available) / kib_per_mib;
  sizes.cached =
      (static_cast<double>(buffers) + static_cast<double>(cached) + static_cast<double>(slab)) /
      kib_per_mib;
  sizes.swap_used = static_cast<double>(swap_total - swap_free) / kib_per_mib;
  return true;
}

void MemoryCollector::sample(std::vector<double>& values) {
  values.assign(metrics_.size(), kNoReading);
  trouble_.clear();
  std::size_t at = 0;
  Sizes sizes;
  if (has_sizes_) {
    if (read_sizes(sizes)) {
      values[0] = sizes.total;
      values[1] = sizes.available;
      values[2] = sizes.total - sizes.available;
      values[3] = sizes.cached;
      values[4] = sizes.swap_used;
    }
    at = size_metrics;
  }
  if (!counters_.empty()) sample_counters(values.data() + at);
  at += counters_.size();
  if (has_pressure_ && !pressure_.read(values[at])) add_trouble(trouble_, pressure_.why());
}

void MemoryCollector::sample_counters(double* values) {
  if (!vmstat_.read()) return add_trouble(trouble_, vmstat_.why());
  for (std::size_t i = 0; i < counters_.size(); ++i) {
    const CounterLine& line = counter_lines[counters_[i]];
    std::uint64_t count = 0;
    if (count_after(vmstat_.text(), line.key, count)) {
      values[i] = static_cast<double>(count) * (line.in_pages ? mib_per_page() : 1);
    } else {
      add_trouble(trouble_, vmstat_.path() + ": no count for " + line.metric);
    }
  }
}

}  // namespace hyades
