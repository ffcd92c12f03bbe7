#include "telemetry/telemetry_engine.hpp"

#include <algorithm>

namespace hyades {
namespace {

std::size_t minute_rows(std::size_t metrics, int minutes) {
  return metrics * static_cast<std::size_t>(std::max(minutes, 1));
}

bool contains(const std::vector<MetricClass>& classes, MetricClass of) {
  return std::find(classes.begin(), classes.end(), of) != classes.end();
}

void note_trouble(CollectorState& state, const std::string& trouble, WallMs now_ms) {
  state.trouble = trouble;
  if (trouble.empty()) return;
  ++state.troubles;
  state.last_trouble = trouble;
  state.last_trouble_ms = now_ms;
}

}  // namespace

TelemetryEngine::TelemetryEngine(std::vector<std::unique_ptr<Collector>> collectors,
                                 EngineOptions options)
    : options_(std::move(options)), minutes_(0, 0) {
  for (auto& collector : collectors) adopt(std::move(collector));
  const std::size_t share = options_.ring_bytes / std::max<std::size_t>(metrics_.size(), 1);
  for (const Metric& metric : metrics_) {
    const auto retention_ms = options_.retention_ms[static_cast<std::size_t>(metric.of)];
    tracks_.push_back({DeltaRing(metric.resolution, share, retention_ms),
                       CounterRate(metric.wraps_at), kNoReading, kNoReading, std::nullopt});
  }
  minutes_ = MinuteRollup(metrics_.size(), minute_rows(metrics_.size(), options_.minutes_kept));
}

void TelemetryEngine::adopt(std::unique_ptr<Collector> collector) {
  CollectorState state;
  state.name = collector->name();
  state.trouble = state.last_trouble = collector->trouble();
  Source source;
  for (const Metric& metric : collector->metrics()) {
    if (!numbers_.emplace(metric.name, metrics_.size()).second) {
      state.last_trouble =
          "another source has a metric " + metric.name + ", too; this one is not kept";
      ++state.troubles;
      source.metrics.push_back(std::nullopt);
      continue;
    }
    source.metrics.push_back(metrics_.size());
    metrics_.push_back(metric);
    ++state.metrics;
    state.has[static_cast<std::size_t>(metric.of)] = true;
  }
  source.collector = std::move(collector);
  sources_.push_back(std::move(source));
  states_.push_back(std::move(state));
}

bool TelemetryEngine::has(MetricClass of) const {
  return std::any_of(metrics_.begin(), metrics_.end(),
                     [&](const Metric& metric) { return metric.of == of; });
}

// Those of `classes` of which the source has metrics.
std::vector<MetricClass> TelemetryEngine::wanted_of(const Source& source,
                                                    const std::vector<MetricClass>& classes) const {
  std::vector<MetricClass> wanted;
  for (const auto& metric : source.metrics) {
    if (!metric) continue;
    const MetricClass of = metrics_[*metric].of;
    if (contains(classes, of) && !contains(wanted, of)) wanted.push_back(of);
  }
  return wanted;
}

// The CPU time that it cost. The values are then in values_.
std::int64_t TelemetryEngine::look(std::size_t number, const Now& now) {
  Source& source = sources_[number];
  CollectorState& state = states_[number];
  const std::int64_t begin_us = options_.cpu_us ? options_.cpu_us() : 0;
  source.collector->sample(values_);
  std::int64_t cost_us = options_.cpu_us ? options_.cpu_us() - begin_us : 0;
  const std::int64_t elsewhere_us = source.collector->cpu_elsewhere_us();
  cost_us += elsewhere_us - source.cpu_elsewhere_us;
  source.cpu_elsewhere_us = elsewhere_us;
  values_.resize(source.metrics.size(), kNoReading);
  ++state.samples;
  state.cpu_us += cost_us;
  note_trouble(state, source.collector->trouble(), now.wall_ms);
  return cost_us;
}

TelemetryEngine::Costs TelemetryEngine::run(const std::vector<MetricClass>& classes,
                                            const Now& now) {
  Costs costs{};
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const std::vector<MetricClass> wanted = wanted_of(sources_[i], classes);
    if (wanted.empty()) continue;
    const std::int64_t cost_us = look(i, now);
    for (MetricClass of : wanted) {
      costs[static_cast<std::size_t>(of)] += cost_us / static_cast<std::int64_t>(wanted.size());
    }
    for (std::size_t value = 0; value < values_.size(); ++value) {
      const auto& metric = sources_[i].metrics[value];
      if (metric && contains(wanted, metrics_[*metric].of)) keep(*metric, values_[value], now);
    }
  }
  return costs;
}

std::int64_t TelemetryEngine::run_class(MetricClass of, const Now& now) {
  return run({of}, now)[static_cast<std::size_t>(of)];
}

void TelemetryEngine::keep(std::size_t metric, double value, const Now& now) {
  Track& track = tracks_[metric];
  // What cannot be kept is a gap everywhere, so that the minutes and the ring tell the same.
  const std::uint64_t refused = track.ring.refused();
  track.ring.push({now.wall_ms, value});
  track.value = track.ring.refused() == refused ? value : kNoReading;
  track.looked_ms = now.boot_ms;
  if (metrics_[metric].behavior == Behavior::Gauge) {
    minutes_.add(metric, now.wall_ms, track.value);
    return;
  }
  const CounterStep step = track.rate.step(now.boot_ms, track.value);
  track.last_rate = step.rate();
  // The first reading makes no step, and is no gap either.
  if (step.seconds > 0 || !(track.value >= 0)) minutes_.add(metric, now.wall_ms, step);
}

// Of the readings since then, or the latest where that is none. A counter's rates are by the wall
// clock here, so one is off after the clock was set.
double TelemetryEngine::average_of(std::size_t metric, WallMs since_ms) const {
  const std::vector<Reading> readings = tracks_[metric].ring.since(since_ms).readings;
  const bool is_gauge = metrics_[metric].behavior == Behavior::Gauge;
  Rollup rollup;
  if (is_gauge) {
    for (const Reading& reading : readings) rollup.add(reading.value);
  } else {
    CounterRate rate(metrics_[metric].wraps_at);
    for (const Reading& reading : readings) rollup.add(rate.step(reading.at_ms, reading.value));
  }
  if (rollup.summary().readings > 0) return rollup.summary().mean;
  return is_gauge ? tracks_[metric].value : tracks_[metric].last_rate;
}

LatestReading TelemetryEngine::latest_of(std::size_t number, const Now& now) const {
  const Metric& metric = metrics_[number];
  const Track& track = tracks_[number];
  LatestReading reading;
  reading.value = track.value;
  reading.rate = track.last_rate;
  reading.average = average_of(number, now.wall_ms - options_.average_ms);
  reading.unit = metric.unit;
  reading.of = metric.of;
  reading.behavior = metric.behavior;
  reading.modelled = metric.modelled;
  if (track.looked_ms) reading.age_ms = now.boot_ms - *track.looked_ms;
  return reading;
}

std::map<std::string, LatestReading> TelemetryEngine::latest(const Now& now) const {
  std::map<std::string, LatestReading> all;
  for (const auto& [name, number] : numbers_) {
    all.emplace_hint(all.end(), name, latest_of(number, now));
  }
  return all;
}

std::optional<LatestReading> TelemetryEngine::latest(const std::string& name,
                                                     const Now& now) const {
  const auto number = numbers_.find(name);
  if (number == numbers_.end()) return std::nullopt;
  return latest_of(number->second, now);
}

std::optional<Series> TelemetryEngine::history(const std::string& name, WallMs since_ms) const {
  const auto number = numbers_.find(name);
  if (number == numbers_.end()) return std::nullopt;
  return tracks_[number->second].ring.since(since_ms);
}

std::vector<MinuteRow> TelemetryEngine::take_minutes(const Now& now) {
  return minutes_.take(now.wall_ms);
}

std::size_t TelemetryEngine::ring_bytes() const {
  std::size_t bytes = 0;
  for (const Track& track : tracks_) bytes += track.ring.bytes();
  return bytes;
}

std::uint64_t TelemetryEngine::readings_refused() const {
  std::uint64_t refused = 0;
  for (const Track& track : tracks_) refused += track.ring.refused();
  return refused;
}

}  // namespace hyades
