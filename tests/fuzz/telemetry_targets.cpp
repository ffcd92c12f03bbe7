// Targets for what nodes and jobs say of themselves: series of readings, reports.
#include <algorithm>
#include <cmath>

#include "core/assert.hpp"
#include "core/job_report.hpp"
#include "fuzz_targets.hpp"
#include "telemetry/bounded_series.hpp"
#include "telemetry/series.hpp"
#include "worker/live_page.hpp"
#include "worker/record_file.hpp"

namespace hyades::fuzz {
namespace {

// Whatever was said, it goes through the node's files unchanged and is bounded.
void check_report(const JobReport& report) {
  HYADES_ASSERT(report.figures().size() <= reported_figures_max && report.refused() >= 0);
  Usage usage;
  usage.reported = report.figures();
  usage.refused_reports = report.refused();
  for (const ReportedFigure& figure : usage.reported) {
    HYADES_ASSERT(is_reported_name(figure.name) && std::isfinite(figure.value));
  }
  ExitRecord exit;
  exit.usage = usage;
  const RecordContent content = parse_record(exit_line(exit));
  HYADES_ASSERT(content.exit && content.exit->usage == usage);
  LivePage page;
  page.ended = usage;
  LivePage copy;
  HYADES_ASSERT(decode(encode(page), copy) && copy == page);
}

}  // namespace

void fuzz_job_report(std::string_view bytes) {
  if (bytes.empty()) return;
  const std::size_t size = std::size_t{1} + 8u * static_cast<unsigned char>(bytes.front());
  bytes.remove_prefix(1);
  JobReport report;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size()))) {
    report.take(bytes.substr(0, size));
  }
  check_report(report);
}

void fuzz_series(std::string_view bytes) {
  Series series;
  if (decode(bytes, series)) HYADES_ASSERT(encode(series) == bytes);
  std::optional<BoundedSeries> bounded = BoundedSeries::decode(bytes);
  if (!bounded) return;
  HYADES_ASSERT(bounded->encode() == bytes);
  // Whatever was read, a run goes on from it.
  for (std::int64_t since_ms = 1; since_ms < std::int64_t{1} << 40; since_ms *= 32) {
    bounded->add(since_ms, 1);
  }
  HYADES_ASSERT(BoundedSeries::decode(bounded->encode()).has_value());
}

}  // namespace hyades::fuzz
