#include "telemetry/accelerator_collector.hpp"

#include <glob.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "telemetry/fields.hpp"

namespace hyades {
namespace {

constexpr std::size_t max_devices = 64;

// A path that is to be taken as it stands.
std::string quoted(const std::string& path) {
  std::string text;
  for (const char c : path) {
    if (std::strchr("*?[]\\", c) != nullptr) text += '\\';
    text += c;
  }
  return text;
}

std::vector<std::string> matches(const std::string& pattern) {
  std::vector<std::string> paths;
  glob_t found = {};
  if (glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  globfree(&found);
  std::sort(paths.begin(), paths.end(), [](const std::string& a, const std::string& b) {
    return strverscmp(a.c_str(), b.c_str()) < 0;
  });
  return paths;
}

}  // namespace

AcceleratorCollector::AcceleratorCollector(const std::string& root, const AcceleratorSource& source,
                                           MetricClass of)
    : name_(metric_word(source.kind) + '.') {
  name_ += word_of(metric_class_words, of);
  std::vector<std::string> devices = matches(quoted(root) + source.devices);
  if (devices.size() > max_devices) {
    add_trouble(trouble_, source.devices + ": more than " + std::to_string(max_devices) +
                              " devices, the others are left out");
    devices.resize(max_devices);
  }
  for (std::size_t i = 0; i < devices.size(); ++i) {
    for (const AcceleratorFigure& figure : source.figures) {
      if (figure.of != of) continue;
      add_figure(devices[i], metric_word(source.kind) + std::to_string(i) + '.', figure);
    }
  }
  if (devices.empty()) add_trouble(trouble_, source.devices + ": no such device");
}

void AcceleratorCollector::add_figure(const std::string& device, const std::string& prefix,
                                      const AcceleratorFigure& figure) {
  const std::vector<std::string> files = matches(quoted(device) + '/' + figure.file);
  if (files.empty()) return add_trouble(trouble_, device + '/' + figure.file + ": gone");
  Reading reading{SourceFile(files.front()), figure.scale, figure.unit == "%"};
  double value = 0;
  if (!read(reading, value)) return;
  readings_.push_back(std::move(reading));
  Metric metric;
  metric.name = prefix + metric_word(figure.name);
  metric.unit = figure.unit;
  metric.of = figure.of;
  metric.behavior = figure.behavior;
  metric.resolution = figure.resolution;
  metrics_.push_back(std::move(metric));
}

bool AcceleratorCollector::read(Reading& reading, double& value) {
  if (!reading.file.read()) return add_trouble(trouble_, reading.file.why()), false;
  double number = 0;
  if (!parse_decimal(only_line(reading.file.text()), number)) {
    return add_trouble(trouble_, reading.file.path() + ": not a number"), false;
  }
  number *= reading.scale;
  if (reading.is_percentage && (number < 0 || number > 100)) {
    return add_trouble(trouble_, reading.file.path() + ": not a percentage"), false;
  }
  value = number;
  return true;
}

void AcceleratorCollector::sample(std::vector<double>& values) {
  values.assign(metrics_.size(), kNoReading);
  trouble_.clear();
  for (std::size_t i = 0; i < readings_.size(); ++i) read(readings_[i], values[i]);
}

}  // namespace hyades
