// Words about jobs: states, exit codes, ids.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hyades.pb.h"

namespace hyades {

bool has_ended(const pb::JobInfo& job);

// "PD", "pending", "RUNNING": the full name, upper case; "" when there is no such state.
std::string state_word(const std::string& text);

// True when jobs in that state (a full name) have ended.
bool is_final_state(const std::string& state);

// The states that a filter may name, for error messages and --help.
const std::vector<std::string>& state_words();

// False for an end without an exit of the job's own: it never started, or its end was not seen.
bool has_exit(const pb::JobInfo& job);

// sacct's way: "exit:signal".
std::string exit_text(const pb::JobInfo& job);

// What hwait and hsub --wait exit with for a job that has ended: its exit code; 128 + n when signal
// n ended it; 1 when it was cancelled, timed out or lost its node without either.
int exit_code_for(const pb::JobInfo& job);

// "job 7 (train): FAILED, exit code 3", with the reason where there is one. Not escaped.
std::string end_sentence(const pb::JobInfo& job);

// Appends the ids in "12,14-16". False when a word is none, or a range is longer than 10,000.
bool parse_job_ids(const std::string& text, std::vector<std::uint64_t>& out);

}  // namespace hyades
