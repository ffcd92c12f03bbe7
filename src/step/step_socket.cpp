#include "step/step_socket.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace hyades {
namespace {

constexpr int silence_s = 60;     // then the other side is asked whether it lives
constexpr int question_s = 10;    // between questions
constexpr int questions_max = 6;  // without an answer
constexpr unsigned unacknowledged_ms = 120'000;

template <class Value>
void set(int fd, int level, int option, Value value) {
  setsockopt(fd, level, option, &value, sizeof value);  // an optimisation, or no TCP socket at all
}

}  // namespace

void prepare_step_socket(int fd) {
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, silence_s);
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, question_s);
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, questions_max);
  set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, unacknowledged_ms);
}

UniqueFd connect_step_socket(const std::string& address, int port, std::string& error) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int trouble = getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (trouble != 0) {
    error = "its address '" + address + "' cannot be resolved: " + gai_strerror(trouble);
    return {};
  }
  error = "its address '" + address + "' leads nowhere";
  UniqueFd result;
  for (const addrinfo* way = found; way != nullptr && !result; way = way->ai_next) {
    // The daemon listens on IPv4.
    if (way->ai_family != AF_INET) continue;
    UniqueFd fd(socket(way->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd && (connect(fd.get(), way->ai_addr, way->ai_addrlen) == 0 || errno == EINPROGRESS)) {
      prepare_step_socket(fd.get());
      result = std::move(fd);
    } else {
      error = std::strerror(errno);
    }
  }
  freeaddrinfo(found);
  return result;
}

}  // namespace hyades
