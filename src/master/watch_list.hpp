// The processes of a world on this host, watched through their pidfds: mpirun, and every rank that
// has left its note.
#pragma once

#include <poll.h>

#include <string>
#include <vector>

#include "master/run_files.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {

class WatchList {
 public:
  explicit WatchList(const ProcessIdentity& mpirun) { add({-1, "", mpirun}); }

  // Watches those it does not know yet. False when one of them has ended already.
  bool take(const std::vector<RankNote>& notes);
  // True when one of them has ended; waits up to `timeout_ms` for that. Interrupted by signals.
  bool wait(int timeout_ms) { return poll(items_.data(), items_.size(), timeout_ms) > 0; }

  bool mpirun_lives() const { return static_cast<bool>(handles_.front()); }
  std::size_t ranks() const { return known_.size() - 1; }
  // As people call those that have ended: "the worker of n2 (process 17)", ...
  std::vector<std::string> ended() const;

 private:
  bool add(const RankNote& note);

  std::vector<RankNote> known_;  // the first is mpirun
  std::vector<UniqueFd> handles_;
  std::vector<pollfd> items_;
};

}  // namespace hyades
