#include "remote_shell.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace hyades::test {
namespace {

constexpr std::uint16_t kPort = 7222;
constexpr int kConnect_ms = 3000;
constexpr int kUnreachable = 255;
constexpr std::uint32_t kLongest = 1u << 20;

enum Kind : std::uint32_t { kOut = 1, kErr = 2, kExit = 3 };

struct Head {
  std::uint32_t kind = 0;  // of a request: 0
  std::uint32_t size = 0;
};

bool read_all(int fd, void* to, std::size_t size) {
  auto* at = static_cast<char*>(to);
  while (size > 0) {
    const ssize_t got = read(fd, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool write_all(int fd, const void* from, std::size_t size) {
  const auto* at = static_cast<const char*>(from);
  while (size > 0) {
    const ssize_t put = write(fd, at, size);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    at += put;
    size -= static_cast<std::size_t>(put);
  }
  return true;
}

bool send_part(int fd, std::uint32_t kind, const void* bytes, std::size_t size) {
  const Head head{kind, static_cast<std::uint32_t>(size)};
  return write_all(fd, &head, sizeof head) && write_all(fd, bytes, size);
}

sockaddr_in address_of(const std::string& text) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kPort);
  addrinfo hints{};
  hints.ai_family = AF_INET;
  addrinfo* found = nullptr;
  if (getaddrinfo(text.c_str(), nullptr, &hints, &found) == 0) {
    address.sin_addr = reinterpret_cast<sockaddr_in*>(found->ai_addr)->sin_addr;
    freeaddrinfo(found);
  } else {
    address.sin_addr.s_addr = INADDR_NONE;
  }
  return address;
}

// ---- the machine's side -----------------------------------------------------------------------

[[noreturn]] void become_command(const std::string& command, int out, int err) {
  setsid();
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, 0);
  dup2(out, 1);
  dup2(err, 2);
  close_range(3, ~0u, 0);
  signal(SIGCHLD, SIG_DFL);
  signal(SIGPIPE, SIG_DFL);
  // As poor as ssh's.
  const std::string cookie =
      std::string("HYADES_TEST_CLUSTER=") +
      (getenv("HYADES_TEST_CLUSTER") == nullptr ? "" : getenv("HYADES_TEST_CLUSTER"));
  const char* environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                               "HOME=/root",
                               "USER=root",
                               "SHELL=/bin/sh",
                               cookie.c_str(),
                               nullptr};
  const char* argv[] = {"sh", "-c", command.c_str(), nullptr};
  execve("/bin/sh", const_cast<char**>(argv), const_cast<char**>(environment));
  _exit(127);
}

[[noreturn]] void serve_call(int caller) {
  signal(SIGCHLD, SIG_DFL);
  Head head;
  if (!read_all(caller, &head, sizeof head) || head.kind != 0 || head.size > kLongest) _exit(1);
  std::string command(head.size, '\0');
  if (!read_all(caller, command.data(), head.size)) _exit(1);
  int out[2];
  int err[2];
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) _exit(1);
  const pid_t child = fork();
  if (child == 0) become_command(command, out[1], err[1]);
  close(out[1]);
  close(err[1]);
  pollfd items[] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}, {caller, POLLRDHUP, 0}};
  while (items[0].fd >= 0 || items[1].fd >= 0) {
    if (poll(items, 3, -1) < 0) continue;
    if (items[2].revents != 0) _exit(0);  // the caller has gone; the command goes on, as with sshd
    for (int i = 0; i < 2; ++i) {
      if (items[i].revents == 0) continue;
      char bytes[4096];
      const ssize_t size = read(items[i].fd, bytes, sizeof bytes);
      if (size <= 0) {
        items[i].fd = -1;
      } else if (!send_part(caller, i == 0 ? kOut : kErr, bytes, static_cast<std::size_t>(size))) {
        _exit(1);
      }
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  const std::uint32_t code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  send_part(caller, kExit, &code, sizeof code);
  _exit(0);
}

// ---- the caller's side ------------------------------------------------------------------------

int connect_to(const std::string& host) {
  const sockaddr_in address = address_of(host);
  if (address.sin_addr.s_addr == INADDR_NONE) {
    std::fprintf(stderr, "shell: cannot resolve %s\n", host.c_str());
    return -1;
  }
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int error = 0;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    error = errno;
    pollfd item{fd, POLLOUT, 0};
    socklen_t size = sizeof error;
    if (error == EINPROGRESS && poll(&item, 1, kConnect_ms) == 1) {
      getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    } else if (error == EINPROGRESS) {
      error = ETIMEDOUT;
    }
  }
  if (error == 0) {
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
  }
  std::fprintf(stderr, "shell: connect to host %s: %s\n", host.c_str(), std::strerror(error));
  close(fd);
  return -1;
}

}  // namespace

void serve_shell(const std::string& address) {
  const int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in here = address_of(address);
  const int one = 1;
  setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(door, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
      listen(door, 64) != 0) {
    std::perror("shell: listen");
    _exit(kUnreachable);
  }
  std::puts("listening");
  std::fflush(stdout);
  signal(SIGCHLD, SIG_IGN);  // orphans end without a trace
  while (true) {
    const int caller = accept4(door, nullptr, nullptr, SOCK_CLOEXEC);
    if (caller < 0) continue;
    if (fork() == 0) {
      close(door);
      serve_call(caller);
    }
    close(caller);
  }
}

int call_shell(const std::string& host, const std::string& command) {
  const int fd = connect_to(host);
  if (fd < 0 || !send_part(fd, 0, command.data(), command.size())) return kUnreachable;
  Head head;
  while (read_all(fd, &head, sizeof head) && head.size <= kLongest) {
    std::string bytes(head.size, '\0');
    if (!read_all(fd, bytes.data(), bytes.size())) break;
    if (head.kind == kExit && bytes.size() == sizeof(std::uint32_t)) {
      std::uint32_t code = 0;
      std::memcpy(&code, bytes.data(), sizeof code);
      return static_cast<int>(code);
    }
    if (!write_all(head.kind == kErr ? 2 : 1, bytes.data(), bytes.size())) break;
  }
  std::fprintf(stderr, "shell: %s has closed the connection\n", host.c_str());
  return kUnreachable;
}

}  // namespace hyades::test
