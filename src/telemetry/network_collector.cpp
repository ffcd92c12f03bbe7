#include "telemetry/network_collector.hpp"

#include <algorithm>
#include <utility>

#include "telemetry/fields.hpp"

namespace hyades {
namespace {

constexpr std::size_t max_interfaces = 64;  // a node with containers may have thousands
constexpr std::size_t long_table = 1024 * 1024;
constexpr int columns = 16;

struct Column {
  int number;
  const char* metric;
  const char* unit;
};
constexpr Column wanted_columns[] = {
    {0, "rx_bytes", "bytes"},   {1, "rx_packets", "count"}, {2, "rx_errors", "count"},
    {3, "rx_drops", "count"},   {8, "tx_bytes", "bytes"},   {9, "tx_packets", "count"},
    {10, "tx_errors", "count"}, {11, "tx_drops", "count"},
};
constexpr std::size_t per_interface = std::size(wanted_columns);

// "  eth0: 1 2 3 ...". False for the two lines of headings.
bool parse_device(std::string_view line, std::string_view& name, std::string_view& numbers) {
  const std::size_t colon = line.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view before = line.substr(0, colon);
  name = next_word(before);
  numbers = line.substr(colon + 1);
  return !name.empty();
}

bool parse_numbers(std::string_view numbers, double* values) {
  std::size_t next = 0;
  for (int column = 0; column < columns; ++column) {
    std::uint64_t count = 0;
    if (!parse_count(next_word(numbers), count)) return false;
    if (next < per_interface && wanted_columns[next].number == column) {
      values[next++] = static_cast<double>(count);
    }
  }
  return true;
}

// /proc/net/snmp has a line of names and below it one of numbers.
bool value_below(std::string_view names, std::string_view numbers, std::string_view name,
                 double& value) {
  for (;;) {
    const std::string_view heading = next_word(names);
    const std::string_view word = next_word(numbers);
    if (heading.empty()) return false;
    if (heading != name) continue;
    std::uint64_t count = 0;
    if (!parse_count(word, count)) return false;
    value = static_cast<double>(count);
    return true;
  }
}

Metric describe(std::string name, const char* unit, Behavior behavior) {
  Metric metric;
  metric.name = "net." + std::move(name);
  metric.unit = unit;
  metric.of = MetricClass::Network;
  metric.behavior = behavior;
  return metric;
}

}  // namespace

NetworkCollector::NetworkCollector(const std::string& root,
                                   const std::vector<std::string>& interfaces)
    : devices_(root + "/proc/net/dev", long_table),
      protocol_(root + "/proc/net/snmp"),
      sockets_(root + "/proc/net/sockstat") {
  find_interfaces(interfaces);
  double first = 0;
  double second = 0;
  has_protocol_ = read_protocol(first, second);
  if (has_protocol_) {
    metrics_.push_back(describe("tcp_established", "count", Behavior::Gauge));
    metrics_.push_back(describe("tcp_retransmits", "count", Behavior::Counter));
  }
  has_sockets_ = read_sockets(first, second);
  if (has_sockets_) {
    metrics_.push_back(describe("sockets", "count", Behavior::Gauge));
    metrics_.push_back(describe("tcp_time_wait", "count", Behavior::Gauge));
  }
}

void NetworkCollector::find_interfaces(const std::vector<std::string>& wanted) {
  if (!devices_.read()) return add_trouble(trouble_, devices_.why());
  std::vector<std::string> there;
  std::string_view text = devices_.text();
  std::string_view line, name, numbers;
  double ignored[per_interface];
  while (next_line(text, line)) {
    if (!parse_device(line, name, numbers) || !parse_numbers(numbers, ignored)) continue;
    if (!wanted.empty() || name != "lo") there.emplace_back(name);
  }
  const auto has = [&](const std::string& one) {
    return std::find(there.begin(), there.end(), one) != there.end();
  };
  for (const std::string& one : wanted) {
    if (has(one)) add_interface(one);
    if (!has(one)) add_trouble(trouble_, "there is no network interface " + one);
  }
  if (!wanted.empty()) return;
  for (const std::string& one : there) add_interface(one);
  if (there.empty()) add_trouble(trouble_, devices_.path() + ": no network interface");
}

void NetworkCollector::add_interface(const std::string& interface) {
  const std::string prefix = metric_word(interface) + '.';
  const bool taken = std::any_of(interfaces_.begin(), interfaces_.end(), [&](const auto& other) {
    return metric_word(other) + '.' == prefix;
  });
  if (taken) return;
  if (interfaces_.size() == max_interfaces) {
    return add_trouble(trouble_, "more than " + std::to_string(max_interfaces) +
                                     " network interfaces: " + interface + " is left out");
  }
  interfaces_.push_back(interface);
  seen_.push_back(0);
  for (const Column& column : wanted_columns) {
    metrics_.push_back(describe(prefix + column.metric, column.unit, Behavior::Counter));
  }
}

void NetworkCollector::sample(std::vector<double>& values) {
  values.assign(metrics_.size(), kNoReading);
  trouble_.clear();
  double* next = values.data();
  if (!interfaces_.empty()) sample_interfaces(next);
  next += interfaces_.size() * per_interface;
  if (has_protocol_) {
    if (!read_protocol(next[0], next[1])) next[0] = next[1] = kNoReading;
    next += 2;
  }
  if (has_sockets_ && !read_sockets(next[0], next[1])) next[0] = next[1] = kNoReading;
}

void NetworkCollector::sample_interfaces(double* values) {
  if (!devices_.read()) return add_trouble(trouble_, devices_.why());
  std::fill(seen_.begin(), seen_.end(), 0);
  std::string_view text = devices_.text();
  std::string_view line, name, numbers;
  while (next_line(text, line)) {
    if (!parse_device(line, name, numbers)) continue;
    const auto found = std::find(interfaces_.begin(), interfaces_.end(), name);
    if (found == interfaces_.end()) continue;
    const auto place = static_cast<std::size_t>(found - interfaces_.begin());
    double* const own = values + place * per_interface;
    seen_[place] = parse_numbers(numbers, own) ? 1 : 0;
    if (!seen_[place]) std::fill(own, own + per_interface, kNoReading);
  }
  for (std::size_t i = 0; i < interfaces_.size(); ++i) {
    if (!seen_[i]) add_trouble(trouble_, "network interface " + interfaces_[i] + ": gone");
  }
}

bool NetworkCollector::read_protocol(double& established, double& retransmits) {
  if (!protocol_.read()) return add_trouble(trouble_, protocol_.why()), false;
  std::string_view text = protocol_.text();
  std::string_view names, numbers;
  constexpr std::string_view key = "Tcp: ";
  while (next_line(text, names)) {
    if (names.substr(0, key.size()) != key) continue;
    if (next_line(text, numbers) && numbers.substr(0, key.size()) == key &&
        value_below(names, numbers, "CurrEstab", established) &&
        value_below(names, numbers, "RetransSegs", retransmits)) {
      return true;
    }
    break;
  }
  return add_trouble(trouble_, protocol_.path() + ": no count of connections"), false;
}

// "sockets: used 12" and "TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 7".
bool NetworkCollector::read_sockets(double& used, double& waiting) {
  if (!sockets_.read()) return add_trouble(trouble_, sockets_.why()), false;
  std::uint64_t count = 0;
  std::string_view rest;
  bool good = count_after(sockets_.text(), "sockets: used", count);
  used = static_cast<double>(count);
  good = good && line_after(sockets_.text(), "TCP:", rest);
  while (good) {
    const std::string_view word = next_word(rest);
    if (word.empty()) good = false;
    if (word == "tw") break;
  }
  good = good && parse_count(next_word(rest), count);
  waiting = static_cast<double>(count);
  if (!good) add_trouble(trouble_, sockets_.path() + ": no count of sockets");
  return good;
}

}  // namespace hyades
