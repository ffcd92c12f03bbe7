// hwait: waits until jobs have ended; its exit code is theirs.
#include <iostream>

#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "cli/job_filters.hpp"
#include "cli/job_waiter.hpp"
#include "cli/job_words.hpp"
#include "cli/json_output.hpp"
#include "cli/printable.hpp"
#include "core/units.hpp"

namespace hyades {
namespace {

constexpr int kTimedOut = 124;  // as timeout(1) says it

constexpr const char* kNotes =
    "The master may restart meanwhile; hwait waits for it, too (--retry-for bounds that).\n"
    "\nExamples\n"
    "  hwait 42 && echo good\n"
    "  id=$(hsub --parsable train.sh); hwait --timeout 3600 $id\n"
    "\nExit codes\n"
    "  the exit code of the job; of several jobs, the highest\n"
    "  128+N  signal N ended the job\n"
    "  1      it was cancelled, ran into its time limit or lost its node, without an exit code;\n"
    "         also: no such job, no master\n"
    "  2      wrong options\n"
    "  124    --timeout is over and a job has not ended\n";

int run(int argc, char** argv) {
  Command command("hwait", "hwait [OPTION...] JOB...",
                  "Wait until jobs have ended; exit as they did.", kNotes);
  command.value("timeout", "TIME", "wait at most so long: seconds or h:mm:ss");
  command.flag("quiet,q", "print nothing");
  command.parse(argc, argv);
  const std::vector<std::uint64_t> ids = read_job_ids(command, command.words());
  if (ids.empty()) command.usage_error("name the jobs to wait for");
  int timeout_ms = -1;
  if (command.has("timeout") && !parse_wait_ms(command.value_of("timeout"), timeout_ms)) {
    command.usage_error("--timeout=" + command.value_of("timeout") +
                        ": not a time; use seconds or h:mm:ss");
  }
  MasterClient master(command.name(), command.master(), command.retry_ms(24 * 3600 * 1000));
  Json jobs = Json::array();
  const auto ended = [&](const pb::JobInfo& job) {
    if (command.json()) {
      jobs.push_back(job_json(job));
    } else if (!command.has("quiet")) {
      std::cout << escape_text(end_sentence(job)) << std::endl;
    }
  };
  const WaitOutcome outcome = wait_for_jobs(master, ids, timeout_ms, ended);
  if (command.json()) {
    std::cout << json_text({{"jobs", jobs}, {"timed_out", outcome.timed_out}});
  }
  if (outcome.timed_out) throw Failure("not all jobs have ended in time", kTimedOut);
  return outcome.exit_code;
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  return hyades::run_command("hwait", [&] { return hyades::run(argc, argv); });
}
