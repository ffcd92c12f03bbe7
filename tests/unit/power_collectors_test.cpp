// Energy counters, sensors and frequencies, from trees that stand for /sys.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture_tree.hpp"
#include "telemetry/frequency_collector.hpp"
#include "telemetry/hwmon_collector.hpp"
#include "telemetry/rapl_collector.hpp"

namespace hyades {
namespace {

const std::string powercap = "/sys/class/powercap/";

void add_zone(FixtureTree& tree, const std::string& zone, const std::string& name,
              const std::string& energy, const std::string& range = "262143328850") {
  tree.write(powercap + zone + "/name", name + "\n");
  tree.write(powercap + zone + "/energy_uj", energy + "\n");
  tree.write(powercap + zone + "/max_energy_range_uj", range + "\n");
}

// A machine with two packages, as Linux shows it.
class RaplTest : public testing::Test {
 protected:
  RaplTest() {
    tree_.make_directory(powercap + "intel-rapl");
    add_zone(tree_, "intel-rapl:0", "package-0", "1000000");
    add_zone(tree_, "intel-rapl:0:0", "core", "400000");
    add_zone(tree_, "intel-rapl:0:1", "uncore", "100000");
    add_zone(tree_, "intel-rapl:0:2", "dram", "300000", "65712999613");
    add_zone(tree_, "intel-rapl:1", "package-1", "2000000");
    add_zone(tree_, "intel-rapl:1:0", "dram", "500000", "65712999613");
    add_zone(tree_, "intel-rapl:2", "psys", "9000000");
    add_zone(tree_, "intel-rapl-mmio:0", "package-0", "1000000");
  }
  FixtureTree tree_;
};

TEST_F(RaplTest, PackagesMemoryAndPlatformInJoules) {
  RaplCollector rapl(tree_.root());
  EXPECT_EQ(rapl.trouble(), "");
  EXPECT_EQ(rapl.metrics().size(), 5u) << "no parts of packages, and no package twice";
  const Sample sample(rapl);
  EXPECT_DOUBLE_EQ(sample["power.package0"], 1);
  EXPECT_DOUBLE_EQ(sample["power.dram0"], 0.3);
  EXPECT_DOUBLE_EQ(sample["power.package1"], 2);
  EXPECT_DOUBLE_EQ(sample["power.dram1"], 0.5);
  EXPECT_DOUBLE_EQ(sample["power.psys"], 9);
  const Metric& memory = metric_named(rapl, "power.dram0");
  EXPECT_EQ(memory.unit, "J");
  EXPECT_EQ(memory.behavior, Behavior::Counter);
  EXPECT_DOUBLE_EQ(memory.wraps_at, 65712.999613);
  EXPECT_FALSE(memory.modelled);
}

TEST_F(RaplTest, PackagesOfSeveralDies) {
  add_zone(tree_, "intel-rapl:3", "package-2-die-1", "4000000");
  add_zone(tree_, "intel-rapl:3:0", "dram", "700000");
  RaplCollector rapl(tree_.root());
  const Sample sample(rapl);
  EXPECT_DOUBLE_EQ(sample["power.package2_die1"], 4);
  EXPECT_DOUBLE_EQ(sample["power.dram2_die1"], 0.7);
}

TEST_F(RaplTest, LyingAndVanishingCounters) {
  RaplCollector rapl(tree_.root());
  for (const char* energy : {"", "-1", "1.5", "1e6", "99999999999999999999999", "262143400000"}) {
    tree_.write(powercap + "intel-rapl:0/energy_uj", energy);
    const Sample sample(rapl);
    EXPECT_TRUE(sample.none("power.package0")) << energy;
    EXPECT_DOUBLE_EQ(sample["power.package1"], 2) << energy;
    EXPECT_NE(rapl.trouble(), "") << energy;
  }
  tree_.remove(powercap + "intel-rapl:0");
  EXPECT_TRUE(Sample(rapl).none("power.package0"));
  EXPECT_NE(rapl.trouble().find("gone"), std::string::npos) << rapl.trouble();
}

TEST_F(RaplTest, WithoutARangeItDoesNotWrap) {
  tree_.remove(powercap + "intel-rapl:0/max_energy_range_uj");
  RaplCollector rapl(tree_.root());
  EXPECT_EQ(metric_named(rapl, "power.package0").wraps_at, 0);
}

TEST_F(RaplTest, OpenedByRootAndReadByAnybody) {
  if (geteuid() != 0) GTEST_SKIP() << "needs to be root";
  for (const char* zone : {"0", "0:2", "1", "1:0", "2"}) {
    const std::string file = tree_.root() + powercap + "intel-rapl:" + zone + "/energy_uj";
    ASSERT_EQ(chmod(file.c_str(), 0400), 0);
  }
  ASSERT_EQ(chmod(tree_.root().c_str(), 0755), 0);
  RaplCollector rapl(tree_.root());
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (setgid(65534) != 0 || setuid(65534) != 0) _exit(1);
    std::vector<double> values;
    rapl.sample(values);
    for (const double value : values) {
      if (std::isnan(value)) _exit(2);
    }
    RaplCollector late(tree_.root());
    if (!late.metrics().empty()) _exit(3);
    _exit(late.trouble().find("Permission denied") == std::string::npos ? 4 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Rapl, WhereThereIsNone) {
  FixtureTree tree;
  RaplCollector rapl(tree.root());
  EXPECT_TRUE(rapl.metrics().empty());
  EXPECT_NE(rapl.trouble().find("no energy counters"), std::string::npos);
  Sample{rapl};
}

const std::string hwmon = "/sys/class/hwmon/";

class HwmonTest : public testing::Test {
 protected:
  void set(const std::string& file, const std::string& text) {
    tree_.write(hwmon + file, text + "\n");
  }
  FixtureTree tree_;
};

TEST_F(HwmonTest, SensorsInTheirUnits) {
  set("hwmon0/name", "power_meter");
  set("hwmon0/power1_average", "345600000");
  set("hwmon1/name", "nct6775");
  set("hwmon1/temp1_input", "41500");
  set("hwmon1/temp1_label", "SYSTIN");
  set("hwmon1/temp2_input", "-5000");
  set("hwmon1/in0_input", "1056");
  set("hwmon1/fan1_input", "1250");
  set("hwmon1/fan1_min", "100");
  set("hwmon1/energy1_input", "2500000");
  HwmonCollector sensors(tree_.root());
  EXPECT_EQ(sensors.trouble(), "");
  EXPECT_EQ(sensors.metrics().size(), 6u);
  const Sample sample(sensors);
  EXPECT_DOUBLE_EQ(sample["power.power_meter.power1"], 345.6);
  EXPECT_DOUBLE_EQ(sample["power.nct6775.temp_systin"], 41.5);
  EXPECT_DOUBLE_EQ(sample["power.nct6775.temp2"], -5);
  EXPECT_DOUBLE_EQ(sample["power.nct6775.in0"], 1.056);
  EXPECT_DOUBLE_EQ(sample["power.nct6775.fan1"], 1250);
  EXPECT_DOUBLE_EQ(sample["power.nct6775.energy1"], 2.5);
  EXPECT_EQ(metric_named(sensors, "power.nct6775.energy1").behavior, Behavior::Counter);
  EXPECT_EQ(metric_named(sensors, "power.nct6775.in0").unit, "V");
}

TEST_F(HwmonTest, ChipsAndLabelsOfTheSameName) {
  for (const char* chip : {"hwmon2", "hwmon10"}) {
    set(chip + std::string("/name"), "nvme");
    set(chip + std::string("/temp1_input"), chip[5] == '2' ? "30000" : "50000");
    set(chip + std::string("/temp1_label"), "Composite");
    set(chip + std::string("/temp2_input"), "31000");
    set(chip + std::string("/temp2_label"), "Composite");
  }
  HwmonCollector sensors(tree_.root());
  const Sample sample(sensors);
  EXPECT_EQ(sample["power.nvme.temp_composite"], 30);
  EXPECT_EQ(sample["power.nvme.temp_composite-2"], 31);
  EXPECT_EQ(sample["power.nvme-2.temp_composite"], 50);
}

TEST_F(HwmonTest, AnAverageIsPreferredAndCoresAreInTheirPackage) {
  set("hwmon0/name", "amdgpu");
  set("hwmon0/power1_average", "30000000");
  set("hwmon0/power1_input", "99000000");
  set("hwmon0/power2_input", "7000000");
  set("hwmon1/name", "coretemp");
  set("hwmon1/temp1_input", "60000");
  set("hwmon1/temp1_label", "Package id 0");
  set("hwmon1/temp2_input", "59000");
  set("hwmon1/temp2_label", "Core 0");
  HwmonCollector sensors(tree_.root());
  EXPECT_EQ(sensors.metrics().size(), 3u);
  const Sample sample(sensors);
  EXPECT_EQ(sample["power.amdgpu.power1"], 30);
  EXPECT_EQ(sample["power.amdgpu.power2"], 7);
  EXPECT_EQ(sample["power.coretemp.temp_package_id_0"], 60);
  HwmonCollector only(tree_.root(), "coretemp");
  EXPECT_EQ(only.metrics().size(), 1u);
}

TEST_F(HwmonTest, LyingAndVanishingSensors) {
  set("hwmon0/name", "nct6775");
  set("hwmon0/temp1_input", "40000");
  set("hwmon0/temp2_input", "-128000");  // not connected
  HwmonCollector sensors(tree_.root());
  EXPECT_FALSE(has_metric(sensors, "power.nct6775.temp2"));
  EXPECT_NE(sensors.trouble(), "");
  for (const char* text : {"", "x", "1e4", "900000", "40.5", "99999999999999999999"}) {
    set("hwmon0/temp1_input", text);
    EXPECT_TRUE(Sample(sensors).none("power.nct6775.temp1")) << text;
    EXPECT_NE(sensors.trouble(), "") << text;
  }
  tree_.remove("/sys");
  EXPECT_TRUE(Sample(sensors).has_nothing());
  EXPECT_NE(sensors.trouble().find("gone"), std::string::npos);
}

TEST_F(HwmonTest, ThermalZonesWhereNoSensorTellsATemperature) {
  tree_.write("/sys/class/thermal/thermal_zone0/type", "x86_pkg_temp\n");
  tree_.write("/sys/class/thermal/thermal_zone0/temp", "52000\n");
  tree_.write("/sys/class/thermal/cooling_device0/type", "Processor\n");
  HwmonCollector zones(tree_.root());
  EXPECT_EQ(zones.metrics().size(), 1u);
  EXPECT_EQ(Sample(zones)["power.temperature.x86_pkg_temp"], 52);
  set("hwmon0/name", "coretemp");
  set("hwmon0/temp1_input", "60000");
  HwmonCollector sensors(tree_.root());
  EXPECT_EQ(sensors.metrics().size(), 1u);
  EXPECT_TRUE(has_metric(sensors, "power.coretemp.temp1"));
  FixtureTree empty;
  HwmonCollector none(empty.root());
  EXPECT_TRUE(none.metrics().empty());
  EXPECT_NE(none.trouble(), "");
}

const std::string cpus = "/sys/devices/system/cpu/";

TEST(Frequency, MeanAndMaximumOfTheProcessors) {
  FixtureTree tree;
  for (int i = 0; i < 12; ++i) {
    tree.write(cpus + "cpu" + std::to_string(i) + "/cpufreq/scaling_cur_freq",
               std::to_string(1'000'000 + i * 100'000) + "\n");
  }
  tree.make_directory(cpus + "cpufreq");
  tree.make_directory(cpus + "cpuidle");
  FrequencyCollector frequency(tree.root());
  EXPECT_EQ(frequency.trouble(), "");
  EXPECT_DOUBLE_EQ(Sample(frequency)["cpu.frequency_mean"], 1550);
  EXPECT_DOUBLE_EQ(Sample(frequency)["cpu.frequency_max"], 2100);
  // One goes offline, one lies.
  tree.remove(cpus + "cpu11/cpufreq");
  tree.write(cpus + "cpu10/cpufreq/scaling_cur_freq", "4294967295\n");
  const Sample sample(frequency);
  EXPECT_DOUBLE_EQ(sample["cpu.frequency_max"], 1900);
  EXPECT_DOUBLE_EQ(sample["cpu.frequency_mean"], 1450);
  EXPECT_NE(frequency.trouble().find("cpu10"), std::string::npos);
  tree.remove("/sys");
  EXPECT_TRUE(Sample(frequency).has_nothing());
  EXPECT_NE(frequency.trouble(), "");
}

TEST(Frequency, ElseFromCpuinfo) {
  FixtureTree tree;
  tree.write("/proc/cpuinfo",
             "processor\t: 0\ncpu MHz\t\t: 2000.000\n\nprocessor\t: 1\ncpu MHz\t\t: 2500.500\n");
  FrequencyCollector frequency(tree.root());
  EXPECT_EQ(frequency.trouble(), "");
  const Sample sample(frequency);
  EXPECT_DOUBLE_EQ(sample["cpu.frequency_mean"], 2250.25);
  EXPECT_DOUBLE_EQ(sample["cpu.frequency_max"], 2500.5);
  for (const char* text : {"", "cpu MHz\n", "cpu MHz : nan\n", "cpu MHz : -1\n",
                           "cpu MHz : 0.000\n", "cpu MHz : 2000.0", "cpu MHz : 99999999\n"}) {
    tree.write("/proc/cpuinfo", text);
    EXPECT_TRUE(Sample(frequency).has_nothing()) << text;
    EXPECT_NE(frequency.trouble(), "") << text;
  }
  FixtureTree empty;
  FrequencyCollector none(empty.root());
  EXPECT_TRUE(none.metrics().empty());
  EXPECT_NE(none.trouble(), "");
  Sample{none};
}

}  // namespace
}  // namespace hyades
