// What a study found, as a Markdown page with charts beside it. Pure functions; any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "hsim/bootstrap.hpp"
#include "hsim/study.hpp"

namespace hyades {

struct StudyPage {
  StudyPlan plan;
  std::vector<std::pair<std::string, std::string>> facts;  // date, machine, commit, command
  BootstrapOptions bootstrap;
  std::string charts;  // what the charts' file names begin with: "policies" for policies-wait.svg
};

// Every table shows all that was tried; what is worse than first come, first served is said.
std::string study_markdown(const StudyPage& page, const StudyResults& results);

struct StudyChart {
  std::string name;  // "slowdown"
  std::string about;
  std::string svg;
};

// Those that the page refers to, as CHARTS-NAME.svg.
std::vector<StudyChart> study_charts(const StudyPage& page, const StudyResults& results);

}  // namespace hyades
