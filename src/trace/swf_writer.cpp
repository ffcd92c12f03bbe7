#include "trace/swf_writer.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace hyades {
namespace {

constexpr std::size_t bytes_of_a_job = 80;  // some more than most have

void append_numbers(std::string& text, std::initializer_list<std::int64_t> numbers) {
  char digits[24];
  for (const std::int64_t number : numbers) {
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    text.append(digits, end).push_back(' ');
  }
  text.back() = '\n';
}

void append_fact(std::string& text, const char* key, const std::string& value) {
  if (!value.empty()) text.append("; ").append(key).append(": ").append(value).push_back('\n');
}

void append_fact(std::string& text, const char* key, std::int64_t value) {
  if (value != 0) append_fact(text, key, std::to_string(value));
}

std::string header_lines(const Workload& workload, const SwfHeader& header,
                         const std::string& note) {
  const auto jobs = static_cast<std::int64_t>(workload.jobs.size());
  std::string text = "; Version: 2.2\n";
  append_fact(text, "Computer", header_text(header.computer));
  append_fact(text, "Installation", header_text(header.installation));
  append_fact(text, "MaxJobs", jobs);
  append_fact(text, "MaxRecords", jobs);
  append_fact(text, "UnixStartTime", workload.unix_start_s);
  append_fact(text, "TimeZoneString", header_text(header.time_zone));
  append_fact(text, "MaxNodes", header.max_nodes);
  append_fact(text, "MaxProcs", std::int64_t{workload.procs});
  for (const auto& [number, name] : header.queues) {
    append_fact(text, "Queue", std::to_string(number) + " " + header_text(name));
  }
  for (const auto& [number, name] : header.partitions) {
    append_fact(text, "Partition", std::to_string(number) + " " + header_text(name));
  }
  for (std::size_t at = 0; at < note.size();) {
    const std::size_t end = std::min(note.find('\n', at), note.size());
    append_fact(text, "Note", header_text(std::string_view(note).substr(at, end - at)));
    at = end + 1;
  }
  return text;
}

}  // namespace

std::string swf_text(const Workload& workload, const SwfHeader& header, const std::string& note,
                     const std::vector<SwfPast>& past) {
  std::string text = header_lines(workload, header, note);
  text.reserve(text.size() + bytes_of_a_job * workload.jobs.size());
  for (std::size_t i = 0; i < workload.jobs.size(); ++i) {
    const TraceJob& job = workload.jobs[i];
    const SwfPast then = past.empty() ? SwfPast{} : past[i];
    append_numbers(text, {job.id, job.submit_s, job.wait_s, job.run_s, job.procs, -1, -1, job.procs,
                          job.request_s, job.memory_per_proc_kib, then.status, job.user, job.group,
                          job.executable, job.queue, job.partition, -1, -1});
  }
  return text;
}

}  // namespace hyades
