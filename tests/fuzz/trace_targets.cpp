// Targets for logs of jobs from anywhere.
#include <stdexcept>

#include "../trace/workload_contract.hpp"
#include "core/assert.hpp"
#include "fuzz_targets.hpp"
#include "trace/sacct_reader.hpp"
#include "trace/swf_reader.hpp"
#include "trace/swf_writer.hpp"

namespace hyades::fuzz {
namespace {

// Small, so that the fuzzer finds what is beyond them.
constexpr SwfLimits limits{1 << 20, 1000};

// Whatever was read can be replayed, nothing of it is silent, and it is written and read unchanged.
void check_log(const SwfLog& log) {
  const Workload& workload = log.workload;
  HYADES_ASSERT(broken_promise(workload).empty() && !workload.jobs.empty());
  const auto jobs = static_cast<std::int64_t>(workload.jobs.size());
  HYADES_ASSERT(log.jobs_read == jobs + log.clean_ups.left_out());
  const SwfLog copy = parse_swf("copy.swf", swf_text(workload, log.header));
  HYADES_ASSERT(copy.workload.jobs == workload.jobs && copy.workload.procs == workload.procs);
  HYADES_ASSERT(copy.workload.unix_start_s == workload.unix_start_s);
  HYADES_ASSERT(copy.header.computer == log.header.computer);
  HYADES_ASSERT(copy.clean_ups.left_out() == 0);
}

}  // namespace

void fuzz_swf(std::string_view bytes) {
  for (const int procs : {0, 16}) {
    try {
      check_log(parse_swf("log.swf", bytes, procs, limits));
    } catch (const std::runtime_error& error) {
      HYADES_ASSERT(std::string_view(error.what()).starts_with("log.swf: "));
    }
  }
}

// What a site's history becomes is a log like any other.
void fuzz_sacct(std::string_view bytes) {
  for (const int procs : {0, 16}) {
    try {
      const HistoryLog log = parse_sacct("site.csv", bytes, procs, limits);
      HYADES_ASSERT(broken_promise(log.workload).empty());
      HYADES_ASSERT(log.past.size() == log.workload.jobs.size());
      const auto jobs = static_cast<std::int64_t>(log.workload.jobs.size());
      HYADES_ASSERT(log.jobs_read == jobs + log.clean_ups.left_out());
      const SwfLog copy = parse_swf("copy.swf", swf_text(log.workload, log.header, "", log.past));
      HYADES_ASSERT(copy.workload.jobs == log.workload.jobs);
    } catch (const std::runtime_error& error) {
      HYADES_ASSERT(std::string_view(error.what()).starts_with("site.csv: "));
    }
  }
}

}  // namespace hyades::fuzz
