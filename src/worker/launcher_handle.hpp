// The worker's end of its launcher: a small process that forks shepherds. It runs a program of its
// own that is linked against next to nothing, because what it maps is what each of its forks has to
// copy. Lives as long as the handle: when the worker dies, however, the launcher sees the socket
// close, and exits. Shepherds outlive both.
//
// For one thread. Nothing here blocks: what the launcher does not take at once is kept.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "wire/unique_fd.hpp"
#include "worker/containment.hpp"
#include "worker/launcher_order.hpp"

namespace hyades {

class LauncherHandle {
 public:
  // Runs `program` (hyades-launcher) for the spool in `spool_directory`, which need not exist yet.
  // The process gets this one's environment and standard error, /dev/null twice, the socket for
  // orders as launcher_orders_fd, and a session of its own. Call it before MPI_Init, so that
  // nothing of MPI gets into jobs. Throws std::runtime_error when the program cannot be run: which
  // one, why, and what to do.
  static LauncherHandle start_before_mpi(const std::string& program,
                                         const std::string& spool_directory);

  LauncherHandle(LauncherHandle&& other) noexcept;
  LauncherHandle& operator=(LauncherHandle&&) = delete;
  ~LauncherHandle();  // ends the launcher, but no shepherd

  // Hands over an order, and with it the descriptor of the launch's record (with StartLaunch).
  // False: it was not taken and will never be carried out; the launcher is gone, or there is no
  // memory (errno says).
  bool send(const LauncherOrder& order, UniqueFd record);

  // Sends what is waiting; call it when fd() is writable or on a tick. False: the launcher is gone.
  bool flush();
  bool wants_write() const { return !waiting_.empty(); }

  // Poll it for EPOLLIN | EPOLLHUP, and for EPOLLOUT while wants_write(). It becomes readable by
  // answers, and by the launcher's death; then the worker should exit, so that the supervisor
  // starts a new one.
  int fd() const { return socket_.get(); }
  // Takes in what the launcher has said.
  bool alive();

  // What it has answered to a SweepLaunch, if it has.
  std::optional<SweepAnswer> take_answer(const LaunchKey& key);

  // Why cores of launches could not be set, the last time that this was so; "": it never was.
  const std::string& cores_trouble() const { return cores_trouble_; }

  // The packages of processors that it can cap, by the operating system's numbers; why others
  // cannot be, or why there is none; and why that did not work, once it did not.
  const std::vector<int>& power_packages() const { return power_packages_; }
  const std::string& no_power() const { return no_power_; }
  const std::string& power_trouble() const { return power_trouble_; }
  const std::string& power_withheld() const { return power_withheld_; }

  // Whether this process has become another user since it started the launcher.
  bool has_other_rights() const { return started_as_ != geteuid(); }

  // What jobs are contained by, for people: as the launcher finds it, which may have rights that
  // this process has given up since.
  const std::string& containment() const { return containment_; }
  bool binds_cpus() const { return binds_cpus_; }

  pid_t pid() const { return pid_; }

 private:
  struct Waiting {
    std::string datagram;
    UniqueFd record;
    UniqueFd body;  // a memory file with the launch record, when that is too big for a datagram
  };

  LauncherHandle(UniqueFd socket, const Containment& containment);
  void lost();

  UniqueFd socket_;
  pid_t pid_ = 0;
  std::string containment_;
  bool binds_cpus_ = false;
  std::string cores_trouble_;
  std::vector<int> power_packages_;
  std::string no_power_;
  std::string power_trouble_;
  std::string power_withheld_;
  bool gone_ = false;
  uid_t started_as_ = geteuid();
  std::map<LaunchKey, SweepAnswer> answers_;
  std::deque<Waiting> waiting_;
};

}  // namespace hyades
