#include "hsim/replay.hpp"

#include <algorithm>
#include <limits>
#include <queue>
#include <stdexcept>

#include "core/controller.hpp"
#include "policy/run_model.hpp"

namespace hyades {

namespace {

constexpr Epoch kEpoch = 1;
// Where a log does not say when it began. Not 0: that stands for "never".
constexpr std::int64_t kBegin_s = 1'000'000'000;

std::int64_t begin_s(const Workload& workload) {
  return workload.unix_start_s > 0 ? workload.unix_start_s : kBegin_s;
}

// Of jobs before the first one that is replayed; beyond the numbers of those.
constexpr JobId kPastIds = 1'000'000'000'000;

// Nothing has happened before the first job.
class NoArchive : public Archive {
 public:
  std::optional<EndedJob> find_ended(JobId) const override { return std::nullopt; }
  std::optional<JobId> find_token(std::uint32_t, const std::string&) const override {
    return std::nullopt;
  }
};

// A job that runs, by its end.
struct Running {
  std::int64_t end_s = 0;
  std::size_t job = 0;
  LaunchKey key;
  std::vector<PeerId> nodes;  // peers; the batch script runs on the first

  friend bool operator>(const Running& a, const Running& b) {
    return a.end_s != b.end_s ? a.end_s > b.end_s : a.key.sequence > b.key.sequence;
  }
};

// Of the log, those that are configured.
std::map<int, std::string> known_queues(const ReplayOptions& options) {
  std::map<int, std::string> queues;
  for (const QueueConfig& queue : options.config->queues) {
    for (const auto& [number, name] : options.queue_names) {
      if (name == queue.name) queues.emplace(number, name);
    }
  }
  return queues;
}

std::uint32_t uid_of(const TraceJob& job) {
  return job.user >= 0 ? static_cast<std::uint32_t>(job.user) : 0;
}

// Executables are numbers in logs; in names of jobs, numbers make no difference.
std::string name_of(int executable) {
  std::string name = "app-";
  for (; executable > 0; executable /= 26) name += static_cast<char>('a' + executable % 26);
  return name;
}

JobSpec spec_of(const TraceJob& job, const std::map<int, std::string>& queues) {
  JobSpec spec;
  spec.tasks = job.procs;
  spec.time_limit_s =
      static_cast<int>(std::min<std::int64_t>(job.request_s, std::numeric_limits<int>::max()));
  if (job.executable >= 0) spec.name = name_of(job.executable);
  if (const auto queue = queues.find(job.queue); queue != queues.end()) spec.queue = queue->second;
  return spec;
}

class Replayer {
 public:
  Replayer(const Workload& workload, Policy& policy, const ReplayOptions& options)
      : workload_(workload),
        options_(options),
        begin_s_(begin_s(workload)),
        controller_(options.config, kEpoch, archive_, policy) {
    result_.jobs.resize(workload.jobs.size());
    queues_ = known_queues(options);
  }

  Replay run();

 private:
  void greet();
  void turn(std::int64_t at_s);
  void submit(std::size_t job);
  void end(const Running& running);
  void take_starts();
  void report(const Running& running, PeerId from, LaunchState state, Step& out);
  [[noreturn]] void complain_of_stuck() const;

  const Workload& workload_;
  const ReplayOptions& options_;
  std::int64_t begin_s_;
  std::map<int, std::string> queues_;  // of the log, those that are configured
  NoArchive archive_;
  Controller controller_;
  Replay result_;
  Step step_;
  Step answers_;
  Delivery report_{0, {kEpoch, LaunchReport{}}};  // made once: it is large
  Now now_;
  std::int64_t now_s_ = 0;
  std::size_t arrived_ = 0;
  std::size_t ended_ = 0;
  std::vector<std::size_t> job_of_;  // by JobId - 1
  std::priority_queue<Running, std::vector<Running>, std::greater<>> running_;
};

// Every node says hello.
void Replayer::greet() {
  now_ = {begin_s_ * 1000, 1};
  PeerId peer = 0;
  for (const NodeConfig& node : options_.config->nodes) {
    Hello hello;
    hello.node = node.name;
    hello.boot_id = "replay";
    hello.inventory = node.inventory;
    controller_.step(Delivery{++peer, {kEpoch, hello}}, now_, step_);
  }
  step_ = {};
}

Replay Replayer::run() {
  greet();
  const auto& jobs = workload_.jobs;
  while (arrived_ < jobs.size() || !running_.empty()) {
    std::int64_t next_s = arrived_ < jobs.size() ? jobs[arrived_].submit_s : running_.top().end_s;
    if (!running_.empty()) next_s = std::min(next_s, running_.top().end_s);
    turn(next_s);
  }
  if (ended_ + result_.refused < jobs.size()) complain_of_stuck();
  return std::move(result_);
}

void Replayer::turn(std::int64_t at_s) {
  now_s_ = at_s;
  now_ = {(begin_s_ + at_s) * 1000, at_s * 1000 + 1};
  while (!running_.empty() && running_.top().end_s == at_s) {
    const Running running = running_.top();
    running_.pop();
    end(running);
  }
  while (arrived_ < workload_.jobs.size() && workload_.jobs[arrived_].submit_s == at_s) {
    submit(arrived_++);
  }
  step_.outgoing.clear();
  step_.batch.job_events.clear();
  controller_.schedule(now_, step_);
  take_starts();
  controller_.committed();
  step_.batch.new_jobs.clear();
  step_.batch.job_events.clear();
  step_.outgoing.clear();
}

void Replayer::submit(std::size_t job) {
  const TraceJob& trace = workload_.jobs[job];
  Request request;
  request.caller.uid = uid_of(trace);
  request.caller.role = Role::Operator;
  request.what = SubmitRequest{spec_of(trace, queues_), nullptr, ""};
  step_.replies.clear();
  controller_.step(request, now_, step_);
  const Reply& reply = step_.replies.back();
  if (reply.error != ErrorCode::None) {
    if (result_.refused++ == 0) {
      result_.first_refusal = "job " + std::to_string(trace.id) + ": " + reply.message;
    }
    return;
  }
  job_of_.push_back(job);
}

void Replayer::end(const Running& running) {
  for (const PeerId node : running.nodes) report(running, node, LaunchState::Exited, step_);
  if (++ended_ % 4096 == 0 && options_.progress) options_.progress(ended_);
}

// Every job that was told to start does so at once.
void Replayer::take_starts() {
  for (const JobEvent& event : step_.batch.job_events) {
    const auto* const assigned = std::get_if<Assigned>(&event.what);
    if (assigned == nullptr) continue;
    const std::size_t job = job_of_[static_cast<std::size_t>(event.job) - 1];
    const TraceJob& trace = workload_.jobs[job];
    result_.jobs[job] = {now_s_, assigned->why};
    Running running{now_s_ + trace.run_s, job, assigned->key, {}};
    for (const NodeShare& share : assigned->placement.shares) {
      running.nodes.push_back(controller_.cluster().find(share.node)->peer);
    }
    // Companions first: the script starts when all of them run.
    for (auto node = running.nodes.rbegin(); node != running.nodes.rend(); ++node) {
      report(running, *node, LaunchState::Running, answers_);
    }
    running_.push(std::move(running));
  }
  answers_.batch.job_events.clear();
  answers_.outgoing.clear();
}

// What a node says of the job's part on it.
void Replayer::report(const Running& running, PeerId from, LaunchState state, Step& out) {
  report_.from = from;
  auto& report = std::get<LaunchReport>(report_.message.body);
  report.key = running.key;
  report.state = state;
  report.started_ms = (begin_s_ + result_.jobs[running.job].start_s) * 1000;
  if (state == LaunchState::Exited) {
    report.exit.started_ms = report.started_ms;
    report.exit.ended_ms = now_.wall_ms;
  }
  controller_.step(report_, now_, out);
}

void Replayer::complain_of_stuck() const {
  for (const auto& [id, job] : controller_.jobs().all()) {
    const TraceJob& trace = workload_.jobs[job_of_[static_cast<std::size_t>(id) - 1]];
    throw std::runtime_error("job " + std::to_string(trace.id) +
                             " of the log was accepted and can never start");
  }
  throw std::runtime_error("jobs were lost");
}

}  // namespace

Workload cut(const Workload& workload, const Window& window) {
  Workload part{workload.name, workload.procs, workload.unix_start_s, {}};
  const std::size_t first = std::min(window.first, workload.jobs.size());
  const std::size_t left = workload.jobs.size() - first;
  const std::size_t count = window.count == 0 ? left : std::min(window.count, left);
  part.jobs.assign(workload.jobs.begin() + static_cast<std::ptrdiff_t>(first),
                   workload.jobs.begin() + static_cast<std::ptrdiff_t>(first + count));
  return part;
}

ClusterConfig pool_of(int procs, QueueOrder order, Backfill backfill) {
  ClusterConfig config;
  config.backfill_depth = 0;
  config.guard.enabled = false;
  NodeConfig node;
  node.name = "pool";
  node.inventory.cores = procs;
  node.inventory.memory_mib = 1;
  config.nodes.push_back(node);
  config.queues.front().order = order;
  config.queues.front().backfill = backfill;
  return config;
}

WallMs origin_ms(const Workload& workload) {
  return (begin_s(workload) + (workload.jobs.empty() ? 0 : workload.jobs.front().submit_s)) * 1000;
}

std::vector<JobOutcomeFacts> past_before(std::span<const TraceJob> earlier, const Workload& window,
                                         const ReplayOptions& options) {
  std::vector<JobOutcomeFacts> past;
  if (window.jobs.empty()) return past;
  const std::int64_t now_s = window.jobs.front().submit_s;
  const std::map<int, std::string> queues = known_queues(options);
  for (std::size_t i = earlier.size(); i > 0 && past.size() < RunModelTrainer::examples_most; --i) {
    const TraceJob& job = earlier[i - 1];
    const std::int64_t start_s = job.submit_s + std::max<std::int64_t>(job.wait_s, 0);
    if (start_s + job.run_s >= now_s) continue;
    JobSpec spec = spec_of(job, queues);
    spec.uid = uid_of(job);
    if (spec.queue.empty()) spec.queue = options.config->queues.front().name;
    const auto ms = [&](std::int64_t at_s) { return (begin_s(window) + at_s) * 1000; };
    past.push_back({.job = kPastIds + i,
                    .asked = asked_by(spec),
                    .cores = job.procs,
                    .submit_ms = ms(job.submit_s),
                    .start_ms = ms(start_s),
                    .end_ms = ms(start_s + job.run_s),
                    .outcome = Outcome::Completed,
                    .usage = {}});
  }
  return past;
}

Replay replay(const Workload& workload, Policy& policy, const ReplayOptions& options) {
  return Replayer(workload, policy, options).run();
}

}  // namespace hyades
