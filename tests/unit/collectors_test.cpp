// Accelerators by configuration, and all collectors together.
#include "telemetry/collectors.hpp"

#include <gtest/gtest.h>

#include <set>

#include "fixture_tree.hpp"

namespace hyades {
namespace {

AcceleratorSource npus() {
  return {"npu",
          "/sys/class/accel/accel*",
          {{"utilization", "device/busy_percent", "%"},
           {"memory_used", "device/memory_bytes", "MiB", 1.0 / 1048576, MetricClass::Memory},
           {"power", "device/hwmon/hwmon*/power1_input", "W", 1e-6, MetricClass::Power},
           {"jobs", "device/jobs", "count", 1, MetricClass::Compute, Behavior::Counter}}};
}

void add_npu(FixtureTree& tree, int number, const std::string& busy) {
  const std::string device = "/sys/class/accel/accel" + std::to_string(number) + "/device/";
  tree.write(device + "busy_percent", busy + "\n");
  tree.write(device + "memory_bytes", "1073741824\n");
  tree.write(device + "hwmon/hwmon" + std::to_string(number + 5) + "/power1_input", "25000000\n");
}

TEST(Accelerator, DevicesThatTheConfigurationDescribes) {
  FixtureTree tree;
  add_npu(tree, 2, "40");
  add_npu(tree, 10, "99.5");
  AcceleratorCollector compute(tree.root(), npus(), MetricClass::Compute);
  EXPECT_EQ(compute.name(), "npu.compute");
  EXPECT_NE(compute.trouble().find("device/jobs: gone"), std::string::npos) << compute.trouble();
  EXPECT_EQ(Sample(compute)["npu0.utilization"], 40);
  EXPECT_EQ(Sample(compute)["npu1.utilization"], 99.5);
  EXPECT_FALSE(has_metric(compute, "npu0.jobs"));
  AcceleratorCollector memory(tree.root(), npus(), MetricClass::Memory);
  EXPECT_EQ(Sample(memory)["npu1.memory_used"], 1024);
  AcceleratorCollector power(tree.root(), npus(), MetricClass::Power);
  EXPECT_EQ(Sample(power)["npu0.power"], 25);
  EXPECT_EQ(power.metrics().size(), 2u);
}

TEST(Accelerator, OneThatLiesVanishesAndReturns) {
  FixtureTree tree;
  add_npu(tree, 0, "40");
  add_npu(tree, 1, "50");
  AcceleratorCollector compute(tree.root(), npus(), MetricClass::Compute);
  for (const char* text : {"", "101", "-1", "nan", "40 %", "1e1"}) {
    add_npu(tree, 0, text);
    const Sample sample(compute);
    EXPECT_TRUE(sample.none("npu0.utilization")) << text;
    EXPECT_EQ(sample["npu1.utilization"], 50);
    EXPECT_NE(compute.trouble(), "") << text;
  }
  tree.remove("/sys/class/accel/accel0");
  EXPECT_TRUE(Sample(compute).none("npu0.utilization"));
  EXPECT_NE(compute.trouble().find("gone"), std::string::npos) << compute.trouble();
  add_npu(tree, 0, "7");
  EXPECT_EQ(Sample(compute)["npu0.utilization"], 7);
  EXPECT_EQ(compute.trouble(), "");
}

TEST(Accelerator, OneThatIsNotThereIsNotReported) {
  FixtureTree tree;
  AcceleratorCollector compute(tree.root(), npus(), MetricClass::Compute);
  EXPECT_TRUE(compute.metrics().empty());
  EXPECT_EQ(compute.trouble(), "/sys/class/accel/accel*: no such device");
  // Wildcards in the root mean themselves.
  FixtureTree inside;
  add_npu(inside, 0, "5");
  tree.link("/a", inside.root());
  AcceleratorCollector other(tree.root() + "/[ab]", npus(), MetricClass::Compute);
  EXPECT_TRUE(other.metrics().empty());
  AcceleratorCollector same(tree.root() + "/a", npus(), MetricClass::Compute);
  EXPECT_FALSE(same.metrics().empty());
}

void expect_unique_and_of_one_class(const FoundCollectors& found) {
  std::set<std::string> names;
  for (const auto& collector : found.collectors) {
    ASSERT_FALSE(collector->metrics().empty()) << collector->name();
    for (const Metric& metric : collector->metrics()) {
      EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
      EXPECT_EQ(metric.of, collector->metrics()[0].of) << metric.name;
      EXPECT_GT(metric.resolution, 0) << metric.name;
      EXPECT_FALSE(metric.unit.empty()) << metric.name;
      EXPECT_EQ(metric.name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789_.:-"),
                std::string::npos)
          << metric.name;
    }
  }
}

bool has(const FoundCollectors& found, const std::string& name) {
  for (const auto& collector : found.collectors) {
    if (collector->name() == name) return true;
  }
  return false;
}

std::string why_missing(const FoundCollectors& found, const std::string& name) {
  for (const MissingSource& missing : found.missing) {
    if (missing.name == name) return missing.why;
  }
  return "";
}

TEST(Collectors, AnEmptyMachineHasNoneAndSaysWhatWasLookedFor) {
  FixtureTree tree;
  CollectorOptions options;
  options.root = tree.root();
  options.accelerators = {npus()};
  setenv("HYADES_NVML", HYADES_FAKE_NVML, 1);  // is this machine's, not the tree's
  const FoundCollectors found = find_collectors(options);
  unsetenv("HYADES_NVML");
  EXPECT_TRUE(found.collectors.empty());
  EXPECT_EQ(found.nvml, nullptr);
  EXPECT_EQ(found.gpu_processes, nullptr);
  for (const char* name : {"cpu", "memory", "network", "rapl", "hwmon", "frequency", "nvml",
                           "npu.compute", "npu.memory", "npu.power", "energy"}) {
    EXPECT_NE(why_missing(found, name), "") << name;
  }
  EXPECT_NE(found.energy_source.find("not known"), std::string::npos) << found.energy_source;
}

TEST(Collectors, AMachineWithEverything) {
  FixtureTree tree;
  tree.write("/proc/stat", "cpu  1 2 3 4\n");
  tree.write("/proc/meminfo", "MemTotal: 4 kB\nMemAvailable: 2 kB\nBuffers: 0 kB\nCached: 0 kB\n");
  tree.write("/proc/net/dev", "eth0: 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n");
  tree.write("/proc/cpuinfo", "cpu MHz : 2000.0\n");
  tree.write("/sys/class/powercap/intel-rapl:0/name", "package-0\n");
  tree.write("/sys/class/powercap/intel-rapl:0/energy_uj", "5\n");
  tree.write("/sys/class/hwmon/hwmon0/name", "power_meter\n");
  tree.write("/sys/class/hwmon/hwmon0/power1_average", "100000000\n");
  add_npu(tree, 0, "5");
  CollectorOptions options;
  options.root = tree.root();
  options.nvml_library = HYADES_FAKE_NVML;
  options.accelerators = {npus()};
  options.power_model = {50, 100};
  const FoundCollectors found = find_collectors(options);
  expect_unique_and_of_one_class(found);
  for (const char* name :
       {"cpu", "memory", "network", "rapl", "hwmon", "frequency", "nvml.compute", "nvml.memory",
        "nvml.power", "nvml.processes", "npu.compute", "npu.memory", "npu.power", "energy"}) {
    EXPECT_TRUE(has(found, name)) << name;
  }
  EXPECT_NE(found.gpu_processes, nullptr);
  ASSERT_NE(found.nvml, nullptr);
  EXPECT_NE(why_missing(found, "cpu").find("/proc/pressure/cpu"), std::string::npos);
  EXPECT_EQ(why_missing(found, "nvml"), "");
  EXPECT_NE(found.energy_source.find("RAPL"), std::string::npos) << found.energy_source;
  for (const auto& collector : found.collectors) Sample{*collector};
}

// Two kinds of accelerators that bear the same name are told apart by nobody.
TEST(Collectors, ANameIsGivenOnce) {
  FixtureTree tree;
  add_npu(tree, 0, "5");
  CollectorOptions options;
  options.root = tree.root();
  options.accelerators = {npus(), npus()};
  const FoundCollectors found = find_collectors(options);
  expect_unique_and_of_one_class(found);
  EXPECT_EQ(found.collectors.size(), 3u);
  EXPECT_EQ(why_missing(found, "npu.power"), "there is a npu0.power already");
}

// Stands for what found nothing in time.
class Silent : public Collector {
 public:
  explicit Silent(std::string name) : name_(std::move(name)) {}
  std::string_view name() const override { return name_; }
  const std::vector<Metric>& metrics() const override { return metrics_; }
  void sample(std::vector<double>& values) override { values.clear(); }
  const std::string& trouble() const override { return trouble_; }

 private:
  std::string name_;
  std::vector<Metric> metrics_;
  std::string trouble_ = "hangs";
};

TEST(Collectors, SourcesThatMayHangAreMadeByTheCaller) {
  FixtureTree tree;
  add_npu(tree, 0, "5");
  tree.write("/proc/stat", "cpu  1 2 3 4\n");
  CollectorOptions options;
  options.root = tree.root();
  options.nvml_library = HYADES_FAKE_NVML;
  options.accelerators = {npus()};
  options.power_model = {50, 100};
  std::vector<std::string> names;
  std::vector<CollectorOptions::Make> late;
  options.make_guarded = [&](const std::string& name, CollectorOptions::Make make) {
    names.push_back(name);
    late.push_back(std::move(make));
    return std::make_unique<Silent>(name);
  };
  FoundCollectors found = find_collectors(options);
  EXPECT_EQ(names, (std::vector<std::string>{"hwmon", "nvml.compute", "npu.compute", "npu.memory",
                                             "npu.power", "energy"}));
  EXPECT_EQ(found.collectors.size(), 1u);
  EXPECT_TRUE(has(found, "cpu"));
  for (const char* name : {"hwmon", "nvml", "npu.compute", "energy"}) {
    EXPECT_EQ(why_missing(found, name), "hangs") << name;
  }
  EXPECT_EQ(found.nvml, nullptr);
  EXPECT_EQ(found.energy_source, "");
  // They may answer when everybody has gone.
  found = {};
  options = {};
  for (const CollectorOptions::Make& make : late) EXPECT_NE(make(), nullptr);

  names.clear();
  options.root = tree.root();
  options.nvml_library = HYADES_FAKE_NVML;
  options.accelerators = {npus()};
  options.make_guarded = [&](const std::string& name, CollectorOptions::Make make) {
    names.push_back(name);
    auto collector = make();
    EXPECT_EQ(collector->name(), name);
    return collector;
  };
  found = find_collectors(options);
  EXPECT_EQ(names.size(), 9u);
  EXPECT_NE(found.energy_source, "");
}

TEST(Collectors, ThisMachine) {
  CollectorOptions options;
  options.power_model = {50, 100};
  const FoundCollectors found = find_collectors(options);
  expect_unique_and_of_one_class(found);
  for (const char* name : {"cpu", "memory", "network", "energy"}) {
    EXPECT_TRUE(has(found, name)) << name << ": " << why_missing(found, name);
  }
  EXPECT_NE(found.energy_source, "");
  for (const auto& collector : found.collectors) {
    Sample{*collector};
    EXPECT_EQ(collector->trouble(), "") << collector->name();
  }
}

}  // namespace
}  // namespace hyades
