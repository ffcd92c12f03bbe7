#include "tcp_ranks.hpp"

#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace hyades::jobscripts {
namespace {

using Clock = std::chrono::steady_clock;

/// The first words on a connection, so that a stranger is noticed.
struct Greeting {
  std::uint32_t magic = 0x48594454;  // and that both have their bytes in the same order
  std::int32_t rank = 0;
  std::int32_t size = 0;
};

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }
std::string system_text() { return std::strerror(errno); }

class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

  void set_patience(int seconds) const {
    const timeval patience{seconds, 0};
    const int yes = 1;
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }
  /// False: errno says why; 0 when the other side has closed.
  bool write_all(const void* data, std::size_t size) const {
    const auto* bytes = static_cast<const char*>(data);
    while (size > 0) {
      const ssize_t count = ::send(fd_, bytes, size, MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      bytes += count;
      size -= static_cast<std::size_t>(count);
    }
    return true;
  }
  bool read_all(void* data, std::size_t size) const {
    auto* bytes = static_cast<char*>(data);
    while (size > 0) {
      const ssize_t count = ::recv(fd_, bytes, size, 0);
      if (count < 0 && errno == EINTR) continue;
      if (count == 0) errno = 0;
      if (count <= 0) return false;
      bytes += count;
      size -= static_cast<std::size_t>(count);
    }
    return true;
  }

 private:
  int fd_;
};

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Addresses resolve(const TcpPlace& place) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const std::string port = std::to_string(place.port);
  const int error = getaddrinfo(place.address.c_str(), port.c_str(), &hints, &list);
  if (error != 0) fail("MASTER_ADDR " + place.address + ": " + gai_strerror(error));
  return Addresses(list);
}

Socket listen_at(const TcpPlace& place) {
  const Addresses addresses = resolve(place);
  for (const addrinfo* entry = addresses.get(); entry != nullptr; entry = entry->ai_next) {
    Socket socket(::socket(entry->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int yes = 1;
    setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(socket.get(), entry->ai_addr, entry->ai_addrlen) == 0 &&
        listen(socket.get(), place.size) == 0) {
      return socket;
    }
  }
  fail("cannot listen at " + place.address + ", port " + std::to_string(place.port) + ": " +
       system_text());
}

/// Rank 0 may be there a little later.
Socket connect_to(const TcpPlace& place) {
  const auto until = Clock::now() + std::chrono::seconds(place.patience_s);
  const Addresses addresses = resolve(place);
  while (true) {
    for (const addrinfo* entry = addresses.get(); entry != nullptr; entry = entry->ai_next) {
      Socket socket(::socket(entry->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
      socket.set_patience(place.patience_s);
      if (connect(socket.get(), entry->ai_addr, entry->ai_addrlen) == 0) return socket;
    }
    if (Clock::now() > until) {
      fail("rank 0 cannot be reached at " + place.address + ", port " + std::to_string(place.port) +
           ": " + system_text());
    }
    poll(nullptr, 0, 20);
  }
}

class TcpRanks final : public RankGroup {
 public:
  explicit TcpRanks(const TcpPlace& place)
      : RankGroup(place.rank, place.size), peers_(static_cast<std::size_t>(place.size)) {
    if (place.rank == 0) {
      gather(place);
    } else {
      greet(place);
    }
  }

 private:
  void greet(const TcpPlace& place) {
    peers_[0] = connect_to(place);
    const Greeting greeting{.rank = place.rank, .size = place.size};
    if (!peers_[0].write_all(&greeting, sizeof greeting)) lost(0);
  }

  void gather(const TcpPlace& place) {
    const Socket door = listen_at(place);
    const auto until = Clock::now() + std::chrono::seconds(place.patience_s);
    for (int missing = place.size - 1; missing > 0;) {
      if (Clock::now() > until) {
        fail(std::to_string(missing) + " of the other " + std::to_string(place.size - 1) +
             " ranks did not come within " + std::to_string(place.patience_s) + " s");
      }
      pollfd wait = {door.get(), POLLIN, 0};
      poll(&wait, 1, 1000);
      Socket visitor(accept4(door.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (visitor && admit(std::move(visitor), place)) --missing;
    }
  }

  bool admit(Socket visitor, const TcpPlace& place) {
    Greeting greeting{.magic = 0};
    visitor.set_patience(2);  // a stranger that says nothing must not keep the others out
    if (!visitor.read_all(&greeting, sizeof greeting) || greeting.magic != Greeting().magic ||
        greeting.size != place.size || greeting.rank < 1 || greeting.rank >= place.size) {
      return false;
    }
    visitor.set_patience(place.patience_s);
    Socket& peer = peers_[static_cast<std::size_t>(greeting.rank)];
    if (peer) return false;
    peer = std::move(visitor);
    return true;
  }

  void send(int to, const std::vector<float>& values) override {
    const Socket& peer = peers_[static_cast<std::size_t>(to)];
    if (!peer.write_all(values.data(), values.size() * sizeof(float))) lost(to);
  }
  void receive(int from, std::vector<float>& values) override {
    const Socket& peer = peers_[static_cast<std::size_t>(from)];
    if (!peer.read_all(values.data(), values.size() * sizeof(float))) lost(from);
  }

  [[noreturn]] static void lost(int rank) {
    fail("lost rank " + std::to_string(rank) + ": " +
         (errno == 0        ? "it has ended"
          : errno == EAGAIN ? "it has said nothing for too long"
                            : system_text()));
  }

  std::vector<Socket> peers_;  // rank 0 has all, the others only rank 0
};

}  // namespace

std::unique_ptr<RankGroup> join_tcp_ranks(const TcpPlace& place) {
  return std::make_unique<TcpRanks>(place);
}

}  // namespace hyades::jobscripts
