#include "trace/swf_reader.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "trace/line_reader.hpp"
#include "trace/replay_rules.hpp"
#include "trace/swf_line.hpp"
#include "trace/text_source.hpp"

namespace hyades {
namespace {

// "dir/HPC2N.swf.gz" is "HPC2N".
std::string log_name(const std::string& path) {
  std::string name = std::filesystem::path(path).filename().string();
  for (const std::string_view ending : {".gz", ".swf"}) {
    if (name.size() > ending.size() && name.ends_with(ending)) {
      name.resize(name.size() - ending.size());
    }
  }
  return name;
}

class SwfReader {
 public:
  SwfReader(TextSource& source, const SwfLimits& limits)
      : name_(source.name()), lines_(source), limits_(limits) {}

  SwfLog read(int procs) {
    for (std::string_view line; lines_.next(line);) take(line);
    log_.workload.name = log_name(name_);
    log_.workload.unix_start_s = log_.header.unix_start_s;
    set_machine(procs);
    sort();
    count_duplicates();
    return std::move(log_);
  }

 private:
  void take(std::string_view line) {
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == line.npos) return;
    if (line[first] == ';') {
      take_header(line.substr(first));
    } else {
      take_job(line);
    }
  }

  void take_header(std::string_view line) {
    if (log_.header.take(line)) return;
    log_.clean_ups.add_broken(CleanUp::BrokenHeader, lines_.place() + "cannot be used: " +
                                                         header_text(line.substr(0, 60)));
  }

  void take_job(std::string_view line) {
    if (++log_.jobs_read > limits_.jobs_max) {
      throw std::runtime_error(name_ + ": has more than " + std::to_string(limits_.jobs_max) +
                               " jobs; cut it into parts");
    }
    TraceJob job;
    std::string problem;
    const bool wants_example = log_.clean_ups.wants_example();
    if (lines_.was_cut()) {
      problem = "is longer than " + std::to_string(LineReader::line_bytes_max) + " bytes";
    } else if (parse_swf_line(line, job, log_.clean_ups, wants_example ? &problem : nullptr)) {
      if (job.submit_s < last_submit_s_) log_.clean_ups.add(CleanUp::Disordered);
      last_submit_s_ = job.submit_s;
      if (mend(job, log_.clean_ups)) log_.workload.jobs.push_back(job);
      return;
    }
    log_.clean_ups.add_broken(CleanUp::BrokenLine, wants_example ? lines_.place() + problem : "");
  }

  void set_machine(int procs) {
    const std::int64_t machine = procs > 0 ? procs : log_.header.procs();
    if (machine <= 0 && !log_.workload.jobs.empty()) {
      throw std::runtime_error(name_ +
                               ": its header does not say how large the machine is (MaxProcs, "
                               "MaxNodes); say it with --procs");
    }
    if (machine > trace_procs_max) {
      throw std::runtime_error(name_ + ": a machine of " + std::to_string(machine) +
                               " processors; the largest has " + std::to_string(trace_procs_max));
    }
    log_.workload.procs = static_cast<int>(machine);
    const auto too_large = std::erase_if(
        log_.workload.jobs, [&](const TraceJob& job) { return is_too_large(job, machine); });
    log_.clean_ups.add(CleanUp::TooLarge, static_cast<std::int64_t>(too_large));
    if (log_.workload.jobs.empty()) {
      throw std::runtime_error(no_job_sentence(name_, log_.jobs_read, log_.clean_ups));
    }
  }

  void sort() {
    auto& jobs = log_.workload.jobs;
    if (!std::is_sorted(jobs.begin(), jobs.end(), by_submission)) {
      std::stable_sort(jobs.begin(), jobs.end(), by_submission);
    }
  }

  void count_duplicates() {
    std::vector<std::int64_t> ids;
    ids.reserve(log_.workload.jobs.size());
    for (const TraceJob& job : log_.workload.jobs) ids.push_back(job.id);
    log_.clean_ups.add(CleanUp::DuplicateId, duplicates(std::move(ids)));
  }

  const std::string name_;
  LineReader lines_;
  const SwfLimits limits_;
  std::int64_t last_submit_s_ = INT64_MIN;
  SwfLog log_;
};

}  // namespace

SwfLog read_swf(const std::string& path, int procs, const SwfLimits& limits) {
  const auto source = TextSource::open(path, limits.bytes_max);
  return SwfReader(*source, limits).read(procs);
}

SwfLog parse_swf(const std::string& name, std::string_view bytes, int procs,
                 const SwfLimits& limits) {
  const auto source = TextSource::of(name, bytes, limits.bytes_max);
  return SwfReader(*source, limits).read(procs);
}

}  // namespace hyades
