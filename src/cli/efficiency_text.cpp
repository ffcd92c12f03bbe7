#include "cli/efficiency_text.hpp"

#include <algorithm>
#include <cstdio>

#include "cli/job_columns.hpp"
#include "cli/job_progress.hpp"
#include "cli/job_words.hpp"
#include "cli/plot.hpp"
#include "cli/printable.hpp"
#include "cli/quantity.hpp"
#include "cli/table.hpp"
#include "cli/times.hpp"
#include "core/reported_figure.hpp"
#include "core/units.hpp"

namespace hyades {
namespace {

constexpr int kBarColumns = 22;

std::string tenths(double value) {
  char text[64];
  std::snprintf(text, sizeof text, value < 1e6 ? "%.1f" : "%.3g", value);
  return text;
}

UseRow time_row(const JobEfficiency& job) {
  const std::int64_t limit_s = job.job.time_limit_s();
  return {"time", limit_s > 0 ? format_duration(limit_s) : "no limit",
          job.started ? format_elapsed(job.elapsed_ms) : "-", job.limit_share, ""};
}

UseRow cores_row(const JobEfficiency& job) {
  UseRow row{"cores", job.cores > 0 ? std::to_string(job.cores) : "-", "not measured",
             job.cpu_share, ""};
  if (job.busy_cores) row.used = tenths(*job.busy_cores) + " busy";
  if (job.busy_cores_now) row.note = "now " + tenths(*job.busy_cores_now);
  return row;
}

UseRow memory_row(const JobEfficiency& job) {
  const MiB asked = job.job.memory_mib();
  UseRow row{"memory", asked > 0 ? format_memory(asked) + (job.nodes > 1 ? " a node" : "") : "none",
             "not measured", job.memory_share, ""};
  if (job.peak_mib) row.used = format_quantity(*job.peak_mib, "MiB") + " at peak";
  if (job.ended && job.peak_sampled) row.note = "sampled";
  if (job.memory_mib) row.note = "now " + format_quantity(*job.memory_mib, "MiB");
  return row;
}

UseRow gpu_row(const JobEfficiency& job) {
  std::optional<double> busy = job.gpus_busy;
  if (!busy && job.gpu_share) busy = *job.gpu_share * job.gpus;
  UseRow row{"GPUs", std::to_string(job.gpus), busy ? tenths(*busy) + " busy" : "not measured",
             job.gpu_share, ""};
  if (job.gpu_memory_mib) {
    row.note = "memory now " + format_quantity(*job.gpu_memory_mib, "MiB");
  } else if (job.gpu_memory_peak_mib) {
    row.note = "memory " + format_quantity(*job.gpu_memory_peak_mib, "MiB") + " at peak";
  }
  return row;
}

UseRow storage_row(const JobEfficiency& job) {
  UseRow row{"storage", "-", job.ended ? "not measured" : "known at the end", std::nullopt, ""};
  const bool rates = job.read_rate || job.write_rate;
  const std::string now = rates ? "reads " + format_quantity(job.read_rate, "bytes/s") +
                                      ", writes " + format_quantity(job.write_rate, "bytes/s")
                                : "";
  if (job.read_bytes || job.write_bytes) {
    row.used = "read " + format_quantity(job.read_bytes, "bytes") + ", wrote " +
               format_quantity(job.write_bytes, "bytes");
    if (rates) row.note = "now " + now;
  } else if (rates) {
    row.used = now;
  }
  return row;
}

UseRow energy_row(const JobEfficiency& job) {
  UseRow row{"energy", "-", format_quantity(job.energy_j, "J"), std::nullopt, ""};
  if (job.energy_modelled) row.used += " modelled";
  if (job.power_w) row.used += ", " + format_quantity(job.power_w, "W") + " on average";
  return row;
}

// Of one that has not started: what it asks for.
void add_requested_rows(const JobEfficiency& job, std::vector<UseRow>& rows) {
  const std::int64_t cores =
      std::int64_t{std::max(1, job.job.tasks())} * std::max(1, job.job.cpus_per_task());
  rows.push_back({"cores", std::to_string(cores), "-", std::nullopt, ""});
  const MiB memory = job.job.memory_mib();
  rows.push_back({"memory",
                  memory > 0 ? format_memory(memory) + (job.nodes > 1 ? " a node" : "") : "none",
                  "-", std::nullopt, ""});
  if (job.gpus > 0) rows.push_back({"GPUs", std::to_string(job.gpus), "-", std::nullopt, ""});
}

// Little used is worth a look, and so is a limit that is near.
Colour share_colour(const UseRow& row, bool ended) {
  if (!row.share) return Colour::None;
  const double share = *row.share;
  if (row.what == "cores" || row.what == "GPUs") {
    return share >= 0.7 ? Colour::Green : share >= 0.4 ? Colour::Yellow : Colour::Red;
  }
  if (share > 0.9) return Colour::Red;
  return ended && share < 0.5 ? Colour::Yellow : Colour::Green;
}

std::string use_table(const JobEfficiency& job, const Terminal& terminal) {
  Table table({{""},
               {"asked", true},
               {"used", true, 12},
               {"", true},
               {"", false, 0, 2},
               {"", false, 6, 1}});
  for (const UseRow& row : use_rows(job)) {
    const Colour colour = share_colour(row, job.ended);
    table.add({row.what,
               row.asked,
               row.used,
               {format_share(row.share), colour},
               {row.share ? bar(*row.share, kBarColumns, terminal) : "", colour},
               row.note});
  }
  return table.render(terminal);
}

std::string reported_table(const JobEfficiency& job, const Terminal& terminal) {
  Table table({{"  ", false, 10}, {"", true}, {"", false, 0, 2}, {"", false, 6, 1}});
  for (const UseRow& row : reported_rows(job)) {
    table.add({"  " + row.what, row.used, row.share ? bar(*row.share, kBarColumns, terminal) : "",
               row.note});
  }
  return table.render(terminal, false);
}

std::string where_table(const JobEfficiency& job, const Terminal& terminal) {
  Table table({{"  "}, {"", true}, {"", true}, {"", false, 0, 2}, {"", false, 6, 1}});
  for (const UseRow& row : time_rows(job)) {
    table.add({"  " + row.what, row.used, format_share(row.share),
               row.share ? bar(*row.share, kBarColumns, terminal) : "", row.note});
  }
  return table.render(terminal, false);
}

std::string counter_table(const JobEfficiency& job, const Terminal& terminal) {
  Table table({{"  ", false, 10}, {"", true}, {"", false, 10, 1}});
  for (const UseRow& row : counter_rows(job)) table.add({"  " + row.what, row.used, row.note});
  return table.render(terminal, false);
}

int text_columns(const Terminal& terminal) { return std::min(terminal.columns, 100); }

std::string title(const std::string& text) { return "\n" + text + "\n"; }

std::string finding_text(const Finding& finding, const Terminal& terminal) {
  const Colour colour = finding.kind == FindingKind::Problem ? Colour::Red : Colour::Yellow;
  const int columns = text_columns(terminal);
  const std::string mark = finding.kind == FindingKind::Problem ? "! " : "- ";
  std::string out = paint(mark, colour, terminal) +
                    wrap_text(escape_text(finding.what), columns > 0 ? columns - 2 : 0, 2) + "\n";
  if (finding.change.empty()) return out;
  return out + "  " + wrap_text(escape_text(finding.change), columns > 0 ? columns - 2 : 0, 2) +
         "\n";
}

std::string advice_text(const Advice& advice, const Terminal& terminal) {
  std::string out;
  if (!advice.findings.empty()) {
    out += title("What to know");
    for (const Finding& finding : advice.findings) out += finding_text(finding, terminal);
  }
  out += title("For the next request");
  if (advice.directives.empty()) return out + "  no suggestion: " + advice.no_directives + "\n";
  return out + "  " + paint(directive_line(advice), Colour::Green, terminal) + "\n";
}

}  // namespace

std::vector<UseRow> use_rows(const JobEfficiency& job) {
  std::vector<UseRow> rows{time_row(job)};
  if (!job.started) {
    add_requested_rows(job, rows);
    return rows;
  }
  rows.push_back(cores_row(job));
  rows.push_back(memory_row(job));
  const bool has_gpus = job.gpus > 0 || job.gpu_share || job.gpus_busy.value_or(0) > 0;
  if (has_gpus) rows.push_back(gpu_row(job));
  rows.push_back(storage_row(job));
  rows.push_back(energy_row(job));
  return rows;
}

std::vector<UseRow> time_rows(const JobEfficiency& job) {
  if (!job.cpu_s || job.cores <= 0 || job.elapsed_ms <= 0) return {};
  const double whole = job.elapsed_ms / 1000.0 * job.cores;
  std::vector<UseRow> rows;
  const auto add = [&](const char* what, const std::optional<double>& seconds) {
    if (!seconds) return;
    rows.push_back({what, "", format_quantity(*seconds, "s"), *seconds / whole, ""});
  };
  if (job.user_s && job.system_s) {
    add("user", job.user_s);
    add("system", job.system_s);
  } else {
    add("computing", job.cpu_s);
  }
  add(was_crowded_out(job) ? "waiting for a core, or idle" : "waiting", job.waiting_s);
  const auto note = [](const std::optional<double>& count, const char* what) {
    return count ? format_quantity(count, "count") + " " + what : "";
  };
  if (job.minor_faults) rows.front().note = note(job.minor_faults, "page faults");
  const std::string waits = note(job.voluntary_switches, "waits");
  const std::string major = note(job.major_faults, "pages read in");
  rows.back().note = waits + (waits.empty() || major.empty() ? "" : ", ") + major;
  return rows;
}

std::vector<UseRow> counter_rows(const JobEfficiency& job) {
  std::vector<UseRow> rows;
  for (const CounterFigure& counter : job.counters) {
    UseRow row{counter.name, "", format_quantity(counter.value, counter.unit), std::nullopt, ""};
    if (counter.running_share < 0.995) {
      row.note = "counted " + format_share(counter.running_share) + " of the time, scaled";
    }
    // PAPI's own never count what the kernel does.
    if (counter.user_only && !counter.name.starts_with("PAPI_"))
      row.note += row.note.empty() ? "without the kernel" : "; no kernel";
    rows.push_back(row);
  }
  if (job.instructions_per_cycle) {
    rows.push_back(
        {"instructions a cycle", "", format_number(*job.instructions_per_cycle), std::nullopt, ""});
  }
  for (const MissingFigure& missing : job.missing_counters) {
    rows.push_back({missing.name, "", "-", std::nullopt, missing.why});
  }
  return rows;
}

std::vector<UseRow> reported_rows(const JobEfficiency& job) {
  std::vector<UseRow> rows;
  const auto progress = progress_of(job);
  if (progress) {
    rows.push_back({progress_name, "", format_share(progress->done), progress->done,
                    expected_end_text(*progress)});
  }
  for (const pb::Figure& figure : job.reported) {
    if (progress && figure.name() == progress_name) continue;
    rows.push_back(
        {figure.name(), "", format_quantity(figure.value(), figure.unit()), std::nullopt, ""});
  }
  return rows;
}

std::string headline(const JobEfficiency& job) {
  std::string text = end_sentence(job.job) + ", of " + job.job.user() + " in " + job.job.queue();
  if (!job.job.node_names().empty()) text += ", on " + short_nodes(job.job.node_names());
  if (!job.started) return text;
  text += ", from " + local_time(job.job.start_ms());
  return text + (job.ended ? " to " + local_time(job.job.end_ms()) : ", so far");
}

// Of a job that runs: for how long nothing new has been measured.
std::int64_t silent_ms(const JobEfficiency& job) {
  if (job.ended || job.telemetry_ms == 0) return 0;
  return job.job.start_ms() + job.elapsed_ms - job.telemetry_ms;
}

std::vector<std::string> source_notes(const JobEfficiency& job) {
  constexpr std::int64_t worth_telling_ms = 10'000;
  std::vector<std::string> notes;
  if (job.hidden) {
    notes.push_back("What its nodes measured is for its owner and operators to see.");
  } else if (job.estranged) {
    notes.push_back("What was measured is of an earlier attempt, and not shown.");
  } else if (job.started && job.telemetry_ms == 0) {
    notes.push_back(job.ended ? "Its node sent no measurements; what is shown is from its end."
                              : "Its node has sent no measurements yet.");
  } else if (silent_ms(job) > worth_telling_ms) {
    notes.push_back("What was measured is of " + format_duration(silent_ms(job) / 1000) +
                    " ago: its node has sent nothing since.");
  }
  if (job.peak_source == PeakSource::WholeJob) {
    notes.push_back(job.peak_sampled && job.ended
                        ? "The peak of memory is the highest that its node saw of all its "
                          "processes together, at most its limit; the kernel's own is lower, or "
                          "of its largest process alone."
                        : "The peak of memory is that of all processes of the job on a node.");
  } else if (job.peak_source == PeakSource::ExitRecord) {
    notes.push_back(
        "The peak of memory is the control group's, or, without one, that of the "
        "largest process.");
  }
  if (job.refused_reports > 0) {
    notes.push_back(std::to_string(job.refused_reports) +
                    " words of what it reported were not taken: they were no NAME=VALUE, or of "
                    "more than " +
                    std::to_string(reported_figures_max) + " names.");
  }
  return notes;
}

std::string efficiency_text(const JobEfficiency& job, const Advice& advice,
                            const Terminal& terminal) {
  std::string out = wrap_text(escape_text(headline(job)), text_columns(terminal), 2) + "\n\n" +
                    use_table(job, terminal);
  if (!time_rows(job).empty()) {
    out += title("Where the time of its cores went") + where_table(job, terminal);
  }
  if (!reported_rows(job).empty()) {
    out += title("Reported by the job") + reported_table(job, terminal);
  }
  if (!counter_rows(job).empty()) out += title("Counters") + counter_table(job, terminal);
  out += advice_text(advice, terminal);
  const std::vector<std::string> notes = source_notes(job);
  if (!notes.empty()) out += "\n";
  for (const std::string& note : notes) {
    out += paint(wrap_text(note, text_columns(terminal), 0), Colour::Grey, terminal) + "\n";
  }
  return out;
}

}  // namespace hyades
