// How long jobs will run, as far as what has ended tells. Orders and forecasts go by it; nobody is
// stopped by it.
//
// A job is looked at when it is submitted, and again whenever a job of its user has ended. Models
// are made of the jobs that ended last, again and again as more of them end. Nothing that happens
// later can change what was predicted before: a test cuts logs short to see that.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "core/policy.hpp"
#include "policy/queue_tally.hpp"
#include "policy/run_model.hpp"
#include "policy/usage_history.hpp"

namespace hyades {

// What is known without any past: the job runs for as long as it asked for.
RunForecast requested_run(const JobSpec& spec);

// Jobs that had ended before anybody was told of any, in any order.
using PastJobs = std::function<std::vector<JobOutcomeFacts>()>;

// Whoever says how long jobs will run.
class RunForecasts {
 public:
  virtual ~RunForecasts() = default;
  virtual RunForecast forecast(const Job& job, RunTimes run_times) const = 0;
};

class RunPredictor : public RunForecasts {
 public:
  // `trainer` must outlive this; nullptr: nobody makes models. Without a model, RunTimes::Learned
  // is RunTimes::LastTwo. `past` is asked once, at the first decision.
  explicit RunPredictor(RunModelTrainer* trainer = nullptr, PastJobs past = {})
      : trainer_(trainer), past_(std::move(past)) {}

  // Whether anybody goes by models. If not, no examples are kept.
  void configure(bool learns) { learns_ = learns && trainer_ != nullptr; }

  // As the policy is told.
  void waits(const Job& job);
  void leaves(const Job& job);
  void starts(const Job& job, WallMs at_ms);
  void ended(const Job& job);
  // What has ended stays known.
  void forget();

  // Before the forecasts of one decision.
  void look(const std::vector<QueueView>& queues, const ClusterView& cluster, WallMs now_ms);

  bool has_model() const { return model_ != nullptr; }
  // Of a job that was told of; of others, its request.
  RunForecast forecast(const Job& job, RunTimes run_times) const override;
  // The same of one that may run, in milliseconds: longer than it has run for, unless that is its
  // request.
  WallMs expected_run_ms(const Job& job, RunTimes run_times, WallMs now_ms) const;
  // The run time that the job will not exceed with a probability of q (0..1), by how wrong the
  // forecasts of jobs that have ended since were.
  double quantile_s(const RunForecast& forecast, double q, double request_s) const;

 private:
  // What is asked for most lies together: there may be ten thousand of them, all over memory.
  struct Known {
    WallMs start_ms = 0;  // 0: it does not run
    bool seen = false;    // all forecasts and the row are set
    RunForecast last_two;
    RunForecast learned;
    AskedFacts asked;
    WallMs submit_ms = 0;
    std::unique_ptr<ModelRow> row;  // at its submission; nullptr: nobody learns
    double first_run_s = 0;         // what was expected at its submission
  };

  void begin(const std::vector<QueueView>& queues, const ClusterView& cluster, WallMs now_ms);
  void learn_past(const std::vector<JobOutcomeFacts>& past, std::int64_t cores);
  void see_new(const std::vector<QueueView>& queues, const ClusterView& cluster, WallMs now_ms);
  void see_again(WallMs now_ms);
  void predict(Known& known, WallMs now_ms, bool is_new);
  RunForecast last_two(const AskedFacts& asked, WallMs now_ms) const;
  const Known* known(const Job& job) const;  // nullptr: it is not
  static RunForecast forecast_of(const Known* known, const Job& job, RunTimes run_times);
  void learn(const ModelRow& row, double run_s, double request_s);
  void note_error(double ratio);
  void tend_model(WallMs now_ms);

  RunModelTrainer* trainer_;
  PastJobs past_;  // until it was asked
  bool learns_ = false;
  bool begun_ = false;
  UsageHistory history_;
  QueueTally tally_;
  std::unordered_map<JobId, Known> jobs_;
  std::unordered_map<std::uint32_t, std::set<JobId>> waiting_;  // by user
  std::vector<JobId> new_;                                      // not seen yet
  std::set<std::uint32_t> stale_;  // users of whose jobs more is known than was used

  std::deque<RunExample> examples_;
  std::size_t since_training_ = 0;  // examples
  WallMs training_ms_ = 0;          // when the last one began; 0: none has
  std::shared_ptr<const RunModel> model_;

  std::deque<float> errors_;          // run / expected, the newest last
  std::vector<float> sorted_errors_;  // some of them ago
  std::size_t errors_since_sorted_ = 0;
};

}  // namespace hyades
