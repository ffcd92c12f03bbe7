// Watches over one job on one node, from before it starts until nothing of it is left, and writes
// what happened into the launch's record. A fork of the launcher that shares nothing with it any
// more but session and process group: worker, launcher, MPI and master may all die, and the job's
// end is still seen and kept.
//
// Single-threaded, and driven by signals alone: all are blocked and read from a descriptor.
// SIGCHLD means that processes of the job have ended (the shepherd inherits orphans, so that it
// can wait for every one of them), shepherd_signal() carries a ShepherdWord.
#pragma once

#include <string>

#include "core/exit_record.hpp"
#include "core/time.hpp"
#include "wire/unique_fd.hpp"
#include "worker/child_word.hpp"
#include "worker/job_counters.hpp"
#include "worker/job_processes.hpp"
#include "worker/launch_record.hpp"
#include "worker/launcher_order.hpp"
#include "worker/live_page.hpp"
#include "worker/pam_keeper.hpp"
#include "worker/record_writer.hpp"
#include "worker/site_hooks.hpp"
#include "worker/surroundings.hpp"

namespace hyades {

// Its process name.
constexpr const char* shepherd_name = "hyades-shep";

class Shepherd {
 public:
  // `record` is the launch's record, with its lock. `surroundings` must outlive the shepherd.
  Shepherd(UniqueFd record, LaunchRecord launch, Surroundings& surroundings);

  // Returns when the end of the job is on the disk; the process must exit then.
  void run();

  // Instead of run(): the job cannot be started, and this node is not to blame. Likewise durable.
  void fail(const std::string& launch_error);

 private:
  struct Timers {  // boot clock; 0: not set
    BootMs warning = 0;
    BootMs limit = 0;
    BootMs kill = 0;
    BootMs lease = 0;
    BootMs look = 0;  // at the counters
  };

  void become_shepherd();
  bool may_write_files();
  bool run_prolog();
  void run_epilog();
  void close_session();
  HookRun hooks(HookKind kind) const;
  bool make_group();
  void leave_group();
  void remove_files();
  bool fork_child();
  bool await_session();
  bool await_ready();
  bool await_word(ChildWord& word);
  void abandon_child();
  void give_up_on_child(const ChildWord& word);
  void give_up_on_hang();
  bool start_job();
  void set_timers();
  void forget_payload();
  void watch();
  void finish();
  void look_at_counters(BootMs now);

  void read_signals();
  void obey(const ShepherdWord& word);
  void on_timers();
  void arm();
  BootMs lease_end() const;
  void on_lease(BootMs now);
  void stop(StopReason reason, int grace_s);
  bool over() const;

  void refuse(const std::string& reason);

  RecordWriter record_;
  LaunchRecord launch_;
  Surroundings& surroundings_;
  std::string group_;  // "": the job has none
  bool prolog_done_ = false;
  UniqueFd channel_;
  PamKeeper keeper_;
  UniqueFd signals_;
  UniqueFd clock_;
  JobProcesses processes_{signals_};
  JobCounters counters_;
  LivePageWriter live_page_;

  pid_t launcher_ = 0;
  int step_port_ = 0;
  BootMs forked_ms_ = 0;
  BootMs started_boot_ms_ = 0;
  WallMs started_ms_ = 0;
  Timers timers_;
  BootMs grace_end_ms_ = 0;  // of a stop
  ExitRecord exit_;
};

// What a fresh fork of the launcher calls. `encoded` is a LaunchRecord.
[[noreturn]] void shepherd_main(UniqueFd record, const std::string& encoded,
                                Surroundings& surroundings);

}  // namespace hyades
