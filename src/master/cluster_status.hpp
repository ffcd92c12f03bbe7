// What of a cluster lives right now: processes from the run files and the kernel, and, when the
// master answers, what it says of itself.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hyades.pb.h"
#include "master/run_files.hpp"

namespace hyades {

struct ClusterStatus {
  std::string state_directory;
  pid_t supervisor_pid = 0;  // 0: does not run, or is hidden; likewise below
  pid_t mpirun_pid = 0;
  pid_t master_pid = 0;
  struct Worker {
    std::string node;
    pid_t pid = 0;
    bool responding = false;  // by the master's word
  };
  std::vector<Worker> workers;         // of the world, by rank
  std::vector<HostsNote::Host> hosts;  // of the host file; none: virtual nodes
  int nodes_expected = 0;
  std::optional<pb::StatusInfo> master;  // none: it does not answer
  // Jobs placed on nodes that this cluster was not started with: nobody can end them.
  struct Stranded {
    std::uint64_t job = 0;
    std::vector<std::string> nodes;  // those that are missing
  };
  std::vector<Stranded> stranded;  // by job
  // Of a cluster that is down: jobs that run on. None: nobody here knows, as the nodes are other
  // machines, or their spools are not in the state directory or not the caller's to read. Not
  // filled in by read_status(): only workers know spools.
  std::optional<std::set<std::uint64_t>> running_on;
  std::string failure;  // why the last master gave up; "" otherwise
  // The caller may not see the process: on the cluster of another user, or of root's.
  bool supervisor_hidden = false;
  bool ranks_hidden = false;  // master and workers

  // It serves people: every process on the master's host that the caller may see runs, and the
  // master answers. Of virtual nodes all respond; machines may be missing, but those that were
  // there at the start have reported.
  bool up() const;
  // And every node of the world responds.
  bool complete() const;
  // Nothing runs.
  bool down() const;
  const Worker* worker_of(const std::string& node) const;  // nullptr: none

 private:
  bool served() const;
};

// Asks the master, too, and waits up to `timeout_ms` for its answer.
ClusterStatus read_status(const std::string& state_directory, int timeout_ms);

std::string to_json(const ClusterStatus& status);
std::string to_text(const ClusterStatus& status);

}  // namespace hyades
