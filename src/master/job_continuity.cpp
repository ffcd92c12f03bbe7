#include "master/job_continuity.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "wire/telemetry_codec.hpp"

namespace hyades {

namespace {

constexpr const char* kEnergy = "job.energy";
constexpr const char* kPeaks[] = {"job.memory_peak", "job.gpu.memory_peak"};
constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

using Figures = google::protobuf::RepeatedPtrField<pb::Figure>;

pb::Figure* find(Figures& figures, const char* name) {
  const auto found = std::find_if(figures.begin(), figures.end(),
                                  [&](const pb::Figure& figure) { return figure.name() == name; });
  return found == figures.end() ? nullptr : &*found;
}

// `before` is what was told last, with what was carried already.
void carry_energy(const pb::Figure& before, Figures& now, double& carried) {
  pb::Figure* const energy = find(now, kEnergy);
  if (energy == nullptr) {  // a new sampler that has not read its meter twice
    *now.Add() = before;
    return;
  }
  if (energy->value() < before.value() - carried) carried = before.value();
  energy->set_value(carried + energy->value());
  energy->set_modelled(energy->modelled() || before.modelled());
}

struct Stretch {
  float mean = kUnknown;
  float most = kUnknown;
};

// What `series` says of that time since its beginning.
Stretch look_up(const pb::JobSeries& series, std::int64_t from_ms, std::int64_t until_ms) {
  Stretch found;
  double sum = 0;
  int count = 0;
  const std::int64_t first = from_ms / series.step_ms();
  const std::int64_t last = (until_ms - 1) / series.step_ms();
  for (std::int64_t i = first; i <= last && i < series.mean_size(); ++i) {
    const float mean = series.mean(static_cast<int>(i));
    if (std::isnan(mean)) continue;
    sum += mean;
    ++count;
    if (i < series.most_size())
      found.most = std::fmax(found.most, series.most(static_cast<int>(i)));
  }
  if (count > 0) found.mean = static_cast<float>(sum / count);
  return found;
}

void fill_gaps(const pb::JobSeries& before, pb::JobSeries& now) {
  if (before.step_ms() <= 0 || now.step_ms() <= 0) return;
  for (int i = 0; i < now.mean_size() && i < now.most_size(); ++i) {
    if (!std::isnan(now.mean(i))) continue;
    const Stretch known = look_up(before, i * now.step_ms(), (i + 1) * now.step_ms());
    now.set_mean(i, known.mean);
    now.set_most(i, known.most);
  }
}

}  // namespace

void carry_on(const std::vector<Figure>& now, pb::JobTelemetryNode& part) {
  Figures before;
  before.Swap(part.mutable_figures());
  Figures& figures = *part.mutable_figures();
  for (const Figure& figure : now) to_pb(figure, *figures.Add());
  if (const pb::Figure* const energy = find(before, kEnergy)) {
    double carried = part.carried_joules();
    carry_energy(*energy, figures, carried);
    part.set_carried_joules(carried);
  }
  for (const char* const name : kPeaks) {
    const pb::Figure* const peak = find(before, name);
    pb::Figure* const peak_now = find(figures, name);
    if (peak != nullptr && peak_now == nullptr) *figures.Add() = *peak;
    if (peak != nullptr && peak_now != nullptr) {
      peak_now->set_value(std::max(peak_now->value(), peak->value()));
    }
  }
}

void carry_on(const JobSeries& now, pb::JobTelemetryNode& part) {
  auto& all = *part.mutable_series();
  const auto same = std::find_if(all.begin(), all.end(),
                                 [&](const auto& other) { return other.name() == now.name; });
  pb::JobSeries fresh;
  to_pb(now, fresh);
  if (same == all.end()) {
    *all.Add() = std::move(fresh);
  } else {
    fill_gaps(*same, fresh);
    *same = std::move(fresh);
  }
}

}  // namespace hyades
