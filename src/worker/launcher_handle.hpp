// The worker's end of its launcher: a small process that forks shepherds. It is forked before MPI,
// hwloc and anything else big is initialised, so that its own forks stay cheap and nothing of MPI
// gets into jobs. Lives as long as the handle: when the worker dies, however, the launcher sees
// the socket close, and exits. Shepherds outlive both.
//
// For one thread. Nothing here blocks: what the launcher does not take at once is kept.
#pragma once

#include <sys/types.h>

#include <deque>
#include <string>

#include "worker/launcher_order.hpp"
#include "worker/unique_fd.hpp"

namespace hyades {

class LauncherHandle {
 public:
  // Forks the launcher for the spool in `spool_directory` (which need not exist yet). Call it in
  // main, before there are threads and before MPI_Init. Throws std::system_error.
  static LauncherHandle fork_before_mpi(const std::string& spool_directory);

  LauncherHandle(LauncherHandle&& other) noexcept;
  LauncherHandle& operator=(LauncherHandle&&) = delete;
  ~LauncherHandle();  // ends the launcher, but no shepherd

  // Hands over an order, and with it the descriptor of the launch's record (with StartLaunch).
  // False: it was not taken and will never be carried out; the launcher is gone, or there is no
  // memory.
  bool send(const LauncherOrder& order, UniqueFd record);

  // Sends what is waiting; call it when fd() is writable or on a tick. False: the launcher is gone.
  bool flush();
  bool wants_write() const { return !waiting_.empty(); }

  // Poll it for EPOLLIN | EPOLLHUP, and for EPOLLOUT while wants_write(). It becomes readable only
  // by the launcher's death; then the worker should exit, so that the supervisor starts a new one.
  int fd() const { return socket_.get(); }
  bool alive();
  pid_t pid() const { return pid_; }

 private:
  struct Waiting {
    std::string datagram;
    UniqueFd record;
    UniqueFd body;  // a memory file with the launch record, when that is too big for a datagram
  };

  LauncherHandle(UniqueFd socket, pid_t pid) : socket_(std::move(socket)), pid_(pid) {}
  void lost();

  UniqueFd socket_;
  pid_t pid_ = 0;
  bool gone_ = false;
  std::deque<Waiting> waiting_;
};

}  // namespace hyades
