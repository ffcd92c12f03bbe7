#include "policy/learned/hyper_parameters.hpp"

#include <algorithm>
#include <cstdio>

#include "core/assert.hpp"

namespace hyades::learned {
namespace {

std::uint8_t place_of(const HyperParameter& parameter, double value) {
  const auto found = std::find(parameter.values.begin(), parameter.values.end(), value);
  HYADES_ASSERT(found != parameter.values.end());
  return static_cast<std::uint8_t>(found - parameter.values.begin());
}

}  // namespace

// The values lie about evenly on a logarithmic scale around htrain's own, as far as makes sense.
const std::array<HyperParameter, hyper_parameters_count>& hyper_parameters() {
  using Settings = TrainingSettings;
  static const std::array<HyperParameter, hyper_parameters_count> all{{
      {"--learning-rate",
       {0.00003, 0.0001, 0.0003, 0.001, 0.003},
       [](Settings& settings, double value) { settings.learner.value_rate = value; }},
      {"--numbers-learning-rate",
       {0, 0.00001, 0.00003, 0.0001, 0.0003, 0.001},
       [](Settings& settings, double value) { settings.learner.numbers_rate = value; }},
      {"--steps",
       {3, 6, 12, 24, 48},
       [](Settings& settings, double value) { settings.law.steps = static_cast<int>(value); }},
      {"--discount",
       {80, 90, 95, 98, 99},
       [](Settings& settings, double value) { settings.law.discount = value / 100; }},
      {"--batch",
       {24, 48, 96, 192},
       [](Settings& settings, double value) {
         settings.learner.batch = static_cast<std::size_t>(value);
       }},
      {"--priority",
       {0, 30, 60, 90},
       [](Settings& settings, double value) { settings.priority = value / 100; }},
      {"--exploration",
       {25, 50, 100, 150, 200},
       [](Settings& settings, double value) { settings.exploration = value / 100; }},
  }};
  return all;
}

TrainingSettings with_genome(TrainingSettings settings, const Genome& genome) {
  for (std::size_t i = 0; i < genome.size(); ++i) {
    const HyperParameter& parameter = hyper_parameters()[i];
    parameter.set(settings, parameter.values.at(genome[i]));
  }
  return settings;
}

std::string options_text(const Genome& genome) {
  std::string text;
  for (std::size_t i = 0; i < genome.size(); ++i) {
    char value[32];
    std::snprintf(value, sizeof value, "%.6g", hyper_parameters()[i].values.at(genome[i]));
    text += (text.empty() ? "" : " ") + hyper_parameters()[i].option + " " + value;
  }
  return text;
}

Genome usual_genome() {
  const std::array<double, hyper_parameters_count> usual = {0.0003, 0.0001, 24, 95, 96, 60, 100};
  Genome genome{};
  for (std::size_t i = 0; i < genome.size(); ++i) {
    genome[i] = place_of(hyper_parameters()[i], usual[i]);
  }
  return genome;
}

}  // namespace hyades::learned
