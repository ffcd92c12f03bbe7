// hsub: submits a job script.
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>

#include "cli/command.hpp"
#include "cli/directives.hpp"
#include "cli/failure.hpp"
#include "cli/hsub_help.hpp"
#include "cli/job_request.hpp"
#include "cli/job_waiter.hpp"
#include "cli/job_words.hpp"
#include "cli/json_output.hpp"
#include "cli/master_client.hpp"
#include "cli/printable.hpp"
#include "cli/script_reader.hpp"
#include "cli/state_directory.hpp"
#include "cli/submit_options.hpp"
#include "cli/times.hpp"
#include "wire/codec.hpp"

extern char** environ;

namespace hyades {
namespace {

constexpr int kRetryMs = 30'000;

// What Ctrl-C has to know; set before the handler is installed, cleared before its end.
const MasterClient* interrupted_client = nullptr;

void write_text(const char* text) {
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, text, std::strlen(text));
}

extern "C" void on_interrupt(int signal) {
  const MasterClient* client = interrupted_client;
  write_text(client != nullptr && client->may_have_been_sent()
                 ? "\nhsub: interrupted: the job may have been accepted; look with: hstat --me\n"
                 : "\nhsub: interrupted: nothing was submitted\n");
  _exit(128 + signal);
}

// While it lives, Ctrl-C says what became of the submission.
class InterruptNotice {
 public:
  explicit InterruptNotice(const MasterClient& client) {
    interrupted_client = &client;
    std::signal(SIGINT, on_interrupt);
    std::signal(SIGTERM, on_interrupt);
  }
  ~InterruptNotice() {
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    interrupted_client = nullptr;
  }
};

// The master gives one job for one token, however often the request arrives.
std::string new_token() {
  unsigned char bytes[16];
  if (getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) {
    throw Failure(std::string("no random numbers: ") + std::strerror(errno));
  }
  std::string token;
  for (const unsigned char byte : bytes) {
    char digits[4];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    token += digits;
  }
  return token;
}

SubmitSurroundings look_around() {
  SubmitSurroundings surroundings;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    surroundings.environment.push_back(*entry);
  }
  // Prefers $PWD where it is true, so that users see the path they know.
  const std::unique_ptr<char, void (*)(void*)> current(get_current_dir_name(), std::free);
  if (current == nullptr) {
    throw Failure(std::string("the current directory cannot be found: ") + std::strerror(errno));
  }
  surroundings.current_directory = current.get();
  surroundings.umask = umask(0);
  umask(surroundings.umask);
  surroundings.now_ms = wall_now_ms();
  return surroundings;
}

std::string command_line(const std::vector<std::string>& words) {
  constexpr std::size_t most = 4096;
  std::string text = "hsub";
  for (const std::string& word : words) {
    text += " " + shell_quote(word);
    if (text.size() > most) return text.substr(0, most) + "...";
  }
  return text;
}

class Hsub {
 public:
  explicit Hsub(std::vector<std::string> words) : words_(std::move(words)) {}

  int run() {
    SubmitCommandLine line = read_command_line(words_, found_);
    options_ = line.options;
    if (options_.has("help") || options_.has("usage")) return print(hsub_help());
    if (options_.has("version")) {
      return print(std::string("hsub (Hyades) ") + hyades_version() + "\n");
    }
    // Before anything is read: standard input may be a terminal.
    if (!found_.errors.empty()) report();
    const SubmitSurroundings surroundings = look_around();
    std::vector<std::string> arguments;
    const ScriptText script = read(line, surroundings, arguments);
    JobRequest request = make_job_request(options_, script, arguments, surroundings, found_);
    request.payload.command_line = command_line(words_);
    report();
    return submit(request);
  }

 private:
  int print(const std::string& text) {
    std::cout << text;
    return kExitGood;
  }

  // The script, and in `options_` what it, the environment and the command line say together.
  ScriptText read(const SubmitCommandLine& line, const SubmitSurroundings& surroundings,
                  std::vector<std::string>& arguments) {
    const auto& rest = line.script_and_arguments;
    SubmitOptions merged;
    ScriptText script;
    if (options_.has("wrap")) {
      if (!rest.empty()) {
        throw Failure("--wrap takes the place of a script, but '" + rest.front() +
                          "' is given, too; quote the whole command",
                      kExitUsage);
      }
      script = {wrap_command(options_.value("wrap")), "wrap", false};
    } else {
      const bool from_stdin = rest.empty() || rest.front() == "-";
      if (from_stdin && isatty(STDIN_FILENO) == 1 && !options_.has("quiet")) {
        complain("hsub", "reading the script from the terminal; end it with Ctrl-D");
      }
      const ReadScript text = read_script(from_stdin ? "-" : rest.front());
      if (!rest.empty()) arguments.assign(rest.begin() + 1, rest.end());
      if (auto bad = check_first_line(text.text, text.file); !bad.empty()) throw Failure(bad);
      merged = read_head(text);
      script = {text.text, from_stdin ? "hsub" : name_of_script(text.file), speaks_sbatch_};
    }
    merged.override_with(read_environment(surroundings.environment, found_));
    merged.override_with(options_);
    options_ = merged;
    return script;
  }

  SubmitOptions read_head(const ReadScript& script) {
    const Directives directives = scan_directives(script.text, script.file);
    speaks_sbatch_ = !directives.sbatch.empty();
    found_.errors.insert(found_.errors.end(), directives.errors.begin(), directives.errors.end());
    found_.warnings.insert(found_.warnings.end(), directives.warnings.begin(),
                           directives.warnings.end());
    return read_directives(directives, script.file, found_);
  }

  // Says what was found; throws when the job must not be submitted.
  void report() {
    const bool strict = options_.has("strict");
    for (const std::string& warning : found_.warnings) {
      if (strict) {
        complain("hsub", warning + " (refused because of --strict)");
      } else if (!options_.has("quiet")) {
        complain("hsub", "warning: " + warning);
      }
    }
    for (const std::string& error : found_.errors) complain("hsub", error);
    if (!found_.errors.empty() || (strict && !found_.warnings.empty())) {
      throw Failure("", kExitUsage);
    }
  }

  int retry_ms() const {
    int ms = kRetryMs;
    if (options_.has("retry-for") && !parse_wait_ms(options_.value("retry-for"), ms)) {
      throw Failure(
          "--retry-for=" + options_.value("retry-for") + ": not a time; use seconds or m:ss",
          kExitUsage);
    }
    return ms;
  }

  int submit(const JobRequest& job) {
    pb::ClientRequest request;
    pb::Submit& submit = *request.mutable_submit();
    to_pb(job.spec, *submit.mutable_spec());
    to_pb(job.payload, *submit.mutable_payload());
    submit.set_token(new_token());
    submit.set_test_only(options_.has("test-only"));
    if (options_.has("verbose")) say_what(job);

    MasterClient master("hsub", choose_master(options_.value("master"), options_.value("dir")),
                        retry_ms());
    if (options_.has("quiet")) master.be_quiet();
    pb::ClientReply reply;
    {
      const InterruptNotice notice(master);
      reply = master.ask(request, Retry::Always);
    }
    if (!reply.error().empty()) throw Failure(reply.message());
    if (options_.has("test-only")) return report_test(job, reply);
    announce(job, reply);
    return options_.has("wait") ? wait(master, reply.job()) : kExitGood;
  }

  void say_what(const JobRequest& job) const {
    const JobSpec& spec = job.spec;
    complain("hsub", "job " + spec.name + ": " + std::to_string(spec.tasks) + " tasks of " +
                         std::to_string(spec.cpus_per_task) + " cores, " +
                         std::to_string(job.payload.script.size()) + " bytes of script, " +
                         std::to_string(job.payload.environment.size()) + " variables, output in " +
                         job.payload.stdout_path);
  }

  void announce(const JobRequest& job, const pb::ClientReply& reply) const {
    if (options_.has("json")) {
      std::cout << json_text({{"id", reply.job()},
                              {"name", job.spec.name},
                              {"queue", text_json(job.spec.queue)},
                              {"warnings", found_.warnings}});
    } else if (options_.has("quiet")) {
      // sbatch -Q says nothing at all, --parsable or not.
    } else if (options_.has("parsable")) {
      std::cout << reply.job() << "\n";
    } else {
      std::cout << "Submitted batch job " << reply.job() << "\n";
    }
    std::cout.flush();
  }

  int report_test(const JobRequest& job, const pb::ClientReply& reply) const {
    const WallMs start = reply.jobs_size() > 0 ? reply.jobs(0).expected_start_ms() : 0;
    const std::string message =
        reply.message().empty() ? "the job would be accepted" : reply.message();
    if (options_.has("json")) {
      std::cout << json_text(
          {{"accepted", true},
           {"message", message},
           {"name", job.spec.name},
           {"expected_start_time", start > 0 ? Json(utc_time(start)) : Json(nullptr)},
           {"warnings", found_.warnings}});
    } else if (!options_.has("quiet")) {
      std::cout << escape_text(message) << "\n";
      if (start > 0) std::cout << "expected start: " << local_time(start) << "\n";
    }
    return kExitGood;
  }

  int wait(MasterClient& master, std::uint64_t id) const {
    // The job is accepted: a master that restarts is waited for, however long it takes.
    master.set_patience(24 * 3600 * 1000);
    return wait_for_jobs(master, {id}, -1,
                         [](const pb::JobInfo& job) {
                           // What failed by itself says why in its output; of the other ends nobody
                           // else would.
                           const bool own = job.state() == "COMPLETED" || job.state() == "FAILED";
                           if (!own) complain("hsub", end_sentence(job));
                         })
        .exit_code;
  }

  const std::vector<std::string> words_;
  SubmitOptions options_;
  Diagnostics found_;
  bool speaks_sbatch_ = false;
};

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  return hyades::run_command(
      "hsub", [&] { return hyades::Hsub(std::vector<std::string>(argv + 1, argv + argc)).run(); });
}
