// What all studies have in common on the command line: logs, windows, a cache, facts about the run.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/command.hpp"
#include "cli/json_output.hpp"
#include "hsim/knowing_replay.hpp"
#include "hsim/study.hpp"

namespace hyades {

// --windows, --length, --out, --cache, --commit, --threads, --seed.
void add_study_options(Command& command);

// The logs that the command names; it ends when there is none, or an output cannot be written.
std::vector<Workload> read_study_logs(const Command& command);

std::vector<StudiedLog> studied_logs(const Command& command, const std::vector<Workload>& logs);

// Replays what the cache has not, with progress on stderr.
StudyResults replay_study(const Command& command, const StudyPlan& plan,
                          const std::vector<Workload>& logs);

// The configuration under which a rule is replayed, on one pool of processors.
ClusterConfig rule_config(int procs, const Rule& rule);

// Date, version, machine and command, with those of its options that change results.
std::vector<std::pair<std::string, std::string>> study_facts(const Command& command,
                                                             const StudyPlan& plan,
                                                             std::vector<std::string> options);

// The page goes to where --out says, else to standard output. Throws Failure.
void put_page(const Command& command, const std::string& text);

// Every window of every rule.
Json results_json(const StudyPlan& plan, const StudyResults& results);

}  // namespace hyades
