// The tables of a study's page. Pure functions; any thread.
#pragma once

#include <string>

#include "hsim/study_report.hpp"

namespace hyades {

// A line for each log: the rules people ask for, the best fixed one, the oracle, exact run times.
std::string overview_table(const StudyPage& page, const StudyResults& results);

// A line for each policy with EASY: geometric means over all windows of all logs, beside SAF.
std::string pooled_table(const StudyPage& page, const StudyResults& results);

// Each policy with EASY, without and with the guard: slowdown, and the longest wait beside FCFS's.
std::string guard_table(const StudyPage& page, const StudyResults& results);

// A line for each rule that is worse than FCFS with EASY by some figure, with the logs.
std::string losses(const StudyPage& page, const StudyResults& results);

// Everything about one log: every policy with EASY, and every backfill.
std::string log_tables(const StudyPage& page, const StudyResults& results, const StudiedLog& log);

}  // namespace hyades
