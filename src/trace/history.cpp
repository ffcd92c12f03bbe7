#include "trace/history.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "trace/replay_rules.hpp"
#include "trace/swf_reader.hpp"

namespace hyades {
namespace {

bool is_time(std::int64_t seconds) { return seconds >= 0 && seconds <= trace_seconds_max; }

std::map<int, std::string> names_of(const std::map<std::string, int>& numbers) {
  std::map<int, std::string> names;
  for (const auto& [name, number] : numbers) names.emplace(number, name);
  return names;
}

}  // namespace

int History::Numbers::of(const std::string& name) {
  if (name.empty()) return -1;
  return numbers_.emplace(name, static_cast<int>(numbers_.size()) + 1).first->second;
}

void History::leave_out(CleanUp why) {
  ++log_.jobs_read;
  log_.clean_ups.add(why);
}

void History::leave_out_broken(const std::string& example) {
  ++log_.jobs_read;
  log_.clean_ups.add_broken(CleanUp::BrokenLine, example);
}

void History::add(const RecordedJob& past) {
  ++log_.jobs_read;
  TraceJob job;
  job.id = past.id;
  job.submit_s = is_time(past.submit_s) ? past.submit_s : -1;
  job.run_s = is_time(past.run_s) ? past.run_s : -1;
  job.request_s = is_time(past.request_s) ? past.request_s : -1;
  const bool is_size = past.procs > 0 && past.procs <= trace_procs_max;
  job.procs = is_size ? static_cast<int>(past.procs) : -1;
  if (!mend(job, log_.clean_ups)) return;
  job.memory_per_proc_kib = std::max<std::int64_t>(-1, past.memory_per_proc_kib);
  job.user = users_.of(past.user);
  job.group = groups_.of(past.group);
  job.executable = executables_.of(past.executable);
  job.queue = queues_.of(past.queue);
  job.partition = partitions_.of(past.partition);
  const bool waited = is_time(past.start_s) && past.start_s >= past.submit_s;
  if (waited) job.wait_s = past.start_s - past.submit_s;
  rows_.push_back({job, {past.status}});
}

HistoryLog History::finish(const std::string& name, std::int64_t procs) && {
  std::stable_sort(rows_.begin(), rows_.end(),
                   [](const Row& a, const Row& b) { return by_submission(a.job, b.job); });
  log_.machine_guessed = procs <= 0;
  const std::int64_t machine = log_.machine_guessed ? peak_procs() : procs;
  drop_too_large(machine);
  if (rows_.empty()) {
    throw std::runtime_error(no_job_sentence(name, log_.jobs_read, log_.clean_ups));
  }
  count_duplicates();
  Workload& workload = log_.workload;
  workload.name = name;
  workload.procs = static_cast<int>(std::min<std::int64_t>(machine, trace_procs_max));
  workload.unix_start_s = rows_.front().job.submit_s;
  for (Row& row : rows_) {
    row.job.submit_s -= workload.unix_start_s;
    workload.jobs.push_back(row.job);
    log_.past.push_back(row.past);
  }
  log_.users = names_of(users_.all());
  log_.header.queues = names_of(queues_.all());
  log_.header.partitions = names_of(partitions_.all());
  return std::move(log_);
}

// Ends before starts, so that who follows another does not count as beside it.
std::int64_t History::peak_procs() const {
  std::vector<std::pair<std::int64_t, std::int64_t>> changes;
  for (const auto& [job, past] : rows_) {
    const std::int64_t start_s = job.submit_s + std::max<std::int64_t>(0, job.wait_s);
    changes.emplace_back(start_s, job.procs);
    changes.emplace_back(start_s + job.run_s, -job.procs);
  }
  std::sort(changes.begin(), changes.end());
  std::int64_t used = 0;
  std::int64_t peak = 0;
  for (const auto& [at_s, change] : changes) peak = std::max(peak, used += change);
  return std::min<std::int64_t>(peak, trace_procs_max);
}

void History::drop_too_large(std::int64_t machine) {
  const auto dropped =
      std::erase_if(rows_, [&](const Row& row) { return is_too_large(row.job, machine); });
  log_.clean_ups.add(CleanUp::TooLarge, static_cast<std::int64_t>(dropped));
}

void History::count_duplicates() {
  std::vector<std::int64_t> ids;
  for (const Row& row : rows_) ids.push_back(row.job.id);
  log_.clean_ups.add(CleanUp::DuplicateId, duplicates(std::move(ids)));
}

}  // namespace hyades
