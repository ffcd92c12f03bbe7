#include "wire/network_listener.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "wire/network_address.hpp"

namespace hyades {

namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

void set_option(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

// Empty: errno says why.
UniqueFd listen_on(const addrinfo& address, bool also_ipv4) {
  UniqueFd fd(socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fd;
  // A master that follows another must not wait until the old connections are forgotten.
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.ai_family == AF_INET6) {
    set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, also_ipv4 ? 0 : 1);
  }
  if (bind(fd.get(), address.ai_addr, address.ai_addrlen) == 0 &&
      listen(fd.get(), SOMAXCONN) == 0) {
    return fd;
  }
  const int reason = errno;
  fd.reset();
  errno = reason;
  return fd;
}

// Hosts without IPv6 have no "::" to listen on.
UniqueFd listen_everywhere(const addrinfo* addresses) {
  for (const int family : {AF_INET6, AF_INET}) {
    for (const addrinfo* at = addresses; at != nullptr; at = at->ai_next) {
      if (at->ai_family != family) continue;
      UniqueFd fd = listen_on(*at, true);
      if (fd || errno == EADDRINUSE || errno == EACCES) return fd;
    }
  }
  return UniqueFd();
}

}  // namespace

std::vector<UniqueFd> listen_on_network(const std::string& place, std::string& error) {
  std::vector<UniqueFd> sockets;
  NetworkAddress wanted;
  if (!NetworkAddress::parse(place, wanted)) {
    error = "Cannot listen on '" + place + "': this is no host:port.";
    return sockets;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const char* const host = wanted.host.empty() ? nullptr : wanted.host.c_str();
  const int failed = getaddrinfo(host, wanted.port.c_str(), &hints, &found);
  if (failed != 0) {
    error = "Cannot listen on " + place + ": " + gai_strerror(failed) + ".";
    return sockets;
  }
  const Addresses addresses(found, &freeaddrinfo);
  errno = 0;
  if (host == nullptr) {
    sockets.push_back(listen_everywhere(found));
  } else {
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
      sockets.push_back(listen_on(*at, false));
      if (!sockets.back()) break;
    }
  }
  if (sockets.back()) return sockets;
  error = "Cannot listen on " + place + ": " + std::strerror(errno) + ".";
  if (errno == EACCES) error += " Ports below 1024 are root's; choose a higher one.";
  sockets.clear();
  return sockets;
}

std::string peer_host(const sockaddr_storage& peer, socklen_t length) {
  std::array<char, NI_MAXHOST> text{};
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&peer), length, text.data(), text.size(),
                  nullptr, 0, NI_NUMERICHOST) != 0) {
    return "?";
  }
  const std::string host = text.data();
  const std::string mapped = "::ffff:";
  return host.starts_with(mapped) ? host.substr(mapped.size()) : host;
}

void keep_watch_on(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 20);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

}  // namespace hyades
