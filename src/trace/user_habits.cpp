#include "trace/user_habits.hpp"

#include <algorithm>

#include "trace/estimates.hpp"
#include "trace/lublin_model.hpp"

namespace hyades {
namespace {

constexpr int kinds_max = 6;  // of one user
constexpr int users_of_a_group = 8;
constexpr double same_user = 0.6;  // as the job before
constexpr double same_kind = 0.8;  // as this user's last job
constexpr double fails_early = 0.08;
constexpr double spread_max = 0.6;
constexpr int memory_halvings_max = 6;  // below the most that is asked for

}  // namespace

UserHabits::UserHabits(const Options& options, RandomNumbers random)
    : options_(options), random_(random) {
  double sum = 0;
  for (int i = 0; i < options_.users; ++i) {
    User user;
    const auto kinds = random_.between(1, kinds_max);
    for (int kind = 0; kind < kinds; ++kind) user.kinds.push_back(make_kind());
    users_.push_back(std::move(user));
    sum += 1.0 / (i + 1);  // Zipf's law: a few submit most
    share_before_.push_back(sum);
  }
  for (double& share : share_before_) share /= sum;
}

TraceJob UserHabits::next(bool again) {
  if (users_.empty()) {
    if (!again) kind_ = make_kind();
  } else if (!again) {
    choose();
  }
  TraceJob job = job_of(kind_);
  if (!users_.empty()) {
    job.user = static_cast<int>(user_) + 1;
    job.group = static_cast<int>(user_) / users_of_a_group + 1;
    job.executable = kind_.executable;
  }
  return job;
}

UserHabits::Kind UserHabits::make_kind() {
  Kind kind;
  kind.procs = lublin_procs(random_, options_.procs);
  kind.usual_run_s = lublin_run_s(random_, kind.procs);
  kind.spread = spread_max * random_.uniform();
  if (options_.over_estimates) kind.request_s = estimate_s(random_, kind.usual_run_s);
  if (options_.memory_max_kib > 0) {
    const auto halvings = random_.between(0, memory_halvings_max);
    kind.memory_per_proc_kib = std::max<std::int64_t>(1, options_.memory_max_kib >> halvings);
  }
  kind.executable = ++executables_;
  return kind;
}

void UserHabits::choose() {
  if (executables_ == 0 || !random_.chance(same_user)) {
    const auto at =
        std::upper_bound(share_before_.begin(), share_before_.end() - 1, random_.uniform());
    user_ = static_cast<std::size_t>(at - share_before_.begin());
  }
  User& user = users_[user_];
  if (!random_.chance(same_kind)) {
    user.current = static_cast<std::size_t>(
        random_.between(0, static_cast<std::int64_t>(user.kinds.size()) - 1));
  }
  kind_ = user.kinds[user.current];
}

// Without users a job runs as its kind says, since the kind is its own.
TraceJob UserHabits::job_of(const Kind& kind) {
  TraceJob job;
  job.procs = kind.procs;
  job.memory_per_proc_kib = kind.memory_per_proc_kib;
  double run_s = static_cast<double>(kind.usual_run_s);
  if (!users_.empty()) {
    run_s *= natural_exp(kind.spread * random_.normal());
    if (random_.chance(fails_early)) run_s *= 0.05 * random_.uniform();
  }
  job.run_s = std::clamp<std::int64_t>(static_cast<std::int64_t>(run_s), 1, lublin_run_max_s);
  job.request_s = options_.over_estimates ? kind.request_s : job.run_s;
  job.run_s = std::min(job.run_s, job.request_s);
  return job;
}

}  // namespace hyades
