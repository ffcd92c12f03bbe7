// Makes a model of run times from jobs that have ended, with XGBoost: two squared-loss boostings,
// of run / request and of 10 / max(run, 10 s). The same examples give the same model.
#pragma once

#include <vector>

#include "policy/run_model.hpp"

namespace hyades {

struct BoostSettings {
  int trees = 60;  // of each of the two
  int depth = 4;
  double rate = 0.1;          // how much of what is left each tree takes away
  double least_weight = 20;   // examples in a leaf
  double column_share = 0.6;  // features that a tree may look at
  double row_share = 0.8;     // likewise examples
  int seed = 1;
};

// One thread; some hundred milliseconds for 2,000 examples, seconds for 20,000. Throws
// std::runtime_error with the library's words, and when there is no example.
RunModel boost_run_model(const std::vector<RunExample>& examples,
                         const BoostSettings& settings = {});

}  // namespace hyades
