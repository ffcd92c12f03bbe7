#include "cli/node_telemetry_columns.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "cli/efficiency_json.hpp"
#include "cli/job_efficiency.hpp"
#include "cli/plot.hpp"
#include "cli/printable.hpp"
#include "cli/quantity.hpp"
#include "cli/times.hpp"
#include "core/units.hpp"

namespace hyades {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr const char* kNotMeasured = "-";

std::string text_of(const pb::Figure* figure) {
  if (figure == nullptr) return kNotMeasured;
  return (figure->modelled() ? "~" : "") + format_quantity(figure->value(), figure->unit());
}

// The highest of those whose names begin and end so and that are in that unit ("": any).
const pb::Figure* highest(const pb::NodeTelemetry& node, const std::string& begin,
                          const std::string& end, const std::string& unit) {
  const pb::Figure* found = nullptr;
  for (const pb::Figure& figure : node.figures()) {
    const bool matches = figure.name().starts_with(begin) && figure.name().ends_with(end) &&
                         (unit.empty() || figure.unit() == unit) && std::isfinite(figure.value());
    if (matches && (found == nullptr || figure.value() > found->value())) found = &figure;
  }
  return found;
}

std::string memory_text(const pb::NodeTelemetry& node) {
  const pb::Figure* used = find_figure(node.figures(), "memory.used");
  const pb::Figure* total = find_figure(node.figures(), "memory.total");
  if (used == nullptr || total == nullptr || total->value() <= 0) return text_of(used);
  return format_share(used->value() / total->value());
}

std::string gpu_text(const pb::NodeTelemetry& node) {
  double total = 0;
  int count = 0;
  for (const pb::Figure& figure : node.figures()) {
    const bool use = figure.name().starts_with("gpu") && figure.name().ends_with(".utilization");
    if (!use || !std::isfinite(figure.value())) continue;
    total += figure.value();
    ++count;
  }
  if (count == 0) return kNotMeasured;
  return std::to_string(count) + ": " + format_share(total / count / 100);
}

Cell age_cell(const pb::NodeTelemetry& node, WallMs now_ms) {
  if (node.at_ms() <= 0) return {"never", Colour::Red};
  const std::int64_t age_s = std::max<std::int64_t>(0, now_ms - node.at_ms()) / 1000;
  return {format_duration(age_s), age_s > 120 ? Colour::Red : Colour::None};
}

// One value for each minute from the first to the last; NaN where there is none.
std::vector<double> minutes_of(const pb::NodeTelemetry& node, const std::string& name) {
  constexpr std::int64_t longest = 24 * 60;
  if (node.minutes_size() == 0) return {};
  WallMs first_ms = node.minutes(0).at_ms(), last_ms = first_ms;
  for (const pb::NodeMinute& minute : node.minutes()) {
    first_ms = std::min(first_ms, minute.at_ms());
    last_ms = std::max(last_ms, minute.at_ms());
  }
  first_ms = std::max(first_ms, last_ms - (longest - 1) * kMinuteMs);
  std::vector<double> values(static_cast<std::size_t>((last_ms - first_ms) / kMinuteMs + 1),
                             std::numeric_limits<double>::quiet_NaN());
  bool known = false;
  for (const pb::NodeMinute& minute : node.minutes()) {
    const pb::Figure* figure = find_figure(minute.figures(), name);
    if (figure == nullptr || minute.at_ms() < first_ms) continue;
    values[static_cast<std::size_t>((minute.at_ms() - first_ms) / kMinuteMs)] = figure->value();
    known = true;
  }
  return known ? values : std::vector<double>();
}

// "eth0" of "net.eth0.rx_bytes", whose name may have dots itself; "" of other figures.
std::string interface_of(const pb::Figure& figure) {
  const std::string& name = figure.name();
  const std::size_t end = name.rfind('.');
  const bool of_one = name.starts_with("net.") && end > 4 && end != std::string::npos &&
                      (name.compare(end, 4, ".rx_") == 0 || name.compare(end, 4, ".tx_") == 0);
  return of_one ? name.substr(4, end - 4) : "";
}

// Those that moved nothing, neither now nor in the minutes.
std::set<std::string> idle_interfaces(const pb::NodeTelemetry& node) {
  std::set<std::string> idle;
  const auto look = [&](const auto& figures, auto&& what) {
    for (const pb::Figure& figure : figures) {
      if (const std::string name = interface_of(figure); !name.empty()) what(name, figure);
    }
  };
  const auto drop_busy = [&](const std::string& name, const pb::Figure& figure) {
    if (figure.value() != 0) idle.erase(name);
  };
  look(node.figures(), [&](const std::string& name, const pb::Figure&) { idle.insert(name); });
  look(node.figures(), drop_busy);
  for (const pb::NodeMinute& minute : node.minutes()) look(minute.figures(), drop_busy);
  return idle;
}

// A counter of joules is shown as its growth, which is the power of the same source.
bool is_said_as_power(const pb::NodeTelemetry& node, const pb::Figure& figure) {
  return figure.name() == "energy.node" && find_figure(node.figures(), "power.node") != nullptr;
}

std::string component_text(const pb::ComponentState& component) {
  std::string text = component.name() + (component.running() ? "" : ", not running");
  return component.text().empty() ? text : text + ": " + component.text();
}

std::string head_text(const pb::NodeTelemetry& node, WallMs now_ms) {
  if (node.at_ms() <= 0) return node.node() + ": has not reported anything yet";
  return node.node() + ", as of " + local_time(node.at_ms()) + " (" + age_cell(node, now_ms).text +
         " ago)";
}

std::string counters_text(const pb::LayerInfo& layer) {
  std::string text;
  for (const pb::Figure& counter : layer.counters()) {
    text += (text.empty() ? "" : ", ") + counter.name() + " " +
            format_quantity(counter.value(), counter.unit());
  }
  return text;
}

}  // namespace

Table node_telemetry_table(const NodeTelemetryList& nodes, WallMs now_ms) {
  Table table({{"NODE"},
               {"CPU", true},
               {"MEM", true},
               {"LOAD", true},
               {"RX", true, 0, 2},
               {"TX", true, 0, 2},
               {"POWER", true},
               {"TEMP", true, 0, 1},
               {"GPUS", true},
               {"AGE", true}});
  for (const pb::NodeTelemetry& node : nodes) {
    table.add({node.node(), text_of(find_figure(node.figures(), "cpu.busy")), memory_text(node),
               text_of(find_figure(node.figures(), "cpu.load1")),
               text_of(highest(node, "net.", ".rx_bytes", "bytes/s")),
               text_of(highest(node, "net.", ".tx_bytes", "bytes/s")),
               text_of(find_figure(node.figures(), "power.node")),
               text_of(highest(node, "power.", "", "degC")), gpu_text(node),
               age_cell(node, now_ms)});
  }
  return table;
}

std::string node_telemetry_page(const pb::NodeTelemetry& node, WallMs now_ms,
                                const Terminal& terminal) {
  constexpr int widest_plot = 60, beside_plot = 50;
  const int plot = terminal.columns > 0 ? std::clamp(terminal.columns - beside_plot, 0, widest_plot)
                                        : widest_plot;
  std::string out = escape_text(head_text(node, now_ms)) + "\n";
  const std::set<std::string> idle = idle_interfaces(node);
  const bool plots = node.minutes_size() > 0 && plot > 0;
  Table table(
      {{"FIGURE", false, 12}, {"VALUE", true}, {""}, {plots ? "MINUTES" : "", false, 0, 1}});
  for (const pb::Figure& figure : node.figures()) {
    if (idle.count(interface_of(figure)) != 0 || is_said_as_power(node, figure)) continue;
    const double height = figure.unit() == "%" ? 100 : 0;
    table.add({figure.name(),
               format_quantity(figure.value(), figure.unit()),
               figure.modelled() ? "modelled" : "",
               {sparkline(minutes_of(node, figure.name()), plot, height, terminal), Colour::Blue}});
  }
  if (!table.empty()) out += "\n" + table.render(terminal);
  if (!idle.empty()) {
    out += "(" + std::to_string(idle.size()) + " idle interface" + (idle.size() > 1 ? "s" : "") +
           " left out)\n";
  }
  std::string troubles;
  for (const pb::ComponentState& component : node.components()) {
    if (component.running() && component.text().empty()) continue;
    troubles += escape_text(component_text(component)) + "\n";
  }
  return troubles.empty() ? out : out + "\n" + troubles;
}

Json node_telemetry_json(const pb::NodeTelemetry& node) {
  Json out;
  out["node"] = node.node();
  out["time"] = node.at_ms() > 0 ? Json(utc_time(node.at_ms())) : Json(nullptr);
  out["figures"] = figures_json(node.figures());
  out["components"] = Json::array();
  for (const pb::ComponentState& component : node.components()) {
    out["components"].push_back({{"layer", component.layer()},
                                 {"name", component.name()},
                                 {"running", component.running()},
                                 {"samples", component.samples()},
                                 {"troubles", component.troubles()},
                                 {"cpu_ms", component.cpu_ms()},
                                 {"period_ms", component.period_ms()},
                                 {"figures", figures_json(component.figures())},
                                 {"text", component.text()}});
  }
  out["minutes"] = Json::array();
  for (const pb::NodeMinute& minute : node.minutes()) {
    out["minutes"].push_back(
        {{"time", utc_time(minute.at_ms())}, {"figures", figures_json(minute.figures())}});
  }
  return out;
}

Table layer_table(const std::vector<pb::LayerInfo>& layers) {
  Table table({{"LAYER"},
               {"COMPONENT", false, 10},
               {"PLACE", false, 6},
               {"STATE"},
               {"COUNTERS", false, 16},
               {"NOTE", false, 10}});
  for (const pb::LayerInfo& layer : layers) {
    table.add({layer.layer(), layer.component(), layer.place(),
               layer.running() ? Cell("running", Colour::Green) : Cell("off", Colour::Yellow),
               counters_text(layer), layer.text()});
  }
  return table;
}

std::string layer_page(const std::vector<pb::LayerInfo>& layers, const Terminal& terminal) {
  std::string out;
  for (const pb::LayerInfo& layer : layers) {
    const Colour colour = layer.running() ? Colour::Green : Colour::Yellow;
    out += (out.empty() ? "" : "\n") + escape_text(layer.layer() + ", " + layer.component()) +
           ": " + paint(layer.running() ? "running" : "off", colour, terminal) + "\n";
    Table counters({{"", false, 12}, {"", true}});
    for (const pb::Figure& counter : layer.counters()) {
      counters.add({"  " + counter.name(), format_quantity(counter.value(), counter.unit())});
    }
    if (!counters.empty()) out += counters.render(terminal, false);
    if (layer.text().empty()) continue;
    const int columns = terminal.columns > 0 ? std::max(1, terminal.columns - 2) : 0;
    out += "  " + wrap_text(escape_text(layer.text()), columns, 2) + "\n";
  }
  return out;
}

Json layer_json(const pb::LayerInfo& layer) {
  return {{"layer", layer.layer()},
          {"component", layer.component()},
          {"place", layer.place()},
          {"running", layer.running()},
          {"counters", figures_json(layer.counters())},
          {"text", layer.text()}};
}

}  // namespace hyades
