#include "hsim/metrics_output.hpp"

#include <cmath>

#include "cli/quantity.hpp"
#include "cli/table.hpp"
#include "core/units.hpp"

namespace hyades {
namespace {

std::string percent_text(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", share * 100);
  return text;
}

// Reads members in the order in which they are written, so that neither forgets one.
template <typename Metrics, typename Visit>
void each_member(Metrics& metrics, const Visit& visit) {
  visit("jobs", metrics.jobs);
  visit("avg_bsld", metrics.avg_bsld);
  visit("p95_bsld", metrics.p95_bsld);
  visit("max_bsld", metrics.max_bsld);
  visit("avg_wait", metrics.avg_wait);
  visit("p95_wait", metrics.p95_wait);
  visit("p99_wait", metrics.p99_wait);
  visit("max_wait", metrics.max_wait);
  visit("utilization", metrics.utilization);
  visit("makespan", metrics.makespan);
  visit("p50_bsld", metrics.p50_bsld);
  visit("p99_bsld", metrics.p99_bsld);
  visit("p50_wait", metrics.p50_wait);
  visit("avg_turnaround", metrics.avg_turnaround);
  visit("backfilled", metrics.backfilled);
}

}  // namespace

std::string seconds_text(double seconds) {
  if (std::abs(seconds) < 60) return format_number(seconds) + " s";
  const std::string text = format_duration(std::llround(std::abs(seconds)));
  return seconds < 0 ? "-" + text : text;
}

Json metrics_json(const Metrics& metrics) {
  Json out;
  each_member(metrics, [&](const char* key, const auto& member) { out[key] = member; });
  return out;
}

bool metrics_from_json(const Json& json, Metrics& metrics) {
  bool complete = json.is_object();
  each_member(metrics, [&](const char* key, auto& member) {
    complete = complete && json.contains(key) && json[key].is_number();
    if (complete) json[key].get_to(member);
  });
  return complete;
}

std::string metrics_text(const Metrics& metrics, const Terminal& terminal) {
  Table spread(
      {{"", false}, {"MEAN", true}, {"MEDIAN", true}, {"P95", true}, {"P99", true}, {"MAX", true}});
  spread.add({"wait", seconds_text(metrics.avg_wait), seconds_text(metrics.p50_wait),
              seconds_text(metrics.p95_wait), seconds_text(metrics.p99_wait),
              seconds_text(static_cast<double>(metrics.max_wait))});
  spread.add({"bounded slowdown", format_number(metrics.avg_bsld), format_number(metrics.p50_bsld),
              format_number(metrics.p95_bsld), format_number(metrics.p99_bsld),
              format_number(metrics.max_bsld)});
  Table totals({{"", false}, {"", false}});
  totals.add({"jobs", std::to_string(metrics.jobs) + ", of them backfilled " +
                          std::to_string(metrics.backfilled)});
  totals.add({"turnaround", seconds_text(metrics.avg_turnaround) + " on average"});
  totals.add({"makespan", format_duration(metrics.makespan)});
  totals.add({"utilization", percent_text(metrics.utilization)});
  return totals.render(terminal, false) + "\n" + spread.render(terminal);
}

std::string metrics_table(const std::vector<NamedMetrics>& replays, const Terminal& terminal) {
  Table table({{"", false},
               {"BSLD", true},
               {"P95 BSLD", true, 0, 2},
               {"WAIT", true},
               {"P95 WAIT", true, 0, 3},
               {"P99 WAIT", true, 0, 4},
               {"MAX WAIT", true},
               {"UTILIZATION", true},
               {"MAKESPAN", true, 0, 1}});
  double (*const figures[])(const Metrics&) = {
      [](const Metrics& m) { return m.avg_bsld; },
      [](const Metrics& m) { return m.p95_bsld; },
      [](const Metrics& m) { return m.avg_wait; },
      [](const Metrics& m) { return m.p95_wait; },
      [](const Metrics& m) { return m.p99_wait; },
      [](const Metrics& m) { return static_cast<double>(m.max_wait); },
      [](const Metrics& m) { return -m.utilization; },  // the most is the best
      [](const Metrics& m) { return static_cast<double>(m.makespan); }};
  const auto texts = [](const Metrics& m) -> std::vector<std::string> {
    return {format_number(m.avg_bsld),   format_number(m.p95_bsld),
            seconds_text(m.avg_wait),    seconds_text(m.p95_wait),
            seconds_text(m.p99_wait),    seconds_text(static_cast<double>(m.max_wait)),
            percent_text(m.utilization), format_duration(m.makespan)};
  };
  for (const NamedMetrics& replay : replays) {
    std::vector<Cell> row = {replay.name};
    const std::vector<std::string> words = texts(replay.metrics);
    for (std::size_t i = 0; i < words.size(); ++i) {
      bool best = replays.size() > 1;
      for (const NamedMetrics& other : replays) {
        best = best && figures[i](replay.metrics) <= figures[i](other.metrics);
      }
      row.emplace_back(words[i], best ? Colour::Green : Colour::None);
    }
    table.add(std::move(row));
  }
  return table.render(terminal);
}

}  // namespace hyades
