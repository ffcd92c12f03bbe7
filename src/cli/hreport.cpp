// hreport: a job says how it is doing.
#include <boost/program_options/options_description.hpp>
#include <cerrno>
#include <cstring>
#include <iostream>

#include "cli/argument_parser.hpp"
#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "cli/report_words.hpp"
#include "report/hyades_report.hpp"

namespace hyades {
namespace {

namespace po = boost::program_options;

// As long as a shepherd that has been flooded may take until it reads again, and then some.
constexpr int kWait_ms = 2000;

constexpr const char* kNotes =
    "Inside a job only, on any of its nodes. hwatch and heff show the figures while the job runs,\n"
    "heff and hacct --json the last of each when it has ended. NAME begins with a letter and is "
    "of\n"
    "at most 32 of a-z 0-9 _ . -; a job has at most 16 names. progress is the part of the work "
    "that\n"
    "is done, 0 to 1: the end of the job is extrapolated from it.\n"
    "\nExamples\n"
    "  hreport progress=0.25 loss=0.042\n"
    "  hreport --quiet files=$done || true    under set -e, whatever happens\n"
    "\nExit codes\n"
    "  0  sent; with --quiet in any case but for options that do not exist\n"
    "  1  not inside a job, or nobody takes the report\n"
    "  2  wrong options, or, without --quiet, no NAME=VALUE\n";

struct Options {
  bool quiet = false;
  std::vector<std::string> words;
};

[[noreturn]] void usage_error(const std::string& text) {
  throw Failure(text + "\ntry 'hreport --help'", kExitUsage);
}

Options read_options(int argc, char** argv) {
  po::options_description all("Options", 96, 60);
  option_without_value(all, "quiet,q", "say nothing and exit with 0, whether it works or not");
  option_without_value(all, "help,h", "show this text");
  option_without_value(all, "version,V", "show the version");
  const std::vector<std::string> words(argv + 1, argv + argc);
  const GivenArguments given = parse_arguments(all, words, PlainWords::Anywhere);
  if (!given.problems.empty()) usage_error(given.problems.front().text);
  Options options;
  for (const GivenOption& option : given.options) {
    if (!option.known) {
      usage_error(option.written + ": no such option" + did_you_mean(all, option.written));
    }
    if (option.name == "help") {
      std::cout << "Usage: hreport [OPTION...] NAME=VALUE...\n"
                << "Say how the job is doing in which it is called.\n\n"
                << all << "\n"
                << kNotes;
      throw Failure("", kExitGood);
    }
    if (option.name == "version") {
      std::cout << "hreport (Hyades) " << hyades_version() << "\n";
      throw Failure("", kExitGood);
    }
    if (option.name == "quiet") options.quiet = true;
  }
  for (const std::size_t position : given.plain) options.words.push_back(words[position]);
  return options;
}

std::string explain(int error) {
  switch (error) {
    case ENOENT:
      return "not inside a Hyades job (HYADES_REPORT is not set)";
    case EINVAL:
      return "HYADES_REPORT is not as Hyades has set it; leave it as it is";
    case ECONNREFUSED:
      return "nobody takes the report: what watches over the job on this node has gone";
    case EAGAIN:
      return "the job reports faster than it is read; this report is lost";
    default:
      return std::string("cannot send the report: ") + std::strerror(error);
  }
}

void report_words(const std::vector<std::string>& words) {
  std::string message;
  std::string wrong;
  if (!write_report(words, message, wrong)) usage_error(wrong);
  const int error = send_report(message, kWait_ms);
  if (error != 0) throw Failure(explain(error));
}

int run(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  try {
    report_words(options.words);
  } catch (const Failure&) {
    if (!options.quiet) throw;
  }
  return kExitGood;
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  return hyades::run_command("hreport", [&] { return hyades::run(argc, argv); });
}
