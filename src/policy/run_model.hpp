// What boosting has learned about run times from jobs that have ended: of a job's observation, the
// expected share of its request that it will run, and the expected value of 10 s / max(run, 10 s).
// Two models, because the second expectation is what slowdown is made of, and it does not follow
// from the first.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/observation.hpp"
#include "policy/tree_ensemble.hpp"

namespace hyades {

constexpr double shortest_run_s = 10;  // what runs for less counts as this in a slowdown

// How long a job is expected to run.
struct RunForecast {
  double run_s = 1;        // 1 s to its request
  double inverse_s = 0.1;  // of 1 / max(run, 10 s)
};

using ModelRow = std::array<float, observation_size>;
ModelRow model_row(const Observation& observation);

struct RunModel {
  TreeEnsemble share;     // run / request
  TreeEnsemble inverse;   // 10 / max(run, 10)
  std::int64_t jobs = 0;  // that it was made from

  bool valid() const { return share.valid(observation_size) && inverse.valid(observation_size); }
  RunForecast forecast(const ModelRow& row, double request_s) const;
};

// One ended job as it looked when it was submitted, and what became of it.
struct RunExample {
  ModelRow row{};
  float share = 1;
  float inverse = 1;
};

// `run_s` and `request_s` in any relation.
RunExample run_example(const ModelRow& row, double run_s, double request_s);

// Between processes of one machine; what is not exactly such a thing is nothing.
std::string to_bytes(const RunModel& model);
std::optional<RunModel> run_model_from(std::string_view bytes);
std::string to_bytes(const std::vector<RunExample>& examples);
std::optional<std::vector<RunExample>> run_examples_from(std::string_view bytes);

// Makes models of examples, somewhere, sooner or later.
class RunModelTrainer {
 public:
  static constexpr std::size_t examples_most = 20'000;

  virtual ~RunModelTrainer() = default;
  // At most one at a time: call it only when idle().
  virtual void begin(std::vector<RunExample> examples) = 0;
  virtual bool idle() const = 0;
  // Once for each begin() that came to something; nullptr: not yet, or not at all.
  virtual std::shared_ptr<const RunModel> finished() = 0;
};

}  // namespace hyades
