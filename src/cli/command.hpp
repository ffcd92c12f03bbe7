// What all commands have in common: their options, --help and --version, and how they fail.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cli/terminal.hpp"
#include "wire/master_address.hpp"

namespace hyades {

// Runs `body` and turns what it throws into a line on stderr and an exit code. Write errors on
// stdout count as failures; a reader that went away (hstat | head) does not.
int run_command(const std::string& name, const std::function<int()>& body);

// The command's messages on stderr: "hstat: ...", one line each.
void complain(const std::string& name, const std::string& text);

// The master's sentence about something, led by its name ("job 42") unless it names it itself.
std::string with_subject(const std::string& subject, const std::string& sentence);

const char* hyades_version();

// The options of one command (hsub has its own, see submit_option_table.hpp).
class Command {
 public:
  // `usage` is what follows "Usage: ", `about` one sentence, `notes` the examples and exit codes
  // at the end of --help. Adds --dir, --master, --json, --color, --retry-for, --help and --version.
  Command(std::string name, std::string usage, std::string about, std::string notes);

  void flag(const char* names, const char* help);
  void value(const char* names, const char* argument, const char* help);
  // A value only behind "=".
  void optional_value(const char* names, const char* argument, const char* help);

  // A command that asks no master has none of --dir, --master and --retry-for.
  enum class Asks { TheMaster, Nobody };

  // Reads the command line. Throws Failure for what is wrong with it; throws one with exit code 0
  // after printing the text for --help or --version.
  void parse(int argc, char** argv, Asks asks = Asks::TheMaster);

  const std::string& name() const { return name_; }
  bool has(const std::string& option) const { return given_.count(option) != 0; }
  // The last value given, or "".
  std::string value_of(const std::string& option) const;
  // All values given, each split at commas, empty ones dropped.
  std::vector<std::string> list_of(const std::string& option) const;
  // The words that are no options.
  const std::vector<std::string>& words() const { return words_; }

  std::string directory() const;       // by --dir and the environment
  MasterAddress master() const;        // by --master, --dir and the environment
  Terminal terminal() const;           // by --color
  int retry_ms(int default_ms) const;  // by --retry-for
  bool json() const { return has("json"); }

  [[noreturn]] void usage_error(const std::string& text) const;

 private:
  void print_help() const;

  std::string name_;
  std::string usage_;
  std::string about_;
  std::string notes_;
  boost::program_options::options_description description_;
  std::map<std::string, std::vector<std::string>> given_;
  std::vector<std::string> words_;
};

// "a,b,,c" -> a b c
std::vector<std::string> split_list(const std::string& text);

// Seconds or a duration ("90", "5s", "2:00", "1-0"): unlike --time, a bare number is seconds. False
// when it is neither.
bool parse_wait_ms(const std::string& text, int& ms);

}  // namespace hyades
