// What a search changes of a training: each of these parameters has one of a few values, in their
// order, so that a neighbour of a value is something like it. Pure functions; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "policy/learned/training_run.hpp"

namespace hyades::learned {

struct HyperParameter {
  std::string option;  // of htrain
  std::vector<double> values;
  void (*set)(TrainingSettings& settings, double value);
};

inline constexpr std::size_t hyper_parameters_count = 7;
const std::array<HyperParameter, hyper_parameters_count>& hyper_parameters();

// Of each parameter, which of its values.
using Genome = std::array<std::uint8_t, hyper_parameters_count>;

TrainingSettings with_genome(TrainingSettings settings, const Genome& genome);
// "--learning-rate 0.001 --steps 24 ..."
std::string options_text(const Genome& genome);
// What htrain does by itself.
Genome usual_genome();

}  // namespace hyades::learned
