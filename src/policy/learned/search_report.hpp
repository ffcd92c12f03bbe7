// What a search of hyper-parameters found, as a page: both ways at the same budget, whichever won.
// Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "hsim/bootstrap.hpp"
#include "policy/learned/genetic_search.hpp"

namespace hyades::learned {

// A set of parameters, trained once more and tried on windows that no search looked at.
struct SearchedModel {
  std::string name;  // "genetic", "random", "htrain's own"
  Genome genome{};
  double score = 1;  // on windows to try on
  Interval chosen;   // its ratio on windows to choose by
};

struct SearchPage {
  std::string logs;
  std::string how;   // of each training: "10 rounds of 6 episodes ..."
  std::string host;  // version and the like; "": nothing
  SearchSettings settings;
  std::vector<TriedGenome> genetic, random;
  std::vector<SearchedModel> models;  // of genetic, of random, and others
  std::string picture;                // the file's name
};

// In a sentence, by the scores: "genetic search found ...".
std::string search_verdict(const SearchPage& page);
std::string search_markdown(const SearchPage& page);
// The best score so far over the trainings.
std::string search_svg(const SearchPage& page);

}  // namespace hyades::learned
