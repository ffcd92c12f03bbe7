// What every Store promises (core/ports.hpp), tried on each implementation: SQLite in a file, the
// same reopened after every commit, and the simulator's memory.
#include <gtest/gtest.h>

#include "contract/store_samples.hpp"
#include "master/sqlite_store.hpp"
#include "master/state_directory.hpp"
#include "sim/memory_store.hpp"

namespace hyades {
namespace {

class Harness {
 public:
  virtual ~Harness() = default;
  virtual Store& store() = 0;
  virtual void committed() {}  // called after every commit
};

class MemoryHarness : public Harness {
 public:
  Store& store() override { return store_; }

 private:
  MemoryStore store_;
};

class SqliteHarness : public Harness {
 public:
  explicit SqliteHarness(bool reopen) : reopen_(reopen) { open(); }
  Store& store() override { return *store_; }
  void committed() override {
    if (reopen_) open();
  }

 private:
  void open() {
    store_.reset();
    directory_.reset();
    std::string error;
    directory_ = StateDirectory::open(temporary_.path(), StateDirectory::IfMissing::Refuse, error);
    if (directory_) store_ = SqliteStore::open(*directory_, error);
    if (!store_) throw std::runtime_error(error);
  }

  bool reopen_;
  TemporaryDirectory temporary_;
  std::unique_ptr<StateDirectory> directory_;
  std::unique_ptr<SqliteStore> store_;
};

struct Implementation {
  const char* name;
  std::function<std::unique_ptr<Harness>()> make;
};

void PrintTo(const Implementation& implementation, std::ostream* out) {
  *out << implementation.name;
}

class StoreContract : public testing::TestWithParam<Implementation> {
 protected:
  void SetUp() override { harness_ = GetParam().make(); }
  Store& store() { return harness_->store(); }

  CommitResult commit(const Batch& batch) {
    const CommitResult result = store().commit(batch);
    last_error_ = store().last_error();
    harness_->committed();
    return result;
  }
  void must_commit(const Batch& batch) {
    ASSERT_EQ(commit(batch), CommitResult::Committed) << last_error_;
  }

  struct Loaded {
    StoredState state;
    std::vector<JobEvent> events;
  };
  Loaded load() {
    Loaded loaded;
    store().load(loaded.state, [&](const JobEvent& event) { loaded.events.push_back(event); });
    EXPECT_EQ(store().last_error(), "");
    return loaded;
  }
  void expect_events(const std::vector<JobEvent>& expected) {
    const Loaded loaded = load();
    ASSERT_EQ(loaded.events.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_TRUE(same(loaded.events[i], expected[i])) << "event " << i;
    }
  }

  std::unique_ptr<Harness> harness_;
  std::string last_error_;
};

TEST_P(StoreContract, StartsEmpty) {
  const Loaded loaded = load();
  EXPECT_EQ(loaded.state.next_job, 1u);
  EXPECT_EQ(loaded.state.next_sequence, 1u);
  EXPECT_TRUE(loaded.state.node_events.empty());
  EXPECT_TRUE(loaded.events.empty());
  EXPECT_FALSE(store().find_ended(1));
  EXPECT_FALSE(store().find_token(1001, "x"));
  EXPECT_FALSE(store().load_payload(1));
}

TEST_P(StoreContract, AnEmptyBatchIsCommitted) {
  EXPECT_EQ(commit(Batch{}), CommitResult::Committed);
  EXPECT_EQ(load().state.next_job, 1u);
}

TEST_P(StoreContract, GivesBackEveryFieldOfEveryEvent) {
  std::vector<JobEvent> expected;
  const auto keep = [&](const Batch& batch) {
    must_commit(batch);
    expected.insert(expected.end(), batch.job_events.begin(), batch.job_events.end());
    expect_events(expected);
  };
  keep(one_job(7, "token"));
  keep(one_event(7, DependencySettled{{DependencyKind::AfterOk, 5}, true}));
  keep(one_event(7, DependencySettled{{DependencyKind::AfterNotOk, 6}, false}));
  keep(one_event(7, HoldChanged{true, true, "root"}));
  keep(one_event(7, HoldChanged{false, false, ""}));
  keep(one_event(7, Assigned{sample_key(7, 1, 44), 3, sample_placement(), StartReason::Backfill, 7,
                             "saf+easy, reserve 0.1", "lookahead", sample_place_why()}));
  keep(one_event(7, Started{sample_key(7, 1, 44), 6000}));
  keep(one_event(7, RequeueRequested{"ann"}));
  keep(one_event(7, Requeued{sample_key(7, 1, 44), "node vn1 rebooted", true, 9000, "vn1"}));
  keep(one_event(7, Assigned{sample_key(7, 2, 45), 4, Placement{}, StartReason::Immediate, 0}));
  keep(one_event(7, CancelRequested{"ann"}));
}

TEST_P(StoreContract, DefaultsSurviveAsWell) {
  Batch batch;
  add_job(batch, 1, JobSpec{}, "", JobPayload{});
  must_commit(batch);
  expect_events(batch.job_events);
  ASSERT_TRUE(store().load_payload(1));
  EXPECT_EQ(*store().load_payload(1), JobPayload{});
}

TEST_P(StoreContract, ReplaysInTheOrderOfCommits) {
  std::vector<JobEvent> expected;
  const auto keep = [&](const Batch& batch) {
    must_commit(batch);
    expected.insert(expected.end(), batch.job_events.begin(), batch.job_events.end());
  };
  Batch first;
  add_job(first, 1, sample_spec("a"));
  add_job(first, 2, sample_spec("b"));
  keep(first);
  keep(one_event(2, HoldChanged{true, false, "ann"}));
  keep(one_event(1, HoldChanged{true, false, "ann"}));
  keep(one_job(3));
  keep(one_event(2, HoldChanged{false, false, "ann"}));
  keep(one_event(1, HoldChanged{false, false, "ann"}));
  expect_events(expected);
}

TEST_P(StoreContract, EndedJobsAreHistory) {
  must_commit(one_job(1, "one"));
  must_commit(one_job(2));
  EXPECT_FALSE(store().find_ended(1));
  Ended never_started = sample_end(Outcome::Cancelled);
  never_started.started_ms = 0;
  must_commit(one_event(1, never_started));
  ASSERT_TRUE(store().find_ended(1));
  EXPECT_EQ(store().find_ended(1)->outcome, Outcome::Cancelled);
  EXPECT_FALSE(store().find_ended(1)->started);
  EXPECT_FALSE(store().find_ended(2));

  const Loaded loaded = load();
  ASSERT_EQ(loaded.events.size(), 1u);
  EXPECT_EQ(loaded.events[0].job, 2u);
  EXPECT_EQ(loaded.state.next_job, 3u);
  EXPECT_EQ(store().find_token(1001, "one"), JobId{1});
  EXPECT_TRUE(store().load_payload(1));
}

TEST_P(StoreContract, RemembersWhetherAnEndedJobEverStarted) {
  for (JobId id = 1; id <= 3; ++id) {
    must_commit(one_job(id));
    must_commit(one_event(id, Assigned{sample_key(id, 1, id), 1, sample_placement(), {}}));
  }
  Ended end = sample_end(Outcome::Completed);
  must_commit(one_event(1, Started{sample_key(1, 1, 1), 6000}));
  must_commit(one_event(1, end));
  must_commit(one_event(2, end));  // its start and its end arrived together
  end.started_ms = 0;
  must_commit(one_event(3, end));
  EXPECT_TRUE(store().find_ended(1)->started);
  EXPECT_TRUE(store().find_ended(2)->started);
  EXPECT_FALSE(store().find_ended(3)->started);
}

TEST_P(StoreContract, TokensNameOneJobPerUser) {
  Batch batch;
  JobSpec spec = sample_spec();
  add_job(batch, 1, spec, "t");
  spec.uid = 2002;
  add_job(batch, 2, spec, "t");
  add_job(batch, 3, spec);
  add_job(batch, 4, spec);
  must_commit(batch);
  EXPECT_EQ(store().find_token(1001, "t"), JobId{1});
  EXPECT_EQ(store().find_token(2002, "t"), JobId{2});
  EXPECT_FALSE(store().find_token(3003, "t"));
  EXPECT_FALSE(store().find_token(1001, "T"));
  EXPECT_FALSE(store().find_token(2002, ""));
}

TEST_P(StoreContract, RefusesATokenThatIsTaken) {
  must_commit(one_job(1, "t"));
  Batch batch = one_job(2, "u");
  add_job(batch, 3, sample_spec(), "t");
  EXPECT_EQ(commit(batch), CommitResult::Failed);
  EXPECT_NE(last_error_, "");
  EXPECT_EQ(load().events.size(), 1u);
  EXPECT_FALSE(store().find_token(1001, "u"));
  EXPECT_EQ(store().find_token(1001, "t"), JobId{1});
}

TEST_P(StoreContract, RefusesAnIdThatIsTaken) {
  must_commit(one_job(1));
  Batch batch = one_job(2);
  add_job(batch, 1, sample_spec("other"));
  EXPECT_EQ(commit(batch), CommitResult::Failed);
  EXPECT_NE(last_error_, "");
  expect_events(one_job(1).job_events);
  EXPECT_FALSE(store().load_payload(2));
  must_commit(one_job(2));
}

TEST_P(StoreContract, RefusesEventsOfJobsThatDoNotExist) {
  must_commit(one_job(1));
  const std::vector<decltype(JobEvent::what)> events = {
      DependencySettled{},
      HoldChanged{},
      Assigned{sample_key(9, 1, 77), 1, sample_placement(), {}},
      Started{sample_key(9, 1, 1), 1},
      CancelRequested{},
      RequeueRequested{},
      Requeued{},
      sample_end()};
  for (const auto& event : events) {
    Batch batch = one_job(2);
    batch.job_events.push_back({9, 5000, event});
    EXPECT_EQ(commit(batch), CommitResult::Failed) << event.index();
    EXPECT_NE(last_error_, "");
    const Loaded loaded = load();
    EXPECT_EQ(loaded.events.size(), 1u);
    EXPECT_EQ(loaded.state.next_sequence, 1u);
  }
}

TEST_P(StoreContract, NumbersAreNeverGivenOutTwice) {
  must_commit(one_job(5));
  EXPECT_EQ(load().state.next_job, 6u);
  must_commit(one_event(5, Assigned{sample_key(5, 1, 17), 1, sample_placement(), {}}));
  EXPECT_EQ(load().state.next_sequence, 18u);
  must_commit(one_event(5, sample_end()));
  EXPECT_EQ(load().state.next_job, 6u);
  EXPECT_EQ(load().state.next_sequence, 18u);
  Batch two;
  add_job(two, 6, sample_spec());
  add_job(two, 7, sample_spec());
  two.job_events.push_back({6, 1, Assigned{sample_key(6, 1, 40), 1, sample_placement(), {}}});
  two.job_events.push_back({7, 1, Assigned{sample_key(7, 1, 30), 1, sample_placement(), {}}});
  must_commit(two);
  EXPECT_EQ(load().state.next_job, 8u);
  EXPECT_EQ(load().state.next_sequence, 41u);
}

TEST_P(StoreContract, PayloadsAreKeptByteForByte) {
  JobPayload payload = sample_payload();
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
  payload.script = std::string("#!/bin/sh\r\n\0", 12) + every_byte + std::string(4 << 20, 'x');
  payload.arguments.push_back(every_byte);
  payload.environment.assign(50, "NAME=" + every_byte);
  payload.working_directory = "/" + every_byte;
  payload.comment = every_byte;
  Batch batch;
  add_job(batch, 1, sample_spec(), "", payload);
  must_commit(batch);
  ASSERT_TRUE(store().load_payload(1));
  EXPECT_EQ(*store().load_payload(1), payload);
  EXPECT_FALSE(store().load_payload(2));
  EXPECT_NE(store().last_error(), "");
}

TEST_P(StoreContract, StringsMeanNothingToIt) {
  const std::vector<std::string> strings = {"'; DROP TABLE job;--",
                                            "\"; DELETE FROM job",
                                            "%_",
                                            "?1",
                                            "$x",
                                            "\\",
                                            "{\"hex\": \"00\"}",
                                            "[\"a\"]",
                                            std::string("a\0b", 3),
                                            "\xff\xfe",
                                            "\xc3(",
                                            "\xed\xa0\x80",
                                            "h\xc3\xa9llo",
                                            "\x1b[31m\r\n2026 root login",
                                            std::string(1 << 20, 'x')};
  std::vector<JobEvent> expected;
  JobId id = 0;
  for (const std::string& text : strings) {
    JobSpec spec = sample_spec(text);
    spec.user = spec.queue = text;
    spec.features = spec.node_list = {text, "other"};
    spec.devices_per_node = {{text, 1}};
    Batch batch;
    add_job(batch, ++id, spec, "token " + text);
    batch.job_events.push_back({id, 2000, HoldChanged{true, false, text}});
    Placement placement = sample_placement();
    placement.shares[0].node = text;
    batch.job_events.push_back(
        {id, 2000, Assigned{sample_key(id, 1, id), 1, placement, StartReason::Immediate}});
    batch.job_events.push_back({id, 2001, Requeued{sample_key(id, 1, id), text, false, 1, text}});
    must_commit(batch);
    expected.insert(expected.end(), batch.job_events.begin(), batch.job_events.end());
    EXPECT_EQ(store().find_token(1001, "token " + text), id);
  }
  expect_events(expected);
}

TEST_P(StoreContract, NodesAreRememberedByTheirLastState) {
  Inventory small{4, 8192, {{"gpu", 2}}, {"avx"}};
  Inventory large{8, 16384, {}, {}};
  Batch batch;
  batch.node_events = {{"vn2", 1, NodeDefined{small, "boot-1"}},
                       {"vn1", 2, NodeDefined{small, "boot-1"}},
                       {"vn2", 3, NodeDrained{"broken fan", "root"}}};
  must_commit(batch);
  batch.node_events = {{"vn1", 4, NodeDefined{large, "boot-2"}},
                       {"vn3", 5, NodeDrained{"not there yet", "ann"}},
                       {"vn2", 6, NodeResumed{"ann"}},
                       {"vn1", 7, NodeResumed{"bob"}},
                       {"vn1", 8, NodeDrained{"again", "bob"}}};
  must_commit(batch);
  const std::vector<NodeEvent> expected = {{"vn2", 1, NodeDefined{small, "boot-1"}},
                                           {"vn2", 6, NodeResumed{"ann"}},
                                           {"vn1", 4, NodeDefined{large, "boot-2"}},
                                           {"vn1", 8, NodeDrained{"again", "bob"}},
                                           {"vn3", 5, NodeDrained{"not there yet", "ann"}}};
  const Loaded loaded = load();
  ASSERT_EQ(loaded.state.node_events.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(same(loaded.state.node_events[i], expected[i])) << "node event " << i;
  }
}

TEST_P(StoreContract, ProfilesOfNodesAreKeptUntilTheyAreForgotten) {
  const Inventory inventory{4, 8192, {}, {}};
  NodeProfile other = sample_profile();
  other.source = "from \"a file\"";
  Batch batch;
  batch.node_events = {{"vn1", 1, NodeDefined{inventory, "boot-1"}},
                       {"vn1", 2, NodeProfiled{sample_profile(), "ann"}},
                       {"vn2", 3, NodeProfiled{sample_profile(), "ann"}},  // never seen
                       {"vn1", 4, NodeDrained{"a fan", "root"}}};
  must_commit(batch);
  batch.node_events = {{"vn1", 5, NodeProfiled{other, "bob"}},
                       {"vn2", 6, NodeProfiled{std::nullopt, "bob"}},
                       {"vn1", 7, NodeResumed{"ann"}}};
  must_commit(batch);
  std::vector<NodeEvent> profiled;
  for (const NodeEvent& event : load().state.node_events) {
    const auto* what = std::get_if<NodeProfiled>(&event.what);
    // Whether that one is forgotten is told, or nothing is, is all the same.
    if (what != nullptr && what->profile) profiled.push_back(event);
  }
  ASSERT_EQ(profiled.size(), 1u);
  EXPECT_TRUE(same(profiled[0], {"vn1", 5, NodeProfiled{other, "bob"}}));
}

TEST_P(StoreContract, ABatchMayBeLarge) {
  Batch batch;
  for (JobId id = 1; id <= 2000; ++id) {
    add_job(batch, id, sample_spec("job " + std::to_string(id)), std::to_string(id));
    if (id % 2 == 0) batch.job_events.push_back({id, 2000, sample_end()});
  }
  must_commit(batch);
  const Loaded loaded = load();
  EXPECT_EQ(loaded.events.size(), 1000u);
  EXPECT_EQ(loaded.state.next_job, 2001u);
  EXPECT_EQ(store().find_token(1001, "1999"), JobId{1999});
}

INSTANTIATE_TEST_SUITE_P(
    AllStores, StoreContract,
    testing::Values(Implementation{"memory", [] { return std::make_unique<MemoryHarness>(); }},
                    Implementation{"sqlite", [] { return std::make_unique<SqliteHarness>(false); }},
                    Implementation{"sqlite_reopened",
                                   [] { return std::make_unique<SqliteHarness>(true); }}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace hyades
