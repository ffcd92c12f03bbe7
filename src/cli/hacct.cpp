// hacct: the history of jobs.
#include <unistd.h>

#include <charconv>
#include <iostream>

#include "cli/begin_time.hpp"
#include "cli/command.hpp"
#include "cli/efficiency_columns.hpp"
#include "cli/efficiency_json.hpp"
#include "cli/failure.hpp"
#include "cli/job_columns.hpp"
#include "cli/job_filters.hpp"
#include "cli/job_log.hpp"
#include "cli/json_output.hpp"
#include "cli/master_client.hpp"
#include "cli/telemetry_questions.hpp"
#include "cli/times.hpp"

namespace hyades {
namespace {

constexpr const char* kNotes =
    "Without --user or --all-users: one's own jobs (root: everybody's).\n"
    "\nExamples\n"
    "  hacct                    my last jobs\n"
    "  hacct -S now-1day -s F   my jobs that failed since yesterday\n"
    "  hacct -a -w n2 -S 20:00  what has run on n2 since eight o'clock\n"
    "  hacct -j 42 --json       all about one job\n"
    "  hacct --efficiency -s CD what those that went well used of what they asked for\n"
    "  hacct -a --swf > our.swf all that has run, as a log that hsim replays\n"
    "\nExit codes\n"
    "  0  good      1  a job that was named does not exist, or no master      2  wrong options\n";

std::int64_t point(const Command& command, const std::string& option) {
  if (!command.has(option)) return 0;
  WallMs at_ms = 0;
  const std::string text = command.value_of(option);
  const std::string bad = parse_point_in_time(text, wall_now_ms(), false, at_ms);
  if (!bad.empty()) command.usage_error("--" + option + "=" + text + ": " + bad);
  return at_ms;
}

std::uint32_t limit(const Command& command) {
  std::uint32_t number = command.has("swf") ? 100'000 : 1000;
  if (!command.has("limit")) return number;
  const std::string text = command.value_of("limit");
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || at != text.data() + text.size() || number == 0) {
    command.usage_error("--limit=" + text + ": not a number of jobs");
  }
  return number;
}

void fill(const Command& command, pb::ListJobs& filters) {
  read_job_filters(command, filters);
  for (const std::uint64_t id : read_job_ids(command, command.list_of("jobs"))) filters.add_ids(id);
  const bool own = filters.users_size() == 0 && !command.has("all-users") &&
                   filters.ids_size() == 0 && geteuid() != 0;
  if (own) filters.add_users(current_user());
  const bool any = filters.states_size() == 0;
  filters.set_live((any && !command.has("swf")) || names_live_state(filters));
  filters.set_ended(any || names_final_state(filters));
  filters.set_since_ms(point(command, "starttime"));
  filters.set_until_ms(point(command, "endtime"));
  filters.set_limit(limit(command));
  filters.set_full_usage(command.json() || command.has("efficiency"));
}

void show_efficiency(const Command& command, MasterClient& master, const JobList& jobs,
                     bool truncated) {
  const TelemetryAnswer telemetry = ask_job_telemetry(master, jobs);
  const WallMs now_ms = wall_now_ms();
  std::vector<JobEfficiency> list;
  for (const pb::JobInfo& job : jobs) {
    list.push_back(measure_efficiency(job, telemetry.find(job.id()), now_ms));
  }
  const bool header = !command.has("no-header");
  if (command.json()) {
    Json out = Json::array();
    for (const JobEfficiency& job : list) out.push_back(efficiency_json(job, advise(job)));
    std::cout << json_text({{"jobs", out}, {"truncated", truncated}});
  } else if (command.has("parsable2")) {
    std::cout << efficiency_table(list).lines(header);
  } else {
    std::cout << efficiency_table(list).render(command.terminal(), header);
  }
}

std::int64_t cores_of_the_cluster(MasterClient& master) {
  pb::ClientRequest request;
  request.mutable_list_nodes();
  std::int64_t cores = 0;
  const pb::ClientReply reply = master.get(request);
  for (const pb::NodeInfo& node : reply.nodes()) cores += node.inventory().cores();
  return cores;
}

void show_log(const Command& command, MasterClient& master, const JobList& jobs) {
  const HistoryLog log = job_log(jobs, cores_of_the_cluster(master));
  for (const std::string& sentence : log.clean_ups.sentences()) {
    complain(command.name(), sentence);
  }
  std::cout << job_log_text(log);
}

int run(int argc, char** argv) {
  Command command("hacct", "hacct [OPTION...] [JOB...]", "Show what jobs have run, and how.",
                  kNotes);
  command.value("jobs,j", "IDS", "these jobs");
  command.value("user,u", "NAMES", "jobs of these users");
  command.flag("me", "jobs of mine");
  command.flag("all-users,a", "jobs of all users");
  command.value("queue,partition,p", "NAMES", "jobs in these queues");
  command.value("states,state,s", "STATES", "jobs in these states: CD, FAILED, ..., all");
  command.value("name", "NAMES", "jobs with these names");
  command.value("nodelist,w", "NODES", "jobs whose last attempt was on one of these nodes");
  command.value("starttime,S", "TIME", "submitted or ended since: now-1day, 2030-01-31, 16:00");
  command.value("endtime,E", "TIME", "submitted before");
  command.value("limit", "N", "at most so many, the newest (1000)");
  command.flag("efficiency", "what they used of what they asked for");
  command.flag("swf", "those that have run, as a log in the Standard Workload Format");
  command.flag("allocations,X", "nothing to do: every job is one line");
  command.flag("parsable2,parsable,P", "columns separated by |, nothing cut");
  command.flag("no-header,noheader,n", "no column titles");
  command.parse(argc, argv);
  if (command.has("swf") && (command.json() || command.has("efficiency"))) {
    command.usage_error("--swf is a format of its own: without --json and --efficiency");
  }
  pb::ClientRequest request;
  fill(command, *request.mutable_list_jobs());
  MasterClient master(command.name(), command.master(), command.retry_ms(2000));
  const pb::ClientReply reply = master.get(request);

  JobList jobs(reply.jobs().begin(), reply.jobs().end());
  const WallMs now_ms = wall_now_ms();
  sort_jobs(jobs, "id", now_ms);
  const bool header = !command.has("no-header");
  const bool named_in_vain = jobs.empty() && request.list_jobs().ids_size() > 0;
  if (named_in_vain && !command.json()) {
    // What was named does not exist, which is said below.
  } else if (command.has("swf")) {
    show_log(command, master, jobs);
  } else if (command.has("efficiency")) {
    show_efficiency(command, master, jobs, reply.truncated());
  } else if (command.json()) {
    Json list = Json::array();
    for (const pb::JobInfo& job : jobs) list.push_back(job_json(job));
    std::cout << json_text({{"jobs", list}, {"truncated", reply.truncated()}});
  } else if (command.has("parsable2")) {
    std::cout << history_lines(jobs, now_ms, header);
  } else {
    std::cout << history_table(jobs, now_ms).render(command.terminal(), header);
  }
  std::cout.flush();
  // Who asked for so many does not wonder.
  if (reply.truncated() && !command.json() && !command.has("limit")) {
    complain(command.name(), "only the newest jobs are shown; see --limit");
  }
  return complain_of_missing(command, request.list_jobs(), reply);
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  return hyades::run_command("hacct", [&] { return hyades::run(argc, argv); });
}
