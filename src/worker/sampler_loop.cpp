#include "worker/sampler_loop.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "hyades.pb.h"
#include "telemetry/collector_thread.hpp"
#include "wire/system_clock.hpp"
#include "wire/telemetry_codec.hpp"
#include "wire/wire_guard.hpp"
#include "worker/sampler.hpp"

namespace hyades {

namespace {

// Where nobody has said what a node draws: roughly a server of two sockets or a workstation, by its
// cores. It is a guess, and every figure that rests on it is marked as modelled.
constexpr double kIdleWatts = 30;
constexpr double kIdleWattsPerCore = 1.5;
constexpr double kBusyWattsPerCore = 6;

PowerModel power_model(const TelemetrySettings& settings, int cores) {
  if (settings.peak_watts > 0) {
    return {.idle_w = double(settings.idle_watts), .peak_w = double(settings.peak_watts)};
  }
  const double idle_w = kIdleWatts + kIdleWattsPerCore * cores;
  return {.idle_w = idle_w, .peak_w = idle_w + kBusyWattsPerCore * cores};
}

// By its unit: temperatures and power change more slowly than the rest.
MetricClass class_of(const std::string& unit) {
  if (unit == "W" || unit == "J" || unit == "degC" || unit == "MHz") return MetricClass::Power;
  return unit == "MiB" ? MetricClass::Memory : MetricClass::Compute;
}

std::vector<AcceleratorSource> accelerators(const TelemetrySettings& settings) {
  std::vector<AcceleratorSource> all;
  for (const AcceleratorSetting& setting : settings.accelerators) {
    AcceleratorSource& source = all.emplace_back();
    source.kind = setting.kind;
    source.devices = setting.folder;
    for (const AcceleratorFigureSetting& figure : setting.figures) {
      source.figures.push_back(
          {.name = figure.name,
           .file = figure.file,
           .unit = figure.unit,
           .scale = figure.scale,
           .of = class_of(figure.unit),
           .behavior = figure.unit == "J" ? Behavior::Counter : Behavior::Gauge,
           .resolution = 0.01});
    }
  }
  return all;
}

class SamplerLoop {
 public:
  SamplerLoop(const SamplerPlace& place, const std::function<void()>& found)
      : place_(place), found_(found) {}

  int run() {
    while (true) {
      if (!wait()) return 0;
      if (!take_orders()) return 0;
      if (!sampler_) continue;
      std::vector<TelemetryReport> reports;
      sampler_->turn(clock_.now(), reports);
      for (const TelemetryReport& report : reports) {
        if (!send_parts(report)) return 0;
      }
    }
  }

 private:
  // False: the worker has gone.
  bool wait() {
    int most_ms = -1;
    if (sampler_) {
      const BootMs left = sampler_->next_turn_ms() - clock_.now().boot_ms;
      most_ms = static_cast<int>(std::clamp<BootMs>(left, 0, 60'000));
    }
    pollfd channel = {place_.channel, POLLIN, 0};
    poll(&channel, 1, most_ms);
    return (channel.revents & (POLLHUP | POLLERR | POLLNVAL)) == 0;
  }

  bool take_orders() {
    buffer_.resize(kSamplerDatagramMax);
    while (true) {
      const ssize_t size = recv(place_.channel, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (size == 0) return false;
      if (size < 0) return errno == EAGAIN || errno == EINTR;
      const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
      pb::SamplerOrder order;
      TelemetrySettings settings;
      std::string error;
      if (check_wire(*pb::SamplerOrder::descriptor(), bytes).empty() &&
          order.ParseFromArray(buffer_.data(), static_cast<int>(size)) &&
          from_pb(order.settings(), settings, error)) {
        obey(settings, std::max(1, order.cores()));
      }
    }
  }

  void obey(const TelemetrySettings& settings, int cores) {
    const Now now = clock_.now();
    if (sampler_) return sampler_->configure(settings, now);
    CollectorOptions options;
    options.accelerators = accelerators(settings);
    options.power_model = power_model(settings, cores);
    if (const char* root = std::getenv("HYADES_TELEMETRY_ROOT")) options.root = root;
    if (const char* library = std::getenv("HYADES_NVML")) options.nvml_library = library;
    options.make_guarded = [](const std::string& name, CollectorOptions::Make make) {
      return std::make_unique<CollectorThread>(name, std::move(make), CollectorThread::Options());
    };
    FoundCollectors sources = find_collectors(options);
    sampler_ = std::make_unique<Sampler>(
        SamplerNode{place_.spool_directory, cores, options.power_model.idle_w}, std::move(sources),
        settings, now);
    found_();
  }

  // Series go by themselves: there may be many, and what is lost is no more than one.
  bool send_parts(const TelemetryReport& report) {
    for (const JobSeries& series : report.series) {
      if (!send_one({.from_ms = report.from_ms, .until_ms = report.until_ms, .series = {series}})) {
        return false;
      }
    }
    TelemetryReport rest = report;
    rest.series.clear();
    return send_one(rest);
  }

  bool send_one(const TelemetryReport& report) {
    pb::TelemetryReport message;
    to_pb(report, message);
    const std::string bytes = message.SerializeAsString();
    if (bytes.size() > kSamplerDatagramMax) return true;
    ssize_t sent = 0;
    do {
      sent = send(place_.channel, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    // A worker that is busy with something else loses a report; the next one says more.
    return sent >= 0 || errno == EAGAIN || errno == ENOBUFS;
  }

  SamplerPlace place_;
  std::function<void()> found_;
  SystemClock clock_;
  std::vector<char> buffer_;
  std::unique_ptr<Sampler> sampler_;
};

}  // namespace

int run_sampler(const SamplerPlace& place, const std::function<void()>& found) {
  return SamplerLoop(place, found).run();
}

}  // namespace hyades
