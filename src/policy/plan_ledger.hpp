// What one scheduling pass plans on: what is free now, what running jobs give back and when at the
// latest, and the reservations made so far. Later jobs fit only beside them.
//
// Assumptions: a job is stopped at its time limit, so a running job's end is known at the latest;
// what a job holds on a node does not move while it runs.
//
// Cost, with R running jobs and N nodes: a first reservation R + N log R; one behind others
// R (N + reservations); a start its nodes x reservations. On one node without devices, whole blocks
// of running jobs are passed by their sums.
#pragma once

#include <vector>

#include "core/policy.hpp"

namespace hyades {

class PlanLedger {
 public:
  // `view` must outlive the ledger.
  PlanLedger(const ClusterView& view, WallMs now_ms);

  // From here on jobs of a queue with these nodes are looked at; it must outlive that.
  void use(const std::vector<char>& usable);

  // Jobs are put on these of the queue's nodes alone for as long as it lives; nullptr: on all.
  class Within {
   public:
    Within(PlanLedger& ledger, const std::vector<char>* nodes) : ledger_(ledger) {
      ledger_.within_ = nodes;
    }
    ~Within() { ledger_.within_ = nullptr; }
    Within(const Within&) = delete;
    Within& operator=(const Within&) = delete;

   private:
    PlanLedger& ledger_;
  };

  WallMs now_ms() const { return now_ms_; }
  const ClusterView& view() const { return view_; }
  const FreeTable& free() const { return free_; }

  // Where a job that would end at `end_ms` can start now without touching a reservation. Empty:
  // nowhere. Keeps off the node that failed the job the last time, as long as another will do.
  // `kept` cores of the queue stay free beside it.
  Plan fit_now(const Job& job, WallMs end_ms, std::int64_t kept = 0) const;
  Plan fit(const Job& job, const FreeTable& free) const;

  void start(const Job& job, const Plan& plan, WallMs end_ms);

  // Reserves the earliest place at which the job fits, and so many cores of the queue are free
  // beside it. False: no set of nodes can hold it.
  bool reserve(const Job& job, Reservation& out, std::int64_t kept = 0);
  template <typename Visit>
  void each_reservation(const Visit& visit) const {
    for (const Held& held : held_) visit(*held.job, held.reservation);
  }

  // What this pass may give away: now, and at the start of each reservation beside it, as if the
  // pass had started nothing. A job that still runs at that time must fit there, too. By time.
  struct Level {
    WallMs from_ms = 0;
    FreeTable free;
  };
  std::vector<Level> levels() const;
  std::size_t reservations() const { return held_.size(); }
  // Those that this pass has started.
  template <typename Visit>
  void each_started(const Visit& visit) const {
    for (const Started& started : started_) visit(*started.job);
  }

  // No job that needs more cores than these can start now: of any job, and of those that would end
  // after the first reserved start.
  std::int64_t free_cores() const { return free_cores_; }
  std::int64_t free_cores_beside() const { return held_.empty() ? free_cores_ : beside_cores_; }
  WallMs first_reserved_ms() const;

  // Of a table, on the nodes of the queue that is looked at.
  std::int64_t usable_cores(const FreeTable& table) const;

  // True when the job cannot start now whatever its nodes; a quick answer, never wrong so.
  bool hopeless(std::int64_t cores, WallMs limit_ms) const {
    return cores > free_cores_ ||
           (cores > free_cores_beside() && now_ms_ + limit_ms > first_reserved_ms());
  }

  // What becomes free, at which times, in order. A job past its limit is being stopped; nobody
  // knows when that is done: a millisecond from now.
  struct Release {
    WallMs at_ms = 0;
    const Job* job = nullptr;
    const Plan* plan = nullptr;  // of one that this pass has started; else its placement
    int cores = 0;
  };
  std::vector<Release> releases() const;
  void give_back(FreeTable& table, const Release& release) const;

 private:
  struct Started {
    WallMs end_ms = 0;
    const Job* job = nullptr;
    Plan plan;
    int cores = 0;
  };
  // A reservation, what is left beside it at its start, and what may be used now by jobs that last
  // until then: beside it and all that begin earlier.
  struct Held {
    Reservation reservation;
    const Job* job = nullptr;
    FreeTable left;
    FreeTable beside;
    std::int64_t kept = 0;  // cores of its queue that must be free then beside the job
    const std::vector<char>* usable = nullptr;  // of that queue
  };

  // Each of them sets where and when, and what is free then.
  bool find_first(const Job& job, std::int64_t kept, Reservation& out, FreeTable& at_start) const;
  bool find_first_in_pool(const Job& job, std::int64_t kept, Reservation& out,
                          FreeTable& at_start) const;
  bool find_behind_others(const Job& job, std::int64_t kept, Reservation& out,
                          FreeTable& at_start) const;
  Plan fit_beside(const Job& job, const FreeTable& free, std::int64_t kept) const;
  std::int64_t cores_on(const std::vector<char>& usable, const Job& job, const Plan& plan) const;
  bool leaves_enough(const Held& held, const Job& job, const Plan& plan) const;
  WallMs end_of(const Held& held) const;
  static bool begins_within(const Held& held, WallMs start_ms, const Job& job);
  void take(FreeTable& table, const Job& job, const Plan& plan) const;
  void keep(const Job& job, const Reservation& reservation, std::int64_t kept, FreeTable left);
  void recompute_beside();
  const std::vector<char>& nodes_to_use() const { return within_ != nullptr ? *within_ : *usable_; }
  WallMs not_past(WallMs at_ms) const { return at_ms > now_ms_ ? at_ms : now_ms_ + 1; }

  const ClusterView& view_;
  const std::vector<Node>& nodes_;
  WallMs now_ms_;
  FreeTable free_;
  const std::vector<char>* usable_ = nullptr;
  const std::vector<char>* within_ = nullptr;
  std::int64_t free_cores_ = 0;
  std::int64_t beside_cores_ = 0;  // of the first reservation
  std::vector<Started> started_;   // by end
  std::vector<Held> held_;         // by start
};

// What the table has on nodes that are usable, without what is owed on some of them.
std::int64_t cores_of_nodes(const std::vector<char>& usable, const FreeTable& table);

// How long the job may run.
inline WallMs limit_ms_of(const Job& job) { return WallMs{job.spec.time_limit_s} * 1000; }

}  // namespace hyades
