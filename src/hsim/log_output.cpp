#include "hsim/log_output.hpp"

#include <cstdio>
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
  Json counts = Json::object();
  for (const CleanUps::Line& line : clean_ups.lines()) counts[line.word] = line.count;
  return {{"jobs", workload.jobs.size()},
          {"procs", workload.procs},
          {"days", days_of(workload)},
          {"offered_load", offered_load(workload)},
          {"clean_ups", counts}};
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
  complain(command.name(), std::to_string(workload.jobs.size()) + " jobs in " +
                               format_number(days_of(workload)) + " days on " +
                               std::to_string(workload.procs) + " processors, offered load " +
                               format_number(offered_load(workload)));
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw Failure("cannot write " + path);
}

void say_clean_ups(const Command& command, const std::string& log, const CleanUps& clean_ups) {
  const std::string name = log == "-" ? "standard input" : log;
  for (const std::string& sentence : clean_ups.sentences()) {
    const bool is_placed = sentence.starts_with(name + ":");
    complain(command.name(), is_placed ? sentence : name + ": " + sentence);
  }
}

}  // namespace hyades
