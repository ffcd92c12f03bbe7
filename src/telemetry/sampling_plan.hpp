// When which class of metrics is to be sampled. Keeps telemetry from costing more than it may: when
// no job runs every period is stretched, and so it is as long as sampling takes more CPU time than
// its budget.
//
// Classes are due at whole multiples of their periods on the clock, so those whose periods are
// multiples of each other share their wake-ups. Stretching multiplies all of them by one whole
// number and keeps that. What was missed (the machine slept, this process was stopped) is not made
// up for: after any stall each class is due once.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/time.hpp"
#include "telemetry/metric.hpp"

namespace hyades {

constexpr int kPeriodMinMs = 10;
constexpr int kPeriodMaxMs = 60'000;

struct SamplingOptions {
  // In the order of MetricClass; kPeriodMinMs..kPeriodMaxMs, 0: this class is not sampled.
  std::array<int, kMetricClasses> period_ms = {100, 200, 500, 1000, 500};
  int idle_stretch = 10;        // when no job runs; 1: not
  double budget_share = 0.004;  // of one core; 0: no budget
};

class SamplingPlan {
 public:
  // Values out of range are moved into it. Until set_busy() no job runs.
  explicit SamplingPlan(const SamplingOptions& options, BootMs now_ms);

  // Whether a job runs on this node.
  void set_busy(bool busy, BootMs now_ms);

  // The classes to be sampled now, which are not due again before their next turn; then call
  // spent() for each.
  std::vector<MetricClass> due(BootMs now_ms);
  // When to call due() again; far in the future when no class is sampled at all.
  BootMs next_wake_ms() const;

  // What a round of a class cost. May stretch or shrink the periods: costs are averaged over the
  // last ten seconds or so; periods grow as soon as the average is over budget, by as much as it
  // takes, and shrink when the shorter ones would cost less than 70 % of it.
  void spent(MetricClass of, std::int64_t cpu_us, BootMs now_ms);

  // As stretched; 0: not sampled.
  int period_ms(MetricClass of) const;
  int configured_period_ms(MetricClass of) const { return at(of).configured_ms; }
  // What sampling costs at the present periods, in cores.
  double share() const { return share_at(stretch_); }
  int budget_stretch() const { return stretch_; }
  bool is_busy() const { return busy_; }
  // Turns that were not taken because nobody asked in time.
  std::uint64_t missed() const { return missed_; }

 private:
  struct Class {
    int configured_ms = 0;
    BootMs next_ms = 0;
    BootMs spent_ms = 0;  // when a cost was told last
    double cost_us = 0;   // of a round, averaged
  };
  Class& at(MetricClass of) { return classes_[static_cast<std::size_t>(of)]; }
  const Class& at(MetricClass of) const { return classes_[static_cast<std::size_t>(of)]; }
  std::int64_t stretched_ms(const Class& of, int stretch) const;
  double share_at(int stretch) const;
  int needed_stretch(double budget) const;
  void plan_from(BootMs now_ms);

  SamplingOptions options_;
  std::array<Class, kMetricClasses> classes_;
  bool busy_ = false;
  int stretch_ = 1;
  std::uint64_t missed_ = 0;
};

}  // namespace hyades
