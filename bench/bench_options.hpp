// What `hyades_bench` was asked to do.
#pragma once

#include <set>
#include <string>

namespace hyades {

struct BenchOptions {
  std::set<std::string> wanted;  // names of measurements
  std::string directory = "/var/tmp";
  double seconds = 4;  // of each repetition
  int rounds = 5;      // repetitions
  int queued_jobs = 100'000;
  int trivial_jobs = 2'000;  // a repetition
  int latency_jobs = 300;
  double idle_seconds = 30;
  bool json = false;
  bool require = false;
  std::string markdown;                // file to write; "": none
  std::string commit = "(not given)";  // what is measured, for people
  bool smoke = false;
  std::string command;  // as typed

  bool wants(const char* name) const { return wanted.count(name) != 0; }

  // Exits after --help, --version and usage errors (2).
  static BenchOptions parse(int argc, char** argv);
};

}  // namespace hyades
