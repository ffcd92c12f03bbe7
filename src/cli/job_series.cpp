#include "cli/job_series.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hyades {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
// More than a year of minutes is a mistake of the sender's, and would be a burden to us.
constexpr std::int64_t kStepsAtMost = 600'000;

struct Heap {
  double total = 0;
  double most = -std::numeric_limits<double>::infinity();
  int count = 0;

  void add(double value) {
    if (!std::isfinite(value)) return;
    total += value;
    most = std::max(most, value);
    ++count;
  }
  double value(Together how) const {
    if (count == 0) return kUnknown;
    if (how == Together::Most) return most;
    return how == Together::Mean ? total / count : total;
  }
};

std::vector<Series> all_of(const pb::JobTelemetry& telemetry, const std::string& name) {
  std::vector<Series> list;
  for (const pb::JobTelemetryNode& node : telemetry.nodes()) {
    for (const pb::JobSeries& one : node.series()) {
      if (one.name() != name) continue;
      Series series = read_series(one);
      if (!series.empty()) list.push_back(std::move(series));
    }
  }
  return list;
}

// The grid of the coarsest series that holds them all.
Series frame_of(const std::vector<Series>& parts) {
  Series frame = {.name = parts[0].name,
                  .unit = parts[0].unit,
                  .from_ms = parts[0].from_ms,
                  .step_ms = parts[0].step_ms,
                  .mean = {},
                  .most = {}};
  WallMs until_ms = parts[0].until_ms();
  for (const Series& part : parts) {
    frame.from_ms = std::min(frame.from_ms, part.from_ms);
    frame.step_ms = std::max(frame.step_ms, part.step_ms);
    until_ms = std::max(until_ms, part.until_ms());
  }
  const std::int64_t span_ms = until_ms - frame.from_ms;
  frame.step_ms = std::max(frame.step_ms, span_ms / kStepsAtMost + 1);
  const std::int64_t steps = (span_ms + frame.step_ms - 1) / frame.step_ms;
  frame.mean.assign(static_cast<std::size_t>(steps), kUnknown);
  frame.most = frame.mean;
  return frame;
}

// One node's values on that grid.
Series on_grid(const Series& part, const Series& frame) {
  std::vector<Heap> mean(frame.mean.size()), most(frame.mean.size());
  for (std::size_t i = 0; i < part.mean.size(); ++i) {
    const WallMs at_ms = part.from_ms + part.step_ms * static_cast<std::int64_t>(i);
    const std::size_t slot = static_cast<std::size_t>((at_ms - frame.from_ms) / frame.step_ms);
    mean[slot].add(part.mean[i]);
    most[slot].add(part.most[i]);
  }
  Series out = frame;
  for (std::size_t i = 0; i < mean.size(); ++i) {
    out.mean[i] = mean[i].value(Together::Mean);
    out.most[i] = most[i].value(Together::Most);
  }
  return out;
}

}  // namespace

Series read_series(const pb::JobSeries& in) {
  Series out = {.name = in.name(),
                .unit = in.unit(),
                .from_ms = in.from_ms(),
                .step_ms = in.step_ms(),
                .mean = {},
                .most = {}};
  constexpr std::int64_t day_ms = 24 * 3600 * 1000;
  const bool sound = in.step_ms() > 0 && in.step_ms() <= day_ms && in.from_ms() >= 0 &&
                     in.from_ms() < (std::int64_t{1} << 53) && in.mean_size() == in.most_size() &&
                     in.mean_size() <= kStepsAtMost;
  if (!sound) return out;
  const auto number = [](float value) { return std::isfinite(value) ? double{value} : kUnknown; };
  for (const float value : in.mean()) out.mean.push_back(number(value));
  for (const float value : in.most()) out.most.push_back(number(value));
  return out;
}

std::vector<std::string> series_names(const pb::JobTelemetry& telemetry) {
  std::vector<std::string> names;
  for (const pb::JobTelemetryNode& node : telemetry.nodes()) {
    for (const pb::JobSeries& series : node.series()) {
      if (std::find(names.begin(), names.end(), series.name()) == names.end()) {
        names.push_back(series.name());
      }
    }
  }
  return names;
}

Together together_of(const std::string& name) {
  if (name == "job.memory" || name == "job.memory_peak") return Together::Most;
  if (name.starts_with("app.")) return Together::First;
  return name.ends_with(".utilization") ? Together::Mean : Together::Sum;
}

Series merge_series(const pb::JobTelemetry& telemetry, const std::string& name) {
  std::vector<Series> parts = all_of(telemetry, name);
  if (parts.empty()) return {};
  const Together how = together_of(name);
  if (how == Together::First) parts.resize(1);
  Series out = frame_of(parts);
  std::vector<Heap> mean(out.mean.size()), most(out.mean.size());
  for (const Series& part : parts) {
    const Series aligned = on_grid(part, out);
    for (std::size_t i = 0; i < mean.size(); ++i) {
      mean[i].add(aligned.mean[i]);
      most[i].add(aligned.most[i]);
    }
  }
  for (std::size_t i = 0; i < mean.size(); ++i) {
    out.mean[i] = mean[i].value(how);
    out.most[i] = most[i].value(how);
  }
  return out;
}

Series thin_series(const Series& series, std::size_t points) {
  if (points == 0 || series.mean.size() <= points) return series;
  const std::size_t each = (series.mean.size() + points - 1) / points;
  Series out = {.name = series.name,
                .unit = series.unit,
                .from_ms = series.from_ms,
                .step_ms = series.step_ms * static_cast<std::int64_t>(each),
                .mean = {},
                .most = {}};
  for (std::size_t begin = 0; begin < series.mean.size(); begin += each) {
    Heap mean, most;
    for (std::size_t i = begin; i < std::min(begin + each, series.mean.size()); ++i) {
      mean.add(series.mean[i]);
      most.add(series.most[i]);
    }
    out.mean.push_back(mean.value(Together::Mean));
    out.most.push_back(most.value(Together::Most));
  }
  return out;
}

}  // namespace hyades
