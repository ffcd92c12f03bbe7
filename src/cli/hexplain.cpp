// hexplain: why a job waits, when it starts, and what would start it now.
#include <iostream>

#include "cli/command.hpp"
#include "cli/explanation_page.hpp"
#include "cli/failure.hpp"
#include "cli/job_filters.hpp"
#include "cli/master_client.hpp"
#include "cli/times.hpp"

namespace hyades {
namespace {

constexpr const char* kNotes =
    "Of jobs of others, operators alone are told. It says why the job waits, its place in the "
    "queue and\nby which order, how long it is expected to run, when it starts at the latest, when "
    "it goes before\nall others because it has waited too long, and with what it would start at "
    "once. Of one that has\nstarted: why then, where it would have been without a choice and what "
    "each place costs, what its\nnodes lend it, and how much of their power it has or why they do "
    "not cap it.\n"
    "\nExamples\n"
    "  hexplain 42\n"
    "  hexplain 42 43 --json\n"
    "\nExit codes\n"
    "  0  good      1  no such job, not yours, or no master      2  wrong options\n";

int run(int argc, char** argv) {
  Command command("hexplain", "hexplain [OPTION...] JOB...",
                  "Say why jobs wait, when they start, and what would start them now.", kNotes);
  command.parse(argc, argv);
  pb::ClientRequest request;
  for (const std::uint64_t id : read_job_ids(command, command.words())) {
    request.mutable_explain_jobs()->add_ids(id);
  }
  if (request.explain_jobs().ids().empty()) command.usage_error("name the jobs");
  MasterClient master(command.name(), command.master(), command.retry_ms(2'000));
  const pb::ClientReply reply = master.get(request);
  if (reply.jobs_size() != reply.explanations_size()) throw Failure("the master's answer is none");
  Json jobs = Json::array();
  for (int i = 0; i < reply.jobs_size(); ++i) {
    if (command.json()) {
      jobs.push_back(explanation_json(reply.jobs(i), reply.explanations(i)));
    } else {
      std::cout << (i > 0 ? "\n" : "")
                << explanation_page(reply.jobs(i), reply.explanations(i), wall_now_ms());
    }
  }
  if (command.json()) std::cout << json_text({{"jobs", jobs}});
  return kExitGood;
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  return hyades::run_command("hexplain", [&] { return hyades::run(argc, argv); });
}
