// One scheduling pass over nodes with cores, memory and devices, written a second time from its
// contract (policy/backfill_policy.hpp, policy/plan_ledger.hpp, core/free_table.hpp): slow, simple,
// and without a line of the production policy. What is free at any time is counted anew from those
// who claim something then. Pure functions.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/policy.hpp"

namespace hyades {

// What a job holds, or is to hold, from a time on until another.
struct NaiveClaim {
  const Job* job = nullptr;
  Plan plan;
  WallMs begin_ms = 0;
  WallMs end_ms = 0;
};

struct NaiveQueue {
  QueueOrder order = QueueOrder::Fcfs;
  Backfill backfill = Backfill::Easy;
  std::vector<const Job*> jobs;  // waiting, in no order
  std::vector<char> usable;      // by node
  std::set<JobId> limited;       // neither start nor reserve
  WallMs busy_since_ms = 0;
};

class NaivePlanner {
 public:
  // `running`: each with the end at its limit. Nodes by NodeIndex.
  NaivePlanner(const std::vector<Node>& nodes, std::vector<NaiveClaim> running, WallMs now_ms);

  // `queues` in order of priority. `limited` stays empty.
  Decision decide(const std::vector<NaiveQueue>& queues);

 private:
  // What is free on one node, at the least, over some time.
  struct Room {
    int cores = 0;
    MiB memory_mib = 0;
    std::vector<DeviceCount> devices;
    bool in_use = false;
  };
  enum class Whole { No, Yes };  // Yes: as if nobody claimed anything

  void claim(Room& room, const NaiveClaim& claim, std::size_t node) const;
  Room room_at(std::size_t node, WallMs at_ms) const;
  Room room(std::size_t node, WallMs from_ms, WallMs to_ms) const;
  bool full(const NaiveQueue& queue) const;  // not a core is free now
  int capacity(const Node& node, const JobSpec& spec, const Room& room) const;
  Plan place(const JobSpec& spec, const std::vector<int>& capacities) const;
  Plan fit(const Job& job, WallMs from_ms, Whole whole = Whole::No) const;
  bool try_start(const Job& job, StartReason why);
  NaiveClaim earliest(const Job& job) const;

  std::vector<const Job*> in_order(const NaiveQueue& queue) const;
  std::vector<const Job*> candidates(const NaiveQueue& queue, std::vector<const Job*> jobs) const;
  void easy(const NaiveQueue& queue);
  void conservative(const NaiveQueue& queue);
  WallMs end_of(const Job& job, WallMs begin_ms) const {
    return begin_ms + WallMs{job.spec.time_limit_s} * 1000;
  }

  const std::vector<Node>& nodes_;
  std::vector<NaiveClaim> claims_;
  WallMs now_ms_;
  const std::vector<char>* usable_ = nullptr;
  Decision decision_;
};

}  // namespace hyades
