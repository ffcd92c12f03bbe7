// A site's own history, gathered job by job, as a log that can be replayed: names become numbers,
// times begin with the first submission.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "trace/clean_ups.hpp"
#include "trace/swf_header.hpp"
#include "trace/swf_writer.hpp"
#include "trace/workload.hpp"

namespace hyades {

// Seconds since 1970, where a time is one. -1 and "": not known.
struct RecordedJob {
  std::int64_t id = 0;
  std::int64_t submit_s = -1;
  std::int64_t start_s = -1;
  std::int64_t run_s = -1;
  std::int64_t request_s = -1;
  std::int64_t procs = -1;
  std::int64_t memory_per_proc_kib = -1;
  std::string user;
  std::string group;
  std::string executable;
  std::string queue;
  std::string partition;
  int status = -1;  // SwfPast::status
};

struct HistoryLog {
  Workload workload;
  SwfHeader header;                  // what numbers queues and partitions have
  std::map<int, std::string> users;  // likewise; a log in the Standard Workload Format has no names
  std::vector<SwfPast> past;
  CleanUps clean_ups;
  std::int64_t jobs_read = 0;  // workload.jobs.size() + clean_ups.left_out()
  bool machine_guessed = false;
};

class History {
 public:
  // Of jobs and lines that are none; add() counts what it leaves out or mends itself.
  CleanUps& clean_ups() { return log_.clean_ups; }

  // Counts a job that the caller leaves out.
  void leave_out(CleanUp why);
  void leave_out_broken(const std::string& example);

  void add(const RecordedJob& job);

  // `procs`: the machine's; 0: as many as the history's jobs ever used at a time. Throws
  // std::runtime_error when no job is left; `name` is the log's and stands in that sentence.
  HistoryLog finish(const std::string& name, std::int64_t procs) &&;

 private:
  struct Row {
    TraceJob job;  // submitted in seconds since 1970
    SwfPast past;
  };
  class Numbers {
   public:
    int of(const std::string& name);  // from 1 on, as they come; -1 of ""
    const std::map<std::string, int>& all() const { return numbers_; }

   private:
    std::map<std::string, int> numbers_;
  };

  std::int64_t peak_procs() const;
  void drop_too_large(std::int64_t machine);
  void count_duplicates();

  HistoryLog log_;
  std::vector<Row> rows_;
  Numbers users_;
  Numbers groups_;
  Numbers executables_;
  Numbers queues_;
  Numbers partitions_;
};

}  // namespace hyades
