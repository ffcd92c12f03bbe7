// The page of a study of run time predictions: how wrong they are, and what that does to people who
// wait. Pure functions; any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hsim/forecast_probe.hpp"
#include "hsim/study_report.hpp"

namespace hyades {

// What is tried: orders by requests, predictions and exact run times, with and without a reserve,
// and some of them behind the guard.
std::vector<Rule> prediction_rules();

// `samples`: by log, of all its windows.
std::string prediction_markdown(const StudyPage& page, const StudyResults& results,
                                const std::map<std::string, std::vector<ForecastSample>>& samples);

}  // namespace hyades
