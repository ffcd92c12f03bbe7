#include "hsim/log_output.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "cli/failure.hpp"
#include "cli/json_output.hpp"
#include "cli/quantity.hpp"
#include "trace/log_file.hpp"
#include "trace/workload_model.hpp"

namespace hyades {
namespace {

constexpr double day_s = 86'400;

double days_of(const Workload& workload) {
  if (workload.jobs.empty()) return 0;
  return static_cast<double>(workload.jobs.back().submit_s) / day_s;
}

Json facts(const Workload& workload, const CleanUps& clean_ups) {
  return {{"jobs", workload.jobs.size()},
          {"procs", workload.procs},
          {"days", days_of(workload)},
          {"offered_load", offered_load(workload)},
          {"clean_ups", clean_ups_json(clean_ups)}};
}

namespace fs = std::filesystem;

bool is_file(const std::string& path) { return !path.empty() && path != "-"; }

bool are_same(const std::string& a, const std::string& b) {
  std::error_code error;
  if (fs::equivalent(a, b, error)) return true;
  return fs::absolute(a).lexically_normal() == fs::absolute(b).lexically_normal();
}

// Nothing is made or changed on the way.
void must_be_writable(const std::string& path) {
  std::error_code error;
  const bool exists = fs::exists(path, error);
  const fs::path parent = fs::absolute(path).parent_path();
  if (fs::is_directory(path, error) || path.ends_with('/')) {
    throw Failure("cannot write " + path + ": it is a directory; name a file");
  }
  if (access(exists ? path.c_str() : parent.c_str(), W_OK) != 0) {
    throw Failure("cannot write " + path + ": " + std::strerror(errno));
  }
}

// Where the log goes when it is not standard output, else "".
std::string file_of(const Command& command) {
  const std::string path = command.value_of("output");
  return path == "-" ? "" : path;
}

}  // namespace

void add_log_output(Command& command) {
  command.value("output,o", "FILE", "write the log there; packed when it ends with .gz");
}

void check_log_output(const Command& command) {
  if (command.has("output") && command.value_of("output").empty()) {
    command.usage_error("--output: names no file");
  }
  check_outputs(command, {command.value_of("output")}, command.words());
  if (command.json() && file_of(command).empty()) {
    command.usage_error("--json needs --output: standard output is the log's");
  }
}

void put_log(const Command& command, const Workload& workload, const std::string& text,
             const CleanUps& clean_ups) {
  if (const std::string path = file_of(command); !path.empty()) {
    write_log(path, text);
  } else {
    std::cout << text << std::flush;
  }
  if (command.json()) {
    std::cout << json_text(facts(workload, clean_ups));
    return;
  }
  const std::size_t jobs = workload.jobs.size();
  complain(command.name(), std::to_string(jobs) + (jobs == 1 ? " job in " : " jobs in ") +
                               format_number(days_of(workload)) + " days on " +
                               std::to_string(workload.procs) +
                               (workload.procs == 1 ? " processor" : " processors") +
                               ", offered load " + format_number(offered_load(workload)));
}

void check_outputs(const Command& command, const std::vector<std::string>& outputs,
                   const std::vector<std::string>& inputs) {
  std::vector<std::string> taken;
  for (const std::string& input : inputs) {
    if (is_file(input)) taken.push_back(input);
  }
  for (const std::string& output : outputs) {
    if (!is_file(output)) continue;
    for (const std::string& other : taken) {
      if (are_same(output, other)) {
        command.usage_error(output + " would be written over " + other + "; name another file");
      }
    }
    must_be_writable(output);
    taken.push_back(output);
  }
}

void write_text(const std::string& path, const std::string& text) {
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw Failure("cannot write " + path + ": " + std::strerror(errno));
}

Json clean_ups_json(const CleanUps& clean_ups) {
  Json counts = Json::object();
  for (const CleanUps::Line& line : clean_ups.lines()) counts[line.word] = line.count;
  return counts;
}

void say_clean_ups(const Command& command, const std::string& log, const CleanUps& clean_ups) {
  const std::string name = log == "-" ? "standard input" : log;
  for (const std::string& sentence : clean_ups.sentences()) {
    const bool is_placed = sentence.starts_with(name + ":");
    complain(command.name(), is_placed ? sentence : name + ": " + sentence);
  }
}

}  // namespace hyades
