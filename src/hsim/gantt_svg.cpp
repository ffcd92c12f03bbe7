#include "hsim/gantt_svg.hpp"

#include <algorithm>
#include <cmath>

#include "cli/svg_chart.hpp"
#include "core/units.hpp"
#include "hsim/gantt_cells.hpp"
#include "hsim/metrics_output.hpp"
#include "hsim/processor_layout.hpp"

namespace hyades {
namespace {

constexpr std::size_t kBoxes = 1200;  // more jobs are drawn as cells
constexpr double kWidth = 1160, kMargin = 20, kLeft = 64, kRight = 20, kBottom = 46;

struct Picture {
  const Workload& workload;
  const std::vector<ReplayedJob>& jobs;
  JobColours colours;
  std::vector<std::vector<ProcessorRange>> layout;
  std::int64_t begin_s = 0;  // the first submission
  std::int64_t end_s = 1;    // the last end
  double top = 0, height = 0;

  double x(std::int64_t at_s) const {
    return kLeft + static_cast<double>(at_s - begin_s) / static_cast<double>(end_s - begin_s) *
                       (kWidth - kLeft - kRight);
  }
  // The upper edge of so many processors from the lowest.
  double y(double processors) const {
    return top + height * (1 - processors / std::max(1, workload.procs));
  }
};

std::string hint_of(const TraceJob& job, const ReplayedJob& replayed) {
  std::string out = "job " + std::to_string(job.id);
  if (job.user >= 0) out += ", user " + std::to_string(job.user);
  out += ", " + std::to_string(job.procs) + (job.procs == 1 ? " processor" : " processors");
  out += ", waited " + seconds_text(static_cast<double>(wait_of(job, replayed)));
  out += ", ran " + seconds_text(static_cast<double>(job.run_s));
  return out + (replayed.why == StartReason::Backfill ? ", backfilled" : "");
}

void draw_boxes(SvgPage& page, const Picture& picture) {
  for (std::size_t i = 0; i < picture.jobs.size(); ++i) {
    const TraceJob& job = picture.workload.jobs[i];
    const double left = picture.x(picture.jobs[i].start_s);
    const double width = std::max(0.5, picture.x(picture.jobs[i].start_s + job.run_s) - left);
    const std::string number = std::to_string(job.id);
    bool named = false;
    for (const ProcessorRange& range : picture.layout[i]) {
      const double upper = picture.y(range.first + range.count);
      const double height = picture.y(range.first) - upper;
      // An edge would hide what is thinner than itself.
      const bool edge = width > 2 && height > 2;
      page.box("c" + std::to_string(picture.colours.of[i]) + (edge ? " edge" : ""), left, upper,
               width, height, hint_of(job, picture.jobs[i]));
      if (named || height < 12 || width < svg_text_width(number) + 4) continue;
      page.text("mark", left + width / 2, upper + height / 2 + 4, "middle", number);
      named = true;
    }
  }
}

void draw_cells(SvgPage& page, const Picture& picture) {
  const CellSize size{.columns = 360,
                      .rows = std::min(96, std::max(1, picture.workload.procs)),
                      .groups = kSvgColours + 1};
  GanttCells cells(size, picture.begin_s, picture.end_s, picture.workload.procs);
  for (std::size_t i = 0; i < picture.jobs.size(); ++i) {
    const std::int64_t start_s = picture.jobs[i].start_s;
    for (const ProcessorRange& range : picture.layout[i]) {
      cells.add(picture.colours.of[i], start_s, start_s + picture.workload.jobs[i].run_s, range);
    }
  }
  const double wide = (kWidth - kLeft - kRight) / size.columns, high = picture.height / size.rows;
  for (const CellLayer& layer : cells.layers()) {
    std::string way;
    for (const CellRun& run : layer.runs) {
      way += "M" + svg_number(kLeft + run.column * wide) + " " +
             svg_number(picture.top + picture.height - (run.row + 1) * high) + "h" +
             svg_number(run.count * wide) + "v" + svg_number(high) + "h" +
             svg_number(-run.count * wide) + "z";
    }
    page.path("cells c" + std::to_string(layer.group), way, layer.busy);
  }
}

void draw_axes(SvgPage& page, const Picture& picture) {
  const double bottom = picture.top + picture.height, right = kWidth - kRight;
  for (const double tick : axis_ticks(picture.workload.procs, 6)) {
    if (tick > picture.workload.procs || tick != std::floor(tick)) continue;
    page.line("axis", kLeft - 4, picture.y(tick), kLeft, picture.y(tick));
    page.text("soft", kLeft - 8, picture.y(tick) + 4, "end", svg_number(tick));
  }
  const TimeAxis axis = time_axis(static_cast<double>(picture.end_s - picture.begin_s), 12);
  for (const double tick : axis.ticks) {
    const double x = picture.x(picture.begin_s + static_cast<std::int64_t>(tick));
    page.line("axis", x, bottom, x, bottom + 4);
    page.text("soft", x, bottom + 18, "middle", tick_label(axis, tick));
  }
  const std::int64_t unix_s = picture.workload.unix_start_s;
  page.text("soft", (kLeft + right) / 2, bottom + 38, "middle",
            axis_title(axis, unix_s > 0 ? unix_s + picture.begin_s : 0));
  page.text("soft", kMargin, picture.top - 8, "start", "processors");
}

std::string subtitle(const Picture& picture, bool cells) {
  const Metrics metrics = measure(picture.workload, picture.jobs);
  char used[32];
  std::snprintf(used, sizeof used, "%.1f", metrics.utilization * 100);
  std::string out = std::to_string(metrics.jobs) + " jobs on " +
                    std::to_string(picture.workload.procs) + " processors, " + used +
                    " % of them used; mean wait " + seconds_text(metrics.avg_wait) + ", longest " +
                    seconds_text(static_cast<double>(metrics.max_wait)) + ".";
  if (cells) out += " Each cell has the colour of who used most of it; the paler, the more idle.";
  return out;
}

Picture picture_of(const Workload& workload, const std::vector<ReplayedJob>& jobs,
                   const GanttOptions& options) {
  Picture picture{.workload = workload,
                  .jobs = jobs,
                  .colours = job_colours(workload, jobs, options.user_name),
                  .layout = lay_out_processors(workload, jobs)};
  picture.begin_s = workload.jobs.empty() ? 0 : workload.jobs.front().submit_s;
  picture.end_s = picture.begin_s + 1;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    picture.end_s = std::max(picture.end_s, jobs[i].start_s + workload.jobs[i].run_s);
  }
  picture.height = std::clamp(workload.procs * 14.0, 140.0, 480.0);
  return picture;
}

}  // namespace

std::string gantt_svg(const Workload& workload, const std::vector<ReplayedJob>& jobs,
                      const GanttOptions& options) {
  Picture picture = picture_of(workload, jobs, options);
  const bool cells = jobs.size() > kBoxes;
  const std::string title = options.title.empty() ? workload.name : options.title;
  // How many lines the legend takes decides where the rest begins.
  SvgPage ruler(kWidth, 1, "");
  const double legend_end =
      draw_legend(ruler, picture.colours.legend, kMargin, 74, kWidth - 2 * kMargin);
  picture.top = legend_end + 12;
  SvgPage page(kWidth, picture.top + picture.height + kBottom, title);
  page.text("title", kMargin, 26, "start", title);
  page.text("soft", kMargin, 46, "start", subtitle(picture, cells));
  draw_legend(page, picture.colours.legend, kMargin, 74, kWidth - 2 * kMargin);
  page.box("idle", kLeft, picture.top, kWidth - kLeft - kRight, picture.height);
  cells ? draw_cells(page, picture) : draw_boxes(page, picture);
  draw_axes(page, picture);
  return page.finish();
}

}  // namespace hyades
