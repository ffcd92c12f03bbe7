#include "telemetry/sampling_plan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hyades {
namespace {

constexpr double kAverageMs = 10'000;
constexpr double kCheap = 0.7;  // of the budget
constexpr int kStretchMax = 1000;
constexpr std::int64_t kCostMaxUs = 60'000'000;

}  // namespace

SamplingPlan::SamplingPlan(const SamplingOptions& options, BootMs now_ms) : options_(options) {
  options_.idle_stretch = std::clamp(options_.idle_stretch, 1, kStretchMax);
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    const int period_ms = options_.period_ms[i];
    classes_[i].configured_ms =
        period_ms <= 0 ? 0 : std::clamp(period_ms, kPeriodMinMs, kPeriodMaxMs);
    classes_[i].spent_ms = now_ms;
  }
  plan_from(now_ms);
}

std::int64_t SamplingPlan::stretched_ms(const Class& of, int stretch) const {
  const std::int64_t idle = busy_ ? 1 : options_.idle_stretch;
  return std::min<std::int64_t>(of.configured_ms * idle * stretch, kPeriodMaxMs);
}

int SamplingPlan::period_ms(MetricClass of) const {
  return static_cast<int>(stretched_ms(at(of), stretch_));
}

// Each class's next turn, of the turns of its present period.
void SamplingPlan::plan_from(BootMs now_ms) {
  for (Class& each : classes_) {
    const std::int64_t period_ms = stretched_ms(each, stretch_);
    if (period_ms > 0) each.next_ms = (now_ms / period_ms + 1) * period_ms;
  }
}

void SamplingPlan::set_busy(bool busy, BootMs now_ms) {
  if (busy == busy_) return;
  busy_ = busy;
  plan_from(now_ms);
}

std::vector<MetricClass> SamplingPlan::due(BootMs now_ms) {
  std::vector<MetricClass> classes;
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    Class& each = classes_[i];
    const std::int64_t period_ms = stretched_ms(each, stretch_);
    if (period_ms == 0 || now_ms < each.next_ms) continue;
    classes.push_back(static_cast<MetricClass>(i));
    missed_ += static_cast<std::uint64_t>((now_ms - each.next_ms) / period_ms);
    each.next_ms = (now_ms / period_ms + 1) * period_ms;
  }
  return classes;
}

BootMs SamplingPlan::next_wake_ms() const {
  BootMs next_ms = std::numeric_limits<BootMs>::max();
  for (const Class& each : classes_) {
    if (each.configured_ms > 0) next_ms = std::min(next_ms, each.next_ms);
  }
  return next_ms;
}

double SamplingPlan::share_at(int stretch) const {
  double share = 0;
  for (const Class& each : classes_) {
    if (each.configured_ms == 0) continue;
    share += each.cost_us / (static_cast<double>(stretched_ms(each, stretch)) * 1000);
  }
  return share;
}

// The least that keeps within the budget, or the largest there is.
int SamplingPlan::needed_stretch(double budget) const {
  int stretch = 1;
  while (stretch < kStretchMax && share_at(stretch) > budget) ++stretch;
  return stretch;
}

void SamplingPlan::spent(MetricClass of, std::int64_t cpu_us, BootMs now_ms) {
  Class& spender = at(of);
  // A round weighs as much as the time for which it stands.
  const auto passed_ms = static_cast<double>(std::max<BootMs>(now_ms - spender.spent_ms, 0));
  const double weight = 1 - std::exp(-passed_ms / kAverageMs);
  const auto cost_us = static_cast<double>(std::clamp<std::int64_t>(cpu_us, 0, kCostMaxUs));
  spender.cost_us += (cost_us - spender.cost_us) * weight;
  spender.spent_ms = now_ms;
  if (options_.budget_share <= 0) return;
  int wanted = stretch_;
  if (share_at(stretch_) > options_.budget_share) {
    wanted = needed_stretch(options_.budget_share);
  } else if (stretch_ > 1) {
    wanted = std::min(stretch_, needed_stretch(kCheap * options_.budget_share));
  }
  if (wanted == stretch_) return;
  stretch_ = wanted;
  plan_from(now_ms);
}

}  // namespace hyades
