#include "hsim/device_report.hpp"

#include <algorithm>
#include <cmath>

#include "hsim/study_cells.hpp"

namespace hyades {
namespace {

constexpr double kSame = 0.005;  // ratios that are 1 but for this are no gain and no loss

std::string percent(double share) { return fixed(100 * share, 1) + " %"; }

double ratio(double value, double beside) { return beside > 0 ? value / beside : 1; }

// A figure of one rule beside the blind one, over traces and fleets.
struct Ratios {
  std::vector<double> values;

  double mean() const {
    double sum = 0;
    for (const double value : values) sum += std::log(value);
    return values.empty() ? 1 : std::exp(sum / static_cast<double>(values.size()));
  }
  double worst() const {
    return values.empty() ? 1 : *std::max_element(values.begin(), values.end());
  }
  std::string gains_and_losses() const {
    const auto count = [&](auto is_so) {
      return std::to_string(std::count_if(values.begin(), values.end(), is_so));
    };
    return count([](double value) { return value < 1 - kSame; }) + " / " +
           count([](double value) { return value > 1 + kSame; });
  }
};

Ratios ratios_of(const std::vector<DeviceRow>& rows, const std::string& order,
                 const std::string& rule, double DeviceMetrics::*figure) {
  Ratios ratios;
  for (const DeviceRow& row : rows) {
    if (row.order != order || row.rule != rule) continue;
    const DeviceRow* const blind = blind_row(rows, row);
    if (blind == nullptr) continue;
    ratios.values.push_back(ratio(row.metrics.*figure, blind->metrics.*figure));
  }
  return ratios;
}

std::string lost(const Ratios& ratios) {
  const std::string text = fixed(ratios.worst(), 2);
  return ratios.worst() > 1 + kSame ? "**" + text + "**" : text;
}

std::string summary_table(const std::vector<DeviceRow>& rows) {
  std::string out = head({"order, rule", "mean completion", "better / worse", "at worst",
                          "makespan", "better / worse", "at worst", "device-hours"});
  std::vector<std::string> seen;
  for (const DeviceRow& each : rows) {
    const std::string name = each.order + ", " + each.rule;
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
    seen.push_back(name);
    const auto of = [&](double DeviceMetrics::*figure) {
      return ratios_of(rows, each.order, each.rule, figure);
    };
    const Ratios completion = of(&DeviceMetrics::completion_h),
                 makespan = of(&DeviceMetrics::makespan_h);
    out += row({name, fixed(completion.mean(), 3), completion.gains_and_losses(), lost(completion),
                fixed(makespan.mean(), 3), makespan.gains_and_losses(), lost(makespan),
                fixed(of(&DeviceMetrics::device_hours).mean(), 3)});
  }
  return out + "\n";
}

// "1.234", in bold where it is a loss.
std::string beside(double value, double blind) {
  const std::string text = fixed(ratio(value, blind), 3);
  return ratio(value, blind) > 1 + kSame ? "**" + text + "**" : text;
}

std::string run_table(const std::vector<DeviceRow>& rows, const std::string& fleet,
                      const std::string& trace) {
  std::string out = head({"order, rule", "mean completion, h", "beside blind", "makespan, h",
                          "beside blind", "device-hours", "beside blind", "had a choice"});
  for (const DeviceRow& each : rows) {
    if (each.fleet != fleet || each.trace != trace) continue;
    const DeviceMetrics& its = each.metrics;
    const DeviceRow* const found = blind_row(rows, each);
    const DeviceMetrics& blind = found == nullptr ? its : found->metrics;
    out += row({each.order + ", " + each.rule, fixed(its.completion_h, 2),
                beside(its.completion_h, blind.completion_h), fixed(its.makespan_h, 2),
                beside(its.makespan_h, blind.makespan_h), fixed(its.device_hours, 1),
                beside(its.device_hours, blind.device_hours),
                each.order == kAnyOrder ? "" : percent(its.choice_share)});
  }
  return out + "\n";
}

std::string trace_table(const DeviceStudy& study) {
  std::string out = head({"trace", "jobs of the file", "simulated", "left out: not in the table"});
  for (const DeviceTrace& trace : study.traces) {
    out += row({trace.name, std::to_string(trace.in_file), std::to_string(trace.jobs.size()),
                std::to_string(trace.unmeasured)});
  }
  return out + "\n";
}

std::string pair_table(const ThroughputTable& table) {
  std::string out =
      head({"device", "pairs that fit", "pairs that do not", "median", "pairs that lose"});
  std::vector<std::string> devices = table.devices();
  devices.push_back("");
  for (const std::string& device : devices) {
    const CoLocationFacts facts = co_location_facts(table, device);
    out +=
        row({device.empty() ? "all" : device, std::to_string(facts.pairs),
             std::to_string(facts.misfits), fixed(facts.median, 2), percent(facts.losing_share)});
  }
  return out + "\n";
}

const char* const kRulesText =
    "*First fit* is blind to what devices do: phase 2 off, and the kinds of servers take turns in "
    "the order of nodes, so that the names of nodes favour none. *Fastest servers first*: an admin "
    "has named the fleet's first kind first. *Phase 2, patient*: as the master places jobs, and "
    "lets them wait for faster nodes (`patient` of `[placement]`). *Phase 2 alone*: without that "
    "wait. *Random*, "
    "*fastest first* (each job in turn where it is fastest) and *exact matching* (the least sum of "
    "the run times of all jobs that start together; of jobs of one device by the Hungarian method, "
    "larger ones before, in turn) move the jobs that the same first phase starts, as far as its "
    "reservations allow. They know exact run times; phase 2 and the queue's order know the time "
    "limit, which is the run time on the slowest device.\n\n"
    "*Homogeneous fleet*: as many devices, all of the kind that does most work fastest; a bound "
    "that costs more. *Gavel-like*: shares of time by a linear program over all jobs at each "
    "arrival "
    "and end (Narayanan et al., OSDI'20, section 4). **It preempts and moves jobs at any time and "
    "for nothing, shares devices without rounding, and never finds them scattered over servers; "
    "Hyades never preempts.** It is a bound for what time sharing could do, not a rival under the "
    "same rules.\n\n"
    "The last three are experiments that the master does not have; they know of the jobs that wait "
    "and of exact run times. A price is what a device's time is worth to those jobs: the dual of "
    "the program that would finish all of them first. *Exact matching with prices* adds it to the "
    "costs of places and leaves it to the first phase who starts. The others also say who may "
    "start: *earliest end* keeps each job for the kind of device on which it ends first, behind "
    "all "
    "that run or stand before it; *choice by prices* for the kind where its time costs least, "
    "unless it ends earlier on another that is left over. Phase 2 places what they start.\n\n";

}  // namespace

std::string device_markdown(const std::vector<std::pair<std::string, std::string>>& facts,
                            const DeviceStudy& study, const ThroughputTable& table,
                            const std::vector<DeviceRow>& rows) {
  std::string out = "# Unlike devices (simulated)\n\n";
  out +=
      "Written by `hsim study devices`; do not edit. Everything is simulated: jobs of Gavel's "
      "traces, in virtual time, with its measured throughputs, started and placed by the scheduler "
      "that the master runs (EASY, without the guard). A job takes its steps divided by the "
      "throughput on the slowest of its devices; nobody shares a device.\n\n";
  out += facts_table(facts);
  out += "## The rules\n\n";
  out += kRulesText;
  out +=
      "## Beside blind placement\n\nGeometric means of ratios over all traces and fleets; less "
      "than "
      "1 is better. Better / worse: on how many of them, by more than 0.5 %. Losses at worst are "
      "in "
      "bold.\n\n";
  out += summary_table(rows);
  out +=
      "Who has no choice cannot choose well: where jobs wait, mostly one device becomes free at a "
      "time, and the first phase says who gets it. *Had a choice*, below: jobs that found room on "
      "several kinds of devices when they started.\n\n";
  out += "## The traces\n\n" + trace_table(study);
  for (const DeviceFleet& fleet : study.fleets) {
    out += "## " + fleet.text() + ", " + std::to_string(fleet.per_node) + " to a server\n\n";
    for (const DeviceTrace& trace : study.traces) {
      out += "### " + trace.name + "\n\n";
      for (const DeviceRow& each : rows) {
        if (each.fleet != fleet.text() || each.trace != trace.name) continue;
        out += std::to_string(each.metrics.jobs) + " jobs; " + std::to_string(each.left_out) +
               " more are too large for the fleet.\n\n";
        break;
      }
      out += run_table(rows, fleet.text(), trace.name);
    }
  }
  out +=
      "## Two jobs on one device\n\nFacts of the table; no jobs were put together here. Median: of "
      "the sum of both jobs' speeds, each beside itself alone; a pair loses where that is less "
      "than "
      "1.\n\n";
  out += pair_table(table);
  return out;
}

}  // namespace hyades
