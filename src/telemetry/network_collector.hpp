// What went over each network interface, and the node's connections: /proc/net/dev, /proc/net/snmp
// and /proc/net/sockstat. The list of connections itself (/proc/net/tcp) is never read; it may have
// many thousand lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "telemetry/collector.hpp"
#include "telemetry/source_file.hpp"

namespace hyades {

class NetworkCollector : public Collector {
 public:
  // root: "" for this machine, else where a tree with proc/ in it stands. interfaces: those to
  // watch; empty: all but the loopback that are there now. One that appears later is seen when
  // the collector is made the next time.
  explicit NetworkCollector(const std::string& root,
                            const std::vector<std::string>& interfaces = {});

  std::string_view name() const override { return "network"; }
  const std::vector<Metric>& metrics() const override { return metrics_; }
  void sample(std::vector<double>& values) override;
  const std::string& trouble() const override { return trouble_; }

 private:
  void find_interfaces(const std::vector<std::string>& wanted);
  void add_interface(const std::string& interface);
  void sample_interfaces(double* values);
  bool read_protocol(double& established, double& retransmits);
  bool read_sockets(double& used, double& waiting);

  SourceFile devices_;
  SourceFile protocol_;
  SourceFile sockets_;
  std::vector<std::string> interfaces_;
  bool has_protocol_ = false;
  bool has_sockets_ = false;
  std::vector<char> seen_;
  std::vector<Metric> metrics_;
  std::string trouble_;
};

}  // namespace hyades
