// How much energy the node takes. One source is chosen when the meter is made, the first of these
// that is there, so that nothing is counted twice:
//
//   1. psys, the platform's own counter (RAPL): all of the node. Where it turns out that it does
//   not
//      move (some boards have not wired it), 2 takes its place.
//   2. the sum of the packages and their memory (RAPL); boards, disks and fans are not in it
//   3. the board's power meter (hwmon): all of the node
//   4. the stated power model: modelled, not measured
//
// What GPUs take (NVML) is in 1 and 3 already and is added to 2 and 4.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "telemetry/collector.hpp"
#include "telemetry/cpu_times.hpp"
#include "telemetry/energy_sum.hpp"
#include "telemetry/power_model.hpp"

namespace hyades {

class EnergyMeter : public Collector {
 public:
  // Each may be null. They belong to the meter alone, which samples them itself.
  struct Sources {
    std::unique_ptr<Collector> rapl;   // "power.psys", "power.packageN", "power.dramN"
    std::unique_ptr<Collector> board;  // the first metric in W
    std::unique_ptr<Collector> gpus;   // of each "gpuN" the metric "energy" (J), else "power" (W)
    std::unique_ptr<CpuTimes> cpu;     // for the model
    PowerModel model;
  };
  // Seconds that never go backwards, from any beginning.
  using Clock = std::function<double()>;
  static double monotonic_seconds();

  explicit EnergyMeter(Sources sources, Clock clock = monotonic_seconds);

  std::string_view name() const override { return "energy"; }

  // "energy.node" (J) and "power.node" (W), both modelled where the source is the model; and
  // "energy.gpus" (J) where GPUs have a meter. Energy is counted from the first sample on.
  const std::vector<Metric>& metrics() const override { return metrics_; }

  // power.node is the mean since the sample before. While the source cannot be read there is no
  // reading; what a counter counted meanwhile is in the next one. A GPU that says nothing is left
  // out of the sum, and trouble() says so.
  void sample(std::vector<double>& values) override;
  const std::string& trouble() const override { return trouble_; }

  // For people: which source it is and what is not in it.
  std::string describe() const;

 private:
  enum class Choice { None, Platform, Packages, Board, Model };
  struct Source {
    std::unique_ptr<Collector> collector;
    std::vector<double> values;
    void look(std::string& trouble);
  };

  void find_sums();
  void find_gpus();
  void choose();
  void describe_metrics();
  double host_step(double now_s);
  double platform_step(double now_s);
  double model_step(double now_s);
  void add_gpu_steps(double now_s);
  bool adds_gpus() const { return choice_ == Choice::Packages || choice_ == Choice::Model; }

  Source rapl_;
  Source board_;
  Source gpus_;
  std::unique_ptr<CpuTimes> cpu_;
  PowerModel model_;
  Clock clock_;

  Choice choice_ = Choice::None;
  EnergySum platform_;
  EnergySum packages_;
  EnergySum board_sum_;
  std::vector<EnergySum> gpu_sums_;  // one each, so that one that is silent does not hold up others

  bool platform_moved_ = false;
  double beside_platform_j_ = 0;  // what packages took while the platform's counter stood still
  double modelled_until_s_ = kNoReading;
  double known_until_s_ = kNoReading;
  double gpus_pending_j_ = 0;  // not in node_j_ yet
  double gpus_j_ = 0;
  double node_j_ = 0;
  std::vector<Metric> metrics_;
  std::string trouble_;
};

}  // namespace hyades
