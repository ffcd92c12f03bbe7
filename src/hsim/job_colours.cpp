#include "hsim/job_colours.hpp"

#include <algorithm>
#include <map>

namespace hyades {
namespace {

std::string class_of(int colour) { return "c" + std::to_string(colour); }

JobColours by_reason(const std::vector<ReplayedJob>& jobs) {
  JobColours out;
  std::size_t backfilled = 0;
  for (const ReplayedJob& job : jobs) {
    out.of.push_back(job.why == StartReason::Backfill ? 1 : 0);
    if (job.why == StartReason::Backfill) ++backfilled;
  }
  out.legend = {
      {class_of(0), "first in the queue (" + std::to_string(jobs.size() - backfilled) + " jobs)"},
      {class_of(1), "backfilled (" + std::to_string(backfilled) + ")"}};
  return out;
}

// By how much they used, the most first; of equals the lower number.
std::vector<int> users_by_work(const Workload& workload) {
  std::map<int, double> work;
  for (const TraceJob& job : workload.jobs) {
    work[job.user] += static_cast<double>(job.run_s) * job.procs;
  }
  std::vector<int> users;
  for (const auto& [user, used] : work) users.push_back(user);
  std::stable_sort(users.begin(), users.end(), [&](int a, int b) { return work[a] > work[b]; });
  return users;
}

}  // namespace

JobColours job_colours(const Workload& workload, const std::vector<ReplayedJob>& jobs,
                       const std::function<std::string(int)>& user_name) {
  std::vector<int> users = users_by_work(workload);
  const bool known = std::any_of(users.begin(), users.end(), [](int user) { return user >= 0; });
  if (!known) return by_reason(jobs);
  JobColours out;
  std::map<int, int> colours;
  const std::size_t named = std::min<std::size_t>(users.size(), kSvgColours);
  for (std::size_t i = 0; i < named; ++i) {
    colours[users[i]] = static_cast<int>(i);
    std::string name = user_name && users[i] >= 0 ? user_name(users[i]) : "";
    if (name.empty()) name = users[i] < 0 ? "not known" : "user " + std::to_string(users[i]);
    out.legend.push_back({class_of(static_cast<int>(i)), name});
  }
  if (users.size() > named) {
    const std::size_t others = users.size() - named;
    out.legend.push_back(
        {class_of(kSvgColours), std::to_string(others) + (others == 1 ? " other" : " others")});
  }
  for (const TraceJob& job : workload.jobs) {
    const auto colour = colours.find(job.user);
    out.of.push_back(colour == colours.end() ? kSvgColours : colour->second);
  }
  return out;
}

}  // namespace hyades
