#include "wire/telemetry_codec.hpp"

#include <algorithm>
#include <climits>
#include <cmath>

#include "wire/codec.hpp"
#include "wire/range_check.hpp"
#include "wire/utf8.hpp"

namespace hyades {

namespace {

constexpr std::size_t kUnitBytesMax = 16;
constexpr std::int64_t kHour_ms = 3'600'000;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == ':' || c == '-';
}

// "%" and "1/s" are units as well.
bool is_printable(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

void check_name(RangeCheck& check, const std::string& in, std::string& out) {
  if (is_figure_name(in)) {
    out = in;
  } else {
    check.fail("name", " is not made of letters, digits and _.:- only");
  }
}

void check_unit(RangeCheck& check, const std::string& in, std::string& out) {
  check.text("unit", in, out, kUnitBytesMax);
  if (!is_printable(in)) check.fail("unit", " is not printable");
}

bool from_pb(const pb::JobFigures& in, JobFigures& out, std::string& error);
bool from_pb(const pb::AcceleratorFigure& in, AcceleratorFigureSetting& out, std::string& error);
bool from_pb(const pb::AcceleratorSource& in, AcceleratorSetting& out, std::string& error);

// Elements one by one, each with its own complaint.
template <typename In, typename Out>
void each(const char* field, const In& in, std::vector<Out>& out, std::size_t most,
          RangeCheck& check, std::string& error) {
  if (static_cast<std::size_t>(in.size()) > most) {
    return check.fail(field, " has " + std::to_string(in.size()) + " elements; at most " +
                                 std::to_string(most) + " are allowed");
  }
  out.resize(static_cast<std::size_t>(in.size()));
  for (int i = 0; i < in.size() && check.ok(); ++i) {
    check.nested(from_pb(in.Get(i), out[static_cast<std::size_t>(i)], error));
  }
}

bool from_pb(const pb::JobFigures& in, JobFigures& out, std::string& error) {
  RangeCheck check("JobFigures", error);
  check.nested(from_pb(in.key(), out.key, error));
  each("figures", in.figures(), out.figures, TelemetryLimits::figures_max, check, error);
  return check.ok();
}

bool from_pb(const pb::AcceleratorFigure& in, AcceleratorFigureSetting& out, std::string& error) {
  RangeCheck check("AcceleratorFigure", error);
  check.text("name", in.name(), out.name);
  check.text("unit", in.unit(), out.unit);
  check.text("file", in.file(), out.file, Limits::path_bytes_max);
  out.scale = in.scale();
  return check.ok();
}

bool from_pb(const pb::AcceleratorSource& in, AcceleratorSetting& out, std::string& error) {
  RangeCheck check("AcceleratorSource", error);
  check.text("kind", in.kind(), out.kind);
  check.text("folder", in.folder(), out.folder, Limits::path_bytes_max);
  each("figures", in.figures(), out.figures, Limits::list_max, check, error);
  return check.ok();
}

void to_pb(const AcceleratorSetting& value, pb::AcceleratorSource& out) {
  out.set_kind(to_utf8(value.kind));
  out.set_folder(to_utf8(value.folder));
  for (const AcceleratorFigureSetting& figure : value.figures) {
    pb::AcceleratorFigure& added = *out.add_figures();
    added.set_name(to_utf8(figure.name));
    added.set_unit(to_utf8(figure.unit));
    added.set_file(to_utf8(figure.file));
    added.set_scale(figure.scale);
  }
}

}  // namespace

bool is_figure_name(const std::string& name) {
  return !name.empty() && name.size() <= TelemetryLimits::name_bytes_max &&
         std::all_of(name.begin(), name.end(), is_plain);
}

// ---- to bytes --------------------------------------------------------------------------------

void to_pb(const Figure& value, pb::Figure& out) {
  out.set_name(value.name);
  out.set_unit(value.unit);
  out.set_value(value.value);
  out.set_modelled(value.modelled);
}

void to_pb(const JobSeries& value, pb::JobSeries& out) {
  to_pb(value.key, *out.mutable_key());
  out.set_name(value.name);
  out.set_unit(value.unit);
  out.set_from_ms(value.from_ms);
  out.set_step_ms(value.step_ms);
  out.mutable_mean()->Assign(value.mean.begin(), value.mean.end());
  out.mutable_most()->Assign(value.most.begin(), value.most.end());
}

void to_pb(const ComponentState& value, pb::ComponentState& out) {
  out.set_name(value.name);
  out.set_layer(value.layer);
  out.set_running(value.running);
  out.set_samples(value.samples);
  out.set_troubles(value.troubles);
  out.set_cpu_ms(value.cpu_ms);
  out.set_period_ms(value.period_ms);
  constexpr std::size_t most = TelemetryLimits::text_bytes_max;
  out.set_text(to_utf8(value.text.substr(0, most)));
  if (out.text().size() > most) out.set_text(to_utf8(value.text.substr(0, most / 4)));
  for (const Figure& figure : value.figures) to_pb(figure, *out.add_figures());
}

void to_pb(const TelemetryReport& value, pb::TelemetryReport& out) {
  out.set_from_ms(value.from_ms);
  out.set_until_ms(value.until_ms);
  out.set_whole_minute(value.whole_minute);
  for (const Figure& figure : value.node) to_pb(figure, *out.add_node());
  for (const JobFigures& job : value.jobs) {
    pb::JobFigures& added = *out.add_jobs();
    to_pb(job.key, *added.mutable_key());
    for (const Figure& figure : job.figures) to_pb(figure, *added.add_figures());
  }
  for (const JobSeries& series : value.series) to_pb(series, *out.add_series());
  for (const ComponentState& component : value.components) to_pb(component, *out.add_components());
}

void to_pb(const TelemetrySettings& value, pb::TelemetrySettings& out) {
  out.set_enabled(value.enabled);
  out.mutable_period_ms()->Assign(value.period_ms.begin(), value.period_ms.end());
  out.set_report_ms(value.report_ms);
  out.set_idle_factor(value.idle_factor);
  out.set_budget_ppm(value.budget_ppm);
  out.set_retention_s(value.retention_s);
  out.set_ring_mib(value.ring_mib);
  out.set_idle_watts(value.idle_watts);
  out.set_peak_watts(value.peak_watts);
  for (const AcceleratorSetting& source : value.accelerators)
    to_pb(source, *out.add_accelerators());
}

// ---- from bytes ------------------------------------------------------------------------------

bool from_pb(const pb::Figure& in, Figure& out, std::string& error) {
  RangeCheck check("Figure", error);
  check_name(check, in.name(), out.name);
  check_unit(check, in.unit(), out.unit);
  if (!std::isfinite(in.value())) check.fail("value", " of " + out.name + " is not a number");
  out.value = in.value();
  out.modelled = in.modelled();
  return check.ok();
}

bool from_pb(const pb::JobSeries& in, JobSeries& out, std::string& error) {
  RangeCheck check("JobSeries", error);
  check.nested(from_pb(in.key(), out.key, error));
  check_name(check, in.name(), out.name);
  check_unit(check, in.unit(), out.unit);
  check.number("from_ms", in.from_ms(), 0, kWallMsMax, out.from_ms);
  check.number("step_ms", in.step_ms(), 1, 1000 * kHour_ms, out.step_ms);
  std::size_t points = 0;
  check.number("mean", in.mean_size(), 0, TelemetryLimits::points_max, points);
  if (in.most_size() != in.mean_size()) check.fail("most", " has not as many points as mean");
  if (!check.ok()) return false;
  out.mean.assign(in.mean().begin(), in.mean().end());
  out.most.assign(in.most().begin(), in.most().end());
  return true;
}

bool from_pb(const pb::ComponentState& in, ComponentState& out, std::string& error) {
  RangeCheck check("ComponentState", error);
  check_name(check, in.name(), out.name);
  check_name(check, in.layer(), out.layer);
  out.running = in.running();
  out.samples = in.samples();
  out.troubles = in.troubles();
  if (!(in.cpu_ms() >= 0) || !std::isfinite(in.cpu_ms())) check.fail("cpu_ms", " is no time");
  out.cpu_ms = in.cpu_ms();
  check.number("period_ms", in.period_ms(), 0, INT_MAX, out.period_ms);
  check.text("text", in.text(), out.text, TelemetryLimits::text_bytes_max);
  each("figures", in.figures(), out.figures, Limits::list_max, check, error);
  return check.ok();
}

bool from_pb(const pb::TelemetryReport& in, TelemetryReport& out, std::string& error) {
  RangeCheck check("TelemetryReport", error);
  check.number("from_ms", in.from_ms(), 0, kWallMsMax, out.from_ms);
  check.number("until_ms", in.until_ms(), 0, kWallMsMax, out.until_ms);
  out.whole_minute = in.whole_minute();
  each("node", in.node(), out.node, TelemetryLimits::figures_max, check, error);
  each("jobs", in.jobs(), out.jobs, Limits::list_max, check, error);
  each("series", in.series(), out.series, Limits::list_max, check, error);
  each("components", in.components(), out.components, TelemetryLimits::figures_max, check, error);
  return check.ok();
}

bool from_pb(const pb::TelemetrySettings& in, TelemetrySettings& out, std::string& error) {
  RangeCheck check("TelemetrySettings", error);
  out.enabled = in.enabled();
  if (static_cast<std::size_t>(in.period_ms_size()) != out.period_ms.size()) {
    check.fail("period_ms", " has " + std::to_string(in.period_ms_size()) + " elements");
    return false;
  }
  for (int i = 0; i < in.period_ms_size(); ++i) {
    check.number("period_ms", in.period_ms(i), 1, kHour_ms,
                 out.period_ms[static_cast<std::size_t>(i)]);
  }
  check.number("report_ms", in.report_ms(), 100, kHour_ms, out.report_ms);
  check.number("idle_factor", in.idle_factor(), 1, 1000, out.idle_factor);
  check.number("budget_ppm", in.budget_ppm(), 1, 1'000'000, out.budget_ppm);
  check.number("retention_s", in.retention_s(), 0, INT_MAX, out.retention_s);
  check.number("ring_mib", in.ring_mib(), 1, 1 << 20, out.ring_mib);
  check.number("idle_watts", in.idle_watts(), 0, INT_MAX, out.idle_watts);
  check.number("peak_watts", in.peak_watts(), 0, INT_MAX, out.peak_watts);
  each("accelerators", in.accelerators(), out.accelerators, Limits::list_max, check, error);
  return check.ok();
}

}  // namespace hyades
