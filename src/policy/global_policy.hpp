// Phase 1 of scheduling: what holds for the time being in queues whose order is advised: by a
// model (`learned`), or by looking ahead (`lookahead-wait`, `lookahead-slowdown`).
//
// An adviser is asked about each of them, every half hour where a model answers, at most once a
// minute where it looks ahead and jobs wait; its answer holds until the next one. A model may
// choose to look ahead: then that is asked, too, until the model answers again. A failed question
// is asked again soon. Models and looking ahead are each left alone after three failures within a
// minute, until the configuration is loaded again, models also until another one is in use.
// Without an answer that is less than an hour old, the queue is ordered as `index` is.
//
// One thread.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "policy/adviser.hpp"
#include "policy/age_guard.hpp"
#include "policy/run_predictor.hpp"

namespace hyades {

class GlobalPolicy {
 public:
  static constexpr WallMs epoch_ms = 1'800'000;   // between questions to a model
  static constexpr WallMs lookahead_ms = 60'000;  // between others

  // `adviser` must outlive this.
  explicit GlobalPolicy(Adviser& adviser) : adviser_(adviser) {}

  // What failed before does not count, and all questions are due: what the adviser answers from may
  // have been mended. Its answers hold until then.
  void configure(const ClusterConfig& config);
  // The adviser goes by another model from now on. What the one before said holds no more.
  void take_another_model();
  void waits(const Job& job, WallMs at_ms);
  void leaves(const Job& job);
  void forget();

  // Before each decision. `guard`: nullptr: there is none.
  void look(const std::vector<QueueView>& queues, const ClusterView& cluster, WallMs now_ms,
            const AgeGuard* guard, const RunPredictor& predictor);

  // nullptr: no answer holds, the rule does.
  const GlobalAdvice* advice(const std::string& queue) const;

  // True when an answer has come since the last look, or the time for one is over, or a queue in
  // which jobs wait is to be asked about.
  bool wakes(WallMs now_ms);

  // What is known of the adviser, for people.
  struct Health {
    bool off = false;          // left alone
    std::string failure;       // the last one; "": none since the configuration was loaded
    std::size_t answers = 0;   // since then
    std::size_t failures = 0;  // likewise
    std::string model;         // of the last answer; "" of looking ahead
  };
  const Health& health() const { return models_.health; }
  const Health& lookahead_health() const { return lookahead_.health; }

 private:
  struct Queue {
    std::optional<Objective> only_look_ahead;  // nothing: a model answers
    std::deque<Arrival> arrivals;              // of the last day
    std::deque<GlobalFigures> frames;
    WallMs model_due_ms = 0;  // when the next question is
    WallMs look_due_ms = 0;
    std::size_t waiting = 0;  // jobs
    std::optional<GlobalAdvice> advice;
    WallMs advised_ms = 0;
  };

  enum class Asked { Nobody, Model, LookAhead };
  Asked due(const Queue& queue, WallMs now_ms) const;
  void ask(const QueueView& view, Asked who, const ClusterView& cluster, WallMs now_ms,
           const AgeGuard* guard, const RunPredictor& predictor);
  void see_arrivals(WallMs now_ms, const RunPredictor& predictor);
  // Of those who answer, which fail by themselves.
  struct Answerer {
    std::deque<WallMs> failed_ms;  // of the last minute
    Health health;
  };
  Answerer& asked_answerer() { return who_ == Asked::LookAhead ? lookahead_ : models_; }
  // What it is to make small now when it looks ahead; nothing: it does not.
  std::optional<Objective> look_ahead_of(const Queue& queue) const;
  void hold(Queue& queue, GlobalAdvice advice, WallMs now_ms);
  void expire(WallMs now_ms);
  bool take_answer(WallMs now_ms);
  void fail(Queue& queue, const std::string& why, WallMs now_ms);
  GlobalState state_of(Queue& queue, const GlobalScene& scene);

  Adviser& adviser_;
  GuardSettings guard_settings_;
  double gate_ = 0;                                 // see GlobalQuestion
  std::map<std::string, Queue> queues_;             // those that are advised
  std::vector<std::pair<const Job*, WallMs>> new_;  // since the last look
  std::string asked_;                               // of which queue
  Asked who_ = Asked::Nobody;                       // and who was
  Answerer models_;
  Answerer lookahead_;
};

}  // namespace hyades
