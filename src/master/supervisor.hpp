// Starts mpirun and starts it again: whatever dies of the control plane on this host, the whole MPI
// world is ended and a new one formed. Jobs run on under their shepherds and are adopted by the new
// one. With several machines the loss of one, or of what runs there, leaves the others alone: it is
// missing until it answers again, and then the world is formed anew with it (host_keeper.hpp).
//
// One supervisor a state directory (a lock for life). A supervisor that finds a live world of a
// dead predecessor adopts it. Neither needs root.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "master/host_keeper.hpp"
#include "master/process_identity.hpp"
#include "master/run_files.hpp"
#include "master/supervisor_options.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {

// The lock that says who supervises a directory.
class SupervisorLock {
 public:
  // Empty when another process holds it. The last holder's name is wiped out. Throws
  // std::runtime_error, also when there is no space to sign in.
  static std::optional<SupervisorLock> take(const RunFiles& files);
  // Whether the caller may look at it; others may not, because they could lock it as well.
  static bool may_see(const RunFiles& files);
  // Who holds it; pid 0 when nobody does, or the caller may not see it.
  static ProcessIdentity holder(const RunFiles& files);
  // The holder's identity is written into the file, in the space that take() has made sure of: call
  // it in the process that will hold the lock for life, after any fork.
  void sign() const;

 private:
  explicit SupervisorLock(UniqueFd file) : file_(std::move(file)) {}
  UniqueFd file_;
};

class Supervisor {
 public:
  Supervisor(SupervisorOptions options, RunFiles files);

  // Until `stop` is set. Returns the process's exit code.
  int run(const std::atomic<bool>& stop);

 private:
  using Clock = std::chrono::steady_clock;

  // A world that could not be started, or not be noted, has ended when the cycle has, and the next
  // cycle tries again: whatever is missing (space, descriptors, processes) may come back.
  void cycle(bool& alive, const std::atomic<bool>& stop);
  bool adopt();
  bool start();
  bool make_scratch();
  bool make_virtual_nodes();
  std::string scratch_path() const;
  std::string failures_path() const { return scratch_path() + "/failures"; }
  std::string make_shared_memory() const;
  void note_start(pid_t mpirun, int nodes);
  int nodes() const;  // of the running world
  // Waits until something of the world has died (true), or a better one can be formed (true,
  // planned_), or `stop` (false).
  bool watch(const std::atomic<bool>& stop);
  void pause(const std::atomic<bool>& stop);
  // Says why worlds do not come up, when some in a row have not.
  void judge();

  SupervisorOptions options_;
  RunFiles files_;
  std::unique_ptr<HostKeeper> hosts_;  // none: virtual nodes
  std::vector<std::string> members_;   // of the running world, with hosts
  ProcessIdentity mpirun_;
  Clock::time_point formed_;
  std::chrono::milliseconds pause_{0};
  bool planned_ = false;  // the last world was ended to form a better one
  bool came_up_ = false;  // a rank of the running world has been seen
  bool served_ = false;   // a world has come up and did not refuse to serve
  int worlds_ = 0;
  int in_vain_ = 0;            // in a row that did not come up
  std::size_t left_out_ = 0;   // hosts that were to blame for one of them
  std::uintmax_t log_at_ = 0;  // length of cluster.log when the world was started
};

// Ends every process of the world on this host that the notes name, and waits until they are gone.
// For `hyades down` and before a new world is formed. Jobs are not touched.
void end_world(const RunFiles& files);

}  // namespace hyades
