// heff: what a job used of what it asked for, and what to change.
#include <algorithm>
#include <fstream>
#include <iostream>

#include "cli/command.hpp"
#include "cli/efficiency_columns.hpp"
#include "cli/efficiency_html.hpp"
#include "cli/efficiency_json.hpp"
#include "cli/efficiency_text.hpp"
#include "cli/failure.hpp"
#include "cli/job_filters.hpp"
#include "cli/job_words.hpp"
#include "cli/printable.hpp"
#include "cli/telemetry_questions.hpp"
#include "cli/times.hpp"

namespace hyades {
namespace {

constexpr const char* kNotes =
    "Without JOB: the last of one's own jobs that has ended. What was not measured is called so.\n"
    "The rules of the suggestions, with their margins, are in docs/commands.md.\n"
    "\nExamples\n"
    "  heff                     my last job: what it asked for, what it used, what to change\n"
    "  heff 42                  one job, also while it runs\n"
    "  heff 42-50               a line for each\n"
    "  heff --html 42           a report with charts: heff-42.html\n"
    "  hsub $(heff --directives 42) train.sh\n"
    "                           the same again, with what was suggested\n"
    "\nExit codes\n"
    "  0  good      1  no such job, or no master      2  wrong options\n";

pb::ListJobs& list_in(pb::ClientRequest& request) { return *request.mutable_list_jobs(); }

void ask_for_last(pb::ListJobs& list) {
  list.add_users(current_user());
  list.set_ended(true);
  list.set_limit(1);
  list.set_full_usage(true);
}

void ask_for(const std::vector<std::uint64_t>& ids, pb::ListJobs& list) {
  for (const std::uint64_t id : ids) list.add_ids(id);
  list.set_live(true);
  list.set_ended(true);
  list.set_full_usage(true);
}

struct Measured {
  std::vector<JobEfficiency> jobs;
  TelemetryAnswer telemetry;
};

Measured ask_all(MasterClient& master, const pb::ClientReply& listed) {
  Measured out;
  std::vector<pb::JobInfo> infos(listed.jobs().begin(), listed.jobs().end());
  std::sort(infos.begin(), infos.end(), [](auto& a, auto& b) { return a.id() < b.id(); });
  out.telemetry = ask_job_telemetry(master, infos);
  const WallMs now_ms = wall_now_ms();
  const std::vector<std::uint64_t>& hidden = out.telemetry.hidden;
  for (const pb::JobInfo& job : infos) {
    out.jobs.push_back(measure_efficiency(job, out.telemetry.find(job.id()), now_ms));
    out.jobs.back().hidden = std::find(hidden.begin(), hidden.end(), job.id()) != hidden.end();
  }
  return out;
}

void print_json(const Measured& all) {
  Json list = Json::array();
  for (const JobEfficiency& job : all.jobs) {
    Json one = efficiency_json(job, advise(job));
    one["series"] = Json::array();
    const pb::JobTelemetry* telemetry = all.telemetry.find(job.job.id());
    if (telemetry != nullptr && !job.estranged) {
      for (const std::string& name : series_names(*telemetry)) {
        one["series"].push_back(series_json(merge_series(*telemetry, name)));
      }
    }
    list.push_back(std::move(one));
  }
  std::cout << json_text({{"jobs", list}});
}

void write_html(const Command& command, const Measured& all) {
  if (all.jobs.size() != 1) command.usage_error("--html takes one job");
  const JobEfficiency& job = all.jobs[0];
  const pb::JobTelemetry* telemetry = all.telemetry.find(job.job.id());
  const std::string html =
      efficiency_html(job, advise(job), job.estranged ? nullptr : telemetry, wall_now_ms());
  std::string path = command.value_of("html");
  if (path.empty()) path = "heff-" + std::to_string(job.job.id()) + ".html";
  if (path == "-") {
    std::cout << html;
    return;
  }
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << html << std::flush;
  if (!file) throw Failure("cannot write " + path + "; name another file with --html=FILE");
  if (!command.has("quiet")) std::cout << escape_text(path) << "\n";
}

// Nothing to suggest is an empty line only where there are lines of other jobs.
void print_directives(const Command& command, const Measured& all, const JobEfficiency& job) {
  const Advice advice = advise(job);
  if (advice.directives.empty()) {
    complain(command.name(),
             "job " + std::to_string(job.job.id()) + ": no suggestion: " + advice.no_directives);
  }
  if (!advice.directives.empty() || all.jobs.size() > 1) {
    std::cout << directive_line(advice) << "\n";
  }
}

void print(const Command& command, const Measured& all) {
  if (command.has("html")) return write_html(command, all);
  if (command.json()) return print_json(all);
  if (command.has("directives")) {
    for (const JobEfficiency& job : all.jobs) print_directives(command, all, job);
  } else if (all.jobs.size() == 1 && !command.has("table")) {
    std::cout << efficiency_text(all.jobs[0], advise(all.jobs[0]), command.terminal());
  } else {
    std::cout << efficiency_table(all.jobs).render(command.terminal(), !command.has("no-header"));
  }
}

// A word of its own is a job, and getopt_long's habit for values that may be left out is "=".
void refuse_files(const Command& command) {
  for (const std::string& word : command.words()) {
    if (!word.ends_with(".html") && !word.ends_with(".htm")) continue;
    command.usage_error("'" + word +
                        "' is not a job id; to write the report into it: --html=" + word);
  }
}

int run(int argc, char** argv) {
  Command command("heff", "heff [OPTION...] [JOB...]",
                  "Show what jobs used of what they asked for, and what to change.", kNotes);
  command.optional_value("html", "[=FILE]",
                         "a report with charts, into FILE (heff-JOB.html; -: here)");
  command.flag("directives", "print only the options to ask for next time");
  command.flag("table", "one line also for a single job");
  command.flag("no-header,noheader", "no column titles");
  command.flag("quiet,q", "do not print where the report is");
  command.parse(argc, argv);
  refuse_files(command);
  const std::vector<std::uint64_t> ids = read_job_ids(command, command.words());
  pb::ClientRequest request;
  if (ids.empty()) {
    ask_for_last(list_in(request));
  } else {
    ask_for(ids, list_in(request));
  }
  MasterClient master(command.name(), command.master(), command.retry_ms(2000));
  const pb::ClientReply listed = master.get(request);
  if (ids.empty() && listed.jobs_size() == 0) {
    throw Failure("none of your jobs has ended yet; name one: heff JOB");
  }
  const int exit_code =
      ids.empty() ? kExitGood : complain_of_missing(command, request.list_jobs(), listed);
  if (listed.jobs_size() == 0) return exit_code;
  print(command, ask_all(master, listed));
  return exit_code;
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  return hyades::run_command("heff", [&] { return hyades::run(argc, argv); });
}
