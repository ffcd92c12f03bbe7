#include "worker/job_meter.hpp"

#include <algorithm>
#include <cmath>

namespace hyades {
namespace {

// Nobody knows how large or small they can be. Nothing is rounded to it, only what is beyond 2^50
// of it has no place in a series.
constexpr double reported_resolution = 1e12;

}  // namespace

JobMeter::JobMeter(LivePage page, const Now& now)
    : page_(std::move(page)), started_wall_ms_(now.wall_ms - (now.boot_ms - page_.started_ms)) {}

std::int64_t JobMeter::since_start(const Now& now) const {
  return std::max<std::int64_t>(0, now.boot_ms - page_.started_ms);
}

void JobMeter::look(const std::vector<ProcessUse>& processes, const Now& now) {
  const double ended_s = static_cast<double>(page_.ended.user_ms + page_.ended.system_ms) / 1e3;
  double live_s = 0;
  std::int64_t resident_kib = 0;
  threads_ = 0;
  pids_.clear();
  for (const ProcessUse& process : processes) {
    pids_.push_back(process.pid);
    live_s += process.cpu_s;
    resident_kib += process.resident_kib;
    threads_ += process.threads;
  }
  resident_mib_ = static_cast<double>(resident_kib) / 1024;
  peak_mib_ = std::max(peak_mib_, resident_mib_);
  // What has ended since the page was written is in neither sum, so that it may look like less.
  // (The counter of the task clock is not asked: it has what the hypervisor gave to others as
  // well.)
  const double cpu_s = std::max(cpu_s_, ended_s + live_s);
  if (looked_ms_ && now.boot_ms > *looked_ms_) {
    const double elapsed_s = static_cast<double>(now.boot_ms - *looked_ms_) / 1e3;
    cores_busy_ = (cpu_s - cpu_s_) / elapsed_s;
    has_cores_busy_ = true;
    cpu_.points.add(since_start(now), cores_busy_);
  }
  cpu_s_ = cpu_s;
  looked_ms_ = now.boot_ms;
  memory_.points.add(since_start(now), resident_mib_);
  look_at_reports(now);
}

void JobMeter::look_at_reports(const Now& now) {
  for (const ReportedFigure& figure : page_.ended.reported) {
    const Track fresh{"app." + figure.name, "", BoundedSeries(reported_resolution)};
    Track& track = reported_.try_emplace(figure.name, fresh).first->second;
    track.points.add(since_start(now), figure.value);
  }
}

// A process that has ended is in its parent's account once that has waited for it, and in the page
// once the shepherd has: in between it is nowhere, and the sum may look like less.
void JobMeter::Traffic::add(std::int64_t now_bytes, double elapsed_s, std::int64_t since_start_ms) {
  if (elapsed_s > 0) {
    rate = static_cast<double>(std::max(now_bytes, bytes) - bytes) / elapsed_s;
    track.points.add(since_start_ms, rate);
  }
  bytes = std::max(now_bytes, bytes);
}

void JobMeter::look_at_io(const std::optional<ProcessIo>& living, const Now& now) {
  if (!living) {
    io_ms_.reset();
    read_.rate = written_.rate = kNoReading;
    return;
  }
  const double elapsed_s = io_ms_ ? static_cast<double>(now.boot_ms - *io_ms_) / 1e3 : 0;
  io_ms_ = now.boot_ms;
  read_.add(living->read_bytes + page_.ended.read_bytes, elapsed_s, since_start(now));
  written_.add(living->write_bytes + page_.ended.write_bytes, elapsed_s, since_start(now));
}

void JobMeter::look_at_gpus(const std::optional<GpuJobUse>& use, const Now& now) {
  gpus_.look(use, now.boot_ms);
  gpu_.points.add(since_start(now), gpus_.percent());
}

double JobMeter::take_cpu_s() {
  const double taken = cpu_s_ - taken_cpu_s_;
  taken_cpu_s_ = cpu_s_;
  return taken;
}

void JobMeter::add_energy(double joules, double seconds, bool modelled, const Now& now) {
  if (!std::isfinite(joules) || seconds <= 0) return;
  joules_ += joules;
  watts_ = joules / seconds;
  has_energy_ = true;
  energy_modelled_ = energy_modelled_ || modelled;
  power_.points.add(since_start(now), watts_);
}

std::vector<Figure> JobMeter::figures() const {
  std::vector<Figure> all;
  if (has_cores_busy_) all.push_back({kCoresBusyFigure, "cores", cores_busy_});
  if (looked_ms_) {
    const auto count = [](int number) { return static_cast<double>(number); };
    all.push_back({"job.cpu_time", "s", cpu_s_});
    all.push_back({"job.memory", "MiB", resident_mib_});
    const double known_mib = static_cast<double>(page_.ended.max_rss_kib) / 1024;
    all.push_back({"job.memory_peak", "MiB", std::max(peak_mib_, known_mib)});
    all.push_back({"job.processes", "count", count(static_cast<int>(pids_.size()))});
    all.push_back({"job.threads", "count", count(threads_)});
  }
  for (const Traffic* traffic : {&read_, &written_}) {
    if (std::isnan(traffic->rate)) continue;
    all.push_back({traffic->track.name, traffic->track.unit, traffic->rate});
  }
  gpus_.add_figures(all);
  if (has_energy_) {
    all.push_back({"job.energy", "J", joules_, energy_modelled_});
    all.push_back({"job.power", "W", watts_, energy_modelled_});
  }
  for (const JobCounter& counter : page_.ended.counters) {
    all.push_back({"counter." + counter.name, "count", static_cast<double>(counter.value)});
  }
  for (const ReportedFigure& figure : page_.ended.reported) {
    all.push_back({"app." + figure.name, "", figure.value});
  }
  if (page_.ended.refused_reports > 0) {
    const auto refused = static_cast<double>(page_.ended.refused_reports);
    all.push_back({"job.refused_reports", "count", refused});
  }
  return all;
}

std::vector<JobSeries> JobMeter::series() const {
  std::vector<JobSeries> all;
  std::vector<const Track*> tracks{&cpu_, &memory_, &power_, &gpu_, &read_.track, &written_.track};
  for (const auto& [name, track] : reported_) tracks.push_back(&track);
  for (const Track* track : tracks) {
    const auto& buckets = track->points.buckets();
    if (buckets.empty()) continue;
    JobSeries& series = all.emplace_back();
    series.key = page_.key;
    series.name = track->name;
    series.unit = track->unit;
    series.from_ms = started_wall_ms_;
    series.step_ms = track->points.width_ms();
    for (const BoundedSeries::Bucket& bucket : buckets) {
      series.mean.push_back(static_cast<float>(bucket.mean));
      series.most.push_back(static_cast<float>(bucket.max));
    }
  }
  return all;
}

}  // namespace hyades
