// The page of a study of learned policies: how they do on logs that they never saw, beside what an
// admin could have set. Pure functions; any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hsim/study_report.hpp"

namespace hyades {

// What is tried beside models: the fixed rules, the hand-set index with a reserve, and the same
// with run times that nobody knows; each behind the guard, some without it.
std::vector<Rule> baseline_rules();
Rule learned_rule(const std::string& model, bool guard);

// What is known of a model.
struct StudiedModel {
  std::string file;
  std::string name;  // for people
  std::map<std::string, std::string> facts;
};

// "": it does not say.
std::string fact_of(const StudiedModel& model, const std::string& name);

std::string learned_markdown(const StudyPage& page, const StudyResults& results,
                             const std::vector<StudiedModel>& models);

}  // namespace hyades
