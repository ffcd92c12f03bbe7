#include "hsim/wait_comparison.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/assert.hpp"
#include "hsim/metrics.hpp"

namespace hyades {
namespace {

// Less is nothing that anybody would notice.
constexpr std::int64_t kNoticed = 60;

struct Class {
  std::int64_t up_to;
  const char* name;
};

constexpr std::int64_t kNoEnd = INT64_MAX;

constexpr Class kSizes[] = {{1, "1 processor"},
                            {8, "2 to 8 processors"},
                            {64, "9 to 64 processors"},
                            {kNoEnd, "more than 64 processors"}};

constexpr Class kRunTimes[] = {{60, "runs a minute or less"},
                               {600, "runs up to 10 minutes"},
                               {3600, "runs up to an hour"},
                               {8 * 3600, "runs up to 8 hours"},
                               {kNoEnd, "runs more than 8 hours"}};

template <std::size_t N>
std::int64_t class_of(const Class (&classes)[N], std::int64_t value) {
  std::int64_t at = 0;
  while (value > classes[at].up_to) ++at;
  return at;
}

// Groups by number, with sums where the group has means.
class Groups {
 public:
  void add(std::int64_t key, std::int64_t before, std::int64_t after) {
    WaitGroup& group = groups_[key];
    ++group.jobs;
    group.mean_before += static_cast<double>(before);
    group.mean_after += static_cast<double>(after);
    group.max_before = std::max(group.max_before, before);
    group.max_after = std::max(group.max_after, after);
    if (after <= before - kNoticed) ++group.shorter;
    if (after >= before + kNoticed) ++group.longer;
  }

  // In order of the numbers, with means.
  std::vector<WaitGroup> take(const std::function<std::string(std::int64_t)>& name) {
    std::vector<WaitGroup> out;
    for (auto& [key, group] : groups_) {
      group.name = name(key);
      group.mean_before /= static_cast<double>(group.jobs);
      group.mean_after /= static_cast<double>(group.jobs);
      out.push_back(std::move(group));
    }
    return out;
  }

 private:
  std::map<std::int64_t, WaitGroup> groups_;
};

std::string number_name(const char* what, const std::function<std::string(int)>& names,
                        std::int64_t number) {
  if (number < 0) return "not known";
  const std::string given = names ? names(static_cast<int>(number)) : "";
  return given.empty() ? std::string(what) + " " + std::to_string(number) : given;
}

double total_change(const WaitGroup& group) {
  return std::abs(group.difference()) * static_cast<double>(group.jobs);
}

}  // namespace

WaitComparison compare_waits(const Workload& workload, const std::vector<ReplayedJob>& before,
                             const std::vector<ReplayedJob>& after, const WaitNames& names) {
  HYADES_ASSERT(before.size() == workload.jobs.size() && after.size() == workload.jobs.size());
  Groups all, queues, users, sizes, run_times;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const TraceJob& job = workload.jobs[i];
    const std::int64_t first = wait_of(job, before[i]), then = wait_of(job, after[i]);
    all.add(0, first, then);
    queues.add(job.queue, first, then);
    users.add(job.user, first, then);
    sizes.add(class_of(kSizes, job.procs), first, then);
    run_times.add(class_of(kRunTimes, job.run_s), first, then);
  }
  WaitComparison out;
  out.all.name = "all jobs";
  for (WaitGroup& group : all.take([](std::int64_t) { return "all jobs"; })) out.all = group;
  out.by_queue =
      queues.take([&](std::int64_t queue) { return number_name("queue", names.queue, queue); });
  out.by_user =
      users.take([&](std::int64_t user) { return number_name("user", names.user, user); });
  out.by_size = sizes.take([](std::int64_t at) { return kSizes[at].name; });
  out.by_run_time = run_times.take([](std::int64_t at) { return kRunTimes[at].name; });
  std::stable_sort(
      out.by_user.begin(), out.by_user.end(),
      [](const WaitGroup& a, const WaitGroup& b) { return total_change(a) > total_change(b); });
  return out;
}

}  // namespace hyades
