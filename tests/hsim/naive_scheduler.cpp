#include "naive_scheduler.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace hyades {
namespace {

using Index = std::size_t;

// Somebody has so many processors from a time on until another.
struct Slot {
  std::int64_t begin_s = 0;
  std::int64_t end_s = 0;
  int procs = 0;
};

class NaivePool {
 public:
  NaivePool(const Workload& workload, QueueOrder order, Backfill backfill)
      : workload_(workload), order_(order), backfill_(backfill) {
    schedule_.starts.assign(workload.jobs.size(), -1);
  }

  NaiveSchedule run() {
    std::set<std::int64_t> times;
    for (const TraceJob& job : workload_.jobs) times.insert(job.submit_s);
    while (!times.empty()) {
      now_s_ = *times.begin();
      times.erase(times.begin());
      pass();
      for (const Index i : running_at(now_s_)) times.insert(schedule_.starts[i] + job(i).run_s);
    }
    return schedule_;
  }

 private:
  const TraceJob& job(Index i) const { return workload_.jobs[i]; }
  std::int64_t start(Index i) const { return schedule_.starts[i]; }

  std::vector<Index> running_at(std::int64_t at_s) const {
    std::vector<Index> jobs;
    for (Index i = 0; i < workload_.jobs.size(); ++i) {
      if (start(i) >= 0 && start(i) <= at_s && at_s < start(i) + job(i).run_s) jobs.push_back(i);
    }
    return jobs;
  }

  int free_now() const {
    int free = workload_.procs;
    for (const Index i : running_at(now_s_)) free -= job(i).procs;
    return free;
  }

  double score(Index i) const {
    NaiveFacts facts;
    facts.r = static_cast<double>(std::max<std::int64_t>(job(i).request_s, 1));
    facts.n = job(i).procs;
    facts.w = static_cast<double>(now_s_ - job(i).submit_s);
    facts.s = static_cast<double>(job(i).submit_s - job(0).submit_s + 1);
    facts.N = workload_.procs;
    facts.submit = static_cast<double>(job(i).submit_s);
    return naive_score(order_, facts);
  }

  std::vector<Index> waiting() const {
    std::vector<Index> jobs;
    for (Index i = 0; i < workload_.jobs.size(); ++i) {
      if (job(i).submit_s <= now_s_ && start(i) < 0) jobs.push_back(i);
    }
    // Jobs are by submission already; a stable sort leaves ties so.
    std::stable_sort(jobs.begin(), jobs.end(),
                     [this](Index a, Index b) { return score(a) < score(b); });
    return jobs;
  }

  bool try_start(Index i) {
    if (job(i).procs > free_now()) return false;
    schedule_.starts[i] = now_s_;
    return true;
  }

  void pass() {
    std::vector<Index> jobs = waiting();
    if (backfill_ == Backfill::Conservative) return conservative(jobs);
    Index head = 0;
    while (head < jobs.size() && try_start(jobs[head])) ++head;
    if (head == jobs.size() || backfill_ == Backfill::None) return;
    easy(jobs[head], {jobs.begin() + static_cast<std::ptrdiff_t>(head) + 1, jobs.end()});
  }

  // What is free at a time if every running job ends when it asked to.
  int estimated_free(std::int64_t at_s) const {
    int free = workload_.procs;
    for (const Index i : running_at(now_s_)) {
      if (start(i) + job(i).request_s > at_s) free -= job(i).procs;
    }
    return free;
  }

  void easy(Index head, std::vector<Index> candidates) {
    std::set<std::int64_t> ends;
    for (const Index i : running_at(now_s_)) ends.insert(start(i) + job(i).request_s);
    const auto found = std::find_if(ends.begin(), ends.end(), [&](std::int64_t end_s) {
      return estimated_free(end_s) >= job(head).procs;
    });
    const std::int64_t shadow_s = *found;
    int extra = estimated_free(shadow_s) - job(head).procs;
    schedule_.promises.push_back({now_s_, head, shadow_s});
    if (backfill_ == Backfill::EasyFcfs) std::sort(candidates.begin(), candidates.end());
    if (backfill_ == Backfill::EasySjbf) {
      std::sort(candidates.begin(), candidates.end());
      std::stable_sort(candidates.begin(), candidates.end(),
                       [this](Index a, Index b) { return job(a).request_s < job(b).request_s; });
    }
    for (const Index i : candidates) {
      const bool ends_before = now_s_ + job(i).request_s <= shadow_s;
      if (!ends_before && job(i).procs > extra) continue;
      if (try_start(i) && !ends_before) extra -= job(i).procs;
    }
  }

  static bool fits(const std::vector<int>& free, Index from, Index to, int procs) {
    for (Index t = from; t < to; ++t) {
      if (free[t] < procs) return false;
    }
    return true;
  }

  // Every time at which something begins or ends is a step of a staircase, worked out anew for each
  // job.
  std::int64_t earliest(const std::vector<Slot>& slots, const TraceJob& wanted) const {
    std::set<std::int64_t> set{now_s_};
    for (const Slot& slot : slots) {
      set.insert(slot.begin_s);
      set.insert(slot.end_s);
    }
    const std::vector<std::int64_t> times(set.begin(), set.end());
    std::vector<int> free(times.size(), workload_.procs);
    for (Index t = 0; t < times.size(); ++t) {
      for (const Slot& slot : slots) {
        if (slot.begin_s <= times[t] && times[t] < slot.end_s) free[t] -= slot.procs;
      }
    }
    for (Index from = 0; from < times.size(); ++from) {
      Index to = from;
      while (to < times.size() && times[to] < times[from] + wanted.request_s) ++to;
      if (fits(free, from, to, wanted.procs)) return times[from];
    }
    return -1;
  }

  void conservative(const std::vector<Index>& jobs) {
    std::vector<Slot> slots;
    for (const Index i : running_at(now_s_)) {
      slots.push_back({now_s_, start(i) + job(i).request_s, job(i).procs});
    }
    bool promised = false;
    for (const Index i : jobs) {
      const std::int64_t at_s = earliest(slots, job(i));
      slots.push_back({at_s, at_s + job(i).request_s, job(i).procs});
      if (at_s == now_s_) {
        schedule_.starts[i] = now_s_;
      } else if (!promised) {
        promised = true;
        schedule_.promises.push_back({now_s_, i, at_s});
      }
    }
  }

  const Workload& workload_;
  QueueOrder order_;
  Backfill backfill_;
  std::int64_t now_s_ = 0;
  NaiveSchedule schedule_;
};

double log10_floored(double value) { return std::log10(value <= 0 ? 0.1 : value); }

}  // namespace

double naive_score(QueueOrder order, const NaiveFacts& facts) {
  const auto& [r, n, w, s, N, submit] = facts;
  switch (order) {
    case QueueOrder::Fcfs:
      return submit;
    case QueueOrder::Sjf:
      return r;
    case QueueOrder::Saf:
      return r * n;
    case QueueOrder::Lxf:
      return -(w + r) / r;
    case QueueOrder::Wfp3:
      return -((w / r) * (w / r) * (w / r)) * n;
    case QueueOrder::Unicep:
      return -w / (std::log2(std::max(n, 2.0)) * r);
    case QueueOrder::F1:
      return log10_floored(r) * n + 870 * log10_floored(s);
    case QueueOrder::F2:
      return std::sqrt(r) * n + 25600 * log10_floored(s);
    case QueueOrder::F3:
      return r * n + 6860000 * log10_floored(s);
    case QueueOrder::F4:
      return r * std::sqrt(n) + 530000 * log10_floored(s);
    case QueueOrder::Multifactor:
      return -(std::min(w / 604800, 1.0) + (1 - n / N));
    case QueueOrder::Index:
    case QueueOrder::Learned:  // by what was asked for
    case QueueOrder::LookaheadWait:
    case QueueOrder::LookaheadSlowdown:
      return r * n * std::sqrt(std::max(r, 10.0));
  }
  return 0;
}

NaiveSchedule naive_schedule(const Workload& workload, QueueOrder order, Backfill backfill) {
  return NaivePool(workload, order, backfill).run();
}

}  // namespace hyades
