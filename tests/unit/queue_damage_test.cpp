// Random bytes of the queue's files change. It is refused with a reason, or the damage is harmless.
#include <random>

#include "contract/queue_on_disk.hpp"

namespace hyades {
namespace {

// Refused with a reason, or harmless: whatever is read is what was written.
class DamageTest : public QueueOnDisk {
 protected:
  void expect_refused_or_whole(const std::string& what) {
    OpenQueue queue = open_queue(temporary_.path());
    if (!queue.store) {
      ++refused_;
      EXPECT_NE(queue.error.find(file()), std::string::npos) << what << queue.error;
      return;
    }
    ++opened_;
    StoredState state;
    const std::vector<JobEvent> events = load_events(*queue.store, &state);
    ASSERT_EQ(queue->last_error(), "") << what;
    ASSERT_EQ(events.size(), events_.size()) << what;
    for (std::size_t i = 0; i < events.size(); ++i) {
      EXPECT_TRUE(same(events[i], events_[i])) << what;
    }
    EXPECT_GE(state.next_job, state_.next_job) << what;
    EXPECT_GE(state.next_sequence, state_.next_sequence) << what;
    for (JobId id = 1; id <= 30; ++id) {
      const std::optional<JobPayload> payload = queue->load_payload(id);
      EXPECT_TRUE(payload ? *payload == sample_payload() : !queue->last_error().empty()) << what;
    }
  }
  void flip(std::string& bytes, std::size_t at) {
    bytes[at] = static_cast<char>(bytes[at] ^ (1 + random_() % 255));
  }

  std::mt19937 random_{20240607};
  int refused_ = 0;
  int opened_ = 0;
};

TEST_F(DamageTest, FlippedBytesInTheFile) {
  make_queue();
  const std::string whole = read_bytes(file());
  const std::string note = read_bytes(file(".note"));
  for (int i = 0; i < 200; ++i) {
    std::string bytes = whole;
    const std::size_t at = random_() % bytes.size();
    flip(bytes, at);
    write_bytes(file(), bytes);
    write_bytes(file(".note"), note);
    write_bytes(file("-wal"), "");
    expect_refused_or_whole("byte " + std::to_string(at) + ": ");
  }
  EXPECT_GT(refused_, 20);
  EXPECT_GT(opened_, 20);  // free space, ended jobs, scripts
}

TEST_F(DamageTest, FlippedBytesInTheLog) {
  make_queue(1);
  {
    OpenQueue queue = open_queue(temporary_.path());
    commit_jobs(*queue.store, 2, 30);
    events_ = load_events(*queue.store, &state_);
  }
  const std::string whole = read_bytes(file());
  const std::string log = read_bytes(file("-wal"));
  const std::string note = read_bytes(file(".note"));
  for (int i = 0; i < 100; ++i) {
    std::string bytes = log;
    const std::size_t at = random_() % bytes.size();
    flip(bytes, at);
    write_bytes(file(), whole);
    write_bytes(file("-wal"), bytes);
    write_bytes(file(".note"), note);
    expect_refused_or_whole("byte " + std::to_string(at) + " of the log: ");
  }
  EXPECT_GT(refused_, 50);
}

TEST_F(DamageTest, FlippedBytesInTheNote) {
  make_queue();
  const std::string whole = read_bytes(file());
  const std::string note = read_bytes(file(".note"));
  for (int i = 0; i < 100; ++i) {
    std::string bytes = note;
    flip(bytes, random_() % bytes.size());
    write_bytes(file(), whole);
    write_bytes(file("-wal"), "");
    write_bytes(file(".note"), bytes);
    expect_refused_or_whole("note: ");
  }
}

}  // namespace
}  // namespace hyades
