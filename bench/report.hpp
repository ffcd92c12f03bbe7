// What was measured, beside what it ought to be.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "machine_facts.hpp"
#include "sample_set.hpp"

namespace hyades {

enum class Bar { None, AtLeast, Below, AtMost };

struct Figure {
  std::string section;  // the measurement that it belongs to
  std::string name;
  double value = 0;
  std::string unit;
  Bar bar = Bar::None;
  double limit = 0;
  // The lowest and highest of the repetitions whose median `value` is; absent: measured once.
  std::optional<double> lowest = std::nullopt;
  std::optional<double> highest = std::nullopt;

  bool met() const;
  std::string bar_text() const;    // ">= 2000"; "" without a bar
  std::string value_text() const;  // "2310 /s (1980 to 2412)"
};

class Report {
 public:
  // Explains how the figures of a section come about; one paragraph, Markdown.
  void explain(const std::string& section, std::string text);
  // The reference stays valid; it may be completed until the next call.
  Figure& add(Figure figure);
  // The median of repetitions.
  Figure& add(const std::string& section, const std::string& name, const SampleSet& samples,
              const std::string& unit);

  // From here on nothing is judged.
  void forget_bars();
  bool every_bar_met() const;
  const std::deque<Figure>& figures() const { return figures_; }

  std::string to_text() const;
  std::string to_json(const MachineFacts& facts, const std::string& command) const;
  std::string to_markdown(const MachineFacts& facts, const std::string& command) const;

 private:
  struct Section {
    std::string name;
    std::string explanation;
  };
  std::vector<const Figure*> figures_of(const std::string& section) const;
  std::string missed_bars() const;

  std::vector<Section> sections_;
  std::deque<Figure> figures_;
};

}  // namespace hyades
