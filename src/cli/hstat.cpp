// hstat: the queue.
#include <algorithm>
#include <iostream>

#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "cli/job_columns.hpp"
#include "cli/job_filters.hpp"
#include "cli/job_words.hpp"
#include "cli/json_output.hpp"
#include "cli/master_client.hpp"
#include "cli/times.hpp"

namespace hyades {
namespace {

constexpr const char* kNotes =
    "Examples\n"
    "  hstat                    what waits and runs\n"
    "  hstat --me -l            my jobs, with limits and start times\n"
    "  hstat --start -t PD      when waiting jobs are expected to start\n"
    "  hstat -w n2              what runs on n2\n"
    "  hstat 42                 one job, also when it has ended\n"
    "  hstat --events 42        what happened to it, when and why\n"
    "\nExit codes\n"
    "  0  good      1  a job or queue that was named does not exist, or no master\n"
    "  2  wrong options\n";

int show_events(const Command& command, MasterClient& master) {
  std::vector<std::uint64_t> ids;
  if (!parse_job_ids(command.value_of("events"), ids) || ids.size() != 1) {
    command.usage_error("--events=" + command.value_of("events") + ": not a job id");
  }
  pb::ClientRequest request;
  request.mutable_show_events()->set_job(ids[0]);
  const pb::ClientReply reply = master.get(request);
  if (command.json()) {
    Json events = Json::array();
    for (const pb::EventInfo& event : reply.events()) events.push_back(event_json(event));
    std::cout << json_text({{"events", events}});
  } else {
    const Table table = event_table({reply.events().begin(), reply.events().end()});
    std::cout << table.render(command.terminal(), !command.has("no-header"));
  }
  return kExitGood;
}

int show_queue(const Command& command, MasterClient& master) {
  pb::ClientRequest request;
  pb::ListJobs& filters = *request.mutable_list_jobs();
  read_job_filters(command, filters);
  for (const std::uint64_t id : read_job_ids(command, command.list_of("jobs"))) filters.add_ids(id);
  const bool by_id = filters.ids_size() > 0;
  const bool by_state = filters.states_size() > 0;
  filters.set_live(!by_state || names_live_state(filters));
  filters.set_ended(by_state ? names_final_state(filters) : by_id);
  const pb::ClientReply reply = master.get(request);

  JobList jobs(reply.jobs().begin(), reply.jobs().end());
  const WallMs now_ms = wall_now_ms();
  const std::string keys = command.has("sort") ? command.value_of("sort") : "id";
  if (!sort_jobs(jobs, keys, now_ms)) {
    command.usage_error("--sort=" + keys +
                        ": use id, name, user, queue, state, time, start, priority or nodes");
  }
  if (command.json()) {
    Json list = Json::array();
    for (const pb::JobInfo& job : jobs) list.push_back(job_json(job));
    std::cout << json_text({{"jobs", list}, {"truncated", reply.truncated()}});
  } else {
    const QueueColumns view = command.has("start")  ? QueueColumns::Starts
                              : command.has("long") ? QueueColumns::Long
                                                    : QueueColumns::Normal;
    const Table table = queue_table(jobs, view, now_ms, by_id);
    std::cout << table.render(command.terminal(), !command.has("no-header"));
    if (reply.truncated()) complain("hstat", "the list is longer; narrow it with a filter");
  }
  std::cout.flush();
  return std::max(complain_of_missing(command, filters, reply),
                  complain_of_unknown(command, master, filters, reply));
}

int run(int argc, char** argv) {
  Command command("hstat", "hstat [OPTION...] [JOB...]", "Show the jobs that wait and run.",
                  kNotes);
  command.value("jobs,job,j", "IDS", "these jobs, as JOB... does");
  add_job_filters(command);
  command.flag("long,l", "with STATE, TIME_LIMIT and START, and reasons in full");
  command.flag("start", "with the expected start");
  command.value("sort,S", "KEYS", "id name user queue state time start priority nodes; -KEY: down");
  command.flag("no-header,noheader", "no column titles");
  command.value("events", "JOB", "what happened to this job");
  command.parse(argc, argv);
  MasterClient master(command.name(), command.master(), command.retry_ms(2000));
  return command.has("events") ? show_events(command, master) : show_queue(command, master);
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  return hyades::run_command("hstat", [&] { return hyades::run(argc, argv); });
}
