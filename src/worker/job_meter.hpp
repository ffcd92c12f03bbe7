// What one job does on this node while it runs: from its shepherd's page (live_page.hpp) and from
// what its processes use. The kernel's own sums come with the job's end (Usage); this is for those
// who look on meanwhile, and for the course of things.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/telemetry_report.hpp"
#include "telemetry/bounded_series.hpp"
#include "telemetry/process_io.hpp"
#include "telemetry/process_scan.hpp"
#include "worker/job_gpu_meter.hpp"
#include "worker/live_page.hpp"

namespace hyades {

class JobMeter {
 public:
  // `page`: the first one that was read.
  JobMeter(LivePage page, const Now& now);

  const LivePage& page() const { return page_; }
  void update(LivePage page) { page_ = std::move(page); }

  // Adds a reading of `processes`, all of the job's.
  void look(const std::vector<ProcessUse>& processes, const Now& now);
  // What all of its living processes have moved to and from storage, after each look. Nothing: it
  // cannot be told, and there are no rates until it could be told twice.
  void look_at_io(const std::optional<ProcessIo>& living, const Now& now);

  // What they do on the node's GPUs, likewise; nothing: it is not known.
  void look_at_gpus(const std::optional<GpuJobUse>& use, const Now& now);
  // Its processes, as of the last look.
  const std::vector<pid_t>& pids() const { return pids_; }

  // CPU seconds used since the last call, for the sharing out of energy.
  double take_cpu_s();
  // Joules of GPUs, likewise.
  double take_gpu_joules() { return gpus_.take_joules(); }
  // Its share of the node's energy since the last call of this.
  void add_energy(double joules, double seconds, bool modelled, const Now& now);

  std::vector<Figure> figures() const;
  // In the course of the whole run, as far as this process has seen it.
  std::vector<JobSeries> series() const;

 private:
  struct Track {
    std::string name;
    std::string unit;
    BoundedSeries points;
  };

  // To or from storage.
  struct Traffic {
    std::int64_t bytes = 0;
    double rate = kNoReading;
    Track track;
    void add(std::int64_t now_bytes, double elapsed_s, std::int64_t since_start_ms);
  };

  std::int64_t since_start(const Now& now) const;
  void look_at_reports(const Now& now);

  LivePage page_;
  WallMs started_wall_ms_ = 0;
  std::optional<BootMs> looked_ms_;
  double cpu_s_ = 0;
  double taken_cpu_s_ = 0;
  double cores_busy_ = 0;
  bool has_cores_busy_ = false;
  double resident_mib_ = 0;
  double peak_mib_ = 0;
  std::vector<pid_t> pids_;
  int threads_ = 0;
  std::optional<BootMs> io_ms_;
  Traffic read_{.track = {"job.read_rate", "bytes/s", BoundedSeries(1)}};
  Traffic written_{.track = {"job.write_rate", "bytes/s", BoundedSeries(1)}};
  JobGpuMeter gpus_;
  double joules_ = 0;
  double watts_ = 0;
  bool has_energy_ = false;
  bool energy_modelled_ = false;
  Track cpu_{kCoresBusyFigure, "cores", BoundedSeries(0.001)};
  Track memory_{"job.memory", "MiB", BoundedSeries(0.1)};
  Track gpu_{"job.gpu.utilization", "%", BoundedSeries(0.1)};
  std::map<std::string, Track> reported_;  // by the job itself; few, each in the live page's bounds
  Track power_{"job.power", "W", BoundedSeries(0.01)};
};

}  // namespace hyades
