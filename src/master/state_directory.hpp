// The directory in which a cluster's memory lives, and the right to be its master.
#pragma once

#include <memory>
#include <string>

namespace hyades {

class StateDirectory {
 public:
  enum class IfMissing { Refuse, Create };

  // Checks the directory and takes its lock. Refuses (nullptr, `error` names path and fix) when it
  // is missing, is not ours, others may write to it, it is or lies below a symbolic link or in a
  // directory that everybody may write to, it is read-only, or another master owns it. A directory
  // that is created gets mode 0700.
  static std::unique_ptr<StateDirectory> open(const std::string& path, IfMissing if_missing,
                                              std::string& error);

  // Lets the lock go. It also goes, at once, when the process dies; children that were forked and
  // have not exec'ed share it until they close it or end.
  ~StateDirectory();
  StateDirectory(const StateDirectory&) = delete;
  StateDirectory& operator=(const StateDirectory&) = delete;

  const std::string& path() const { return path_; }  // absolute, free of symbolic links

 private:
  StateDirectory(std::string path, int lock_fd);

  std::string path_;
  int lock_fd_;
};

}  // namespace hyades
