// What the master remembers of jobs that have ended: all of the queue's, each once.
#include "master/job_history.hpp"

#include "contract/queue_on_disk.hpp"

namespace hyades {
namespace {

constexpr WallMs kLater = 100'000;

class JobHistoryTest : public testing::Test {
 protected:
  void SetUp() override {
    queue_ = open_queue(temporary_.path());
    ASSERT_TRUE(queue_.store) << queue_.error;
    ASSERT_EQ(queue_->begin_epoch(), 1u);
  }
  void submit(JobId id, const std::string& name = "train") {
    ASSERT_EQ(queue_->commit(one_job(id, "", name)), CommitResult::Committed);
  }
  // Ran for a second on 24 cores. Returns the batch in which it ended.
  Batch end(JobId id, Outcome outcome = Outcome::Completed) {
    const LaunchKey key = sample_key(id, 1, id);
    queue_->commit(one_event(id, Assigned{key, 1, sample_placement(), {}}));
    Batch batch = one_event(id, sample_end(outcome));
    std::get<Ended>(batch.job_events[0].what).ended_ms += static_cast<WallMs>(id);
    EXPECT_EQ(queue_->commit(batch), CommitResult::Committed) << queue_->last_error();
    return batch;
  }
  int known(JobHistory& history, WallMs now_ms = kLater) {
    return history.up_to_date().by_user(asked_by(sample_spec()), now_ms).jobs;
  }

  TemporaryDirectory temporary_;
  OpenQueue queue_;
};

TEST_F(JobHistoryTest, ReadsWhatHasEndedBefore) {
  JobHistory history(*queue_.store);
  EXPECT_EQ(known(history), 0) << "an empty queue";
  for (JobId id = 1; id <= 4; ++id) submit(id);
  end(2);
  end(3);
  EXPECT_EQ(known(history), 2);
  EXPECT_EQ(known(history, 7003), 1) << "one had ended by then";
}

TEST_F(JobHistoryTest, AddsWhatEndsFromThenOn) {
  for (JobId id = 1; id <= 4; ++id) submit(id);
  end(1);
  JobHistory history(*queue_.store);
  EXPECT_EQ(known(history), 1);
  history.note(end(2));
  end(3);  // nobody says so
  EXPECT_EQ(known(history), 2);
  history.note(end(4));
  EXPECT_EQ(known(history), 3);
}

// Told before the first question, which reads it anyway.
TEST_F(JobHistoryTest, CountsEachJobOnce) {
  submit(1);
  JobHistory history(*queue_.store);
  history.note(end(1));
  EXPECT_EQ(known(history), 1);
  EXPECT_EQ(known(history), 1);
}

TEST_F(JobHistoryTest, KnowsAllThatAJobUsed) {
  submit(1);
  end(1, Outcome::Failed);
  const auto stored = queue_->list_jobs({.ids = {1}, .full_usage = true});
  ASSERT_EQ(stored.size(), 1u);
  const JobOutcomeFacts facts = outcome_facts(stored[0]);
  EXPECT_EQ(facts.usage, sample_usage());
  EXPECT_EQ(facts.cores, sample_placement().cores());
  EXPECT_EQ(facts.submit_ms, 1001);
  EXPECT_EQ(facts.start_ms, 6000);
  EXPECT_EQ(facts.end_ms, 7001);
  EXPECT_EQ(facts.outcome, Outcome::Failed);
  EXPECT_EQ(facts.asked.cores, 24);
  EXPECT_EQ(facts.asked.devices_per_node, 3);

  JobHistory history(*queue_.store);
  const RecentSummary past = history.up_to_date().by_name(asked_by(sample_spec()), kLater);
  ASSERT_EQ(past.jobs, 1);
  EXPECT_EQ(past.mean(PastFigure::Failed), 1);
  EXPECT_EQ(past.mean(PastFigure::Measured), 1);
  EXPECT_GT(past.mean(PastFigure::SwitchRate), 0) << "only the full usage has switches";
}

// More than are read at once.
TEST_F(JobHistoryTest, ReadsAThousandJobs) {
  Batch all;
  for (JobId id = 1; id <= 1'200; ++id) add_job(all, id, sample_spec());
  ASSERT_EQ(queue_->commit(all), CommitResult::Committed);
  Batch ends;
  for (JobId id = 1; id <= 1'200; ++id) {
    ends.job_events.push_back({id, 5000, sample_end(Outcome::Completed)});
  }
  ASSERT_EQ(queue_->commit(ends), CommitResult::Committed) << queue_->last_error();
  JobHistory history(*queue_.store);
  EXPECT_EQ(history.up_to_date().added(), 1'200u);
}

}  // namespace
}  // namespace hyades
