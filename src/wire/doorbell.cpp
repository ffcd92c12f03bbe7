#include "wire/doorbell.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>

#include "wire/boot_id.hpp"

namespace hyades {

namespace {

constexpr int kBellsPerDrain = 256;

// Abstract socket names are known within one network namespace of one machine.
std::string host_identity() {
  char space[64] = "";
  if (readlink("/proc/self/ns/net", space, sizeof space - 1) < 0) space[0] = '\0';
  return current_boot_id() + " " + space;
}

}  // namespace

Doorbell::Doorbell(int self) : self_(self) {
  fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un any{};
  any.sun_family = AF_UNIX;
  // Binding to no name at all makes the kernel choose a free abstract one: nobody can sit on it
  // beforehand, and it vanishes with the process.
  address_.length = sizeof address_.socket;
  if (fd_ < 0 || bind(fd_, reinterpret_cast<sockaddr*>(&any), sizeof any.sun_family) != 0 ||
      getsockname(fd_, reinterpret_cast<sockaddr*>(&address_.socket), &address_.length) != 0) {
    throw std::runtime_error(std::string("cannot make a doorbell socket: ") + std::strerror(errno));
  }
  host_identity().copy(address_.host, sizeof address_.host - 1);
}

Doorbell::~Doorbell() { close(fd_); }

void Doorbell::learn(std::vector<Address> addresses) { addresses_ = std::move(addresses); }

bool Doorbell::reachable(int peer) const {
  if (peer < 0 || static_cast<std::size_t>(peer) >= addresses_.size()) return false;
  const Address& theirs = addresses_[static_cast<std::size_t>(peer)];
  return std::strcmp(theirs.host, address_.host) == 0;
}

void Doorbell::ring(int peer, std::uint64_t chunks, bool acknowledges) {
  if (!reachable(peer)) return;
  const Bell bell{self_, acknowledges ? 1 : 0, chunks};
  const Address& to = addresses_[static_cast<std::size_t>(peer)];
  // Does not fit: then enough bells wait there already. Nobody there: heartbeats will tell.
  while (sendto(fd_, &bell, sizeof bell, MSG_DONTWAIT | MSG_NOSIGNAL,
                reinterpret_cast<const sockaddr*>(&to.socket), to.length) < 0 &&
         errno == EINTR) {
  }
}

void Doorbell::drain(std::vector<Bell>& out) {
  for (int i = 0; i < kBellsPerDrain; ++i) {
    Bell bell;
    const ssize_t size = recv(fd_, &bell, sizeof bell, MSG_DONTWAIT);
    if (size < 0 && errno != EINTR) return;
    const bool known = bell.from >= 0 && static_cast<std::size_t>(bell.from) < addresses_.size();
    if (size == static_cast<ssize_t>(sizeof bell) && known) out.push_back(bell);
  }
}

}  // namespace hyades
