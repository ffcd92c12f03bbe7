// A study: rules for scheduling, tried on the same windows of the same logs. What was tried and
// what came out of it, whoever replayed it. Pure; one thread at a time.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "hsim/metrics.hpp"

namespace hyades {

// How the queue is scheduled. Words as the configuration has them.
struct Rule {
  std::string policy;     // "saf"
  std::string backfill;   // "easy"
  bool guard = false;     // the bound on how long anybody waits
  bool exact = false;     // the run times are known in advance: no scheduler knows them
  std::string run_times;  // that the order goes by; "": as the policy has it
  int reserve = -1;       // percent of the processors; -1: as the policy has it
  std::string model;      // file of a learned policy; "": none, or the one that is installed

  friend auto operator<=>(const Rule&, const Rule&) = default;
};

// "saf, easy, guarded"
std::string rule_text(const Rule& rule);

struct StudiedLog {
  std::string name;
  int procs = 0;
  std::size_t jobs = 0;
  std::vector<Window> windows;
};

// "HPC2N" of "HPC2N-2002-2.2-cln": what stands before the year that logs of the archive are named
// with; the name itself where there is none.
std::string short_name(const StudiedLog& log);

// What is tried. Reports leave out what was not.
struct StudyPlan {
  std::vector<StudiedLog> logs;
  std::vector<std::string> policies;
  std::vector<std::string> backfills;
  bool guarded = true;  // also each policy with EASY and the guard
  bool exact = true;    // also each policy with EASY and exact run times
  std::vector<Rule> others;
  std::map<std::string, std::set<std::string>> learned_from;  // by model: names of logs

  // A model is not tried on logs that it knows.
  bool tries(const StudiedLog& log, const Rule& rule) const;
  // Every policy with every backfill, without guard; then the others.
  std::vector<Rule> rules() const;
};

class StudyResults {
 public:
  void add(const std::string& log, const Rule& rule, const Window& window, const Metrics& metrics);

  // By window, in their order in the log. Empty unless all of the log's windows are there.
  std::vector<Metrics> of(const StudiedLog& log, const Rule& rule) const;
  bool has(const std::string& log, const Rule& rule, const Window& window) const;

 private:
  using Key = std::pair<std::string, Rule>;
  std::map<Key, std::map<std::pair<std::size_t, std::size_t>, Metrics>> results_;
};

// One figure of each.
template <typename Member>
std::vector<double> figures(const std::vector<Metrics>& metrics, Member Metrics::*member) {
  std::vector<double> out;
  for (const Metrics& one : metrics) out.push_back(static_cast<double>(one.*member));
  return out;
}

double mean_of(const std::vector<double>& values);

// Of those tried with EASY and neither guard nor exact run times: the policy with the least mean
// slowdown over the log's windows, and what choosing the best one for each window, in hindsight,
// would give. Policy "" where nothing was tried.
struct BestRules {
  std::string policy;
  double slowdown = 0;
  std::vector<double> oracle;  // by window
};
BestRules best_rules(const StudyPlan& plan, const StudyResults& results, const StudiedLog& log);

}  // namespace hyades
