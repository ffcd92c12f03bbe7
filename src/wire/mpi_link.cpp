#include "wire/mpi_link.hpp"

#include <mpi.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <stdexcept>

#include "core/failpoint.hpp"
#include "wire/chunk.hpp"
#include "wire/codec.hpp"
#include "wire/doorbell.hpp"

namespace hyades {

namespace {

using SteadyClock = std::chrono::steady_clock;

using ChunkBuffer = std::array<char, kChunkBytes>;

constexpr int kTag = 4217;
constexpr std::chrono::microseconds kSpin(300);
constexpr std::chrono::milliseconds kReceiveDeadline(10);
constexpr std::chrono::milliseconds kMovingFor(50);
constexpr int kSleepMs = 100;
constexpr int kEmptyLooks = 2;  // one probe often only lets MPI progress, the next one sees
constexpr std::uint64_t kAcknowledgeEvery = 32;  // chunks; half of the default window
// Every so many chunks one is sent synchronously. Waiting for each of them costs most of a TCP
// message's time; and since chunks are received in order, the one vouches for those before it.
constexpr std::uint64_t kSynchronousEvery = 16;

}  // namespace

class MpiLink::Core {
 public:
  Core(const MpiWorld& world, const Options& options);
  ~Core();

  void send(PeerId to, const Message& message);
  void poll(std::vector<Delivery>& out);
  void drop_peer(PeerId peer);
  void readmit_peer(PeerId peer);
  int sleep_ms_max() const;
  std::size_t queued_bytes(PeerId peer) const;

  Doorbell doorbell_;
  Counters counters_;
  std::string last_error_;

 private:
  struct Waiting {
    std::string bytes;
    std::size_t sent = 0;
  };
  struct Outstanding {
    MPI_Request request = MPI_REQUEST_NULL;
    std::string chunk;  // MPI reads from it until the request is complete
  };
  struct Peer {
    bool dropped = false;
    bool active = false;  // is in active_
    std::deque<Waiting> queue;
    std::deque<Outstanding> window;
    std::size_t bytes = 0;  // of both
    std::uint64_t chunks_sent = 0;
    std::uint64_t chunks_received = 0;
    ChunkAssembler incoming;
  };

  Peer* find(PeerId peer);
  void push(PeerId to, Peer& peer);
  void start_chunk(PeerId to, Peer& peer);
  void push_all();
  void reap(Peer& peer);
  bool receive_chunk(std::vector<Delivery>& out);
  bool complete(MPI_Request& request);
  void take_chunk(PeerId from, std::string_view chunk, std::vector<Delivery>& out);
  void deliver(PeerId from, std::string_view bytes, std::vector<Delivery>& out);
  void refuse(const std::string& why);
  bool expecting(const std::vector<Doorbell::Bell>& bells) const;

  int rank_;
  Options options_;
  std::vector<Peer> peers_;
  std::vector<PeerId> active_;  // peers with a queue or a window
  std::deque<std::string> to_self_;
  std::vector<Doorbell::Bell> bells_;
  SteadyClock::time_point moved_;  // when a chunk of a backlog was last sent
  std::unique_ptr<ChunkBuffer> scratch_ = std::make_unique<ChunkBuffer>();
};

MpiLink::Core::Core(const MpiWorld& world, const Options& options)
    : doorbell_(world.rank),
      rank_(world.rank),
      options_(options),
      peers_(static_cast<std::size_t>(world.size)) {
  std::vector<Doorbell::Address> addresses(peers_.size());
  const int bytes = sizeof(Doorbell::Address);
  if (MPI_Allgather(&doorbell_.address(), bytes, MPI_BYTE, addresses.data(), bytes, MPI_BYTE,
                    MPI_COMM_WORLD) != MPI_SUCCESS) {
    throw std::runtime_error("the MPI ranks cannot reach each other");
  }
  doorbell_.learn(std::move(addresses));
}

// Buffers of sends that are still pending belong to MPI for as long as the process lives.
MpiLink::Core::~Core() {
  for (Peer& peer : peers_) {
    if (!peer.window.empty()) new std::deque<Outstanding>(std::move(peer.window));
  }
}

MpiLink::Core::Peer* MpiLink::Core::find(PeerId peer) {
  return peer >= 0 && static_cast<std::size_t>(peer) < peers_.size()
             ? &peers_[static_cast<std::size_t>(peer)]
             : nullptr;
}

// ---- sending ---------------------------------------------------------------------------------

void MpiLink::Core::send(PeerId to, const Message& message) {
  HYADES_FAILPOINT("link_before_send");
  Peer* peer = find(to);
  if (peer == nullptr || peer->dropped || peer->queue.size() >= options_.queued_messages_max) {
    ++counters_.dropped;
    return;
  }
  std::string bytes = encode(message);
  if (bytes.size() > kNodeMessageBytesMax ||
      peer->bytes + bytes.size() > options_.queued_bytes_max) {
    ++counters_.dropped;
    return;
  }
  ++counters_.sent;
  if (to == rank_) {
    to_self_.push_back(std::move(bytes));
    return;
  }
  peer->bytes += bytes.size();
  peer->queue.push_back({std::move(bytes), 0});
  // Asking MPI about a full window costs system calls, and for a dead peer it is in vain: ask
  // now and then.
  const bool full = peer->window.size() >= static_cast<std::size_t>(options_.window);
  if (!full || peer->queue.size() % kSynchronousEvery == 0) push(to, *peer);
  if (full && peer->queue.size() == 1) moved_ = SteadyClock::now();  // a backlog begins
}

void MpiLink::Core::push(PeerId to, Peer& peer) {
  reap(peer);
  const std::uint64_t before = peer.chunks_sent;
  while (!peer.queue.empty() && peer.window.size() < static_cast<std::size_t>(options_.window)) {
    start_chunk(to, peer);
  }
  if (!peer.active && !(peer.queue.empty() && peer.window.empty())) {
    peer.active = true;
    active_.push_back(to);
  }
  if (peer.chunks_sent == before) return;
  doorbell_.ring(to, peer.chunks_sent, false);
  if (!peer.queue.empty()) moved_ = SteadyClock::now();
}

void MpiLink::Core::start_chunk(PeerId to, Peer& peer) {
  Waiting& message = peer.queue.front();
  const ChunkHeader header{static_cast<std::uint32_t>(message.bytes.size()),
                           message.sent == 0 ? 1u : 0u};
  const std::string_view payload =
      std::string_view(message.bytes).substr(message.sent, kChunkPayloadBytes);
  Outstanding& sending = peer.window.emplace_back();
  sending.chunk.reserve(sizeof header + payload.size());
  sending.chunk.append(reinterpret_cast<const char*>(&header), sizeof header);
  sending.chunk.append(payload);
  const auto start = ++peer.chunks_sent % kSynchronousEvery == 0 ? MPI_Issend : MPI_Isend;
  if (start(sending.chunk.data(), static_cast<int>(sending.chunk.size()), MPI_BYTE, to, kTag,
            MPI_COMM_WORLD, &sending.request) != MPI_SUCCESS) {
    sending.request = MPI_REQUEST_NULL;  // lost, like any message may be
  }
  message.sent += payload.size();
  if (message.sent == message.bytes.size()) peer.queue.pop_front();
}

// Lets go of chunks that MPI is done with, in the order in which they were sent: none before the
// synchronous one in front of it was received.
void MpiLink::Core::reap(Peer& peer) {
  while (!peer.window.empty()) {
    int done = 0;
    Outstanding& oldest = peer.window.front();
    if (MPI_Test(&oldest.request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && !done) break;
    peer.bytes -= oldest.chunk.size() - sizeof(ChunkHeader);
    peer.window.pop_front();
  }
}

void MpiLink::Core::push_all() {
  std::erase_if(active_, [this](PeerId id) {
    Peer& peer = *find(id);
    push(id, peer);
    peer.active = !peer.queue.empty() || !peer.window.empty();
    return !peer.active;
  });
}

// ---- receiving -------------------------------------------------------------------------------

void MpiLink::Core::poll(std::vector<Delivery>& out) {
  const std::size_t before = out.size();
  bells_.clear();
  doorbell_.drain(bells_);
  for (; !to_self_.empty(); to_self_.pop_front()) deliver(rank_, to_self_.front(), out);
  SteadyClock::time_point spin_end;
  int empty_looks = 0;
  while (out.size() - before < options_.deliveries_max) {
    if (receive_chunk(out)) {
      empty_looks = 0;
      continue;
    }
    push_all();
    if (++empty_looks < kEmptyLooks) continue;
    // A bell may come before its message. Once something is there, it is worth more to handle it
    // than to wait for the rest.
    if (out.size() > before || !expecting(bells_)) break;
    const auto now = SteadyClock::now();
    if (empty_looks == kEmptyLooks) spin_end = now + kSpin;
    if (now >= spin_end) break;
  }
}

bool MpiLink::Core::expecting(const std::vector<Doorbell::Bell>& bells) const {
  return std::any_of(bells.begin(), bells.end(), [this](const Doorbell::Bell& bell) {
    const Peer& peer = peers_[static_cast<std::size_t>(bell.from)];
    if (bell.acknowledges != 0) {
      return !peer.queue.empty() && peer.window.size() >= static_cast<std::size_t>(options_.window);
    }
    return bell.chunks > peer.chunks_received;
  });
}

bool MpiLink::Core::receive_chunk(std::vector<Delivery>& out) {
  int found = 0;
  MPI_Message matched;
  MPI_Status status;
  if (MPI_Improbe(MPI_ANY_SOURCE, kTag, MPI_COMM_WORLD, &found, &matched, &status) != MPI_SUCCESS ||
      !found) {
    return false;
  }
  int bytes = 0;
  MPI_Get_count(&status, MPI_BYTE, &bytes);
  MPI_Request request;
  if (MPI_Imrecv(scratch_->data(), static_cast<int>(scratch_->size()), MPI_BYTE, &matched,
                 &request) != MPI_SUCCESS) {
    return true;
  }
  if (!complete(request)) {
    refuse("a message was cut off by the death of its sender");
    // MPI may still write to that buffer: it is never used again.
    static_cast<void>(scratch_.release());
    scratch_ = std::make_unique<ChunkBuffer>();
    return true;
  }
  const auto size = std::min(static_cast<std::size_t>(std::max(bytes, 0)), scratch_->size());
  take_chunk(status.MPI_SOURCE, std::string_view(scratch_->data(), size), out);
  return true;
}

// An eager message is complete at the first look. The deadline is for what cannot happen.
bool MpiLink::Core::complete(MPI_Request& request) {
  int done = 0;
  MPI_Test(&request, &done, MPI_STATUS_IGNORE);
  if (done) return true;
  const auto end = SteadyClock::now() + kReceiveDeadline;
  while (!done && SteadyClock::now() < end) MPI_Test(&request, &done, MPI_STATUS_IGNORE);
  return done != 0;
}

void MpiLink::Core::take_chunk(PeerId from, std::string_view chunk, std::vector<Delivery>& out) {
  Peer& peer = *find(from);
  if (++peer.chunks_received % kAcknowledgeEvery == 0) doorbell_.ring(from, 0, true);
  std::string_view message;
  switch (peer.incoming.take(chunk, message)) {
    case ChunkAssembler::Result::Complete:
      deliver(from, message, out);
      break;
    case ChunkAssembler::Result::Malformed:
      refuse("a message from peer " + std::to_string(from) + " has missing parts");
      break;
    case ChunkAssembler::Result::Partial:
      break;
  }
}

void MpiLink::Core::deliver(PeerId from, std::string_view bytes, std::vector<Delivery>& out) {
  Delivery delivery;
  delivery.from = from;
  std::string error;
  if (!decode(bytes, delivery.message, error)) {
    refuse("a message from peer " + std::to_string(from) + " was refused: " + error);
    return;
  }
  ++counters_.received;
  out.push_back(std::move(delivery));
}

void MpiLink::Core::refuse(const std::string& why) {
  ++counters_.malformed;
  last_error_ = why;
}

// ---- peers -----------------------------------------------------------------------------------

void MpiLink::Core::drop_peer(PeerId id) {
  Peer* peer = find(id);
  if (peer == nullptr || peer->dropped) return;
  peer->dropped = true;
  for (const Waiting& message : peer->queue) peer->bytes -= message.bytes.size() - message.sent;
  counters_.dropped += peer->queue.size();
  peer->queue.clear();
  peer->queue.shrink_to_fit();
}

void MpiLink::Core::readmit_peer(PeerId id) {
  if (Peer* peer = find(id)) peer->dropped = false;
}

int MpiLink::Core::sleep_ms_max() const {
  const bool backlog = std::any_of(active_.begin(), active_.end(), [this](PeerId id) {
    return !peers_[static_cast<std::size_t>(id)].queue.empty();
  });
  // A backlog that has not moved for a while is a dead peer's.
  return backlog && SteadyClock::now() - moved_ < kMovingFor ? 1 : kSleepMs;
}

std::size_t MpiLink::Core::queued_bytes(PeerId peer) const {
  return peers_.at(static_cast<std::size_t>(peer)).bytes;
}

// ---- outside ---------------------------------------------------------------------------------

MpiLink::MpiLink(const MpiWorld& world) : MpiLink(world, Options{}) {}
MpiLink::MpiLink(const MpiWorld& world, const Options& options)
    : core_(std::make_unique<Core>(world, options)) {}
MpiLink::~MpiLink() = default;

void MpiLink::send(PeerId to, const Message& message) { core_->send(to, message); }
void MpiLink::poll(std::vector<Delivery>& out) { core_->poll(out); }
int MpiLink::doorbell_fd() const { return core_->doorbell_.fd(); }
int MpiLink::sleep_ms_max() const { return core_->sleep_ms_max(); }
void MpiLink::drop_peer(PeerId peer) { core_->drop_peer(peer); }
void MpiLink::readmit_peer(PeerId peer) { core_->readmit_peer(peer); }
std::size_t MpiLink::queued_bytes(PeerId peer) const { return core_->queued_bytes(peer); }
const MpiLink::Counters& MpiLink::counters() const { return core_->counters_; }
const std::string& MpiLink::last_error() const { return core_->last_error_; }

}  // namespace hyades
