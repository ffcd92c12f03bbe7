// What every Link promises, run on the loopback link, and under mpirun (three ranks) on the MPI
// link. The nodes echo whatever they get.
#include <gtest/gtest.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>

#include "../fuzz/wire_samples.hpp"
#include "wire/codec.hpp"
#include "wire/loopback_link.hpp"
#include "wire/mpi_link.hpp"

namespace hyades {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMiB = 1u << 20;
constexpr std::size_t kQueuedBytesMax = 16 * kMiB;

std::size_t resident_bytes() {
  malloc_trim(0);  // what was freed does not count
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(getpagesize());
}

// ---- nodes -----------------------------------------------------------------------------------

Message numbered(Epoch number) { return {number, Heartbeat{}}; }

Message long_message(Epoch number, std::size_t bytes) {
  LaunchOrder order = samples::order();
  order.payload.script.assign(bytes, static_cast<char>('a' + number % 26));
  return {number, order};
}

// "flood": as many numbered messages as the epoch says. "quit": leave. "who": a Hello with the
// process id.
Message command(const std::string& word, Epoch number = 0) { return {number, Welcome{true, word}}; }

// Echoes, or does as it is told. False: it was told to leave.
bool answer(Link& link, const Delivery& delivery) {
  const auto* told = std::get_if<Welcome>(&delivery.message.body);
  if (told == nullptr || !told->accepted) {
    link.send(0, delivery.message);
  } else if (told->reason == "flood") {
    for (Epoch i = 0; i < delivery.message.epoch; ++i) link.send(0, numbered(i));
  } else if (told->reason == "who") {
    Hello hello;
    hello.pid = getpid();
    link.send(0, {0, hello});
  }
  return told == nullptr || told->reason != "quit";
}

// ---- the two worlds --------------------------------------------------------------------------

class World {
 public:
  virtual ~World() = default;
  virtual Link& master() = 0;
  // Gives the nodes a chance to run.
  virtual void pump() = 0;
  virtual void kill(PeerId peer) = 0;
  // Alive, but does not look at its messages.
  virtual void freeze(PeerId peer) = 0;
  virtual void thaw(PeerId peer) = 0;
  // What the link holds back for a node.
  virtual std::size_t queued_bytes(PeerId peer) = 0;
  virtual void give_up_on(PeerId peer) = 0;
};

class LoopbackWorld : public World {
 public:
  Link& master() override { return hub_.link(0); }
  void pump() override {
    for (PeerId peer = 1; peer <= 2; ++peer) {
      if (frozen_ == peer) continue;
      std::vector<Delivery> deliveries;
      hub_.link(peer).poll(deliveries);
      for (const Delivery& delivery : deliveries) answer(hub_.link(peer), delivery);
    }
  }
  void kill(PeerId peer) override { hub_.kill(peer); }
  void freeze(PeerId peer) override { frozen_ = peer; }
  void thaw(PeerId) override { frozen_ = 0; }
  std::size_t queued_bytes(PeerId peer) override { return hub_.queued(peer); }
  void give_up_on(PeerId) override {}

 private:
  LoopbackHub hub_{3, 20'000};
  PeerId frozen_ = 0;
};

class MpiLinkWorld : public World {
 public:
  explicit MpiLinkWorld(const MpiWorld& world) : link_(world, options()) {}

  static MpiLink::Options options() {
    MpiLink::Options options;
    options.queued_bytes_max = kQueuedBytesMax;
    return options;
  }

  void learn_pids() {
    for (PeerId peer = 1; peer <= 2; ++peer) link_.send(peer, command("who"));
    const auto deadline = Clock::now() + std::chrono::seconds(60);
    while ((pids_[1] == 0 || pids_[2] == 0) && Clock::now() < deadline) {
      std::vector<Delivery> deliveries;
      link_.poll(deliveries);
      for (const Delivery& delivery : deliveries) {
        pids_[delivery.from] = static_cast<pid_t>(std::get<Hello>(delivery.message.body).pid);
      }
      pump();
    }
  }

  Link& master() override { return link_; }
  void pump() override {
    pollfd entry{link_.doorbell_fd(), POLLIN, 0};
    ::poll(&entry, 1, link_.sleep_ms_max());
  }
  void kill(PeerId peer) override { signal(peer, SIGKILL); }
  void freeze(PeerId peer) override { signal(peer, SIGSTOP); }
  void thaw(PeerId peer) override { signal(peer, SIGCONT); }
  std::size_t queued_bytes(PeerId peer) override { return link_.queued_bytes(peer); }
  void give_up_on(PeerId peer) override { link_.drop_peer(peer); }
  MpiLink& link() { return link_; }

 private:
  void signal(PeerId peer, int number) {
    ASSERT_GT(pids_[peer], 0);
    ASSERT_EQ(::kill(pids_[peer], number), 0);
  }

  MpiLink link_;
  pid_t pids_[3] = {0, 0, 0};
};

World* world = nullptr;

// ---- the contract ----------------------------------------------------------------------------

class LinkContract : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(world, nullptr);
    received_.assign(3, {});
  }
  void TearDown() override {
    // Nothing else arrives.
    for (int i = 0; i < 3; ++i) gather();
    EXPECT_TRUE(received_[0].empty() && received_[1].empty() && received_[2].empty());
  }

  Link& master() { return world->master(); }

  void gather() {
    world->pump();
    std::vector<Delivery> deliveries;
    master().poll(deliveries);
    for (Delivery& delivery : deliveries) {
      received_.at(static_cast<std::size_t>(delivery.from)).push_back(std::move(delivery.message));
    }
  }

  // Waits for that many messages from this node and takes them.
  std::vector<Message> take(PeerId from, std::size_t count) {
    const auto deadline = Clock::now() + std::chrono::seconds(60);
    auto& messages = received_[static_cast<std::size_t>(from)];
    while (messages.size() < count && Clock::now() < deadline) gather();
    EXPECT_EQ(messages.size(), count);
    return std::exchange(messages, {});
  }

  void expect_numbered(const std::vector<Message>& messages) {
    for (std::size_t i = 0; i < messages.size(); ++i) ASSERT_EQ(messages[i].epoch, i);
  }

  std::vector<std::vector<Message>> received_;  // by sender
};

TEST_F(LinkContract, EveryMessageArrivesAsItWasSent) {
  std::vector<Message> sent = samples::messages();
  for (Message& message : sent) {
    auto* welcome = std::get_if<Welcome>(&message.body);
    if (welcome != nullptr) welcome->accepted = false;  // not a command
  }
  for (const Message& message : sent) master().send(1, message);
  const std::vector<Message> back = take(1, sent.size());
  for (std::size_t i = 0; i < back.size(); ++i) EXPECT_EQ(encode(back[i]), encode(sent[i]));
}

TEST_F(LinkContract, ManySmallMessagesKeepTheirOrder) {
  constexpr Epoch kCount = 10'000;
  for (Epoch i = 0; i < kCount; ++i) {
    for (PeerId peer = 1; peer <= 2; ++peer) master().send(peer, numbered(i));
  }
  for (PeerId peer = 1; peer <= 2; ++peer) expect_numbered(take(peer, kCount));
}

TEST_F(LinkContract, ALongMessageKeepsItsPlaceAmongShortOnes) {
  for (PeerId peer = 1; peer <= 2; ++peer) {
    master().send(peer, numbered(0));
    master().send(peer, long_message(1, 4 * kMiB));
    master().send(peer, numbered(2));
    for (Epoch i = 3; i < 10; ++i) master().send(peer, long_message(i, 3000 + i * 300));
  }
  for (PeerId peer = 1; peer <= 2; ++peer) {
    const std::vector<Message> back = take(peer, 10);
    expect_numbered(back);
    EXPECT_EQ(encode(back.at(1)), encode(long_message(1, 4 * kMiB)));
    for (Epoch i = 3; i < 10; ++i) {
      EXPECT_EQ(encode(back.at(i)), encode(long_message(i, 3000 + i * 300)));
    }
  }
}

TEST_F(LinkContract, NodesMayTalkAllAtOnce) {
  constexpr Epoch kCount = 9'000;
  for (PeerId peer = 1; peer <= 2; ++peer) master().send(peer, command("flood", kCount));
  for (PeerId peer = 1; peer <= 2; ++peer) expect_numbered(take(peer, kCount));
}

TEST_F(LinkContract, MessagesToNobodyAreLostQuietly) {
  for (const PeerId nobody : {-1, 3, 1000}) master().send(nobody, numbered(0));
  master().send(1, numbered(0));
  take(1, 1);
}

TEST_F(LinkContract, ANodeThatDoesNotLookNeitherBlocksNorGrowsAndIsFineLater) {
  world->freeze(2);
  const std::size_t before = resident_bytes();
  for (Epoch i = 0; i < 60'000; ++i) master().send(2, numbered(i));
  master().send(1, numbered(0));
  take(1, 1);  // nobody else suffers
  EXPECT_LE(world->queued_bytes(2), kQueuedBytesMax);
  EXPECT_LT(resident_bytes(), before + 32 * kMiB);
  world->thaw(2);
  // What was not dropped comes in order, from the first one on.
  const auto deadline = Clock::now() + std::chrono::seconds(60);
  const auto& messages = received_[2];
  while (world->queued_bytes(2) > 0 && Clock::now() < deadline) gather();
  master().send(2, numbered(70'000));
  while ((messages.empty() || messages.back().epoch != 70'000) && Clock::now() < deadline) gather();
  EXPECT_GT(messages.size(), 10'000u);
  EXPECT_LT(messages.size(), 60'000u);
  for (std::size_t i = 0; i + 1 < messages.size(); ++i) ASSERT_EQ(messages[i].epoch, i);
  EXPECT_EQ(messages.back().epoch, 70'000u);
  received_[2].clear();
}

// From here on node 2 is dead.
TEST_F(LinkContract, ANodeThatDiesWhileTalkingHarmsNobody) {
  master().send(2, command("flood", 15'000));
  master().send(2, long_message(15'000, 4 * kMiB));
  const auto deadline = Clock::now() + std::chrono::seconds(60);
  while (received_[2].empty() && Clock::now() < deadline) gather();
  world->kill(2);
  for (int round = 0; round < 20; ++round) {
    master().send(1, numbered(0));
    take(1, 1);
  }
  // Every message that still came is whole and in its place.
  expect_numbered(received_[2]);
  EXPECT_GT(received_[2].size(), 0u);
  received_[2].clear();
}

TEST_F(LinkContract, ADeadNodeNeitherBlocksNorGrows) {
  const std::size_t before = resident_bytes();
  for (int i = 0; i < 20; ++i) master().send(2, long_message(0, 4 * kMiB));
  for (int i = 0; i < 200'000; ++i) master().send(2, numbered(0));
  for (int i = 0; i < 20; ++i) gather();
  EXPECT_LE(world->queued_bytes(2), kQueuedBytesMax);
  EXPECT_LT(resident_bytes(), before + 48 * kMiB);
  master().send(1, long_message(7, 4 * kMiB));
  EXPECT_EQ(encode(take(1, 1).at(0)), encode(long_message(7, 4 * kMiB)));

  const std::size_t held = world->queued_bytes(2);
  const std::size_t holding = resident_bytes();
  world->give_up_on(2);
  EXPECT_LT(world->queued_bytes(2), kMiB);
  const std::size_t given_up = resident_bytes();
  EXPECT_LE(given_up + held / 2, holding);
  for (int i = 0; i < 5; ++i) master().send(2, long_message(0, kMiB));
  for (int i = 0; i < 200'000; ++i) master().send(2, numbered(0));
  EXPECT_LT(resident_bytes(), given_up + kMiB);
  EXPECT_LT(world->queued_bytes(2), kMiB);
  master().send(1, numbered(8));
  EXPECT_EQ(take(1, 1).at(0).epoch, 8u);
}

// ---- processes -------------------------------------------------------------------------------

// A node under mpirun. Leaves when told to, or when nobody has told it anything for long.
[[noreturn]] void run_node(MpiLink& link) {
  const auto deadline = Clock::now() + std::chrono::seconds(150);
  while (Clock::now() < deadline) {
    pollfd entry{link.doorbell_fd(), POLLIN, 0};
    ::poll(&entry, 1, link.sleep_ms_max());
    std::vector<Delivery> deliveries;
    link.poll(deliveries);
    for (const Delivery& delivery : deliveries) {
      if (!answer(link, delivery)) _exit(0);
    }
  }
  _exit(3);
}

int run_over_mpi(int argc, char** argv) {
  const MpiWorld ranks = MpiWorld::init(argc, argv);
  if (ranks.rank != 0) {
    MpiLink link(ranks);
    run_node(link);
  }
  MpiLinkWorld mpi(ranks);
  mpi.learn_pids();
  world = &mpi;
  const int result = RUN_ALL_TESTS();
  if (result == 0) std::puts("all link tests passed over MPI");
  std::fflush(nullptr);
  // The survivor hears this before the master is gone.
  mpi.link().send(1, command("quit"));
  for (int i = 0; i < 100 && mpi.link().queued_bytes(1) > 0; ++i) {
    std::vector<Delivery> ignored;
    mpi.link().poll(ignored);
    mpi.pump();
  }
  _exit(result);
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr) return hyades::run_over_mpi(argc, argv);
  // A world of its own for each test would do as well; one for all is what MPI has.
  hyades::LoopbackWorld loopback;
  hyades::world = &loopback;
  const int result = RUN_ALL_TESTS();
  hyades::world = nullptr;
  return result;
}
