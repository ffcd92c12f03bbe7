// The course of a training as a picture. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "policy/learned/policy_trial.hpp"

namespace hyades::learned {

// Over the rounds: the slowdown over that of the fallback, under each margin, and how wrong
// estimates of values were. `subtitle`: what was learned from.
std::string training_curves_svg(const std::vector<Trial>& trials, const std::string& subtitle);

}  // namespace hyades::learned
