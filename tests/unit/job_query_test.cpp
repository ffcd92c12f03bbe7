// What hstat and hacct ask the queue.
#include "master/job_query.hpp"

#include "contract/queue_on_disk.hpp"

namespace hyades {
namespace {

class ListingTest : public testing::Test {
 protected:
  void SetUp() override {
    queue_ = open_queue(temporary_.path());
    ASSERT_TRUE(queue_.store) << queue_.error;
    ASSERT_EQ(store().begin_epoch(), 1u);
    add(1, "ann", "train", "batch");
    add(2, "bob", "%_", "batch");
    add(3, "ann", "'; DROP TABLE job;--", "gpu");
    add(4, "eve", "train", "gpu");
    store().commit(
        one_event(2, Assigned{sample_key(2, 1, 5), 1, sample_placement(), StartReason::Backfill}));
    store().commit(one_event(2, Started{sample_key(2, 1, 5), 6000}));
    store().commit(one_event(3, Assigned{sample_key(3, 1, 6), 1, sample_placement(), {}}));
    store().commit(one_event(3, Started{sample_key(3, 1, 6), 6000}));
    store().commit(one_event(3, Requeued{sample_key(3, 1, 6), "lost", true, 0, ""}));
    store().commit(one_event(3, Assigned{sample_key(3, 2, 7), 1, sample_placement(), {}}));
    store().commit(one_event(3, sample_end(Outcome::Completed)));
    Ended cancelled;
    cancelled.outcome = Outcome::Cancelled;
    cancelled.ended_ms = 9000;
    store().commit(one_event(4, cancelled));
  }
  void add(JobId id, const std::string& user, const std::string& name, const std::string& queue) {
    Batch batch;
    JobSpec spec = sample_spec(name);
    spec.user = user;
    spec.queue = queue;
    spec.hold = false;
    add_job(batch, id, spec);
    ASSERT_EQ(store().commit(batch), CommitResult::Committed) << store().last_error();
  }
  std::vector<JobId> ids(const JobQuery& query) {
    std::vector<JobId> found;
    for (const StoredJob& job : store().list_jobs(query)) found.push_back(job.id);
    EXPECT_EQ(store().last_error(), "");
    return found;
  }
  using Ids = std::vector<JobId>;
  SqliteStore& store() { return *queue_.store; }

  TemporaryDirectory temporary_;
  OpenQueue queue_;
};

TEST_F(ListingTest, Filters) {
  EXPECT_EQ(ids({}), Ids({4, 3, 2, 1}));
  EXPECT_EQ(ids({.ids = {1, 4, 99, ~JobId{0}}}), Ids({4, 1}));
  EXPECT_EQ(ids({.users = {"ann"}}), Ids({3, 1}));
  EXPECT_EQ(ids({.users = {"ann", "eve"}}), Ids({4, 3, 1}));
  EXPECT_EQ(ids({.queues = {"gpu"}}), Ids({4, 3}));
  EXPECT_EQ(ids({.names = {"train"}}), Ids({4, 1}));
  EXPECT_EQ(ids({.users = {"ann"}, .names = {"train"}}), Ids({1}));
  EXPECT_EQ(ids({.states = {"PENDING"}}), Ids({1}));
  EXPECT_EQ(ids({.states = {"R", "CD"}}), Ids({3, 2}));
  EXPECT_EQ(ids({.states = {"CANCELLED", "RUNNING"}}), Ids({4, 2}));
  EXPECT_EQ(ids({.states = {"nonsense"}}), Ids({}));
  EXPECT_EQ(ids({.ended_only = true}), Ids({4, 3}));
  EXPECT_EQ(ids({.ended_only = true, .since_ms = 8000}), Ids({4}));
  EXPECT_EQ(ids({.since_ms = 1002}), Ids({4, 3, 2}));
  EXPECT_EQ(ids({.until_ms = 1003}), Ids({2, 1}));
  EXPECT_EQ(ids({.limit = 2}), Ids({4, 3}));
  EXPECT_EQ(ids({.ids = {1, 2, 3}, .limit = 2}), Ids({3, 2}));
}

TEST_F(ListingTest, EveryEndCanBeAskedFor) {
  JobId id = 10;
  for (const Outcome outcome :
       {Outcome::Completed, Outcome::Failed, Outcome::Cancelled, Outcome::TimedOut,
        Outcome::NodeFailed, Outcome::LaunchFailed, Outcome::OutOfMemory}) {
    ++id;
    add(id, "ann", "end", "batch");
    Ended end;
    end.outcome = outcome;
    end.ended_ms = 9000;
    store().commit(one_event(id, end));
    for (const auto word :
         {state_name(JobPhase::Ended, outcome), state_code(JobPhase::Ended, outcome)}) {
      EXPECT_EQ(ids({.states = {std::string(word)}, .names = {"end"}}), Ids({id})) << word;
    }
  }
}

TEST_F(ListingTest, ByNode) {
  EXPECT_EQ(ids({.nodes = {"vn1"}}), Ids({3, 2}));
  EXPECT_EQ(ids({.nodes = {"vn2"}}), Ids({3, 2}));
  EXPECT_EQ(ids({.nodes = {"vn9", "vn2"}}), Ids({3, 2}));
  EXPECT_EQ(ids({.queues = {"gpu"}, .nodes = {"vn1"}, .limit = 5}), Ids({3}));
  for (const char* other : {"vn", "n1", "vn1,vn2", "", ",", "%", "vn_"}) {
    EXPECT_EQ(ids({.nodes = {other}}), Ids({})) << other;
  }
}

TEST_F(ListingTest, FiltersAreNoPatternsAndNoSql) {
  EXPECT_EQ(ids({.names = {"%_"}}), Ids({2}));
  EXPECT_EQ(ids({.names = {"%"}}), Ids({}));
  EXPECT_EQ(ids({.names = {"'; DROP TABLE job;--"}}), Ids({3}));
  EXPECT_EQ(ids({.users = {"' OR 1=1 --"}}), Ids({}));
  EXPECT_EQ(ids({.users = {"\xff\xfe"}}), Ids({}));
  EXPECT_EQ(ids({.users = {std::string("ann\0", 4)}}), Ids({}));
  EXPECT_EQ(ids({}).size(), 4u);
}

TEST_F(ListingTest, TellsTheWholeStory) {
  const StoredJob job = store().list_jobs({.ids = {3}, .details = true}).at(0);
  JobSpec spec = sample_spec("'; DROP TABLE job;--");
  spec.queue = "gpu";
  spec.hold = false;
  EXPECT_EQ(job.spec, spec);
  EXPECT_EQ(job.phase, JobPhase::Ended);
  EXPECT_EQ(job.outcome, Outcome::Completed);
  EXPECT_EQ(job.attempts, 2u);
  EXPECT_EQ(job.restarts, 1);
  EXPECT_EQ(job.submit_ms, 1003);
  EXPECT_EQ(job.start_ms, 6000);
  EXPECT_EQ(job.end_ms, 7000);
  EXPECT_EQ(job.node_names, "vn1,vn2");
  EXPECT_EQ(job.node_count, 2);
  EXPECT_EQ(job.cores, 24);
  EXPECT_EQ(job.exit_code, 3);
  EXPECT_EQ(job.signal, 9);
  EXPECT_EQ(job.usage, (Usage{11, 12, 13}));  // what the columns hold
  EXPECT_EQ(store().list_jobs({.ids = {3}, .full_usage = true}).at(0).usage, sample_usage());
  EXPECT_EQ(store().list_jobs({.ids = {2}, .full_usage = true}).at(0).usage, Usage());
  EXPECT_EQ(job.reason, "because");
  EXPECT_EQ(job.comment, sample_payload().comment);
  EXPECT_EQ(job.working_directory, sample_payload().working_directory);
  EXPECT_EQ(job.stdout_path, sample_payload().stdout_path);
  EXPECT_EQ(job.command_line, sample_payload().command_line);

  const StoredJob running = store().list_jobs({.ids = {2}}).at(0);
  EXPECT_EQ(running.phase, JobPhase::Running);
  EXPECT_EQ(running.outcome, Outcome::None);
  EXPECT_EQ(running.start_reason, StartReason::Backfill);
  EXPECT_EQ(running.start_ms, 6000);
  EXPECT_EQ(running.comment, "") << "only for those who may see it";
  EXPECT_EQ(store().owner(2), 1001u);
  EXPECT_FALSE(store().owner(99));
}

TEST_F(ListingTest, EventsAreReadable) {
  const std::vector<StoredEvent> events = store().events(3);
  std::vector<std::string> kinds;
  for (const StoredEvent& event : events) {
    kinds.push_back(event.kind);
    EXPECT_EQ(event.job, 3u);
    EXPECT_EQ(event.epoch, 1u);
    EXPECT_EQ(event.detail.front(), '{');
  }
  EXPECT_EQ(kinds, std::vector<std::string>(
                       {"submitted", "assigned", "started", "requeued", "assigned", "ended"}));
  EXPECT_NE(events[0].detail.find("\"queue\":\"gpu\""), std::string::npos);
  EXPECT_NE(events[1].detail.find("\"cores\":\"0-11\""), std::string::npos);
  EXPECT_EQ(events[3].detail,
            "{\"attempt\":1,\"sequence\":6,\"reason\":\"lost\",\"had_started\":true}");
  EXPECT_TRUE(store().events(99).empty());
}

}  // namespace
}  // namespace hyades
