// What a job has used, to and from its message.
#include <cmath>
#include <limits>

#include "wire/codec.hpp"
#include "wire/range_check.hpp"

namespace hyades {
namespace {

constexpr std::int64_t kAnyCount = std::numeric_limits<std::int64_t>::max();

bool few_enough(RangeCheck& check, const char* field, int size, std::size_t most) {
  if (static_cast<std::size_t>(size) <= most) return true;
  check.fail(field, " has " + std::to_string(size) + " elements; at most " + std::to_string(most) +
                        " are allowed");
  return false;
}

bool from_pb(const pb::JobCounter& in, JobCounter& out, std::string& error) {
  RangeCheck check("JobCounter", error);
  if (!is_counter_name(in.name())) check.fail("name", " is no name of a counter");
  check.number("value", in.value(), 0, kAnyCount, out.value);
  const double share = in.running_share();
  if (!(share > 0 && share <= 1)) check.fail("running_share", " must be above 0 and at most 1");
  out.name = in.name();
  out.running_share = share;
  out.user_only = in.user_only();
  return check.ok();
}

bool from_pb(const pb::MissingCounter& in, MissingCounter& out, std::string& error) {
  RangeCheck check("MissingCounter", error);
  if (!is_counter_name(in.name())) check.fail("name", " is no name of a counter");
  if (!is_counter_reason(in.why())) check.fail("why", " is too long or not plain text");
  out.name = in.name();
  out.why = in.why();
  return check.ok();
}

bool from_pb(const pb::ReportedFigure& in, ReportedFigure& out, std::string& error) {
  RangeCheck check("ReportedFigure", error);
  if (!is_reported_name(in.name())) check.fail("name", " is no name of a reported figure");
  if (!std::isfinite(in.value())) check.fail("value", " is not finite");
  out.name = in.name();
  out.value = in.value();
  return check.ok();
}

template <typename Messages, typename Values>
void list_from_pb(RangeCheck& check, const char* field, const Messages& in, std::size_t most,
                  Values& out, std::string& error) {
  out.clear();
  if (!check.ok() || !few_enough(check, field, in.size(), most)) return;
  out.resize(static_cast<std::size_t>(in.size()));
  for (int i = 0; i < in.size() && check.ok(); ++i) {
    check.nested(from_pb(in[i], out[static_cast<std::size_t>(i)], error));
  }
}

}  // namespace

void to_pb(const Usage& value, pb::Usage& out) {
  out.set_user_ms(value.user_ms);
  out.set_system_ms(value.system_ms);
  out.set_max_rss_kib(value.max_rss_kib);
  out.set_minor_faults(value.minor_faults);
  out.set_major_faults(value.major_faults);
  out.set_voluntary_switches(value.voluntary_switches);
  out.set_involuntary_switches(value.involuntary_switches);
  out.set_read_bytes(value.read_bytes);
  out.set_write_bytes(value.write_bytes);
  for (const JobCounter& counter : value.counters) {
    pb::JobCounter& added = *out.add_counters();
    added.set_name(counter.name);
    added.set_value(counter.value);
    added.set_running_share(counter.running_share);
    added.set_user_only(counter.user_only);
  }
  for (const MissingCounter& missing : value.missing_counters) {
    pb::MissingCounter& added = *out.add_missing_counters();
    added.set_name(missing.name);
    added.set_why(missing.why);
  }
  for (const ReportedFigure& figure : value.reported) {
    pb::ReportedFigure& added = *out.add_reported();
    added.set_name(figure.name);
    added.set_value(figure.value);
  }
  out.set_refused_reports(value.refused_reports);
}

bool from_pb(const pb::Usage& in, Usage& out, std::string& error) {
  RangeCheck check("Usage", error);
  check.number("user_ms", in.user_ms(), 0, kWallMsMax, out.user_ms);
  check.number("system_ms", in.system_ms(), 0, kWallMsMax, out.system_ms);
  check.number("max_rss_kib", in.max_rss_kib(), 0, kMemoryMibMax * 1024, out.max_rss_kib);
  check.number("minor_faults", in.minor_faults(), 0, kAnyCount, out.minor_faults);
  check.number("major_faults", in.major_faults(), 0, kAnyCount, out.major_faults);
  check.number("voluntary_switches", in.voluntary_switches(), 0, kAnyCount, out.voluntary_switches);
  check.number("involuntary_switches", in.involuntary_switches(), 0, kAnyCount,
               out.involuntary_switches);
  check.number("read_bytes", in.read_bytes(), 0, kAnyCount, out.read_bytes);
  check.number("write_bytes", in.write_bytes(), 0, kAnyCount, out.write_bytes);
  list_from_pb(check, "counters", in.counters(), job_counters_max, out.counters, error);
  list_from_pb(check, "missing_counters", in.missing_counters(), job_counters_max,
               out.missing_counters, error);
  list_from_pb(check, "reported", in.reported(), reported_figures_max, out.reported, error);
  check.number("refused_reports", in.refused_reports(), 0, kAnyCount, out.refused_reports);
  return check.ok();
}

}  // namespace hyades
