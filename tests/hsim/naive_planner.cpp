#include "naive_planner.hpp"

#include <algorithm>

#include "naive_scheduler.hpp"

namespace hyades {
namespace {

int& count_of(std::vector<DeviceCount>& devices, const std::string& kind) {
  for (DeviceCount& device : devices) {
    if (device.kind == kind) return device.count;
  }
  devices.push_back({kind, 0});
  return devices.back().count;
}

bool has_name(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool allowed(const Node& node, const JobSpec& spec) {
  if (!spec.node_list.empty() && !has_name(spec.node_list, node.name)) return false;
  if (has_name(spec.exclude, node.name)) return false;
  for (const std::string& feature : spec.features) {
    if (!has_name(node.inventory.features, feature)) return false;
  }
  return true;
}

MiB memory_for(const JobSpec& spec, int tasks) {
  return spec.memory_per_cpu_mib > 0 ? spec.memory_per_cpu_mib * spec.cpus_per_task * tasks
                                     : spec.memory_per_node_mib;
}

}  // namespace

NaivePlanner::NaivePlanner(const std::vector<Node>& nodes, std::vector<NaiveClaim> running,
                           WallMs now_ms)
    : nodes_(nodes), claims_(std::move(running)), now_ms_(now_ms) {
  for (NaiveClaim& claim : claims_) {
    claim.begin_ms = now_ms;
    // Past its limit it is being stopped: gone in a millisecond, for all that anybody knows.
    claim.end_ms = std::max(claim.end_ms, now_ms + 1);
  }
}

// ---- what is free ------------------------------------------------------------------------------

void NaivePlanner::claim(Room& room, const NaiveClaim& claim, std::size_t node) const {
  const JobSpec& spec = claim.job->spec;
  for (const PlannedShare& share : claim.plan) {
    if (static_cast<std::size_t>(share.node) != node) continue;
    room.in_use = true;
    if (spec.exclusive) {
      room.cores = 0;
      room.memory_mib = 0;
      room.devices.clear();
      return;
    }
    room.cores -= spec.cpus_per_task * share.tasks;
    room.memory_mib -= memory_for(spec, share.tasks);
    for (const DeviceCount& device : spec.devices_per_node) {
      count_of(room.devices, device.kind) -= device.count;
    }
  }
}

NaivePlanner::Room NaivePlanner::room_at(std::size_t node, WallMs at_ms) const {
  const Inventory& all = nodes_[node].inventory;
  Room room{all.cores, all.memory_mib, all.devices, false};
  for (const NaiveClaim& held : claims_) {
    if (held.begin_ms <= at_ms && at_ms < held.end_ms) claim(room, held, node);
  }
  return room;
}

NaivePlanner::Room NaivePlanner::room(std::size_t node, WallMs from_ms, WallMs to_ms) const {
  Room least = room_at(node, from_ms);
  for (const NaiveClaim& held : claims_) {
    if (held.begin_ms <= from_ms || held.begin_ms >= to_ms) continue;
    Room then = room_at(node, held.begin_ms);
    least.cores = std::min(least.cores, then.cores);
    least.memory_mib = std::min(least.memory_mib, then.memory_mib);
    least.in_use = least.in_use || then.in_use;
    for (DeviceCount& device : least.devices) {
      device.count = std::min(device.count, count_of(then.devices, device.kind));
    }
  }
  return least;
}

int NaivePlanner::capacity(const Node& node, const JobSpec& spec, const Room& room) const {
  if (spec.exclusive && room.in_use) return 0;
  if (!allowed(node, spec)) return 0;
  std::vector<DeviceCount> devices = room.devices;
  for (const DeviceCount& wanted : spec.devices_per_node) {
    if (count_of(devices, wanted.kind) < wanted.count) return 0;
  }
  int tasks = 0;
  while (tasks < spec.tasks && (spec.tasks_per_node == 0 || tasks < spec.tasks_per_node) &&
         (tasks + 1) * spec.cpus_per_task <= room.cores &&
         memory_for(spec, tasks + 1) <= room.memory_mib) {
    ++tasks;
  }
  return tasks;
}

bool NaivePlanner::full(const NaiveQueue& queue) const {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (queue.usable[i] && room_at(i, now_ms_).cores > 0) return false;
  }
  return true;
}

// ---- where a job goes --------------------------------------------------------------------------

// One node if one will do, the first; else the roomiest, as few as hold all tasks or as many as
// were asked for. Each gets one task, then the roomiest all it can hold.
Plan NaivePlanner::place(const JobSpec& spec, const std::vector<int>& capacities) const {
  std::vector<NodeIndex> by_room;
  for (std::size_t i = 0; i < capacities.size(); ++i) {
    const auto node = static_cast<NodeIndex>(i);
    if (spec.nodes <= 1 && capacities[i] >= spec.tasks) return {{node, spec.tasks}};
    if (capacities[i] > 0) by_room.push_back(node);
  }
  if (spec.nodes == 1) return {};
  const auto room_of = [&](NodeIndex node) { return capacities[static_cast<std::size_t>(node)]; };
  std::stable_sort(by_room.begin(), by_room.end(),
                   [&](NodeIndex a, NodeIndex b) { return room_of(a) > room_of(b); });
  for (std::size_t count = 1; count <= by_room.size(); ++count) {
    if (spec.nodes > 0 && count != static_cast<std::size_t>(spec.nodes)) continue;
    Plan plan;
    int left = spec.tasks - static_cast<int>(count);
    for (std::size_t i = 0; i < count; ++i) {
      const int more = std::min(left, room_of(by_room[i]) - 1);
      plan.push_back({by_room[i], 1 + more});
      left -= more;
    }
    if (left > 0) continue;
    std::sort(plan.begin(), plan.end(),
              [](const PlannedShare& a, const PlannedShare& b) { return a.node < b.node; });
    return plan;
  }
  return {};
}

// A place from a time on until the job's limit that takes nothing from anybody; the node that
// failed it only if no other will do.
Plan NaivePlanner::fit(const Job& job, WallMs from_ms, Whole whole) const {
  std::vector<int> capacities;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Inventory& all = nodes_[i].inventory;
    const Room free = whole == Whole::Yes ? Room{all.cores, all.memory_mib, all.devices, false}
                                          : room(i, from_ms, end_of(job, from_ms));
    capacities.push_back((*usable_)[i] ? capacity(nodes_[i], job.spec, free) : 0);
  }
  std::vector<int> elsewhere = capacities;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].name == job.avoid_node) elsewhere[i] = 0;
  }
  Plan plan = place(job.spec, elsewhere);
  return plan.empty() ? place(job.spec, capacities) : plan;
}

bool NaivePlanner::try_start(const Job& job, StartReason why) {
  const Plan plan = fit(job, now_ms_);
  if (plan.empty()) return false;
  claims_.push_back({&job, plan, now_ms_, end_of(job, now_ms_)});
  decision_.starts.push_back({job.id, plan, why});
  return true;
}

// The first of all times at which anything ends. Somebody who fits nowhere now fits somewhere when
// all have ended, if at all: job nullptr if not.
NaiveClaim NaivePlanner::earliest(const Job& job) const {
  if (fit(job, now_ms_, Whole::Yes).empty()) return {};
  std::set<WallMs> times{now_ms_};
  for (const NaiveClaim& held : claims_) times.insert(held.end_ms);
  for (const WallMs at_ms : times) {
    const Plan plan = fit(job, at_ms);
    if (!plan.empty()) return {&job, plan, at_ms, end_of(job, at_ms)};
  }
  return {};
}

// ---- who goes when -----------------------------------------------------------------------------

std::vector<const Job*> NaivePlanner::in_order(const NaiveQueue& queue) const {
  int machine = 0;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (queue.usable[i]) machine += nodes_[i].inventory.cores;
  }
  const auto score = [&](const Job& job) {
    NaiveFacts facts;
    facts.r = std::max(job.spec.time_limit_s, 1);
    facts.n = job.spec.tasks * job.spec.cpus_per_task;
    facts.w = static_cast<double>(now_ms_ - job.submitted_ms) / 1000;
    facts.s = static_cast<double>(job.submitted_ms - queue.busy_since_ms) / 1000 + 1;
    facts.N = machine;
    facts.submit = static_cast<double>(job.submitted_ms);
    return naive_score(queue.order, facts);
  };
  std::vector<const Job*> jobs = queue.jobs;
  std::sort(jobs.begin(), jobs.end(), [&](const Job* a, const Job* b) {
    if (a->spec.priority != b->spec.priority) return a->spec.priority > b->spec.priority;
    if (score(*a) != score(*b)) return score(*a) < score(*b);
    return a->id < b->id;
  });
  return jobs;
}

std::vector<const Job*> NaivePlanner::candidates(const NaiveQueue& queue,
                                                 std::vector<const Job*> jobs) const {
  if (queue.backfill == Backfill::None) return {};
  if (queue.backfill == Backfill::Easy) return jobs;
  std::sort(jobs.begin(), jobs.end(), [&](const Job* a, const Job* b) {
    if (a->spec.priority != b->spec.priority) return a->spec.priority > b->spec.priority;
    if (queue.backfill == Backfill::EasySjbf && a->spec.time_limit_s != b->spec.time_limit_s) {
      return a->spec.time_limit_s < b->spec.time_limit_s;
    }
    return a->id < b->id;
  });
  return jobs;
}

void NaivePlanner::easy(const NaiveQueue& queue) {
  const std::vector<const Job*> jobs = in_order(queue);
  for (auto job = jobs.begin(); job != jobs.end(); ++job) {
    if (queue.limited.contains((*job)->id) || try_start(**job, StartReason::Immediate)) continue;
    const NaiveClaim reserved = earliest(**job);
    if (reserved.job == nullptr) continue;
    claims_.push_back(reserved);
    decision_.reservations.push_back({(*job)->id, reserved.begin_ms, reserved.plan});
    for (const Job* candidate : candidates(queue, {job + 1, jobs.end()})) {
      if (!queue.limited.contains(candidate->id)) try_start(*candidate, StartReason::Backfill);
    }
    return;
  }
}

void NaivePlanner::conservative(const NaiveQueue& queue) {
  std::vector<NaiveClaim> booked;
  const std::vector<NaiveClaim> before = claims_;
  std::vector<NaiveClaim> started;
  for (const Job* job : in_order(queue)) {
    if (full(queue)) break;  // nobody behind can start, so nobody is looked at
    if (queue.limited.contains(job->id)) continue;
    const NaiveClaim slot = earliest(*job);
    if (slot.job == nullptr) continue;
    claims_.push_back(slot);
    if (slot.begin_ms == now_ms_) {
      const auto why = booked.empty() ? StartReason::Immediate : StartReason::Backfill;
      decision_.starts.push_back({job->id, slot.plan, why});
      started.push_back(slot);
    } else {
      decision_.reservations.push_back({job->id, slot.begin_ms, slot.plan});
      booked.push_back(slot);
    }
  }
  // Queues behind this one see its first job that waits, and no other.
  claims_ = before;
  claims_.insert(claims_.end(), started.begin(), started.end());
  if (!booked.empty()) claims_.push_back(booked.front());
}

Decision NaivePlanner::decide(const std::vector<NaiveQueue>& queues) {
  for (const NaiveQueue& queue : queues) {
    usable_ = &queue.usable;
    queue.backfill == Backfill::Conservative ? conservative(queue) : easy(queue);
  }
  return std::move(decision_);
}

}  // namespace hyades
