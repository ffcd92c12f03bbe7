// A local cluster in a temporary directory, for one measurement. It is taken down and its directory
// removed when this object goes, and also when this process is killed: a small process of our own
// waits for either.
#pragma once

#include <sys/types.h>

#include <string>

#include "hyades.pb.h"
#include "process_meter.hpp"

namespace hyades {

class ScratchCluster {
 public:
  struct Options {
    std::string parent;  // directory in which the temporary one is made
    int nodes = 4;
    int cores_per_node = 16;  // logical, by configuration
    std::string config = {};  // more of it
  };

  // Blocks until the cluster is up. Throws std::runtime_error. No thread may run yet.
  explicit ScratchCluster(const Options& options);
  ~ScratchCluster();
  ScratchCluster(const ScratchCluster&) = delete;
  ScratchCluster& operator=(const ScratchCluster&) = delete;

  const std::string& root() const { return root_; }  // for files of the measurement
  const std::string& state_directory() const { return state_; }

  // What the master says of itself; asks until it answers. Throws after a minute without answer.
  pb::StatusInfo status() const;
  // The same, but one try; false when there is no answer within the time.
  bool ask_status(pb::StatusInfo& out, int timeout_ms) const;
  // Polls until no job is queued or runs.
  void wait_until_empty() const;

  pid_t master_pid() const;
  // Supervisor, mpirun, master, workers, launchers and samplers, named so.
  std::vector<NamedProcess> processes() const;

 private:
  void make_directories(const Options& options);
  void start_guardian();

  std::string root_;
  std::string state_;
  std::string hyades_;
  int lifeline_ = -1;  // its closing tells the guardian to clean up
  pid_t guardian_ = 0;
};

// The directory of this program, where the others are, too.
std::string program_directory();

}  // namespace hyades
