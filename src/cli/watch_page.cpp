#include "cli/watch_page.hpp"

#include <algorithm>

#include "cli/efficiency_json.hpp"
#include "cli/efficiency_text.hpp"
#include "cli/job_columns.hpp"
#include "cli/job_progress.hpp"
#include "cli/job_series.hpp"
#include "cli/job_words.hpp"
#include "cli/plot.hpp"
#include "cli/printable.hpp"
#include "cli/quantity.hpp"
#include "cli/table.hpp"
#include "cli/times.hpp"
#include "core/units.hpp"

namespace hyades {
namespace {

struct Known {
  const char* name;
  const char* title;
};

// In this order; what is not among them follows under its own name.
constexpr Known kKnown[] = {
    {"app.progress", "progress"},
    {"job.cpu", "cores busy"},
    {"job.memory", "memory"},
    {"job.memory_peak", "memory, peak"},
    {"job.gpu.utilization", "use of its GPUs"},
    {"job.gpu.busy", "GPUs busy"},
    {"job.gpu.busy_mean", "GPUs busy, mean"},
    {"job.gpu.memory", "GPU memory"},
    {"job.gpu.memory_peak", "GPU memory, peak"},
    {"job.read_rate", "reading"},
    {"job.write_rate", "writing"},
    {"job.read", "read"},
    {"job.write", "written"},
    {"job.power", "power"},
    {"job.energy", "energy"},
    {"job.cpu_time", "CPU time"},
    {"job.processes", "processes"},
    {"job.threads", "threads"},
    {"job.refused_reports", "reports refused"},
};

std::string title_of(const std::string& name) {
  for (const Known& known : kKnown) {
    if (name == known.name) return known.title;
  }
  for (const char* prefix : {"counter.", "app.", "job."}) {
    if (name.starts_with(prefix)) return name.substr(std::string(prefix).size());
  }
  return name;
}

// Of a job that has ended these are 0, or what they were a while before.
bool is_of_now(const pb::Figure& figure) {
  static constexpr const char* names[] = {
      "job.cpu",       "job.memory",     "job.gpu.utilization", "job.gpu.busy",  "job.gpu.memory",
      "job.read_rate", "job.write_rate", "job.power",           "job.processes", "job.threads"};
  return std::find(std::begin(names), std::end(names), figure.name()) != std::end(names);
}

// What is over, and GPUs that nobody asked for and that do nothing are not worth a line.
bool is_worth_showing(const WatchView& view, const pb::Figure& figure) {
  if (view.job.ended && is_of_now(figure)) return false;
  return view.job.gpus > 0 || figure.value() != 0 || !figure.name().starts_with("job.gpu.");
}

std::vector<const pb::Figure*> in_order(const WatchView& view) {
  const pb::JobTelemetry& telemetry = *view.telemetry;
  std::vector<const pb::Figure*> out;
  for (const Known& known : kKnown) {
    if (const pb::Figure* figure = find_figure(telemetry.figures(), known.name)) {
      out.push_back(figure);
    }
  }
  for (const pb::Figure& figure : telemetry.figures()) {
    const bool shown = std::any_of(out.begin(), out.end(), [&](const pb::Figure* other) {
      return other->name() == figure.name();
    });
    if (!shown) out.push_back(&figure);
  }
  std::erase_if(out, [&](const pb::Figure* figure) { return !is_worth_showing(view, *figure); });
  return out;
}

bool is_progress(const WatchView& view, const pb::Figure& figure) {
  return figure.name() == "app.progress" && progress_of(view.job);
}

std::string value_text(const WatchView& view, const pb::Figure& figure) {
  if (is_progress(view, figure)) return format_share(figure.value());
  std::string unit = figure.name() == "job.cpu" ? "count" : figure.unit();
  if (figure.name().starts_with("counter.") && figure.name().ends_with("-CLOCK")) unit = "ns";
  std::string text = format_quantity(figure.value(), unit);
  if (figure.name() == "job.cpu") text += " of " + std::to_string(view.job.cores);
  const MiB asked = view.job.job.memory_mib();
  if (figure.name() == "job.memory" && asked > 0 && view.job.nodes == 1) {
    text += " of " + format_memory(asked);
  }
  return figure.modelled() ? "~" + text : text;
}

// What the plot's full height stands for. 0: its own highest value.
double height_of(const WatchView& view, const std::string& name) {
  if (name == "job.cpu") return view.job.cores;
  if (name.ends_with(".utilization")) return 100;
  return 0;
}

// What there is to plot of it: where its node keeps that the whole run, else what was seen.
std::vector<double> course_of(const WatchView& view, const FigureHistory& history,
                              const pb::Figure& figure, int columns) {
  if (is_progress(view, figure) || columns <= 0) return {};
  const Series series = merge_series(*view.telemetry, figure.name());
  std::vector<double> values = series.empty()
                                   ? history.values_of(figure.name())
                                   : thin_series(series, static_cast<std::size_t>(columns)).mean;
  const std::size_t shown = std::min(values.size(), static_cast<std::size_t>(columns));
  values.erase(values.begin(), values.end() - static_cast<std::ptrdiff_t>(shown));
  if (view.job.ended && values.size() < 2) values.clear();  // there is no more to come
  return values;
}

struct FigureRow {
  const pb::Figure* figure;
  std::vector<double> course;
};

// All end at the right, which is now: what was not seen for so long begins later.
std::string plot_of(const WatchView& view, const FigureRow& row, std::size_t longest, int columns,
                    const Terminal& terminal) {
  if (is_progress(view, *row.figure)) return bar(row.figure->value(), columns, terminal);
  if (row.course.empty()) return "";
  return std::string(longest - row.course.size(), ' ') +
         sparkline(row.course, columns, height_of(view, row.figure->name()), terminal);
}

std::string elapsed_text(const WatchView& view) {
  const std::int64_t limit_s = view.job.job.time_limit_s();
  return format_duration(view.job.elapsed_ms / 1000) +
         (limit_s > 0 ? " of " + format_duration(limit_s) : "");
}

std::string head_line(const WatchView& view) {
  const pb::JobInfo& job = view.job.job;
  std::string text = "job " + std::to_string(job.id()) + " (" + job.name() + "): " + job.state();
  if (!view.job.started) return text + (job.reason().empty() ? "" : " (" + job.reason() + ")");
  text += ", " + elapsed_text(view);
  return job.node_names().empty() ? text : text + ", on " + short_nodes(job.node_names());
}

std::string age_line(const WatchView& view) {
  if (!view.job.started) return "";
  if (view.telemetry == nullptr || view.job.estranged || view.job.telemetry_ms == 0) {
    return "nothing has been measured yet";
  }
  const std::int64_t age_s = std::max<std::int64_t>(0, view.now_ms - view.job.telemetry_ms) / 1000;
  return age_s < 5 ? "" : "measured " + format_duration(age_s) + " ago";
}

std::string end_line(const WatchView& view) {
  const auto progress = progress_of(view.job);
  return progress ? expected_end_text(*progress) : "";
}

bool is_late(const WatchView& view) {
  const auto progress = progress_of(view.job);
  return progress && progress->over_limit_s > 0;
}

bool has_figures(const WatchView& view) {
  return view.telemetry != nullptr && view.job.started && !view.job.estranged;
}

std::string figure_table(const WatchView& view, const FigureHistory& history,
                         const Terminal& terminal) {
  constexpr int widest_plot = 60, beside_plot = 42;
  const int plot = std::clamp(terminal.columns - beside_plot, 0, widest_plot);
  Table table({{"", false, 8}, {"", true, 6}, {"", false, 0, 1}});
  if (view.job.limit_share) {
    table.add(
        {"time", format_share(view.job.limit_share), bar(*view.job.limit_share, plot, terminal)});
  }
  if (has_figures(view)) {
    std::vector<FigureRow> rows;
    std::size_t longest = 0;
    for (const pb::Figure* figure : in_order(view)) {
      rows.push_back({figure, course_of(view, history, *figure, plot)});
      longest = std::max(longest, rows.back().course.size());
    }
    for (const FigureRow& row : rows) {
      table.add({title_of(row.figure->name()),
                 value_text(view, *row.figure),
                 {plot_of(view, row, longest, plot, terminal), Colour::Blue}});
    }
  }
  return table.empty() ? "" : table.render(terminal, false);
}

std::string first_lines(const std::string& text, int lines) {
  std::size_t at = 0;
  for (int i = 0; i < lines && at < text.size(); ++i) at = text.find('\n', at) + 1;
  return text.substr(0, at);
}

}  // namespace

std::string watch_page(const WatchView& view, const FigureHistory& history,
                       const Terminal& terminal) {
  const int columns = terminal.columns > 0 ? terminal.columns : 1 << 20;
  const std::string head = cut_text(escape_text(head_line(view)), columns, terminal.ellipsis());
  std::string page = paint(head, state_colour(view.job.job.state()), terminal) + "\n" +
                     figure_table(view, history, terminal);
  const std::string end = end_line(view);
  if (!end.empty()) {
    page += paint(cut_text(end, columns, terminal.ellipsis()),
                  is_late(view) ? Colour::Red : Colour::None, terminal) +
            "\n";
  }
  const std::string age = age_line(view);
  if (!age.empty()) {
    page += paint(cut_text(age, columns, terminal.ellipsis()), Colour::Grey, terminal) + "\n";
  }
  return terminal.rows > 1 ? first_lines(page, terminal.rows - 1) : page;
}

std::string watch_line(const WatchView& view) {
  std::string text = local_time(view.now_ms) + " " + head_line(view);
  if (has_figures(view)) {
    for (const pb::Figure* figure : in_order(view)) {
      text += "; " + title_of(figure->name()) + " " + value_text(view, *figure);
    }
  }
  const std::string end = end_line(view);
  if (!end.empty()) text += "; " + end;
  const std::string age = age_line(view);
  return escape_text(text + (age.empty() ? "" : "; " + age)) + "\n";
}

Json watch_json(const WatchView& view) {
  Json out;
  out["time"] = utc_time(view.now_ms);
  out["job"] = job_json(view.job.job);
  out["elapsed_s"] = static_cast<double>(view.job.elapsed_ms) / 1000;
  const bool measured = has_figures(view) && view.job.telemetry_ms > 0;
  out["measured_time"] = measured ? Json(utc_time(view.job.telemetry_ms)) : Json(nullptr);
  out["progress"] = progress_json(view.job);
  out["figures"] = measured ? figures_json(view.telemetry->figures()) : Json::array();
  return out;
}

std::string printed_over(const std::string& page, int lines, bool resized) {
  // What was printed may have been wrapped anew, nobody knows into how many lines.
  std::string out = resized ? "\x1b[H\x1b[2J" : "";
  if (!resized && lines > 0) out += "\x1b[" + std::to_string(lines) + "A\r";
  for (std::size_t begin = 0; begin < page.size();) {
    const std::size_t end = page.find('\n', begin);
    out += page.substr(begin, end - begin) + "\x1b[K\n";
    if (end == std::string::npos) break;
    begin = end + 1;
  }
  return out + "\x1b[J";
}

int count_lines(const std::string& text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace hyades
