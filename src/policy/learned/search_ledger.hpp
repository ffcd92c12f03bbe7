// The trainings of a search in a file of lines: what is there need not be done again. A line that a
// crash tore off is left out.
#pragma once

#include <map>
#include <optional>

#include "policy/learned/hyper_parameters.hpp"
#include "policy/learned/train_options.hpp"

namespace hyades::learned {

class SearchLedger {
 public:
  // Opens the file, or begins it. Throws Failure where it is of other logs or options (exit code
  // 2, naming them), no such file, or cannot be used.
  SearchLedger(std::string path, const TrainingFacts& facts);

  std::optional<double> score(const Genome& genome) const;
  // It is on disk when this returns. Throws Failure.
  void add(const Genome& genome, double score);
  std::size_t size() const { return scores_.size(); }

 private:
  void read(const std::string& text, const TrainingFacts& facts);

  std::string path_;
  std::string text_;  // of the file, whole lines
  std::map<Genome, double> scores_;
};

}  // namespace hyades::learned
