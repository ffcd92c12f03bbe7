// The page of a study of learned policies: how they do on logs that they never saw, beside what an
// admin could have set. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "hsim/learned_figures.hpp"

namespace hyades {

// What is tried beside models: the fixed rules, the hand-set index with a reserve, the same with
// run times that nobody knows, looking ahead, and actions by chance; behind the guard and without
// it.
std::vector<Rule> baseline_rules();

std::string learned_markdown(const StudyPage& page, const StudyResults& results,
                             const std::vector<StudiedModel>& models);

}  // namespace hyades
