// Workloads and replays to report on. The scheduler here is the simplest there is (first come,
// first served, no backfilling), apart from the one that is tested elsewhere.
#pragma once

#include <algorithm>
#include <map>
#include <string>

#include "hsim/replay.hpp"

namespace hyades::samples {

inline TraceJob job(std::int64_t id, std::int64_t submit_s, std::int64_t run_s, int procs,
                    int user = -1, int queue = -1) {
  TraceJob out;
  out.id = id;
  out.submit_s = submit_s;
  out.run_s = run_s;
  out.request_s = run_s;
  out.procs = procs;
  out.user = user;
  out.queue = queue;
  return out;
}

inline Workload workload(int procs, std::vector<TraceJob> jobs) {
  Workload out;
  out.name = "sample";
  out.procs = procs;
  out.jobs = std::move(jobs);
  return out;
}

inline std::vector<ReplayedJob> started(const std::vector<std::int64_t>& starts) {
  std::vector<ReplayedJob> out;
  for (const std::int64_t start : starts) out.push_back({start, StartReason::Immediate});
  return out;
}

// Jobs as users submit them: many small ones, few large ones, some at the same second.
inline Workload random_workload(int procs, int jobs, std::uint64_t seed) {
  std::uint64_t state = seed * 2654435761u + 88172645463325252u;
  const auto below = [&](std::uint64_t n) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<std::int64_t>(state % n);
  };
  std::vector<TraceJob> out;
  std::int64_t now_s = 1000;
  for (int i = 0; i < jobs; ++i) {
    now_s += below(3) == 0 ? 0 : below(240);
    const int size = std::min<int>(procs, 1 << below(6));
    out.push_back(job(100 + i, now_s, 1 + below(60) * below(60), size,
                      static_cast<int>(below(12) * below(2)), static_cast<int>(below(3))));
  }
  return workload(procs, std::move(out));
}

// First come, first served, on the processors that are free.
inline std::vector<ReplayedJob> fcfs(const Workload& workload) {
  std::vector<ReplayedJob> out;
  std::multimap<std::int64_t, int> ends;
  int free = workload.procs;
  std::int64_t now_s = 0;
  for (const TraceJob& next : workload.jobs) {
    now_s = std::max(now_s, next.submit_s);
    while (!ends.empty() && (ends.begin()->first <= now_s || free < next.procs)) {
      now_s = std::max(now_s, ends.begin()->first);
      free += ends.begin()->second;
      ends.erase(ends.begin());
    }
    out.push_back({now_s, StartReason::Immediate});
    free -= next.procs;
    ends.insert({now_s + next.run_s, next.procs});
  }
  return out;
}

}  // namespace hyades::samples
