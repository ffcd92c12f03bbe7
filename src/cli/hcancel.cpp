// hcancel: cancels or signals jobs.
#include <algorithm>
#include <iostream>

#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "cli/job_filters.hpp"
#include "cli/json_output.hpp"
#include "cli/master_client.hpp"
#include "cli/printable.hpp"
#include "cli/signal_name.hpp"
#include "core/request.hpp"

namespace hyades {
namespace {

constexpr const char* kNotes =
    "Examples\n"
    "  hcancel 42 43            cancel two jobs\n"
    "  hcancel 40-49            cancel ten\n"
    "  hcancel -t PD            cancel all of mine that wait\n"
    "  hcancel --signal=USR1 42 send a signal to every process of a job\n"
    "\nExit codes\n"
    "  0  all were cancelled      1  some were not      2  wrong options\n";

struct Result {
  std::uint64_t job = 0;
  std::string error;
  std::string message;
};

// The jobs to act on: those named, or those that the filters find among one's own.
std::vector<std::uint64_t> choose_jobs(const Command& command, MasterClient& master,
                                       int& exit_code) {
  pb::ClientRequest request;
  pb::ListJobs& filters = *request.mutable_list_jobs();
  read_job_filters(command, filters);
  const bool filtered = filters.users_size() + filters.queues_size() + filters.states_size() +
                            filters.names_size() + filters.nodes_size() >
                        0;
  if (filters.ids_size() == 0 && !filtered) {
    command.usage_error("name the jobs to cancel, or filters such as --me or -t PD");
  }
  if (!filtered) return {filters.ids().begin(), filters.ids().end()};
  if (filters.users_size() == 0 && !command.has("all-users")) filters.add_users(current_user());
  filters.set_live(true);
  std::vector<std::uint64_t> jobs;
  const pb::ClientReply reply = master.get(request);
  for (const pb::JobInfo& job : reply.jobs()) jobs.push_back(job.id());
  exit_code = complain_of_unknown(command, master, filters, reply);
  return jobs;
}

void report(const Command& command, const std::vector<Result>& results) {
  if (command.json()) {
    Json list = Json::array();
    for (const Result& result : results) {
      list.push_back({{"id", result.job},
                      {"ok", result.error.empty()},
                      {"error", result.error},
                      {"message", result.message}});
    }
    std::cout << json_text({{"results", list}});
  }
  for (const Result& result : results) {
    if (!result.error.empty()) {
      complain(command.name(), with_subject("job " + std::to_string(result.job), result.message));
    } else if (!command.json() && !result.message.empty()) {
      std::cout << escape_text("job " + std::to_string(result.job) + ": " + result.message) << "\n";
    } else if (command.has("verbose")) {
      complain(command.name(), "job " + std::to_string(result.job) + ": done");
    }
  }
}

int run(int argc, char** argv) {
  Command command("hcancel", "hcancel [OPTION...] [JOB...]", "Cancel jobs, or send them a signal.",
                  kNotes);
  add_job_filters(command);
  command.flag("all-users", "filters choose among the jobs of all users");
  command.value("signal,s", "SIG", "send this signal in place of cancelling");
  command.flag("batch,b", "signal only the batch shell");
  command.flag("verbose,v", "say what was done");
  command.parse(argc, argv);

  pb::ClientRequest request;
  pb::ActOnJob& act = *request.mutable_act_on_job();
  act.set_action(pb::JOB_CANCEL);
  if (command.has("signal")) {
    const int signal = signal_number(command.value_of("signal"));
    if (signal == 0)
      command.usage_error("--signal=" + command.value_of("signal") + ": no such signal");
    act.set_action(pb::JOB_SIGNAL);
    act.set_signal(signal);
    act.set_batch_only(command.has("batch"));
  } else if (command.has("batch")) {
    command.usage_error("--batch goes with --signal");
  }
  MasterClient master(command.name(), command.master(), command.retry_ms(30'000));
  int exit_code = kExitGood;
  const std::vector<std::uint64_t> jobs = choose_jobs(command, master, exit_code);
  const bool named = !command.words().empty();
  std::vector<Result> results;
  for (const std::uint64_t job : jobs) {
    act.set_job(job);
    // A second signal is one too many; a second cancellation changes nothing.
    const Retry retry = command.has("signal") ? Retry::UntilSent : Retry::Always;
    const pb::ClientReply reply = master.ask(request, retry);
    // A job that ended by itself between the question and now is no failure of a filter's.
    const bool gone = !named && (reply.error() == to_string(ErrorCode::Conflict) ||
                                 reply.error() == to_string(ErrorCode::NotFound));
    if (!gone) results.push_back({job, reply.error(), reply.message()});
  }
  report(command, results);
  const bool failed = std::any_of(results.begin(), results.end(),
                                  [](const Result& result) { return !result.error.empty(); });
  return failed ? kExitFailed : exit_code;
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  return hyades::run_command("hcancel", [&] { return hyades::run(argc, argv); });
}
