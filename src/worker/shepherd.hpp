// Watches over one job on one node, from before it starts until nothing of it is left, and writes
// what happened into the launch's record. A fork of the launcher that shares nothing with it any
// more but session and process group: worker, launcher, MPI and master may all die, and the job's
// end is still seen and kept.
//
// Single-threaded, and driven by signals alone: all are blocked and read from a descriptor.
// SIGCHLD means that processes of the job have ended (the shepherd inherits orphans, so that it
// can wait for every one of them), shepherd_signal() carries a ShepherdWord. What the job reports
// of itself is read in between, and never for long.
#pragma once

#include <string>

#include "core/exit_record.hpp"
#include "core/time.hpp"
#include "wire/unique_fd.hpp"
#include "worker/child_link.hpp"
#include "worker/child_word.hpp"
#include "worker/job_counters.hpp"
#include "worker/job_processes.hpp"
#include "worker/launch_record.hpp"
#include "worker/launcher_order.hpp"
#include "worker/live_page.hpp"
#include "worker/record_writer.hpp"
#include "worker/report_socket.hpp"
#include "worker/shepherd_timers.hpp"
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
  void become_shepherd();
  bool may_write_files();
  bool run_prolog();
  void run_epilog();
  void close_session();
  bool make_group();
  void leave_group();
  void remove_files();
  bool fork_child();
  bool await_ready();
  void abandon_child();
  void give_up_on_child(const ChildWord& word);
  void give_up_on_hang();
  bool start_job();
  void forget_payload();
  void watch();
  void finish();
  void look_at_counters(BootMs now);
  void fill_in(Usage& usage) const;

  void read_signals();
  void obey(const ShepherdWord& word);
  void on_timers();
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
  ChildLink child_;
  UniqueFd signals_;
  JobProcesses processes_{signals_};
  JobCounters counters_;
  ReportSocket reports_;
  LivePageWriter live_page_;

  pid_t launcher_ = 0;
  int step_port_ = 0;
  BootMs forked_ms_ = 0;
  BootMs started_boot_ms_ = 0;
  WallMs started_ms_ = 0;
  ShepherdTimers timers_;
  BootMs grace_end_ms_ = 0;  // of a stop
  ExitRecord exit_;
};

}  // namespace hyades
