// Serves /metrics over HTTP from threads of its own. They see only what publish() has given them:
// a scrape never makes the master wait, nor is it the master's work how many scrape.
#pragma once

#include <prometheus/metric_family.h>

#include <memory>
#include <string>
#include <vector>

#include "core/time.hpp"

namespace hyades {

class MetricsServer {
 public:
  // `places`: "127.0.0.1:9410", or ":9410" for every address. nullptr: `error` says why.
  static std::unique_ptr<MetricsServer> open(const std::vector<std::string>& places,
                                             std::string& error);
  ~MetricsServer();

  // True when somebody has asked in the last minutes and the page is older than some seconds.
  bool wants_page(BootMs now_ms) const;
  void publish(std::vector<prometheus::MetricFamily> page, BootMs now_ms);

  // Where it listens, in the order of the places: for a place with port 0.
  std::vector<int> ports() const;

 private:
  class Page;
  class Listener;
  MetricsServer();

  std::shared_ptr<Page> page_;
  std::unique_ptr<Listener> listener_;
  BootMs published_ms_ = 0;
};

}  // namespace hyades
