#include "hsim/device_table.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/failure.hpp"
#include "hsim/device_text.hpp"

namespace hyades {
namespace {

using nlohmann::json;

constexpr const char* kSpread = "_unconsolidated";
constexpr const char* kAlone = "null";

bool may_name_a_class(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '.' || letter == '-';
}

// "('TYPE', WORKERS)"
bool parse_work(const std::string& key, DeviceWork& work) {
  const std::size_t close = key.rfind("', ");
  if (!key.starts_with("('") || !key.ends_with(")") || close == std::string::npos) return false;
  const char* const first = key.data() + close + 3;
  const char* const last = key.data() + key.size() - 1;
  const auto [end, error] = std::from_chars(first, last, work.workers);
  work.type = key.substr(2, close - 2);
  return error == std::errc() && end == last && work.workers > 0 && !work.type.empty();
}

// For one device.
class RatesReader {
 public:
  RatesReader(const std::string& name, const std::string& device) : name_(name), device_(device) {}

  std::map<DeviceWork, double> read(const json& of_device) {
    if (!of_device.is_object()) bad("", "is no object of \"('TYPE', WORKERS)\"");
    std::map<DeviceWork, double> rates;
    for (const auto& [key, entry] : of_device.items()) {
      DeviceWork work;
      if (!parse_work(key, work)) bad(key, "does not read \"('TYPE', WORKERS)\"");
      if (!entry.is_object() || !entry.contains(kAlone)) {
        bad(key, "has no \"null\": its steps a second, alone");
      }
      rates[work] = number(entry[kAlone], key);
      alone_[key] = rates[work];
    }
    return rates;
  }

  void read_pairs(const json& of_device, std::vector<CoLocation>& out) const {
    for (const auto& [key, entry] : of_device.items()) {
      for (const auto& [partner, both] : entry.items()) {
        if (partner == kAlone || partner < key) continue;  // each pair is there twice
        if (!both.is_array() || both.size() != 2) bad(key, "with " + partner + ": not two numbers");
        const double own = number(both[0], key), others = number(both[1], key);
        const auto beside = alone_.find(partner);
        if (alone_.at(key) <= 0 || beside == alone_.end() || beside->second <= 0) continue;
        const bool fits = own > 0 && others > 0;
        out.push_back({device_, fits ? own / alone_.at(key) + others / beside->second : 0});
      }
    }
  }

 private:
  [[noreturn]] void bad(const std::string& key, const std::string& what) const {
    throw Failure(name_ + ": \"" + device_ + "\"" + (key.empty() ? " " : ", \"" + key + "\" ") +
                  what + ". Take simulation_throughputs.json of Gavel");
  }
  double number(const json& value, const std::string& key) const {
    if (!value.is_number() || value.get<double>() < 0) {
      bad(key, "has " + value.dump() + " for steps a second");
    }
    return value.get<double>();
  }

  const std::string& name_;
  const std::string& device_;
  std::map<std::string, double> alone_;
};

}  // namespace

std::string text_of(const DeviceWork& work) {
  return work.type + " on " + std::to_string(work.workers);
}

std::string class_name_of(const DeviceWork& work) {
  std::string name;
  for (const char letter : work.type) {
    if (may_name_a_class(letter)) {
      name += letter;
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  return name + "_x" + std::to_string(work.workers);
}

ThroughputTable::ThroughputTable(const std::string& name, const std::string& text) {
  json table;
  try {
    table = json::parse(text);
  } catch (const json::exception& error) {
    throw Failure(name + ": no JSON: " + error.what() +
                  ". Take simulation_throughputs.json of Gavel");
  }
  if (!table.is_object() || table.empty()) {
    throw Failure(name + ": no object of devices. Take simulation_throughputs.json of Gavel");
  }
  for (const auto& [device, entry] : table.items()) {
    RatesReader reader(name, device);
    rates_[device] = reader.read(entry);
    if (device.ends_with(kSpread)) continue;
    devices_.push_back(device);
    reader.read_pairs(entry, co_locations_);
  }
  if (devices_.empty()) throw Failure(name + ": all devices are \"..." + kSpread + "\"");
}

bool ThroughputTable::has_device(const std::string& device) const {
  return std::find(devices_.begin(), devices_.end(), device) != devices_.end();
}

bool ThroughputTable::knows(const DeviceWork& work) const {
  return std::any_of(devices_.begin(), devices_.end(),
                     [&](const std::string& device) { return rate(device, work) > 0; });
}

std::vector<DeviceWork> ThroughputTable::works() const {
  std::set<DeviceWork> works;
  for (const std::string& device : devices_) {
    for (const auto& [work, rate] : rates_.at(device)) works.insert(work);
  }
  return {works.begin(), works.end()};
}

double ThroughputTable::rate(const std::string& device, const DeviceWork& work, bool spread) const {
  const auto of_device = rates_.find(spread ? device + kSpread : device);
  if (of_device == rates_.end()) return 0;
  const auto found = of_device->second.find(work);
  return found == of_device->second.end() ? 0 : found->second;
}

ThroughputTable read_throughput_table(const std::string& path) {
  return {path, read_device_file(path)};
}

CoLocationFacts co_location_facts(const ThroughputTable& table, const std::string& device) {
  CoLocationFacts facts;
  std::vector<double> together;
  for (const CoLocation& pair : table.co_locations()) {
    if (!device.empty() && pair.device != device) continue;
    pair.together > 0 ? together.push_back(pair.together) : void(++facts.misfits);
  }
  facts.pairs = together.size();
  if (together.empty()) return facts;
  std::sort(together.begin(), together.end());
  const std::size_t half = together.size() / 2;
  facts.median =
      together.size() % 2 == 1 ? together[half] : (together[half - 1] + together[half]) / 2;
  const auto losing = std::lower_bound(together.begin(), together.end(), 1.0);
  facts.losing_share =
      static_cast<double>(losing - together.begin()) / static_cast<double>(together.size());
  return facts;
}

}  // namespace hyades
