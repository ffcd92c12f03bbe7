#include "hsim/processor_layout.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <queue>

namespace hyades {
namespace {

class FreeProcessors {
 public:
  explicit FreeProcessors(int procs) {
    if (procs > 0) gaps_[0] = procs;
  }

  std::vector<ProcessorRange> take(int count) {
    for (const auto& [first, size] : gaps_) {
      if (size >= count) return {cut(first, count)};
    }
    std::vector<ProcessorRange> pieces;
    while (count > 0 && !gaps_.empty()) {
      pieces.push_back(cut(gaps_.begin()->first, std::min(count, gaps_.begin()->second)));
      count -= pieces.back().count;
    }
    return pieces;
  }

  void give_back(const ProcessorRange& range) {
    auto at = gaps_.insert({range.first, range.count}).first;
    const auto next = std::next(at);
    if (next != gaps_.end() && at->first + at->second == next->first) {
      at->second += next->second;
      gaps_.erase(next);
    }
    if (at == gaps_.begin()) return;
    const auto before = std::prev(at);
    if (before->first + before->second != at->first) return;
    before->second += at->second;
    gaps_.erase(at);
  }

 private:
  // From the beginning of the gap there.
  ProcessorRange cut(int first, int count) {
    const auto gap = gaps_.find(first);
    const int left = gap->second - count;
    gaps_.erase(gap);
    if (left > 0) gaps_[first + count] = left;
    return {first, count};
  }

  std::map<int, int> gaps_;  // first processor, how many; no two touch
};

}  // namespace

std::vector<std::vector<ProcessorRange>> lay_out_processors(const Workload& workload,
                                                            const std::vector<ReplayedJob>& jobs) {
  std::vector<std::vector<ProcessorRange>> layout(jobs.size());
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (jobs[i].start_s >= 0) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return jobs[a].start_s < jobs[b].start_s; });
  FreeProcessors free(workload.procs);
  using End = std::pair<std::int64_t, std::size_t>;
  std::priority_queue<End, std::vector<End>, std::greater<>> ends;
  for (const std::size_t i : order) {
    while (!ends.empty() && ends.top().first <= jobs[i].start_s) {
      for (const ProcessorRange& range : layout[ends.top().second]) free.give_back(range);
      ends.pop();
    }
    layout[i] = free.take(workload.jobs[i].procs);
    ends.push({jobs[i].start_s + workload.jobs[i].run_s, i});
  }
  return layout;
}

}  // namespace hyades
