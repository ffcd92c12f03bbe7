// hwatch: a job while it runs; its exit code is the job's.
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <iostream>

#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "cli/job_filters.hpp"
#include "cli/job_words.hpp"
#include "cli/printable.hpp"
#include "cli/telemetry_questions.hpp"
#include "cli/times.hpp"
#include "cli/watch_page.hpp"
#include "core/request.hpp"

namespace hyades {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kNotes =
    "Ctrl-C ends hwatch and leaves the job alone. The master may restart meanwhile.\n"
    "Into a pipe or file: a line for each look, and --json: an object on a line of its own.\n"
    "\nExamples\n"
    "  hwatch 42                what job 42 does, until it ends\n"
    "  hwatch --once 42         what it does now\n"
    "  hwatch --json 42 | jq -c '.figures[]'\n"
    "\nExit codes\n"
    "  as hwait's: the exit code of the job, 128+N when signal N ended it, 1 when it was\n"
    "  cancelled, ran into its time limit or lost its node without one, or there is no such job\n"
    "  0  --once\n"
    "  2  wrong options\n";

// Looks at the job every now and then, and at once when it ends.
class Watch {
 public:
  Watch(const Command& command, std::uint64_t job)
      : command_(command),
        master_(command.name(), command.master(), command.retry_ms(24 * 3600 * 1000)),
        job_(job) {}

  // The job as it is, after `wait_ms` or when it ends. Throws Failure when there is none.
  const pb::JobInfo& look(int wait_ms) {
    pb::ClientRequest request;
    request.mutable_wait_jobs()->add_ids(job_);
    // 0 would mean "for ever" to the master.
    request.mutable_wait_jobs()->set_timeout_ms(std::max(1, wait_ms));
    const auto asked = Clock::now();
    const pb::ClientReply reply = master_.ask(request, Retry::Always, wait_ms + 30'000);
    const bool unknown = reply.error() == to_string(ErrorCode::NotFound);
    if (!reply.error().empty() && !unknown) throw Failure(reply.message());
    if (reply.jobs_size() != 1) throw Failure("job " + std::to_string(job_) + ": no such job");
    info_ = reply.jobs(0);
    telemetry_ = ask_job_telemetry(master_, job_);
    const auto passed =
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - asked).count();
    // A master that does not let us wait is not to be asked in a circle.
    if (!has_ended(info_) && passed < wait_ms / 2) {
      poll(nullptr, 0, static_cast<int>(wait_ms - passed));
    }
    return info_;
  }

  void show() {
    const WallMs now_ms = wall_now_ms();
    const pb::JobTelemetry* telemetry = telemetry_.find(job_);
    const WatchView view{measure_efficiency(info_, telemetry, now_ms), telemetry, now_ms};
    if (telemetry != nullptr) history_.add(telemetry->figures(), telemetry->at_ms());
    const Terminal terminal = command_.terminal();
    if (command_.json()) {
      std::cout << json_line(watch_json(view));
    } else if (terminal.rows == 0) {
      std::cout << watch_line(view);
    } else {
      const bool resized = lines_ > 0 && (terminal.columns != columns_ || terminal.rows != rows_);
      const std::string page = watch_page(view, history_, terminal);
      std::cout << printed_over(page, lines_, resized);
      lines_ = count_lines(page);
      columns_ = terminal.columns;
      rows_ = terminal.rows;
    }
    std::cout << std::flush;
    if (std::cout.fail()) throw Failure("", exit_code());  // nobody looks any more
  }

  int exit_code() const { return has_ended(info_) ? exit_code_for(info_) : kExitGood; }

 private:
  const Command& command_;
  MasterClient master_;
  std::uint64_t job_;
  pb::JobInfo info_;
  TelemetryAnswer telemetry_;
  FigureHistory history_;
  int lines_ = 0;  // printed last
  int columns_ = 0;
  int rows_ = 0;
};

int interval_ms(const Command& command) {
  int ms = 2000;
  if (!command.has("interval")) return ms;
  const std::string text = command.value_of("interval");
  if (!parse_wait_ms(text, ms) || ms == 0 || ms > 24 * 3600 * 1000) {
    command.usage_error("--interval=" + text + ": use seconds, 1 or more, or m:ss");
  }
  return ms;
}

int run(int argc, char** argv) {
  Command command("hwatch", "hwatch [OPTION...] JOB",
                  "Show what a job does, until it ends; exit as it did.", kNotes);
  command.value("interval,i", "TIME", "look so often: seconds (2)");
  command.flag("once", "look once");
  command.parse(argc, argv);
  const std::vector<std::uint64_t> ids = read_job_ids(command, command.words());
  if (ids.size() != 1) command.usage_error("name one job to watch");
  const int every_ms = interval_ms(command);
  Watch watch(command, ids[0]);
  const pb::JobInfo* job = &watch.look(1);
  watch.show();
  if (command.has("once")) return kExitGood;
  while (!has_ended(*job)) {
    job = &watch.look(every_ms);
    watch.show();
  }
  if (!command.json()) std::cout << escape_text(end_sentence(*job)) << "\n";
  return watch.exit_code();
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  return hyades::run_command("hwatch", [&] { return hyades::run(argc, argv); });
}
