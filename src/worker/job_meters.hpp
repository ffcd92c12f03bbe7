// The meters of all jobs that run on this node. Finds them by the pages that their shepherds write,
// so that it needs nobody to tell it, and knows jobs that were there before it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "telemetry/process_io.hpp"
#include "telemetry/process_scan.hpp"
#include "wire/unique_fd.hpp"
#include "worker/job_meter.hpp"

namespace hyades {

class JobMeters {
 public:
  // Opens the spool's directory of pages if it is there: made with rights that may be given up.
  explicit JobMeters(std::string spool_directory);

  // Looks for pages and at the processes below their shepherds: one pass over /proc for all.
  void look(const Now& now);

  bool empty() const { return meters_.empty(); }
  std::map<LaunchKey, JobMeter>& running() { return meters_; }
  // Jobs whose page has gone since the last call: they have ended.
  std::vector<JobMeter> take_ended();

  // "" or why jobs cannot be looked at.
  const std::string& trouble() const { return trouble_; }
  // For people: the trouble, else what is not told of jobs and why.
  const std::string& words() const { return trouble_.empty() ? note_ : trouble_; }

 private:
  bool open_directory();
  void find_pages(const Now& now);
  std::optional<ProcessIo> sum_io(const std::vector<ProcessUse>& processes);

  std::string spool_directory_;
  UniqueFd directory_;
  ProcessScan scan_;
  ProcessIoReader io_;
  std::map<LaunchKey, JobMeter> meters_;
  std::vector<JobMeter> ended_;
  std::string trouble_;
  std::string note_;
};

}  // namespace hyades
