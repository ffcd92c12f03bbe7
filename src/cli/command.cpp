#include "cli/command.hpp"

#include <poll.h>
#include <unistd.h>

#include <cctype>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <limits>
#include <sstream>

#include "cli/argument_parser.hpp"
#include "cli/failure.hpp"
#include "cli/printable.hpp"
#include "cli/state_directory.hpp"
#include "core/units.hpp"

namespace hyades {

namespace {

// `hacct | head -1`. Asked of the pipe itself: which write found out, and its errno, is long gone.
bool reader_has_gone() {
  pollfd out{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace

int run_command(const std::string& name, const std::function<int()>& body) {
  // Writes to a closed pipe then fail with EPIPE, which is no reason to complain.
  std::signal(SIGPIPE, SIG_IGN);
  std::ios::sync_with_stdio(false);
  int exit_code = kExitFailed;
  try {
    exit_code = body();
  } catch (const Failure& failure) {
    std::cout.flush();
    if (*failure.what() != '\0') complain(name, failure.what());
    exit_code = failure.exit_code;
  } catch (const std::exception& error) {
    std::cout.flush();
    complain(name, error.what());
  }
  std::cout.flush();
  if (std::cout.fail() && !reader_has_gone() && exit_code == kExitGood) {
    complain(name, "cannot write to standard output");
    return kExitFailed;
  }
  return exit_code;
}

void complain(const std::string& name, const std::string& text) {
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    out += name + ": " + escape_text(line) + "\n";
  }
  std::cerr << out << std::flush;
}

std::string with_subject(const std::string& subject, const std::string& sentence) {
  // "job 4" is not named by "job 42 has ended".
  for (std::size_t at = sentence.find(subject); at != std::string::npos;
       at = sentence.find(subject, at + 1)) {
    const std::size_t end = at + subject.size();
    if (end == sentence.size() || std::isalnum(static_cast<unsigned char>(sentence[end])) == 0) {
      return sentence;
    }
  }
  return subject + ": " + sentence;
}

const char* hyades_version() { return HYADES_VERSION; }

Command::Command(std::string name, std::string usage, std::string about, std::string notes)
    : name_(std::move(name)),
      usage_(std::move(usage)),
      about_(std::move(about)),
      notes_(std::move(notes)),
      description_("Options", 96, 60) {}

void Command::flag(const char* names, const char* help) {
  option_without_value(description_, names, help);
}

void Command::value(const char* names, const char* argument, const char* help) {
  option_with_value(description_, names, argument, help);
}

void Command::optional_value(const char* names, const char* argument, const char* help) {
  option_with_optional_value(description_, names, argument, help);
}

void Command::parse(int argc, char** argv, Asks asks) {
  flag("json", "print JSON");
  value("color,colour", "WHEN", "auto (default), always or never");
  if (asks == Asks::TheMaster) {
    value("dir", "DIR", "state directory of the cluster (else $HYADES_DIR, else per user)");
    value("master", "HOST:PORT", "the master on another host (else $HYADES_MASTER)");
    value("retry-for", "TIME", "keep trying so long while the master restarts");
  }
  flag("help,h", "show this text");
  flag("version,V", "show the version");
  const std::vector<std::string> words(argv + 1, argv + argc);
  const GivenArguments given = parse_arguments(description_, words, PlainWords::Anywhere);
  if (!given.problems.empty()) usage_error(given.problems.front().text);
  for (const GivenOption& option : given.options) {
    if (!option.known) {
      usage_error(option.written + ": no such option" + did_you_mean(description_, option.written));
    }
    given_[option.name].push_back(option.value);
  }
  for (const std::size_t position : given.plain) words_.push_back(words[position]);
  if (has("help")) {
    print_help();
    throw Failure("", kExitGood);
  }
  if (has("version")) {
    std::cout << name_ << " (Hyades) " << hyades_version() << "\n";
    throw Failure("", kExitGood);
  }
}

std::string Command::value_of(const std::string& option) const {
  const auto found = given_.find(option);
  return found == given_.end() ? "" : found->second.back();
}

std::vector<std::string> Command::list_of(const std::string& option) const {
  std::vector<std::string> list;
  const auto found = given_.find(option);
  if (found == given_.end()) return list;
  for (const std::string& value : found->second) {
    for (std::string& item : split_list(value)) list.push_back(std::move(item));
  }
  return list;
}

std::string Command::directory() const { return state_directory(value_of("dir")); }

MasterAddress Command::master() const { return choose_master(value_of("master"), value_of("dir")); }

Terminal Command::terminal() const {
  ColourChoice choice = ColourChoice::Auto;
  if (has("color") && !parse_colour_choice(value_of("color"), choice)) {
    usage_error("--color=" + value_of("color") + ": use auto, always or never");
  }
  return detect_terminal(choice);
}

int Command::retry_ms(int default_ms) const {
  int ms = default_ms;
  if (has("retry-for") && !parse_wait_ms(value_of("retry-for"), ms)) {
    usage_error("--retry-for=" + value_of("retry-for") + ": not a time; use seconds or m:ss");
  }
  return ms;
}

void Command::usage_error(const std::string& text) const {
  throw Failure(text + "\ntry '" + name_ + " --help'", kExitUsage);
}

void Command::print_help() const {
  std::cout << "Usage: " << usage_ << "\n" << about_ << "\n\n" << description_ << "\n" << notes_;
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> list;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    if (end > begin) list.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return list;
}

bool parse_wait_ms(const std::string& text, int& ms) {
  constexpr int most_s = std::numeric_limits<int>::max() / 1000;
  std::string digits = text;
  if (digits.size() > 1 && digits.back() == 's') digits.pop_back();
  int seconds = 0;
  const auto [at, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  const bool plain = error == std::errc() && at == digits.data() + digits.size();
  if (!plain && !parse_duration_s(text, seconds)) return false;
  if (seconds < 0) return false;
  ms = std::min(seconds, most_s) * 1000;
  return true;
}

}  // namespace hyades
