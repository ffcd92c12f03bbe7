// From merged options to what is submitted. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "cli/submit_options.hpp"
#include "core/job_spec.hpp"

namespace hyades {

// What the submitting process knows beside its options.
struct SubmitSurroundings {
  std::vector<std::string> environment;  // NAME=value
  std::string current_directory;
  std::uint32_t umask = 022;
  WallMs now_ms = 0;
};

// The script, wherever it came from.
struct ScriptText {
  std::string text;
  std::string default_name;    // job name unless --job-name
  bool speaks_sbatch = false;  // it has #SBATCH lines: the default output is slurm-%j.out then
};

struct JobRequest {
  JobSpec spec;
  JobPayload payload;
};

// Adds to `found.errors` what the options get wrong, each with its place, and to `found.warnings`
// what is taken otherwise than its author may think.
JobRequest make_job_request(const SubmitOptions& options, const ScriptText& script,
                            const std::vector<std::string>& arguments,
                            const SubmitSurroundings& surroundings, Diagnostics& found);

// "train" for "/home/u/train"; without bytes that a job name must not hold.
std::string name_of_script(const std::string& path);

}  // namespace hyades
