#include "master/metrics_server.hpp"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>

#include <atomic>
#include <exception>
#include <mutex>

namespace hyades {

namespace {

constexpr BootMs kFreshFor_ms = 2000;
// Longer than anybody leaves between two scrapes.
constexpr int kTurnsAsked = 150;
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
  std::vector<prometheus::MetricFamily> Collect() const override {
    asked_ = kTurnsAsked;
    const std::lock_guard lock(mutex_);
    return families_;
  }
  void set(std::vector<prometheus::MetricFamily> families) {
    const std::lock_guard lock(mutex_);
    families_ = std::move(families);
  }
  bool was_asked() const { return asked_ > 0; }
  void forget_one() { --asked_; }

 private:
  mutable std::atomic<int> asked_ = 1;  // the first page is made for nobody
  mutable std::mutex mutex_;
  std::vector<prometheus::MetricFamily> families_;
};

class MetricsServer::Listener {
 public:
  explicit Listener(const std::string& ports) : exposer(ports, kThreads) {}
  prometheus::Exposer exposer;
};

MetricsServer::MetricsServer() : page_(std::make_shared<Page>()) {}
MetricsServer::~MetricsServer() = default;

std::unique_ptr<MetricsServer> MetricsServer::open(const std::vector<std::string>& places,
                                                   std::string& error) {
  const std::string ports = listening_ports(places);
  try {
    std::unique_ptr<MetricsServer> server(new MetricsServer());
    server->listener_ = std::make_unique<Listener>(ports);
    server->listener_->exposer.RegisterCollectable(server->page_);
    return server;
  } catch (const std::exception& failure) {
    error =
        "cannot serve /metrics at " + ports + " (is the port free, and the address this host's?)";
    return nullptr;
  }
}

bool MetricsServer::wants_page(BootMs now_ms) const {
  return page_->was_asked() && now_ms >= published_ms_ + kFreshFor_ms;
}

void MetricsServer::publish(std::vector<prometheus::MetricFamily> page, BootMs now_ms) {
  published_ms_ = now_ms;
  page_->forget_one();
  page_->set(std::move(page));
}

std::vector<int> MetricsServer::ports() const { return listener_->exposer.GetListeningPorts(); }

}  // namespace hyades
