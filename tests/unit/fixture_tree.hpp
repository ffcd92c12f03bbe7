// A tree that stands for /proc and /sys, and a look at what a collector makes of it.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "telemetry/collector.hpp"

namespace hyades {

class FixtureTree {
 public:
  FixtureTree() {
    std::string path = (std::filesystem::temp_directory_path() / "hyades-tree-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp failed: " + path);
    root_ = path;
  }
  FixtureTree(const FixtureTree&) = delete;
  FixtureTree& operator=(const FixtureTree&) = delete;
  ~FixtureTree() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  const std::string& root() const { return root_; }

  // Into the same file when there is one, as the kernel's files stay the same.
  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::trunc) << text;
  }
  void remove(const std::string& path) { std::filesystem::remove_all(root_ + path); }
  void make_directory(const std::string& path) {
    std::filesystem::create_directories(root_ + path);
  }
  void link(const std::string& path, const std::string& to) {
    std::filesystem::create_symlink(to, root_ + path);
  }

 private:
  std::string root_;
};

inline bool has_metric(const Collector& collector, const std::string& name) {
  for (const Metric& metric : collector.metrics()) {
    if (metric.name == name) return true;
  }
  return false;
}

inline const Metric& metric_named(const Collector& collector, const std::string& name) {
  for (const Metric& metric : collector.metrics()) {
    if (metric.name == name) return metric;
  }
  throw std::runtime_error("no metric " + name);
}

// One sample, read by names.
class Sample {
 public:
  explicit Sample(Collector& collector) : collector_(collector) {
    collector.sample(values_);
    EXPECT_EQ(values_.size(), collector.metrics().size());
  }
  double operator[](const std::string& name) const {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (collector_.metrics()[i].name == name) return values_[i];
    }
    ADD_FAILURE() << collector_.name() << " has no metric " << name;
    return kNoReading;
  }
  bool none(const std::string& name) const { return std::isnan((*this)[name]); }
  bool has_nothing() const {
    for (double value : values_) {
      if (!std::isnan(value)) return false;
    }
    return true;
  }

 private:
  Collector& collector_;
  std::vector<double> values_;
};

}  // namespace hyades
