// How a program that runs in a job of Hyades says how it is doing:
//
//   #include <hyades_report.hpp>
//   hyades::report({{"progress", step / double(steps)}, {"loss", loss}});
//
// The figures are seen by hwatch and heff while the job runs, and kept with the job. A header of
// the C++ library and POSIX alone, for C++17: it may be copied. Never blocks, never throws; outside
// a job nothing happens. Any thread.
//
// A name begins with a letter, and is of at most 32 of a-z, 0-9, "_", "." and "-"; a job has at
// most 16 of them. "progress" is the part of the work that is done, 0 to 1.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

namespace hyades {

struct Reported {
  const char* name;
  double value;
};

// Sends words "NAME=VALUE" as they are. 0, or errno: ENOENT outside a job, EINVAL when
// HYADES_REPORT is nothing to send to, ECONNREFUSED when the job's shepherd has gone, EAGAIN when
// more was said than is read (after `wait_ms`; the message is lost), EMSGSIZE beyond 1024 bytes.
inline int send_report(std::string_view words, int wait_ms = 0) noexcept {
  const char* const where = std::getenv("HYADES_REPORT");
  if (where == nullptr || *where == '\0') return ENOENT;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::size_t size = std::strlen(where);  // the "@" stands for a NUL
  if (*where != '@' || size < 2 || size > sizeof address.sun_path) return EINVAL;
  if (words.size() > 1024) return EMSGSIZE;
  std::memcpy(address.sun_path + 1, where + 1, size - 1);
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  int error = connect(fd, reinterpret_cast<const sockaddr*>(&address), length) == 0 ? 0 : errno;
  for (bool again = wait_ms > 0; error == 0; again = false) {
    if (send(fd, words.data(), words.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) break;
    error = errno;
    if (error != EAGAIN || !again) break;
    pollfd room = {fd, POLLOUT, 0};
    if (poll(&room, 1, wait_ms) == 1) error = 0;
  }
  close(fd);
  return error;
}

// What is not a finite number is left out. The result is send_report's.
inline int report(std::initializer_list<Reported> figures) noexcept {
  char words[1024];
  std::size_t size = 0;
  for (const Reported& figure : figures) {
    const std::size_t name = std::strlen(figure.name);
    if (!std::isfinite(figure.value) || name + 34 > sizeof words - size) continue;
    std::memcpy(words + size, figure.name, name);
    size += name;
    words[size++] = '=';
    size = static_cast<std::size_t>(
        std::to_chars(words + size, words + sizeof words, figure.value).ptr - words);
    words[size++] = '\n';
  }
  return send_report(std::string_view(words, size));
}

}  // namespace hyades
