// A second cluster that only exists in the master's head: the same nodes and jobs under EASY with
// first come, first served. It says how long jobs would have waited if nobody had been favoured,
// which is what a policy that favours some is held against.
//
// A job runs there for as long as it really ran, once that is known; until then, for as long as is
// expected. What it is told is played by advance(), at the times at which it happened.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/policy.hpp"

namespace hyades {

// How long a job is expected to run; more than it has run for until now, at most its limit.
using ExpectedRun = std::function<WallMs(const Job&, RunTimes, WallMs now_ms)>;

class Twin {
 public:
  // `depth`: candidates that are looked at behind a reservation, over all queues; 0: all.
  void configure(int depth) { depth_ = depth; }

  void waits(const Job& job, WallMs at_ms);
  void ended(const Job& job, WallMs at_ms);
  void forget();

  // Plays all that was told, until `now_ms`. It begins from what it is shown the first time, when
  // nodes have come or changed, and when the clock was set back by much: what runs runs on, what
  // waits has waited since `since(job)`.
  void advance(const std::vector<QueueView>& queues, const ClusterView& cluster, WallMs now_ms,
               const std::function<WallMs(const Job&)>& since, const ExpectedRun& expected);

  // The longest that a job of the queue has waited there so far.
  WallMs longest_wait_ms(const std::string& queue) const;

 private:
  struct TwinJob {
    Job job;  // as it was when it came; nothing but what it asks for is used
    WallMs since_ms = 0;
    WallMs run_ms = -1;    // how long it really ran; -1: it has not ended
    WallMs start_ms = -1;  // here; -1: it waits
    WallMs end_ms = 0;     // here, as it stands
    Plan plan;
    bool over = false;  // here
  };
  struct TwinQueue {
    QueueConfig config;
    WaitingList waiting;
    std::vector<char> usable;
    RunTimes run_times = RunTimes::Request;  // that are expected
    WallMs longest_wait_ms = 0;
  };
  struct News {
    WallMs at_ms = 0;
    JobId job = 0;
    bool has_ended = false;
    WallMs run_ms = 0;
  };

  void take_over(const std::vector<QueueView>& queues, const ClusterView& cluster, WallMs now_ms,
                 const std::function<WallMs(const Job&)>& since);
  void see_queues(const std::vector<QueueView>& queues);
  void play(const News& news);
  void decide(const Cluster& cluster, WallMs now_ms);
  void begin(TwinJob& twin, const Plan& plan, WallMs at_ms);
  void finish(TwinJob& twin);
  WallMs expected_run_ms(const TwinJob& twin, WallMs now_ms);
  bool lives_on(TwinJob& twin, WallMs now_ms);
  void set_end(TwinJob& twin, WallMs end_ms);
  void move(TwinJob& twin, int sign);
  TwinQueue* queue_of(const TwinJob& twin);

  int depth_ = 0;
  bool known_ = false;             // take_over() has been
  WallMs last_ms_ = 0;             // of the last advance()
  std::uint64_t inventories_ = 0;  // Cluster::inventories() at take_over()
  std::deque<News> news_;
  std::unordered_map<JobId, TwinJob> jobs_;
  std::vector<std::unique_ptr<TwinQueue>> queues_;  // by priority
  RunningList running_;
  std::map<std::pair<WallMs, JobId>, TwinJob*> ends_;
  FreeTable free_;
  const Cluster* cluster_ = nullptr;       // while it is advanced
  const ExpectedRun* expected_ = nullptr;  // likewise
};

}  // namespace hyades
