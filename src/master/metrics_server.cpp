#include "master/metrics_server.hpp"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>

namespace hyades {

namespace {

// The master's loop turns ten times a second at the least, unless its disk keeps it waiting.
constexpr std::chrono::milliseconds kPatience{1000};
constexpr std::size_t kThreads = 2;

// As civetweb has it: "9410" is every address.
std::string listening_ports(const std::vector<std::string>& places) {
  std::string all;
  for (const std::string& place : places) {
    all += (all.empty() ? "" : ",") + (place.front() == ':' ? place.substr(1) : place);
  }
  return all;
}

}  // namespace

class MetricsServer::Page final : public prometheus::Collectable {
 public:
  explicit Page(int fresh_ms) : fresh_for_(fresh_ms) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    std::unique_lock lock(mutex_);
    if (Clock::now() - published_ >= fresh_for_) {
      wanted_ = true;
      const std::uint64_t old = pages_;
      changed_.wait_for(lock, kPatience, [&] { return pages_ != old; });
    }
    return families_;
  }
  void set(std::vector<prometheus::MetricFamily> families) {
    {
      const std::lock_guard lock(mutex_);
      families_ = std::move(families);
      published_ = Clock::now();
      ++pages_;
      wanted_ = false;
    }
    changed_.notify_all();
  }
  bool is_wanted() const { return wanted_; }

 private:
  using Clock = std::chrono::steady_clock;

  std::chrono::milliseconds fresh_for_;
  mutable std::atomic<bool> wanted_ = false;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<prometheus::MetricFamily> families_;
  Clock::time_point published_;  // long ago
  std::uint64_t pages_ = 0;
};

class MetricsServer::Listener {
 public:
  explicit Listener(const std::string& ports) : exposer(ports, kThreads) {}
  prometheus::Exposer exposer;
};

MetricsServer::MetricsServer(int fresh_ms) : page_(std::make_shared<Page>(fresh_ms)) {}
MetricsServer::~MetricsServer() = default;

std::unique_ptr<MetricsServer> MetricsServer::open(const std::vector<std::string>& places,
                                                   std::string& error, int fresh_ms) {
  const std::string ports = listening_ports(places);
  try {
    std::unique_ptr<MetricsServer> server(new MetricsServer(fresh_ms));
    server->listener_ = std::make_unique<Listener>(ports);
    server->listener_->exposer.RegisterCollectable(server->page_);
    return server;
  } catch (const std::exception& failure) {
    error =
        "cannot serve /metrics at " + ports + " (is the port free, and the address this host's?)";
    return nullptr;
  }
}

bool MetricsServer::wants_page() const { return page_->is_wanted(); }

void MetricsServer::publish(std::vector<prometheus::MetricFamily> page) {
  page_->set(std::move(page));
}

std::vector<int> MetricsServer::ports() const { return listener_->exposer.GetListeningPorts(); }

}  // namespace hyades
