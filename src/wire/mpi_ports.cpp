#include "wire/mpi_ports.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "wire/unique_fd.hpp"

namespace hyades {

namespace {

bool listens(int fd) {
  int domain = 0;
  int listening = 0;
  socklen_t size = sizeof domain;
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) return false;
  size = sizeof listening;
  return (domain == AF_INET || domain == AF_INET6) &&
         getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0;
}

bool is_of_this_host(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return ntohl(v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  }
  return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
}

// The socket stays as it is for its owner, but no packet for it arrives any more.
bool shut(int fd) {
  sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
  const sock_fprog filter = {1, nothing};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

}  // namespace

int shut_mpi_ports(MpiPorts which) {
  const pid_t daemon = getppid();
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, daemon, 0)));
  if (!process) return 0;
  int count = 0;
  std::error_code error;
  std::filesystem::directory_iterator entry("/proc/" + std::to_string(daemon) + "/fd", error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const int number = std::atoi(entry->path().filename().c_str());
    const UniqueFd fd(static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), number, 0)));
    if (!fd || !listens(fd.get())) continue;
    if (which == MpiPorts::OfThisHost && !is_of_this_host(fd.get())) continue;
    count += shut(fd.get()) ? 1 : 0;
  }
  return count;
}

}  // namespace hyades
