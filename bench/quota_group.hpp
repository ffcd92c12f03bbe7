// A control group whose processes get a share of one processor: how a node is made slow. Needs
// root, or a group that may be written to.
#pragma once

#include <sys/types.h>

#include <string>

namespace hyades {

class QuotaGroup {
 public:
  // Throws std::runtime_error where there is no such group to be had.
  explicit QuotaGroup(double share_of_a_processor);
  // Processes in it are moved back to where it was made.
  ~QuotaGroup();
  QuotaGroup(const QuotaGroup&) = delete;
  QuotaGroup& operator=(const QuotaGroup&) = delete;

  // And what it starts from then on.
  void add(pid_t pid);

 private:
  std::string parent_;
  std::string path_;
};

}  // namespace hyades
