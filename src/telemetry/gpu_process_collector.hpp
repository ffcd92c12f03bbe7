// Which processes are on each GPU, by NVML: as numbers "gpuN.processes" like other collectors, and
// as lists on a board for whoever finds out whose they are. The driver may hang, so that this is
// for a thread of its own (collector_thread.hpp), and the board for any.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "telemetry/collector.hpp"
#include "telemetry/nvml.hpp"

namespace hyades {

// The latest answer, written by one thread and read by others.
class GpuProcessBoard {
 public:
  // Of each device, in the driver's order. Nothing: it did not say.
  using Lists = std::vector<std::optional<std::vector<GpuProcess>>>;

  explicit GpuProcessBoard(std::size_t devices) : devices_(devices) {}

  // That the node has, whether or not they say anything.
  std::size_t devices() const { return devices_; }

  void write(Lists lists, BootMs at_ms);
  // As many as there are devices. Nothing: none, or older than that. Who asked the driver and got
  // no answer has not written.
  std::optional<Lists> read(BootMs since_ms) const;

 private:
  std::size_t devices_;
  mutable std::mutex mutex_;
  Lists lists_;
  std::optional<BootMs> at_ms_;
};

class GpuProcessCollector final : public Collector {
 public:
  // `clock`: of the machine, since it was started; by default just that. A device whose processes
  // the driver never tells is not among the metrics.
  GpuProcessCollector(std::shared_ptr<Nvml> nvml, std::shared_ptr<GpuProcessBoard> board,
                      std::function<BootMs()> clock = {});

  std::string_view name() const override { return "nvml.processes"; }
  const std::vector<Metric>& metrics() const override { return metrics_; }
  void sample(std::vector<double>& values) override;
  const std::string& trouble() const override { return trouble_; }

 private:
  std::shared_ptr<Nvml> nvml_;
  std::shared_ptr<GpuProcessBoard> board_;
  std::function<BootMs()> clock_;
  std::vector<std::size_t> devices_;  // of each metric
  std::vector<Metric> metrics_;
  std::string trouble_;
};

}  // namespace hyades
