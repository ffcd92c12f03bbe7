// What hwatch, hinfo --telemetry and hinfo --layers print.
#include <gtest/gtest.h>

#include <limits>

#include "cli/figure_history.hpp"
#include "cli/node_telemetry_columns.hpp"
#include "cli/printable.hpp"
#include "cli/times.hpp"
#include "cli/watch_page.hpp"
#include "telemetry_samples.hpp"

namespace hyades {
namespace {

using namespace samples;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos) break;
    begin = end + 1;
  }
  return lines;
}

// Ten minutes into its two hours.
struct Running {
  pb::JobInfo job = ended_job("RUNNING", 0);
  pb::JobTelemetry telemetry;
  WallMs now_ms = kStart + 600'000;

  Running() {
    job.set_end_ms(0);
    telemetry = telemetry_of(job);
    telemetry.set_live(true);
    telemetry.set_at_ms(now_ms - 1000);
    add_figure(telemetry, "job.processes", "count", 3);
    add_figure(telemetry, "job.cpu", "cores", 0.98);
    add_figure(telemetry, "job.memory", "MiB", 812);
    add_figure(telemetry, "job.power", "W", 7.5).set_modelled(true);
    add_figure(telemetry, "app.epoch", "count", 12);
  }
  WatchView view() const {
    return {measure_efficiency(job, &telemetry, now_ms), &telemetry, now_ms};
  }
};

// ---- hwatch ------------------------------------------------------------------------------------

TEST(WatchPage, HasALineForEachFigureWithItsCourse) {
  Running running;
  add_series(*running.telemetry.mutable_nodes(0), "job.cpu", "cores", {0, 1, 2, 4});
  FigureHistory history;
  for (int i = 1; i <= 3; ++i) {
    running.telemetry.mutable_figures(2)->set_value(400 * i);
    history.add(running.telemetry.figures(), kStart + i);
  }
  const Terminal terminal{.columns = 80, .colour = false, .utf8 = false, .rows = 24};
  const auto lines = lines_of(watch_page(running.view(), history, terminal));
  ASSERT_EQ(lines.size(), 7u);
  EXPECT_EQ(lines[0], "job 42 (train): RUNNING, 10:00 of 2:00:00, on n1");
  EXPECT_EQ(lines[1], "time                   8 % [###.................................]");
  EXPECT_EQ(lines[2], "cores busy      0.980 of 4 _-+#");  // the node's, of the whole run
  EXPECT_EQ(lines[3], "memory     1.17 GiB of 16G  -*#");  // what was seen, until now
  EXPECT_EQ(lines[4].find("power              ~7.50 W"), 0u) << lines[4];
  EXPECT_EQ(lines[6].find("epoch"), 0u) << lines[6];
}

TEST(WatchPage, OfWhatHasEndedNothingIsSaidOfNow) {
  Running running;
  add_figure(running.telemetry, "job.memory_peak", "MiB", 900);
  add_figure(running.telemetry, "job.cpu_time", "s", 500);
  FigureHistory history;
  history.add(running.telemetry.figures(), kStart + 1);
  running.job.set_state("COMPLETED");
  running.job.set_end_ms(running.now_ms);
  const Terminal terminal{.columns = 80, .colour = false, .utf8 = false, .rows = 24};
  const auto lines = lines_of(watch_page(running.view(), history, terminal));
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[2], "memory, peak 900 MiB");  // a single look is no course
  EXPECT_EQ(lines[3], "CPU time        8:20");
  EXPECT_EQ(lines[4], "epoch             12");
  EXPECT_EQ(watch_line(running.view()).find("processes"), std::string::npos);
}

TEST(WatchPage, GpusThatNobodyAskedForAreShownOnlyWhenUsed) {
  Running running;
  pb::Figure& busy = add_figure(running.telemetry, "job.gpu.busy", "count", 0);
  const Terminal terminal{.columns = 80, .colour = false, .utf8 = false, .rows = 24};
  const auto shows = [&] {
    return watch_page(running.view(), {}, terminal).find("GPUs busy") != std::string::npos;
  };
  EXPECT_FALSE(shows());
  busy.set_value(0.5);
  EXPECT_TRUE(shows());
}

TEST(WatchPage, ProgressIsABarAndAnExtrapolatedEnd) {
  Running running;
  add_figure(running.telemetry, "app.progress", "", 0.25);
  const Terminal terminal{.columns = 80, .colour = false, .utf8 = false, .rows = 24};
  const auto page = [&] { return lines_of(watch_page(running.view(), {}, terminal)); };
  EXPECT_EQ(page()[2], "progress             25 % [#########...........................]");
  // 599 seconds were a quarter.
  EXPECT_EQ(page().back(), "expected end " + local_time(kStart + 4 * 599'000) + ", extrapolated");
  EXPECT_NE(watch_line(running.view()).find("; progress 25 %; "), std::string::npos);
  Json json = watch_json(running.view());
  EXPECT_EQ(json["progress"]["done"], 0.25);
  EXPECT_EQ(json["progress"]["extrapolated_end_time"], utc_time(kStart + 4 * 599'000));
  EXPECT_EQ(json["progress"]["over_limit_s"], 0);
  // Two hours are not enough.
  running.telemetry.mutable_figures()->rbegin()->set_value(0.05);
  EXPECT_EQ(page().back(), "expected end " + local_time(kStart + 20 * 599'000) +
                               ", extrapolated: 1:19:40 after its time limit");
  EXPECT_EQ(watch_json(running.view())["progress"]["over_limit_s"], 4780);
  // Nothing is extrapolated from nothing, and what goes beyond 1 is no progress.
  running.telemetry.mutable_figures()->rbegin()->set_value(0);
  EXPECT_EQ(page().back().find("expected"), std::string::npos);
  EXPECT_EQ(watch_json(running.view())["progress"]["extrapolated_end_time"], nullptr);
  for (const double wrong : {-0.1, 1.1, 50.0}) {
    running.telemetry.mutable_figures()->rbegin()->set_value(wrong);
    EXPECT_EQ(watch_json(running.view())["progress"], nullptr) << wrong;
    EXPECT_EQ(page().back().find("expected"), std::string::npos);
  }
  running.telemetry.mutable_figures()->rbegin()->set_value(1e-300);
  EXPECT_EQ(watch_json(running.view())["progress"]["extrapolated_end_time"], nullptr);
}

TEST(WatchPage, FitsTheTerminalWhateverTheNames) {
  Running running;
  const std::string hostile = "\x1b[2J\n\r\xff\u202e" + std::string(200, 'x');
  running.job.set_name(hostile);
  for (int i = 0; i < 50; ++i) {
    add_figure(running.telemetry, "app." + hostile + std::to_string(i), hostile, 1e300);
  }
  FigureHistory history;
  history.add(running.telemetry.figures(), 1);
  for (const int columns : {20, 40, 80, 200}) {
    for (const int rows : {2, 10, 24}) {
      const Terminal terminal{.columns = columns, .colour = false, .utf8 = true, .rows = rows};
      const auto lines = lines_of(watch_page(running.view(), history, terminal));
      EXPECT_LT(lines.size(), static_cast<std::size_t>(rows));
      for (const std::string& line : lines) {
        EXPECT_EQ(escape_text(line), line);
        EXPECT_LE(display_width(line), columns);
      }
    }
  }
}

TEST(WatchPage, SaysWhatIsNotKnown) {
  Running running;
  const auto last_line = [&](const WatchView& view) {
    return lines_of(watch_page(view, {}, {.columns = 80, .rows = 24})).back();
  };
  WatchView view{measure_efficiency(running.job, nullptr, running.now_ms), nullptr, running.now_ms};
  EXPECT_EQ(last_line(view), "nothing has been measured yet");
  running.telemetry.set_attempt(7);
  EXPECT_EQ(last_line(running.view()), "nothing has been measured yet");
  running.telemetry.set_attempt(1);
  running.telemetry.set_at_ms(running.now_ms - 90'000);
  EXPECT_EQ(last_line(running.view()), "measured 1:30 ago");
  running.job.set_state("PENDING");
  running.job.set_reason("Resources");
  EXPECT_EQ(last_line(running.view()), "job 42 (train): PENDING (Resources)");
}

TEST(WatchLine, IsOneLineWithoutControlCharacters) {
  Running running;
  running.job.set_name("a\nb\x1b[2J");
  const std::string line = watch_line(running.view());
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(escape_text(line.substr(0, line.size() - 1)), line.substr(0, line.size() - 1));
  EXPECT_NE(
      line.find(": RUNNING, 10:00 of 2:00:00, on n1; cores busy 0.980 of 4; memory 812 MiB of "
                "16G; power ~7.50 W; processes 3; epoch 12\n"),
      std::string::npos)
      << line;
}

TEST(WatchJson, IsAnObjectOnOneLine) {
  Running running;
  running.job.set_name("a\nb");
  const std::string line = json_line(watch_json(running.view()));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const Json back = Json::parse(line, nullptr, false);
  ASSERT_TRUE(back.is_object());
  EXPECT_EQ(back["job"]["name"], "a\nb");
  EXPECT_EQ(back["figures"][1]["name"], "job.cpu");
  EXPECT_EQ(back["figures"][3]["modelled"], true);
  EXPECT_EQ(back["elapsed_s"], 600.0);
  WatchView view{measure_efficiency(running.job, nullptr, running.now_ms), nullptr, running.now_ms};
  EXPECT_TRUE(watch_json(view)["measured_time"].is_null());
  EXPECT_EQ(watch_json(view)["figures"], Json::array());
}

TEST(WatchPage, IsPrintedOverTheLastOne) {
  EXPECT_EQ(printed_over("a\nb\n", 0, false), "a\x1b[K\nb\x1b[K\n\x1b[J");
  EXPECT_EQ(printed_over("a\n", 3, false), "\x1b[3A\ra\x1b[K\n\x1b[J");
  EXPECT_EQ(printed_over("a\n", 3, true), "\x1b[H\x1b[2Ja\x1b[K\n\x1b[J");
  EXPECT_EQ(count_lines("a\nb\n"), 2);
}

TEST(History, OfTotalsIsTheirGrowth) {
  pb::JobTelemetry telemetry;
  pb::Figure& read = add_figure(telemetry, "job.read", "bytes", 100);
  pb::Figure& cpu = add_figure(telemetry, "job.cpu", "cores", 1);
  FigureHistory history;
  history.add(telemetry.figures(), 1000);
  EXPECT_TRUE(history.values_of("job.read").empty());
  read.set_value(300);
  cpu.set_value(2);
  history.add(telemetry.figures(), 3000);
  history.add(telemetry.figures(), 3000);  // no news
  read.set_value(50);                      // begun anew
  cpu.set_value(kNaN);
  history.add(telemetry.figures(), 4000);
  EXPECT_EQ(history.values_of("job.read"), (std::vector<double>{100, 0}));
  EXPECT_EQ(history.values_of("job.cpu"), (std::vector<double>{1, 2}));
  EXPECT_TRUE(history.values_of("job.power").empty());
  for (int i = 0; i < 1000; ++i) history.add(telemetry.figures(), 5000 + i);
  EXPECT_LE(history.values_of("job.read").size(), 200u);
}

// ---- hinfo --telemetry -------------------------------------------------------------------------

pb::NodeTelemetry busy_node() {
  pb::NodeTelemetry node;
  node.set_node("n1");
  node.set_at_ms(kStart);
  add_figure(node, "cpu.busy", "%", 37);
  add_figure(node, "cpu.load1", "count", 1.25);
  add_figure(node, "memory.used", "MiB", 4096);
  add_figure(node, "memory.total", "MiB", 16384);
  add_figure(node, "net.bond0.rx_bytes", "bytes/s", 3 << 20);
  add_figure(node, "net.eth0.rx_bytes", "bytes/s", 3 << 20);
  add_figure(node, "power.node", "W", 120).set_modelled(true);
  add_figure(node, "power.coretemp.temp_Core", "degC", 61);
  add_figure(node, "power.coretemp.temp_Package", "degC", 64);
  add_figure(node, "gpu0.utilization", "%", 90);
  add_figure(node, "gpu1.utilization", "%", 10);
  return node;
}

TEST(NodeTelemetry, OneLineForEachNode) {
  pb::NodeTelemetry silent;
  silent.set_node("n2");
  const auto lines =
      lines_of(node_telemetry_table({busy_node(), silent}, kStart + 5000).render({}));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], "NODE  CPU  MEM LOAD         RX TX  POWER    TEMP    GPUS   AGE");
  EXPECT_EQ(lines[1], "n1   37 % 25 % 1.25 3.00 MiB/s  - ~120 W 64 degC 2: 50 %  0:05");
  EXPECT_EQ(lines[2].substr(0, 4), "n2  ");
  EXPECT_EQ(lines[2].find('0'), std::string::npos) << lines[2];
  EXPECT_NE(lines[2].find("never"), std::string::npos);
}

TEST(NodeTelemetry, APageHasAllFiguresAndTheirMinutes) {
  pb::NodeTelemetry node = busy_node();
  for (const int minute : {0, 1, 3}) {
    pb::NodeMinute& row = *node.add_minutes();
    row.set_at_ms(kStart + minute * 60'000);
    add_figure(row, "cpu.busy", "%", 25 * minute);
  }
  pb::ComponentState& collector = *node.add_components();
  collector.set_name("nvml");
  collector.set_text("no library\n");
  const std::string page = node_telemetry_page(node, kStart + 5000, {});
  EXPECT_NE(page.find("cpu.busy                          37 %          _- %\n"), std::string::npos)
      << page;
  EXPECT_NE(page.find("120 W modelled"), std::string::npos) << page;
  EXPECT_NE(page.find("nvml, not running: no library\\n\n"), std::string::npos) << page;
  EXPECT_EQ(lines_of(page).size(), 3u + 11u + 2u);
  const Json json = node_telemetry_json(node);
  EXPECT_EQ(json["figures"].size(), 11u);
  EXPECT_EQ(json["minutes"][2]["figures"][0]["value"], 75.0);
  EXPECT_EQ(json["components"][0]["running"], false);
}

TEST(NodeTelemetry, APageLeavesOutWhatSaysNothing) {
  pb::NodeTelemetry node = busy_node();
  add_figure(node, "energy.node", "W", 120);
  for (const char* name : {"net.veth.1.rx_bytes", "net.veth.1.tx_drops", "net.veth2.rx_bytes"}) {
    add_figure(node, name, "bytes/s", 0);
  }
  add_figure(node, "net.tcp_retransmits", "count", 0);
  std::string page = node_telemetry_page(node, kStart, {});
  EXPECT_NE(page.find("\n(2 idle interfaces left out)\n"), std::string::npos) << page;
  for (const char* word : {"veth", "energy.node", "MINUTES"}) {
    EXPECT_EQ(page.find(word), std::string::npos) << page;
  }
  EXPECT_NE(page.find("net.tcp_retransmits"), std::string::npos) << page;
  pb::NodeMinute& minute = *node.add_minutes();
  minute.set_at_ms(kStart);
  add_figure(minute, "net.veth2.rx_bytes", "bytes/s", 5);  // it was busy a while ago
  page = node_telemetry_page(node, kStart, {});
  EXPECT_NE(page.find("net.veth2.rx_bytes"), std::string::npos) << page;
  EXPECT_NE(page.find("\n(1 idle interface left out)\n"), std::string::npos) << page;
  EXPECT_NE(page.find("MINUTES"), std::string::npos) << page;
}

TEST(NodeTelemetry, WhatIsNeverHeardOfIsNull) {
  pb::NodeTelemetry silent;
  silent.set_node("n2\x1b");
  EXPECT_EQ(node_telemetry_page(silent, kStart, {}), "n2\\x1b: has not reported anything yet\n");
  EXPECT_TRUE(node_telemetry_json(silent)["time"].is_null());
  // Minutes that a wrong clock put ages apart do not need memory for all the time between.
  for (const std::int64_t at_ms : {std::int64_t{0}, std::int64_t{1} << 60}) {
    add_figure(*silent.add_minutes(), "cpu.busy", "%", 1);
    silent.mutable_minutes(silent.minutes_size() - 1)->set_at_ms(at_ms);
  }
  add_figure(silent, "cpu.busy", "%", 1);
  EXPECT_NE(node_telemetry_page(silent, kStart, {}), "");
}

TEST(Layers, SayWhetherTheyRunAndWhyNot) {
  pb::LayerInfo cpu;
  cpu.set_layer("monitoring");
  cpu.set_component("cpu");
  cpu.set_place("n1");
  cpu.set_running(true);
  pb::Figure& samples_taken = *cpu.add_counters();
  samples_taken.set_name("samples");
  samples_taken.set_unit("count");
  samples_taken.set_value(123'456);
  pb::LayerInfo nvml = cpu;
  nvml.set_component("nvml");
  nvml.set_running(false);
  nvml.clear_counters();
  nvml.set_text("libnvidia-ml.so.1 is not there");
  EXPECT_EQ(layer_table({cpu, nvml}).render({}),
            "LAYER      COMPONENT PLACE STATE   COUNTERS      NOTE\n"
            "monitoring cpu       n1    running samples 123 k\n"
            "monitoring nvml      n1    off                   libnvidia-ml.so.1 is not there\n");
  EXPECT_EQ(layer_page({cpu, nvml}, {}),
            "monitoring, cpu: running\n"
            "  samples 123 k\n"
            "\n"
            "monitoring, nvml: off\n"
            "  libnvidia-ml.so.1 is not there\n");
  for (const std::string& line : lines_of(layer_page({cpu, nvml}, {.columns = 20}))) {
    EXPECT_LE(display_width(line), 24) << line;  // titles are not cut
  }
  EXPECT_EQ(layer_json(nvml)["running"], false);
}

}  // namespace
}  // namespace hyades
