#include "cli/efficiency_html.hpp"

#include <algorithm>
#include <cmath>

#include "cli/efficiency_style.hpp"
#include "cli/efficiency_text.hpp"
#include "cli/html_text.hpp"
#include "cli/job_series.hpp"
#include "cli/job_words.hpp"
#include "cli/quantity.hpp"
#include "cli/svg_chart.hpp"
#include "cli/times.hpp"
#include "core/units.hpp"

namespace hyades {
namespace {

std::string element(const std::string& tag, const std::string& content,
                    const std::string& name = "") {
  const std::string open = name.empty() ? tag : tag + " class=\"" + name + "\"";
  return "<" + open + ">" + content + "</" + tag + ">";
}

std::string cell(const std::string& text, const std::string& name = "") {
  return element("td", html_text(text), name);
}

// A bar as wide as the share, for the eye only: the number stands beside it.
std::string share_cells(const std::optional<double>& share) {
  if (!share) return "<td></td><td></td>";
  const double percent = std::clamp(std::isnan(*share) ? 0.0 : *share * 100, 0.0, 100.0);
  return cell(format_share(share), "number") +
         "<td class=\"gauge\"><div><i style=\"width:" + format_number(percent) +
         "%\"></i></div></td>";
}

std::string use_table(const JobEfficiency& job) {
  std::string out =
      "<table><tr><th></th><th class=\"number\">asked</th>"
      "<th class=\"number\">used</th><th colspan=\"2\"></th><th></th></tr>\n";
  for (const UseRow& row : use_rows(job)) {
    out += "<tr>" + element("th", html_text(row.what)) + cell(row.asked, "number") +
           cell(row.used, "number") + share_cells(row.share) + cell(row.note, "note") + "</tr>\n";
  }
  return out + "</table>\n";
}

// Without "asked": where the time went, counters.
std::string plain_table(const std::vector<UseRow>& rows) {
  const bool shares = std::any_of(rows.begin(), rows.end(), [](auto& row) { return row.share; });
  std::string out = "<table>\n";
  for (const UseRow& row : rows) {
    // A share is not said twice.
    const bool is_share = row.share && row.used == format_share(row.share);
    out += "<tr>" + element("th", html_text(row.what)) + cell(is_share ? "" : row.used, "number") +
           (shares ? share_cells(row.share) : "") + cell(row.note, "note") + "</tr>\n";
  }
  return out + "</table>\n";
}

std::string section(const std::string& title, const std::string& content) {
  return content.empty()
             ? ""
             : "<section>" + element("h2", html_text(title)) + "\n" + content + "</section>\n";
}

// As HTML, with options such as --time=0:50:00 set so that they are not broken at a hyphen.
std::string with_options(const std::string& text) {
  std::string out;
  std::size_t done = 0;
  while (true) {
    std::size_t at = text.find("--", done);
    while (at != std::string::npos && at > 0 && text[at - 1] != ' ' && text[at - 1] != '(') {
      at = text.find("--", at + 1);
    }
    if (at == std::string::npos) return out + html_text(text.substr(done));
    std::size_t end = std::min(text.find_first_of(" );", at), text.size());
    while (end > at && (text[end - 1] == '.' || text[end - 1] == ',' || text[end - 1] == ':'))
      --end;
    out += html_text(text.substr(done, at - done)) +
           element("code", html_text(text.substr(at, end - at)));
    done = end;
  }
}

std::string findings_html(const Advice& advice) {
  std::string out;
  for (const Finding& finding : advice.findings) {
    const char* name = finding.kind == FindingKind::Problem ? "problem" : "notice";
    out += "<li class=\"" + std::string(name) + "\">" + element("b", html_text(finding.what)) +
           (finding.change.empty() ? "" : " " + with_options(finding.change)) + "</li>\n";
  }
  return out.empty() ? "" : "<ul>\n" + out + "</ul>\n";
}

std::string suggestion_html(const Advice& advice) {
  if (advice.directives.empty()) {
    return element("p", "No suggestion: " + html_text(advice.no_directives) + ".") + "\n";
  }
  return element("pre", html_text("#HSUB " + directive_line(advice))) + "\n";
}

// ---- charts ------------------------------------------------------------------------------------

struct KnownSeries {
  const char* name;
  const char* title;
};

constexpr KnownSeries kKnown[] = {
    {"job.cpu", "Cores busy"},
    {"job.memory", "Memory"},
    {"job.gpu.utilization", "GPU use"},
    {"job.read_rate", "Read from storage"},
    {"job.write_rate", "Written to storage"},
    {"job.power", "Power"},
};

std::string title_of(const std::string& name) {
  for (const KnownSeries& known : kKnown) {
    if (name == known.name) return known.title;
  }
  if (name.starts_with("app.")) return name.substr(4) + " (reported by the job)";
  return name;
}

void set_limit(const JobEfficiency& job, Chart& chart) {
  if (chart.series.name == "job.cpu") {
    chart.least_top = 1;  // a hundredth of a core must not look like much
    chart.limit = job.cores;
    chart.limit_label = "asked for: " + std::to_string(job.cores);
  } else if (chart.series.name == "job.memory" && job.job.memory_mib() > 0) {
    chart.limit = static_cast<double>(job.job.memory_mib());
    chart.limit_label = "asked for: " + format_memory(job.job.memory_mib());
  }
}

std::string together_text(const JobEfficiency& job, const std::string& name) {
  if (job.nodes < 2) return "";
  switch (together_of(name)) {
    case Together::Sum:
      return ", all nodes together";
    case Together::Mean:
      return ", mean of the nodes";
    case Together::First:
      return ", where its script runs";
    case Together::Most:
      break;
  }
  return ", the highest node's";
}

std::string chart_html(const JobEfficiency& job, const Series& series, WallMs now_ms) {
  Chart chart{.series = series,
              .label = title_of(series.name) + " over time",
              .begin_ms = job.job.start_ms(),
              .end_ms = 0,
              .limit = 0,
              .limit_label = "",
              .least_top = 0};
  // The minutes begin before the job does: the axis begins with whichever is first.
  chart.begin_ms = std::min(chart.begin_ms, series.from_ms);
  chart.end_ms = std::max(job.ended ? job.job.end_ms() : now_ms, series.until_ms());
  set_limit(job, chart);
  const AxisUnit axis = axis_unit(series.unit, chart_top(chart));
  const std::string unit = axis.name == "cores" ? "" : axis.name;
  std::string caption =
      element("b", html_text(title_of(series.name))) +
      html_text((unit.empty() ? "" : ", " + unit) + together_text(job, series.name));
  if (chart.limit > 0 && !limit_is_shown(chart)) {
    caption += html_text(" (" + chart.limit_label + ", far above)");
  }
  return "<figure>" + element("figcaption", caption) + svg_chart(chart) + "</figure>\n";
}

// Known ones first, in their order.
std::vector<std::string> ordered_names(const pb::JobTelemetry& telemetry) {
  const std::vector<std::string> given = series_names(telemetry);
  std::vector<std::string> names;
  for (const KnownSeries& known : kKnown) {
    if (std::find(given.begin(), given.end(), known.name) != given.end()) {
      names.push_back(known.name);
    }
  }
  for (const std::string& name : given) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

bool has_values(const Series& series) {
  return std::any_of(series.mean.begin(), series.mean.end(),
                     [](double value) { return !std::isnan(value); });
}

// It neither read nor wrote: a chart of that is an empty one.
bool is_nothing(const Series& series) {
  if (series.name != "job.read_rate" && series.name != "job.write_rate") return false;
  return std::none_of(series.most.begin(), series.most.end(),
                      [](double value) { return value > 0; });
}

std::string charts_html(const JobEfficiency& job, const pb::JobTelemetry* telemetry,
                        WallMs now_ms) {
  std::string charts, missing;
  std::vector<std::string> shown;
  if (telemetry != nullptr && job.started) {
    for (const std::string& name : ordered_names(*telemetry)) {
      const Series series = merge_series(*telemetry, name);
      if (!has_values(series)) continue;
      shown.push_back(name);
      if (!is_nothing(series)) charts += chart_html(job, series, now_ms);
    }
  }
  for (const KnownSeries& known : kKnown) {
    const bool expected = std::string(known.name) != "job.gpu.utilization" || job.gpus > 0;
    if (!expected || std::find(shown.begin(), shown.end(), known.name) != shown.end()) continue;
    missing += (missing.empty() ? "" : ", ") + std::string(known.title);
  }
  const std::string legend =
      charts.empty() ? ""
                     : element("p",
                               "The line is the mean of each step, the band reaches up to its "
                               "highest sample. Time runs from the job's start.",
                               "note") +
                           "\n";
  if (!missing.empty()) missing = element("p", "Not measured: " + missing + ".", "note") + "\n";
  return legend + charts + missing;
}

// ---- nodes -------------------------------------------------------------------------------------

std::string nodes_html(const pb::JobTelemetry* telemetry) {
  static constexpr KnownSeries columns[] = {{"job.cpu_time", "CPU time"},
                                            {"job.memory_peak", "memory at peak"},
                                            {"job.read", "read"},
                                            {"job.write", "wrote"},
                                            {"job.energy", "energy"}};
  if (telemetry == nullptr || telemetry->nodes_size() < 2) return "";
  std::string out = "<table><tr><th></th>";
  for (const KnownSeries& column : columns) {
    out += element("th", html_text(column.title), "number");
  }
  out += "</tr>\n";
  for (const pb::JobTelemetryNode& node : telemetry->nodes()) {
    out += "<tr>" + element("th", html_text(node.node()));
    for (const KnownSeries& column : columns) {
      const pb::Figure* figure = find_figure(node.figures(), column.name);
      out += cell(
          figure == nullptr ? "not measured" : format_quantity(figure->value(), figure->unit()),
          "number");
    }
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

std::string header_html(const JobEfficiency& job) {
  const std::string title = "Job " + std::to_string(job.job.id()) + ": " + job.job.name();
  return element("h1", html_text(title)) + "\n" + element("p", html_text(headline(job))) + "\n";
}

}  // namespace

std::string efficiency_html(const JobEfficiency& job, const Advice& advice,
                            const pb::JobTelemetry* telemetry, WallMs now_ms) {
  std::string notes;
  for (const std::string& note : source_notes(job)) notes += html_text(note) + " ";
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         // Nothing of a job can load anything, even if an escape were forgotten.
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
         "style-src 'unsafe-inline'\">\n" +
         element("title",
                 html_text("Job " + std::to_string(job.job.id()) + ": " + job.job.name())) +
         "\n<style>" + kEfficiencyStyle + "</style></head><body><main>\n" + header_html(job) +
         section("For the next request", suggestion_html(advice)) +
         section("What to know", findings_html(advice)) +
         section("Asked against used", use_table(job)) +
         section("Where the time of its cores went",
                 time_rows(job).empty() ? "" : plain_table(time_rows(job))) +
         section("Reported by the job",
                 reported_rows(job).empty() ? "" : plain_table(reported_rows(job))) +
         section("Over time", charts_html(job, telemetry, now_ms)) +
         section("Counters", counter_rows(job).empty() ? "" : plain_table(counter_rows(job))) +
         section("Nodes", job.started ? nodes_html(telemetry) : "") +
         element("footer",
                 html_text(notes + "Written by heff (Hyades) at " + local_time(now_ms) + ".")) +
         "\n</main></body></html>\n";
}

}  // namespace hyades
