// GPUs by NVML, with a library that answers what it is told to.
#include "telemetry/nvml_collector.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "fake_nvml.hpp"
#include "fixture_tree.hpp"
#include "telemetry/collector_thread.hpp"
#include "telemetry/gpu_process_collector.hpp"

namespace hyades {
namespace {

class NvmlTest : public testing::Test {
 protected:
  NvmlTest() {
    library_ = dlopen(HYADES_FAKE_NVML, RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr) throw std::runtime_error(dlerror());
    using Getter = void* (*)();
    const auto get = reinterpret_cast<Getter>(dlsym(library_, kFakeNvmlSymbol));
    fake_ = static_cast<FakeNvml*>(get());
    *fake_ = {};
  }
  ~NvmlTest() override {
    EXPECT_EQ(fake_->users, 0) << "nvmlInit without nvmlShutdown";
    dlclose(library_);
  }
  FakeNvml& fake() { return *fake_; }
  std::shared_ptr<Nvml> load() {
    std::string why;
    std::shared_ptr<Nvml> nvml = Nvml::load(HYADES_FAKE_NVML, why);
    EXPECT_NE(nvml, nullptr) << why;
    EXPECT_TRUE(nvml->start()) << nvml->trouble();
    return nvml;
  }
  std::string why_not() {
    std::string why;
    const std::shared_ptr<Nvml> nvml = Nvml::load(HYADES_FAKE_NVML, why);
    NvmlCollector collector(nvml, MetricClass::Compute);
    EXPECT_FALSE(nvml->is_started());
    EXPECT_FALSE(nvml->start()) << "once is enough";
    EXPECT_TRUE(collector.metrics().empty());
    EXPECT_EQ(collector.trouble(), nvml->trouble());
    return nvml->trouble();
  }

 private:
  void* library_ = nullptr;
  FakeNvml* fake_ = nullptr;
};

TEST_F(NvmlTest, WhatDevicesSay) {
  fake().gpu[1].utilization = 100;
  const auto nvml = load();
  ASSERT_EQ(nvml->devices().size(), 2u);
  EXPECT_EQ(nvml->devices()[0].uuid, "GPU-fake-0");
  EXPECT_EQ(nvml->devices()[1].name, "Fake GPU");
  NvmlCollector compute(nvml, MetricClass::Compute);
  NvmlCollector memory(nvml, MetricClass::Memory);
  NvmlCollector power(nvml, MetricClass::Power);
  EXPECT_EQ(compute.name(), "nvml.compute");
  EXPECT_EQ(compute.metrics().size(), 2u);
  EXPECT_EQ(Sample(compute)["gpu0.utilization"], 37);
  EXPECT_EQ(Sample(compute)["gpu1.utilization"], 100);
  EXPECT_EQ(Sample(memory)["gpu0.memory_used"], 2048);
  EXPECT_EQ(Sample(memory)["gpu1.memory_total"], 8192);
  EXPECT_EQ(Sample(power)["gpu0.power"], 123.456);
  EXPECT_EQ(Sample(power)["gpu0.energy"], 5);
  EXPECT_EQ(Sample(power)["gpu1.temperature"], 61);
  EXPECT_EQ(metric_named(power, "gpu0.energy").behavior, Behavior::Counter);
  EXPECT_EQ(metric_named(power, "gpu0.power").behavior, Behavior::Gauge);
  for (const NvmlCollector* collector : {&compute, &memory, &power}) {
    EXPECT_EQ(collector->trouble(), "");
  }
}

TEST_F(NvmlTest, WhatADeviceDoesNotSupportIsLeftOutAlone) {
  fake().gpu[0].energy_code = Nvml::NotSupported;
  fake().gpu[1].power_code = Nvml::NoPermission;
  NvmlCollector power(load(), MetricClass::Power);
  EXPECT_FALSE(has_metric(power, "gpu0.energy"));
  EXPECT_FALSE(has_metric(power, "gpu1.power"));
  const Sample sample(power);
  EXPECT_EQ(sample["gpu0.power"], 123.456);
  EXPECT_EQ(sample["gpu0.temperature"], 61);
  EXPECT_EQ(sample["gpu1.energy"], 5);
  EXPECT_EQ(power.trouble(), "");
}

TEST_F(NvmlTest, WhatCannotBeIsNoReading) {
  const auto nvml = load();
  NvmlCollector compute(nvml, MetricClass::Compute);
  NvmlCollector memory(nvml, MetricClass::Memory);
  NvmlCollector power(nvml, MetricClass::Power);
  fake().gpu[0].utilization = 101;
  fake().gpu[0].memory_used = fake().gpu[0].memory_total + (1 << 20);
  fake().gpu[0].power_mw = 0xffffffff;
  fake().gpu[0].temperature = 0xffffffff;
  const Sample use(compute);
  EXPECT_TRUE(use.none("gpu0.utilization"));
  EXPECT_EQ(use["gpu1.utilization"], 37);
  EXPECT_EQ(compute.trouble(), "gpu0 (GPU-fake-0): what it says of gpu0.utilization cannot be");
  const Sample bytes(memory);
  EXPECT_TRUE(bytes.none("gpu0.memory_used"));
  EXPECT_TRUE(bytes.none("gpu0.memory_total"));
  EXPECT_EQ(bytes["gpu1.memory_used"], 2048);
  const Sample watts(power);
  EXPECT_TRUE(watts.none("gpu0.power"));
  EXPECT_TRUE(watts.none("gpu0.temperature"));
  EXPECT_EQ(watts["gpu0.energy"], 5);
  EXPECT_EQ(watts["gpu1.temperature"], 61);
  fake().gpu[0] = {};
  EXPECT_EQ(Sample(compute)["gpu0.utilization"], 37);
  EXPECT_EQ(compute.trouble(), "");
}

TEST_F(NvmlTest, ADeviceThatIsLostWhileRunning) {
  const auto nvml = load();
  NvmlCollector power(nvml, MetricClass::Power);
  fake().gpu[1].code = Nvml::GpuIsLost;
  const Sample sample(power);
  EXPECT_TRUE(sample.none("gpu1.power"));
  EXPECT_TRUE(sample.none("gpu1.energy"));
  EXPECT_EQ(sample["gpu0.power"], 123.456);
  EXPECT_NE(power.trouble().find("gpu1 (GPU-fake-1): GPU is lost"), std::string::npos)
      << power.trouble();
}

TEST_F(NvmlTest, ADeviceThatIsLostBeforeIsNotReported) {
  fake().gpu[0].code = Nvml::GpuIsLost;
  const auto nvml = load();
  ASSERT_EQ(nvml->devices().size(), 1u);
  EXPECT_EQ(nvml->devices()[0].uuid, "GPU-fake-1");
  EXPECT_NE(nvml->trouble().find("GPU is lost"), std::string::npos) << nvml->trouble();
  NvmlCollector compute(nvml, MetricClass::Compute);
  ASSERT_EQ(compute.metrics().size(), 1u);
}

TEST_F(NvmlTest, OneBadAnswerAtTheStartDoesNotEndIt) {
  fake().gpu[0].utilization_code = 999;
  NvmlCollector compute(load(), MetricClass::Compute);
  EXPECT_TRUE(Sample(compute).none("gpu0.utilization"));
  EXPECT_NE(compute.trouble(), "");
  fake().gpu[0].utilization_code = 0;
  EXPECT_EQ(Sample(compute)["gpu0.utilization"], 37);
}

TEST_F(NvmlTest, ProcessesWhateverTheirFormIs) {
  const auto nvml = load();
  std::vector<GpuProcess> found = {{}};
  std::string trouble;
  EXPECT_EQ(nvml->processes(0, found, trouble), Nvml::Success);
  EXPECT_TRUE(found.empty());
  for (const unsigned bytes : {16u, 24u, 32u}) {
    for (const unsigned count : {1u, 2u, 3u, 64u, 65u, 1000u}) {
      fake().gpu[0].process_entry_bytes = bytes;
      fake().gpu[0].processes = count;
      ASSERT_EQ(nvml->processes(0, found, trouble), Nvml::Success) << trouble;
      ASSERT_EQ(found.size(), count) << bytes;
      for (unsigned i = 0; i < count; ++i) {
        EXPECT_EQ(found[i].pid, static_cast<int>(1000 + i)) << bytes << " bytes, " << count;
        EXPECT_EQ(found[i].used_mib, 1024);
      }
    }
  }
  EXPECT_EQ(trouble, "");
}

TEST_F(NvmlTest, ProcessesThatCannotBeTold) {
  const auto nvml = load();
  std::vector<GpuProcess> found;
  std::string trouble;
  fake().gpu[0].processes = 1;
  fake().gpu[0].process_used = ~0ull;
  ASSERT_EQ(nvml->processes(0, found, trouble), Nvml::Success);
  EXPECT_TRUE(std::isnan(found.at(0).used_mib));
  fake().gpu[0].process_entry_bytes = 40;
  fake().gpu[0].processes = 8;
  EXPECT_NE(nvml->processes(0, found, trouble), Nvml::Success);
  EXPECT_TRUE(found.empty());
  EXPECT_NE(trouble.find("form"), std::string::npos) << trouble;
  trouble.clear();
  fake().gpu[0].processes = 1'000'000;
  EXPECT_EQ(nvml->processes(0, found, trouble), Nvml::InsufficientSize);
  EXPECT_NE(trouble, "");
  trouble.clear();
  fake().gpu[0].processes_code = Nvml::NotSupported;
  EXPECT_EQ(nvml->processes(0, found, trouble), Nvml::NotSupported);
  EXPECT_NE(trouble.find("Not Supported"), std::string::npos) << trouble;
}

TEST_F(NvmlTest, ProcessesAreCountedAndListed) {
  fake().gpu[0].processes = 2;
  const auto board = std::make_shared<GpuProcessBoard>(2);
  BootMs now_ms = 5000;
  GpuProcessCollector collector(load(), board, [&] { return now_ms; });
  EXPECT_EQ(collector.name(), "nvml.processes");
  EXPECT_FALSE(board->read(0)) << "nobody has looked yet";
  const Sample sample(collector);
  EXPECT_EQ(sample["gpu0.processes"], 2);
  EXPECT_EQ(sample["gpu1.processes"], 0);
  const auto lists = board->read(5000);
  ASSERT_TRUE(lists && lists->size() == 2 && lists->at(0) && lists->at(1));
  ASSERT_EQ(lists->at(0)->size(), 2u);
  EXPECT_EQ(lists->at(0)->at(1).pid, 1001);
  EXPECT_EQ(lists->at(0)->at(1).used_mib, 1024);
  EXPECT_TRUE(lists->at(1)->empty());
  EXPECT_FALSE(board->read(5001)) << "older than that";
}

TEST_F(NvmlTest, ProcessesThatAreNotToldAreNotNone) {
  fake().gpu[0].processes_code = Nvml::NotSupported;
  const auto board = std::make_shared<GpuProcessBoard>(2);
  GpuProcessCollector collector(load(), board);
  EXPECT_FALSE(has_metric(collector, "gpu0.processes"));
  fake().gpu[1].processes_code = 999;
  EXPECT_TRUE(Sample(collector).none("gpu1.processes"));
  EXPECT_NE(collector.trouble(), "");
  const auto lists = board->read(0);
  ASSERT_TRUE(lists && lists->size() == 2);
  EXPECT_FALSE(lists->at(0));
  EXPECT_FALSE(lists->at(1));
}

// As in a sampler, where the driver may hang.
TEST_F(NvmlTest, ProcessesComeFromAThreadOfItsOwn) {
  const auto board = std::make_shared<GpuProcessBoard>(2);
  const auto nvml = load();
  CollectorThread thread(
      "nvml.processes",
      [nvml, board] { return std::make_unique<GpuProcessCollector>(nvml, board); },
      {.patience_ms = 10'000});
  Sample{thread};
  const auto before = board->read(0);
  ASSERT_TRUE(before && before->at(0) && before->at(0)->empty());
  fake().gpu[0].processes = 1;
  fake().gpu[0].processes_code = 0;
  EXPECT_EQ(Sample(thread)["gpu0.processes"], 1);
  EXPECT_EQ(board->read(0)->at(0)->size(), 1u);
}

TEST_F(NvmlTest, WhereThereIsNoDriver) {
  fake().init_code = 9;
  EXPECT_NE(why_not().find("nvmlInit"), std::string::npos);
  fake() = {};
  fake().count_code = 999;
  EXPECT_NE(why_not().find("nvmlDeviceGetCount"), std::string::npos);
  fake() = {};
  fake().devices = 4'000'000;
  EXPECT_NE(why_not().find("4000000"), std::string::npos);
  fake() = {};
  std::string why;
  EXPECT_EQ(Nvml::load("/no/such/library.so", why), nullptr);
  EXPECT_NE(why.find("/no/such/library.so"), std::string::npos) << why;
  EXPECT_EQ(Nvml::load("libm.so.6", why), nullptr);
  EXPECT_NE(why.find("not NVML"), std::string::npos) << why;
}

TEST_F(NvmlTest, TheEnvironmentNamesTheLibrary) {
  std::string why;
  setenv("HYADES_NVML", HYADES_FAKE_NVML, 1);
  const auto nvml = Nvml::load("", why);
  unsetenv("HYADES_NVML");
  ASSERT_NE(nvml, nullptr) << why;
  EXPECT_FALSE(nvml->is_started());
  EXPECT_TRUE(nvml->devices().empty());
  EXPECT_TRUE(nvml->start());
  EXPECT_EQ(nvml->devices().size(), 2u);
}

TEST_F(NvmlTest, TheFakeTakesItsAnswersFromAFile) {
  FixtureTree tree;
  tree.write("/state", "devices 1\n0 utilization 12\n0 energy_mj 7000\nnonsense\n");
  setenv("FAKE_NVML_STATE", (tree.root() + "/state").c_str(), 1);
  const auto nvml = load();
  NvmlCollector compute(nvml, MetricClass::Compute);
  EXPECT_EQ(compute.metrics().size(), 1u);
  EXPECT_EQ(Sample(compute)["gpu0.utilization"], 12);
  unsetenv("FAKE_NVML_STATE");
}

}  // namespace
}  // namespace hyades
