// What heff prints for one job. Pure functions; any thread.
#pragma once

#include <string>

#include "cli/efficiency_advice.hpp"
#include "cli/job_efficiency.hpp"
#include "cli/terminal.hpp"

namespace hyades {

// The whole page: asked against used, where the time went, counters, what to change, and a
// suggestion for the next request. Fits the terminal; every line is printable.
std::string efficiency_text(const JobEfficiency& job, const Advice& advice,
                            const Terminal& terminal);

// One row of "asked against used", for text and HTML. Not escaped.
struct UseRow {
  std::string what;   // "cores"
  std::string asked;  // "4"
  std::string used;   // "1.0 busy"
  std::optional<double> share;
  std::string note;
};

std::vector<UseRow> use_rows(const JobEfficiency& job);

// "user", "system" and "waiting", with their part of the cores' time; empty when it is not known.
std::vector<UseRow> time_rows(const JobEfficiency& job);

// Counters, then what they say together.
std::vector<UseRow> counter_rows(const JobEfficiency& job);

// What the job itself has said.
std::vector<UseRow> reported_rows(const JobEfficiency& job);

// "COMPLETED, exit code 0, on vn1, from ... to ..."; sentences about job and sources.
std::string headline(const JobEfficiency& job);
std::vector<std::string> source_notes(const JobEfficiency& job);

}  // namespace hyades
