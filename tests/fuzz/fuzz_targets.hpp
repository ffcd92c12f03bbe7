// What is fuzzed: everything that turns bytes from outside into values. Each target must survive
// any input; it aborts when an accepted input breaks a promise.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hyades::fuzz {

// Bytes as a node message.
void fuzz_node_message(std::string_view bytes);

// Bytes as the body of a client request, and what the master makes of it.
void fuzz_request(std::string_view bytes);

// Bytes as what a client sends over its connection, in pieces: the first byte of the input says
// how long they are.
void fuzz_client_stream(std::string_view bytes);

// Bytes as the record that tells a shepherd what to run.
void fuzz_launch_record(std::string_view bytes);

// Bytes as a launch's record in the spool: as they are, and line by line with right checksums.
void fuzz_record_file(std::string_view bytes);

// Bytes as what comes over a step's connection: the first byte says whether the other side has
// proved who it is, and in what pieces they come.
void fuzz_step_stream(std::string_view bytes);

// Bytes as the file that names a job's nodes to its steps.
void fuzz_step_file(std::string_view bytes);

// Bytes as a job script with directives.
void fuzz_directives(std::string_view bytes);

// Bytes as a configuration file.
void fuzz_config(std::string_view bytes);

// Bytes as each of the little languages of options: times, amounts, lists.
void fuzz_expressions(std::string_view bytes);

// Bytes as a series of readings, and as one of a bounded number of points.
void fuzz_series(std::string_view bytes);

// Bytes as what a job says of itself, in messages of a size that the first byte says.
void fuzz_job_report(std::string_view bytes);

// Bytes as a log of jobs in the Standard Workload Format, plain or packed.
void fuzz_swf(std::string_view bytes);

// Bytes as what another system's accounting prints of its jobs.
void fuzz_sacct(std::string_view bytes);

struct FuzzTarget {
  const char* name;  // of its function
  void (*run)(std::string_view bytes);
  std::vector<std::string> seeds;  // valid inputs to start from
};

std::vector<FuzzTarget> fuzz_targets();

}  // namespace hyades::fuzz
