// Watches over one job on one node, from before it starts until nothing of it is left, and writes
// what happened into the launch's record. A fork of the launcher that shares nothing with it any
// more but session and process group: worker, launcher, MPI and master may all die, and the job's
// end is still seen and kept.
//
// Single-threaded, and driven by signals alone: all are blocked and read from a descriptor.
// SIGCHLD means that processes of the job have ended (the shepherd inherits orphans, so that it
// can wait for every one of them), shepherd_signal() carries a ShepherdWord.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/exit_record.hpp"
#include "core/time.hpp"
#include "wire/unique_fd.hpp"
#include "worker/job_child.hpp"
#include "worker/launch_record.hpp"
#include "worker/launcher_order.hpp"
#include "worker/process_table.hpp"

namespace hyades {

class Shepherd {
 public:
  // `record` is the launch's record, with its lock.
  Shepherd(UniqueFd record, LaunchRecord launch);

  // Returns when the end of the job is on the disk; the process must exit then.
  void run();

  // Instead of run(): the job cannot be started, and this node is not to blame. Likewise durable.
  void fail(const std::string& launch_error);

 private:
  struct Timers {  // boot clock; 0: not set
    BootMs warning = 0;
    BootMs limit = 0;
    BootMs kill = 0;
  };

  void become_shepherd();
  bool fork_child();
  bool await_ready();
  bool await_word(ChildWord& word);
  void give_up_on_child(const ChildWord& word);
  void give_up_on_hang();
  bool start_job();
  void set_timers();
  void forget_payload();
  void watch();
  void finish();

  void read_signals();
  void obey(const ShepherdWord& word);
  void on_timers();
  void arm();
  void await_children(BootMs most_ms);
  void reap();
  void account(const rusage& usage);
  void stop(StopReason reason, int grace_s);
  void send_signal(int signal, bool batch_only);
  void signal_all(int signal);
  void kill_rest();
  bool over() const;

  void refuse(const std::string& reason);
  bool append(const std::string& line);
  void append_and_sync(const std::string& line);

  UniqueFd record_;
  LaunchRecord launch_;
  UniqueFd channel_;
  UniqueFd signals_;
  UniqueFd clock_;
  off_t record_size_ = 0;

  pid_t script_ = 0;  // or a companion's program
  int step_port_ = 0;
  int script_status_ = 0;
  bool script_over_ = false;
  bool nothing_left_ = false;

  BootMs forked_ms_ = 0;
  BootMs started_boot_ms_ = 0;
  WallMs started_ms_ = 0;
  Timers timers_;
  BootMs grace_end_ms_ = 0;  // of a stop
  ExitRecord exit_;
  rusage usage_ = {};
};

// What a fresh fork of the launcher calls. `encoded` is a LaunchRecord.
[[noreturn]] void shepherd_main(UniqueFd record, const std::string& encoded);

}  // namespace hyades
