#include "hsim/forecast_probe.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "policy/backfill_policy.hpp"

namespace hyades {
namespace {

// Takes down what is expected of a job at the first decision after its submission.
class ProbedPolicy : public BackfillPolicy {
 public:
  using BackfillPolicy::BackfillPolicy;

  void waits(const Job& job, WallMs at_ms) override {
    BackfillPolicy::waits(job, at_ms);
    new_.push_back(&job);
  }

  const std::unordered_map<JobId, ForecastSample>& samples() const { return samples_; }

 private:
  void look(const std::vector<QueueView>& queues, const ClusterView& cluster,
            WallMs now_ms) override {
    BackfillPolicy::look(queues, cluster, now_ms);
    for (const Job* job : new_) samples_[job->id] = sample(*job);
    new_.clear();
  }
  ForecastSample sample(const Job& job) const {
    ForecastSample out;
    const RunForecast learned = predictor()->forecast(job, RunTimes::Learned);
    out.request_s = job.spec.time_limit_s;
    out.last_two_s = predictor()->forecast(job, RunTimes::LastTwo).run_s;
    out.learned_s = learned.run_s;
    out.q50_s = predictor()->quantile_s(learned, 0.5, out.request_s);
    out.q90_s = predictor()->quantile_s(learned, 0.9, out.request_s);
    return out;
  }

  std::vector<const Job*> new_;
  std::unordered_map<JobId, ForecastSample> samples_;
};

}  // namespace

std::vector<ForecastSample> forecasts_of(const Workload& window, std::span<const TraceJob> earlier,
                                         ModelShelf& shelf) {
  ReplayOptions options;
  ClusterConfig config = pool_of(window.procs, QueueOrder::Saf, Backfill::Easy);
  config.queues.front().run_times = RunTimes::Learned;
  options.config = std::make_shared<ClusterConfig>(std::move(config));
  InlineTrainer trainer(&shelf);
  ProbedPolicy policy(std::nullopt, &trainer,
                      [&] { return past_before(earlier, window, options); });
  replay(window, policy, options);
  std::vector<ForecastSample> samples;
  for (std::size_t i = 0; i < window.jobs.size(); ++i) {
    ForecastSample sample = policy.samples().at(i + 1);  // numbers are given in order
    sample.run_s = static_cast<double>(window.jobs[i].run_s);
    samples.push_back(sample);
  }
  return samples;
}

ForecastErrors errors_of(const std::vector<ForecastSample>& samples,
                         double ForecastSample::*expected) {
  ForecastErrors errors;
  double off = 0, run = 0, logs = 0, too_short = 0;
  for (const ForecastSample& sample : samples) {
    off += std::fabs(sample.*expected - sample.run_s);
    run += sample.run_s;
    logs += std::fabs(std::log(std::max(sample.*expected, shortest_run_s) /
                               std::max(sample.run_s, shortest_run_s)));
    if (sample.run_s > sample.*expected) ++too_short;
  }
  if (samples.empty()) return errors;
  const double count = static_cast<double>(samples.size());
  errors.wape = run > 0 ? off / run : 0;
  errors.factor = std::exp(logs / count);
  errors.too_short = too_short / count;
  return errors;
}

}  // namespace hyades
