#include "hsim/queue_svg.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "cli/quantity.hpp"
#include "cli/svg_chart.hpp"
#include "hsim/svg_page.hpp"

namespace hyades {
namespace {

constexpr double kWidth = 1160, kMargin = 20, kLeft = 64, kRight = 20, kBottom = 46;
constexpr double kPlot = 170, kGap = 44;

// One panel: where a value is, and what of a sample it shows.
struct Panel {
  double top = 0;
  double highest = 1;
  std::int64_t begin_s = 0, end_s = 1;
  double (*value)(const QueueSample&) = nullptr;

  double x(double at_s) const {
    return kLeft + (at_s - static_cast<double>(begin_s)) / static_cast<double>(end_s - begin_s) *
                       (kWidth - kLeft - kRight);
  }
  double y(double value) const { return top + kPlot * (1 - std::clamp(value / highest, 0.0, 1.0)); }
};

// A pixel's share of time: the mean over it, and the highest value in it.
struct Column {
  double mean = 0;
  double most = 0;
};

// Samples hold until the next one, the last until the end.
std::vector<Column> columns_of(const Panel& panel, const std::vector<QueueSample>& samples) {
  const int count = static_cast<int>(kWidth - kLeft - kRight);
  const double column_s = static_cast<double>(panel.end_s - panel.begin_s) / count;
  std::vector<Column> columns(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::int64_t until_s = i + 1 < samples.size() ? samples[i + 1].at_s : panel.end_s;
    const double from = static_cast<double>(samples[i].at_s - panel.begin_s) / column_s;
    const double to = static_cast<double>(until_s - panel.begin_s) / column_s;
    const double value = panel.value(samples[i]);
    const int last = std::min(count - 1, static_cast<int>(std::ceil(to)) - 1);
    for (int at = std::max(0, static_cast<int>(from)); at <= last; ++at) {
      const double part = std::min<double>(at + 1, to) - std::max<double>(at, from);
      if (part <= 0) continue;
      Column& column = columns[static_cast<std::size_t>(at)];
      column.mean += value * part;
      column.most = std::max(column.most, value);
    }
  }
  return columns;
}

std::string point(char what, double x, double y) {
  return what + svg_number(x) + " " + svg_number(y);
}

// As many samples as that can be told apart.
constexpr std::size_t kStairs = 800;

std::string stairs(const Panel& panel, const std::vector<QueueSample>& samples) {
  std::string way;
  for (const QueueSample& sample : samples) {
    const double x = panel.x(static_cast<double>(sample.at_s));
    way += way.empty() ? point('M', x, panel.y(panel.value(sample)))
                       : "H" + svg_number(x) + "V" + svg_number(panel.y(panel.value(sample)));
  }
  return way + "H" + svg_number(kWidth - kRight);
}

std::string line_of(const Panel& panel, const std::vector<Column>& columns,
                    double Column::*member) {
  std::string way;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    way +=
        point(i == 0 ? 'M' : 'L', kLeft + static_cast<double>(i) + .5, panel.y(columns[i].*member));
  }
  return way;
}

std::string down_to_ground(const Panel& panel, const std::string& way) {
  return way + "V" + svg_number(panel.y(0)) + "H" + svg_number(kLeft) + "z";
}

// `only`: nothing else is drawn here, so that areas hide nothing.
void draw_curve(SvgPage& page, const Panel& panel, const QueueCurve& curve, int colour, bool only) {
  if (curve.samples.empty()) return;
  const std::string number = std::to_string(colour);
  if (curve.samples.size() <= kStairs) {
    const std::string way = stairs(panel, curve.samples);
    if (only) page.path("c" + number, down_to_ground(panel, way), .15);
    page.path("s" + number, way);
    return;
  }
  const std::vector<Column> columns = columns_of(panel, curve.samples);
  if (only) {
    page.path("c" + number, down_to_ground(panel, line_of(panel, columns, &Column::most)), .2);
  }
  page.path("s" + number, line_of(panel, columns, &Column::mean));
}

void draw_frame(SvgPage& page, const Panel& panel, const std::vector<double>& ticks,
                const std::string& title) {
  page.text("text", kMargin, panel.top - 10, "start", title);
  for (const double tick : ticks) {
    page.line(tick == 0 ? "axis" : "grid", kLeft, panel.y(tick), kWidth - kRight, panel.y(tick));
    page.text("soft", kLeft - 8, panel.y(tick) + 4, "end", format_quantity(tick, ""));
  }
}

void draw_time(SvgPage& page, const Panel& panel, std::int64_t unix_begin_s, bool labels) {
  const TimeAxis axis = time_axis(static_cast<double>(panel.end_s - panel.begin_s), 12);
  const double bottom = panel.top + kPlot;
  for (const double tick : axis.ticks) {
    const double x = panel.x(static_cast<double>(panel.begin_s) + tick);
    page.line("axis", x, bottom, x, bottom + 4);
    if (labels) page.text("soft", x, bottom + 18, "middle", tick_label(axis, tick));
  }
  if (!labels) return;
  page.text("soft", (kLeft + kWidth - kRight) / 2, bottom + 38, "middle",
            axis_title(axis, unix_begin_s));
}

std::int64_t last_sample(const QueuePicture& picture) {
  std::int64_t end_s = picture.begin_s + 1;
  for (const QueueCurve& curve : picture.curves) {
    if (!curve.samples.empty()) end_s = std::max(end_s, curve.samples.back().at_s);
  }
  return end_s;
}

double highest_wait(const QueuePicture& picture) {
  int most = 1;
  for (const QueueCurve& curve : picture.curves) {
    for (const QueueSample& sample : curve.samples) most = std::max(most, sample.waiting_jobs);
  }
  return most;
}

}  // namespace

std::string queue_svg(const QueuePicture& given) {
  QueuePicture picture = given;
  if (picture.curves.size() > kSvgColours) picture.curves.resize(kSvgColours);
  const bool only = picture.curves.size() == 1;
  std::vector<LegendEntry> legend;
  for (std::size_t i = 0; i < picture.curves.size(); ++i) {
    legend.push_back({"c" + std::to_string(i), picture.curves[i].name});
  }
  SvgPage ruler(kWidth, 1, "");
  const double head = draw_legend(ruler, legend, kMargin, 52, kWidth - 2 * kMargin);

  const std::vector<double> counts = axis_ticks(highest_wait(picture), 4);
  const Panel jobs{.top = head + 22,
                   .highest = counts.back(),
                   .begin_s = picture.begin_s,
                   .end_s = last_sample(picture),
                   .value = [](const QueueSample& s) { return double(s.waiting_jobs); }};
  Panel used = jobs;
  used.top = jobs.top + kPlot + kGap;
  used.highest = std::max(1, picture.procs);
  used.value = [](const QueueSample& s) { return static_cast<double>(s.busy_procs); };

  SvgPage page(kWidth, used.top + kPlot + kBottom, picture.title);
  page.text("title", kMargin, 26, "start", picture.title);
  draw_legend(page, legend, kMargin, 52, kWidth - 2 * kMargin);
  const bool thinned = only && picture.curves[0].samples.size() > kStairs;
  const std::string how = thinned ? " (line: mean of a pixel's time, area: highest)" : "";
  draw_frame(page, jobs, counts, "jobs waiting" + how);
  std::vector<double> shares;
  for (int quarter = 0; quarter <= 4; ++quarter) shares.push_back(used.highest * quarter / 4);
  draw_frame(page, used, shares, "processors in use, of " + std::to_string(picture.procs));
  for (std::size_t i = 0; i < picture.curves.size(); ++i) {
    draw_curve(page, jobs, picture.curves[i], static_cast<int>(i), only);
    draw_curve(page, used, picture.curves[i], static_cast<int>(i), only);
  }
  const std::int64_t unix_s = picture.unix_start_s;
  draw_time(page, jobs, 0, false);
  draw_time(page, used, unix_s > 0 ? unix_s + picture.begin_s : 0, true);
  return page.finish();
}

std::vector<QueueSample> queue_over_time(const Workload& workload,
                                         const std::vector<ReplayedJob>& jobs) {
  struct Change {
    int jobs = 0;
    std::int64_t busy = 0;
  };
  std::map<std::int64_t, Change> changes;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const TraceJob& job = workload.jobs[i];
    ++changes[job.submit_s].jobs;
    if (jobs[i].start_s < 0) continue;
    Change& started = changes[jobs[i].start_s];
    --started.jobs;
    started.busy += job.procs;
    changes[jobs[i].start_s + job.run_s].busy -= job.procs;
  }
  std::vector<QueueSample> samples;
  QueueSample now;
  for (const auto& [at_s, change] : changes) {
    now.at_s = at_s;
    now.waiting_jobs += change.jobs;
    now.busy_procs += change.busy;
    samples.push_back(now);
  }
  return samples;
}

QueuePicture queue_picture(const Workload& workload, std::vector<QueueCurve> curves) {
  QueuePicture picture;
  picture.title = workload.name;
  picture.procs = workload.procs;
  picture.begin_s = workload.jobs.empty() ? 0 : workload.jobs.front().submit_s;
  picture.unix_start_s = workload.unix_start_s;
  picture.curves = std::move(curves);
  return picture;
}

}  // namespace hyades
