// Where a job tells its shepherd how it is doing: a datagram socket under a name that the kernel
// has chosen and that is no file, so that nobody can have it before and nothing stays behind.
//
// The other side is the job, or anybody on the machine, and may mean ill. Messages of other users
// are thrown away; descriptors that come along are never taken; a flood costs no more than
// `burst` messages every `pause_ms`, and what the kernel does not keep meanwhile is lost.
#pragma once

#include <sys/types.h>

#include <string>

#include "core/job_report.hpp"
#include "core/time.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {

class ReportSocket {
 public:
  static constexpr int burst = 64;
  static constexpr BootMs pause_ms = 200;

  // For reports of `user`, or root. False: there is none, and nothing ever comes.
  bool open(uid_t user);

  // As the job's environment has it: "@0004e"; "" without a socket.
  const std::string& name() const { return name_; }

  // What to wait for: input here (-1: not now), and this point in time (0: none).
  int fd() const { return pause_end_ms_ == 0 ? socket_.get() : -1; }
  BootMs pause_end_ms() const { return pause_end_ms_; }

  // Takes what there is, unless it is too much. Never blocks.
  void read(BootMs now);
  // When nobody is left who could send: takes all.
  void read_rest();

  const JobReport& report() const { return report_; }

 private:
  bool receive();

  UniqueFd socket_;
  uid_t user_ = 0;
  std::string name_;
  JobReport report_;
  BootMs burst_end_ms_ = 0;
  int taken_ = 0;  // of this burst
  BootMs pause_end_ms_ = 0;
};

}  // namespace hyades
