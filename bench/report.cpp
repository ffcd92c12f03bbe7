#include "report.hpp"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace hyades {

namespace {

using Json = nlohmann::ordered_json;

// Three digits that matter, and no more than are known of large numbers.
std::string number_text(double value) {
  const double size = std::fabs(value);
  char text[64];
  const char* const format = size >= 100 || value == 0 ? "%.0f"
                             : size >= 10              ? "%.1f"
                             : size >= 1               ? "%.2f"
                                                       : "%.3f";
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string verdict(const Figure& figure) {
  if (figure.bar == Bar::None) return "";
  return figure.met() ? "met" : "MISSED";
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

}  // namespace

// ---- a figure ---------------------------------------------------------------------------------

bool Figure::met() const {
  switch (bar) {
    case Bar::AtLeast:
      return value >= limit;
    case Bar::Below:
      return value < limit;
    case Bar::AtMost:
      return value <= limit;
    case Bar::None:
      break;
  }
  return true;
}

std::string Figure::bar_text() const {
  switch (bar) {
    case Bar::AtLeast:
      return ">= " + number_text(limit);
    case Bar::Below:
      return "< " + number_text(limit);
    case Bar::AtMost:
      return "<= " + number_text(limit);
    case Bar::None:
      break;
  }
  return "";
}

std::string Figure::value_text() const {
  std::string text = number_text(value) + (unit.empty() ? "" : " " + unit);
  if (lowest && highest) text += " (" + number_text(*lowest) + " to " + number_text(*highest) + ")";
  return text;
}

// ---- the report -------------------------------------------------------------------------------

void Report::explain(const std::string& section, std::string text) {
  sections_.push_back({section, std::move(text)});
}

Figure& Report::add(Figure figure) {
  figures_.push_back(std::move(figure));
  return figures_.back();
}

Figure& Report::add(const std::string& section, const std::string& name, const SampleSet& samples,
                    const std::string& unit) {
  Figure figure{.section = section, .name = name, .value = samples.median(), .unit = unit};
  if (samples.size() > 1) {
    figure.lowest = samples.lowest();
    figure.highest = samples.highest();
  }
  return add(std::move(figure));
}

void Report::forget_bars() {
  for (Figure& figure : figures_) figure.bar = Bar::None;
}

bool Report::every_bar_met() const {
  for (const Figure& figure : figures_) {
    if (!figure.met()) return false;
  }
  return true;
}

std::vector<const Figure*> Report::figures_of(const std::string& section) const {
  std::vector<const Figure*> found;
  for (const Figure& figure : figures_) {
    if (figure.section == section) found.push_back(&figure);
  }
  return found;
}

std::string Report::missed_bars() const {
  std::string text;
  for (const Figure& figure : figures_) {
    if (figure.met()) continue;
    text += "- " + figure.section + ", " + figure.name + ": " + figure.value_text() +
            " instead of " + figure.bar_text() + "\n";
  }
  return text;
}

std::string Report::to_text() const {
  std::string text;
  for (const Section& section : sections_) {
    text += section.name + "\n";
    for (const Figure* figure : figures_of(section.name)) {
      std::string line = "  " + padded(figure->name, 52) + padded(figure->value_text(), 34) +
                         padded(figure->bar_text(), 10) + verdict(*figure);
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
    }
  }
  const std::string missed = missed_bars();
  return text + (missed.empty() ? "No bar is missed.\n" : "Missed bars:\n" + missed);
}

std::string Report::to_json(const MachineFacts& facts, const std::string& command) const {
  Json machine;
  for (const auto& [name, value] : facts.lines) machine[name] = value;
  Json list = Json::array();
  for (const Figure& figure : figures_) {
    Json entry{{"section", figure.section},
               {"name", figure.name},
               {"value", figure.value},
               {"unit", figure.unit}};
    if (figure.lowest && figure.highest) {
      entry["lowest"] = *figure.lowest;
      entry["highest"] = *figure.highest;
    }
    if (figure.bar != Bar::None) {
      entry["bar"] = figure.bar_text();
      entry["met"] = figure.met();
    }
    list.push_back(std::move(entry));
  }
  return Json{{"command", command}, {"machine", machine}, {"figures", list}}.dump(2) + "\n";
}

std::string Report::to_markdown(const MachineFacts& facts, const std::string& command) const {
  std::string text = "# Hyades, measured\n\nWritten by `" + command +
                     "`; do not edit. A value with a range is the median of repetitions, with the "
                     "lowest and the highest of them. What else ran on the machine makes every "
                     "figure worse; the table "
                     "says how much that was.\n\n| | |\n|---|---|\n";
  for (const auto& [name, value] : facts.lines) text += "| " + name + " | " + value + " |\n";
  const std::string missed = missed_bars();
  text += "\n## Missed bars\n\n" + (missed.empty() ? std::string("None.\n") : missed);
  for (const Section& section : sections_) {
    text += "\n## " + section.name + "\n\n" + section.explanation +
            "\n\n| figure | value | bar | |\n|---|---|---|---|\n";
    for (const Figure* figure : figures_of(section.name)) {
      const std::string word = verdict(*figure);
      text += "| " + figure->name + " | " + figure->value_text() + " | " + figure->bar_text() +
              " | " + (word == "MISSED" ? "**missed**" : word) + " |\n";
    }
  }
  return text;
}

}  // namespace hyades
