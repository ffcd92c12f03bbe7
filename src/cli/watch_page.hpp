// What hwatch shows of a job: a page that is printed over the last one, a line, or JSON. Pure
// functions; any thread.
#pragma once

#include <string>

#include "cli/figure_history.hpp"
#include "cli/job_efficiency.hpp"
#include "cli/json_output.hpp"
#include "cli/terminal.hpp"

namespace hyades {

struct WatchView {
  JobEfficiency job;
  const pb::JobTelemetry* telemetry = nullptr;  // null: nothing is known
  WallMs now_ms = 0;
};

// A line about the job, its time, and a line for each figure with a plot of its course: over the
// whole run where the node keeps one, else of what was seen; all plots end at the right. Of a job
// that has ended nothing that was only true while it ran. Not wider than the terminal, and one
// line less than it has rows.
std::string watch_page(const WatchView& view, const FigureHistory& history,
                       const Terminal& terminal);

// The same facts in one line, without control characters: for pipes and files.
std::string watch_line(const WatchView& view);

Json watch_json(const WatchView& view);

// The page over the last one, of which `lines` were printed (0: this is the first); `resized`:
// the terminal is no longer as it was then.
std::string printed_over(const std::string& page, int lines, bool resized);

int count_lines(const std::string& text);

}  // namespace hyades
