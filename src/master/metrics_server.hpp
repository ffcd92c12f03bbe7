// Serves /metrics over HTTP from threads of its own. They see only what publish() has given them:
// a scrape never makes the master wait, nor is it the master's work how many scrape. One that finds
// an old page waits for a new one, a second at most.
#pragma once

#include <prometheus/metric_family.h>

#include <memory>
#include <string>
#include <vector>

namespace hyades {

class MetricsServer {
 public:
  // `places`: "127.0.0.1:9410", or ":9410" for every address. A page is old after `fresh_ms`.
  // nullptr: `error` says why.
  static std::unique_ptr<MetricsServer> open(const std::vector<std::string>& places,
                                             std::string& error, int fresh_ms = 2000);
  ~MetricsServer();

  // True when somebody waits for a page.
  bool wants_page() const;
  void publish(std::vector<prometheus::MetricFamily> page);

  // Where it listens, in the order of the places: for a place with port 0.
  std::vector<int> ports() const;

 private:
  class Page;
  class Listener;
  explicit MetricsServer(int fresh_ms);

  std::shared_ptr<Page> page_;
  std::unique_ptr<Listener> listener_;
};

}  // namespace hyades
