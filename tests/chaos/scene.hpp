// What goes on in a cluster at this moment, seen from outside: processes, the nodes' spools, and
// the list of jobs. And the means to hold a moment still: a stopped launcher keeps jobs in
// "launching", a stopped shepherd keeps an ended one from being reported.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cluster.hpp"
#include "wire/client_connection.hpp"

namespace hyades::test {

struct SeenJob {
  JobId id = 0;
  std::string state;
  std::vector<std::string> nodes;  // none while it waits; the script is on the first
  std::uint32_t attempts = 0;

  bool uses(const std::string& node) const;
};

struct SeenShepherd {
  pid_t pid = 0;
  pid_t job_pid = 0;
  JobId job = 0;
  std::string node;
};

// SIGSTOP for as long as it lives. A process that is gone stays gone.
class Frozen {
 public:
  explicit Frozen(pid_t pid);
  ~Frozen() { thaw(); }
  Frozen(Frozen&& other) noexcept : pid_(other.pid_) { other.pid_ = 0; }
  Frozen& operator=(Frozen&&) = delete;

  pid_t pid() const { return pid_; }
  void thaw();
  // The stop has taken effect.
  bool stopped() const;

 private:
  pid_t pid_;
};

class Scene {
 public:
  explicit Scene(Cluster& cluster);

  // All that have not ended; nothing when no master answers.
  std::optional<std::vector<SeenJob>> jobs();
  // Shepherds of jobs that have started and whose end is not recorded.
  std::vector<SeenShepherd> shepherds() const;
  pid_t launcher(const std::string& node);
  std::vector<pid_t> children(pid_t parent) const;
  // Whether some launch record of the node says that this shepherd has started its job.
  bool has_started(const std::string& node, pid_t shepherd) const;

  // The script has ended, and its shepherd has not collected it.
  static bool is_over(const SeenShepherd& shepherd);

 private:
  Cluster& cluster_;
  ClientConnection connection_;
};

// The letter in /proc/<pid>/stat; 0 when there is no such process.
char process_state(pid_t pid);

}  // namespace hyades::test
