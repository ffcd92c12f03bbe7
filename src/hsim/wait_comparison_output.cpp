#include "hsim/wait_comparison_output.hpp"

#include <algorithm>
#include <cmath>

#include "cli/quantity.hpp"
#include "cli/table.hpp"
#include "hsim/metrics_output.hpp"

namespace hyades {
namespace {

std::string share_text(std::int64_t part, std::int64_t whole) {
  if (whole == 0 || part == 0) return "-";
  return format_share(static_cast<double>(part) / static_cast<double>(whole));
}

Cell difference_cell(const WaitGroup& group) {
  const double difference = group.difference();
  if (std::abs(difference) < 0.5) return Cell("same");
  const std::string text = (difference > 0 ? "+" : "") + seconds_text(difference);
  // A colour for what somebody would notice.
  if (std::abs(difference) < 60) return Cell(text);
  return Cell(text, difference < 0 ? Colour::Green : Colour::Red);
}

void add_group(Table& table, const WaitGroup& group) {
  table.add({group.name, std::to_string(group.jobs), seconds_text(group.mean_before),
             seconds_text(group.mean_after), difference_cell(group),
             share_text(group.shorter, group.jobs), share_text(group.longer, group.jobs),
             seconds_text(static_cast<double>(group.max_before)),
             seconds_text(static_cast<double>(group.max_after))});
}

// Empty where the log says nothing of it.
bool says_nothing(const std::vector<WaitGroup>& groups) {
  return groups.empty() || (groups.size() == 1 && groups[0].name == "not known");
}

Json group_json(const WaitGroup& group) {
  return {{"name", group.name},
          {"jobs", group.jobs},
          {"avg_wait_before", group.mean_before},
          {"avg_wait_after", group.mean_after},
          {"difference", group.difference()},
          {"max_wait_before", group.max_before},
          {"max_wait_after", group.max_after},
          {"shorter", group.shorter},
          {"longer", group.longer}};
}

Json groups_json(const std::vector<WaitGroup>& groups) {
  Json out = Json::array();
  for (const WaitGroup& group : groups) out.push_back(group_json(group));
  return out;
}

}  // namespace

std::vector<WaitGroup> first_groups(const std::vector<WaitGroup>& groups, std::size_t count) {
  if (groups.size() <= count + 1) return groups;
  std::vector<WaitGroup> out(groups.begin(), groups.begin() + static_cast<std::ptrdiff_t>(count));
  WaitGroup rest;
  rest.name = std::to_string(groups.size() - count) + " others";
  for (std::size_t i = count; i < groups.size(); ++i) {
    rest.jobs += groups[i].jobs;
    rest.mean_before += groups[i].mean_before * static_cast<double>(groups[i].jobs);
    rest.mean_after += groups[i].mean_after * static_cast<double>(groups[i].jobs);
    rest.max_before = std::max(rest.max_before, groups[i].max_before);
    rest.max_after = std::max(rest.max_after, groups[i].max_after);
    rest.shorter += groups[i].shorter;
    rest.longer += groups[i].longer;
  }
  if (rest.jobs > 0) {
    rest.mean_before /= static_cast<double>(rest.jobs);
    rest.mean_after /= static_cast<double>(rest.jobs);
  }
  out.push_back(rest);
  return out;
}

std::string wait_comparison_text(const WaitComparison& comparison, std::size_t users,
                                 const Terminal& terminal) {
  Table table({{"JOBS OF", false},
               {"JOBS", true},
               {"WAIT BEFORE", true},
               {"AFTER", true},
               {"CHANGE", true},
               {"SHORTER", true},
               {"LONGER", true},
               {"MAX BEFORE", true, 0, 2},
               {"MAX AFTER", true, 0, 1}});
  add_group(table, comparison.all);
  const auto section = [&](const std::vector<WaitGroup>& groups) {
    if (says_nothing(groups)) return;
    table.add({""});
    for (const WaitGroup& group : groups) add_group(table, group);
  };
  section(comparison.by_queue);
  section(comparison.by_size);
  section(comparison.by_run_time);
  section(first_groups(comparison.by_user, users));
  return table.render(terminal);
}

Json wait_comparison_json(const WaitComparison& comparison) {
  return {{"all", group_json(comparison.all)},
          {"queues", groups_json(comparison.by_queue)},
          {"users", groups_json(comparison.by_user)},
          {"sizes", groups_json(comparison.by_size)},
          {"run_times", groups_json(comparison.by_run_time)}};
}

}  // namespace hyades
