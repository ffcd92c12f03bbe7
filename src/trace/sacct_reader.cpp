#include "trace/sacct_reader.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/job_spec.hpp"
#include "trace/line_reader.hpp"
#include "trace/sacct_fields.hpp"
#include "trace/text_source.hpp"

namespace hyades {
namespace {

// What is read, and the columns that have it, the best first.
enum Column {
  Id,
  RawId,
  Submit,
  Start,
  End,
  RawElapsed,
  Elapsed,
  RawLimit,
  Limit,
  AskedProcs,
  GotProcs,
  Memory,
  Nodes,
  User,
  Group,
  Name,
  Partition,
  Qos,
  State,
  columns
};

constexpr std::string_view column_names[columns][3] = {{"jobid"},
                                                       {"jobidraw"},
                                                       {"submit"},
                                                       {"start"},
                                                       {"end"},
                                                       {"elapsedraw"},
                                                       {"elapsed"},
                                                       {"timelimitraw"},
                                                       {"timelimit"},
                                                       {"reqcpus"},
                                                       {"alloccpus", "ncpus"},
                                                       {"reqmem"},
                                                       {"allocnodes", "nnodes", "reqnodes"},
                                                       {"user", "uid"},
                                                       {"group", "gid"},
                                                       {"jobname"},
                                                       {"partition"},
                                                       {"qos"},
                                                       {"state"}};

std::string lower(std::string_view text) {
  std::string word(text);
  for (char& letter : word) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return word;
}

void split(std::string_view line, char separator, std::vector<std::string_view>& cells) {
  cells.clear();
  while (true) {
    const std::size_t end = line.find(separator);
    cells.push_back(line.substr(0, end));
    if (end == line.npos) return;
    line.remove_prefix(end + 1);
  }
}

class SacctReader {
 public:
  SacctReader(TextSource& source, const SwfLimits& limits)
      : name_(source.name()), lines_(source), limits_(limits) {}

  HistoryLog read(std::int64_t procs) {
    std::string_view line;
    while (cells_.empty() && lines_.next(line)) {
      if (!line.empty()) take_titles(line);
    }
    std::int64_t rows = 0;
    while (lines_.next(line)) {
      if (line.empty()) continue;
      if (++rows > limits_.jobs_max) {
        throw std::runtime_error(name_ + ": has more than " + std::to_string(limits_.jobs_max) +
                                 " lines; cut it into parts");
      }
      take(line);
    }
    return std::move(history_).finish(name_, procs);
  }

 private:
  void take_titles(std::string_view line) {
    constexpr std::string_view separators = "|\t;,";
    for (const char candidate : separators) {
      separator_ = candidate;
      if (line.find(candidate) != line.npos) break;
    }
    split(line, separator_, cells_);
    titles_ = cells_.size();
    for (int column = 0; column < columns; ++column) {
      for (const std::string_view name : column_names[column]) {
        const auto at = std::find_if(cells_.begin(), cells_.end(),
                                     [&](std::string_view cell) { return lower(cell) == name; });
        if (name.empty() || at == cells_.end()) continue;
        place_[column] = static_cast<int>(at - cells_.begin());
        break;
      }
    }
    need(has(Id) || has(RawId), "JobID");
    need(has(Submit), "Submit");
    need(has(Elapsed) || has(RawElapsed) || (has(Start) && has(End)), "Elapsed");
    need(has(AskedProcs) || has(GotProcs), "ReqCPUS");
  }

  bool has(Column column) const { return place_[column] >= 0; }

  void need(bool there, const char* column) const {
    if (there) return;
    throw std::runtime_error(name_ + ": its first line names no column " + column +
                             "; print it with sacct -a -X -P -o " +
                             "JobIDRaw,Submit,Start,ElapsedRaw,TimelimitRaw,ReqCPUS,...");
  }

  std::string_view cell(Column column) const {
    return has(column) ? cells_[static_cast<std::size_t>(place_[column])] : std::string_view();
  }

  void take(std::string_view line) {
    split(line, separator_, cells_);
    // parsable (-p) puts a separator behind the last column, in the first line, too.
    if (lines_.was_cut() || cells_.size() != titles_) {
      broken(lines_.was_cut() ? "is longer than any job's line"
                              : "has " + std::to_string(cells_.size()) +
                                    " columns, the first line " + std::to_string(titles_));
    } else if (cell(Id).find('.') != std::string_view::npos ||
               cell(RawId).find('.') != std::string_view::npos) {
      history_.leave_out(CleanUp::NotAJob);
    } else {
      take_job();
    }
  }

  void take_job() {
    const std::string_view id_text = has(RawId) ? cell(RawId) : cell(Id);
    const auto id = sacct_job_number(id_text);
    const auto submit_s = sacct_time_s(cell(Submit));
    if (!id || *id < 0) return broken("JobID is \"" + header_text(id_text.substr(0, 40)) + "\"");
    if (!submit_s || *submit_s < 0 || *submit_s > trace_seconds_max) {
      return broken("Submit is \"" + header_text(cell(Submit).substr(0, 40)) + "\", not a time");
    }
    RecordedJob job;
    job.id = *id;
    job.submit_s = *submit_s;
    job.start_s = sacct_time_s(cell(Start)).value_or(-1);
    const std::string_view state = cell(State);
    const bool waits = (has(Start) && job.start_s <= 0) || state == "PENDING";
    if (waits || state == "RUNNING" || state == "SUSPENDED" || state == "REQUEUED") {
      return history_.leave_out(CleanUp::NotRun);
    }
    job.run_s = run_s(job.start_s);
    job.request_s = request_s();
    set_size(job);
    job.user = std::string(cell(User));
    job.group = std::string(cell(Group));
    job.executable = std::string(cell(Name));
    job.queue = std::string(cell(Partition));
    job.partition = std::string(cell(Qos));
    job.status = sacct_status(state);
    history_.add(job);
  }

  std::int64_t run_s(std::int64_t start_s) const {
    auto run_s = sacct_number(cell(RawElapsed));
    if (!run_s) run_s = sacct_duration_s(cell(Elapsed));
    if (run_s) return *run_s;
    const auto end_s = sacct_time_s(cell(End));
    return end_s && start_s > 0 && *end_s > start_s ? *end_s - start_s : -1;
  }

  std::int64_t request_s() const {
    if (cell(RawLimit) == "UNLIMITED" || cell(Limit) == "UNLIMITED") {
      return Limits::time_limit_s_max;
    }
    const auto minutes = sacct_number(cell(RawLimit));
    if (minutes && *minutes > 0 && *minutes < trace_seconds_max / 60) return *minutes * 60;
    return sacct_duration_s(cell(Limit)).value_or(-1);
  }

  void set_size(RecordedJob& job) {
    job.procs = sacct_number(cell(AskedProcs)).value_or(-1);
    if (job.procs <= 0) {
      job.procs = sacct_number(cell(GotProcs)).value_or(-1);
      if (job.procs > 0 && has(AskedProcs)) {
        history_.clean_ups().add(CleanUp::AllocatedProcessors);
      }
    }
    const std::int64_t nodes = sacct_number(cell(Nodes)).value_or(-1);
    job.memory_per_proc_kib = sacct_memory_kib(cell(Memory), job.procs, nodes).value_or(-1);
  }

  void broken(const std::string& problem) { history_.leave_out_broken(lines_.place() + problem); }

  const std::string name_;
  LineReader lines_;
  const SwfLimits limits_;
  char separator_ = '|';
  std::size_t titles_ = 0;
  std::array<int, columns> place_ = [] {
    std::array<int, columns> none;
    none.fill(-1);
    return none;
  }();
  std::vector<std::string_view> cells_;  // of the line at hand
  History history_;
};

}  // namespace

HistoryLog read_sacct(const std::string& path, std::int64_t procs, const SwfLimits& limits) {
  const auto source = TextSource::open(path, limits.bytes_max);
  return SacctReader(*source, limits).read(procs);
}

HistoryLog parse_sacct(const std::string& name, std::string_view bytes, std::int64_t procs,
                       const SwfLimits& limits) {
  const auto source = TextSource::of(name, bytes, limits.bytes_max);
  return SacctReader(*source, limits).read(procs);
}

}  // namespace hyades
