#include "worker/sampler_loop.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <vector>

#include "hyades.pb.h"
#include "wire/system_clock.hpp"
#include "wire/telemetry_codec.hpp"
#include "wire/wire_guard.hpp"
#include "worker/sampler.hpp"

namespace hyades {

namespace {

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
        obey(settings);
      }
    }
  }

  void obey(const TelemetrySettings& settings) {
    const Now now = clock_.now();
    if (!found_already_) {
      found_already_ = true;
      CollectorOptions options;
      options.accelerators = settings.accelerators;
      options.power_model = power_model(settings, place_.cores);
      sampler_ = std::make_unique<Sampler>(place_.spool_directory, place_.cores,
                                           find_collectors(options), settings, now);
      found_();
    } else {
      sampler_->configure(settings, now);
    }
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
  bool found_already_ = false;
};

}  // namespace

int run_sampler(const SamplerPlace& place, const std::function<void()>& found) {
  return SamplerLoop(place, found).run();
}

}  // namespace hyades
