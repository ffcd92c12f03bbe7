#include "worker/report_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstring>

namespace hyades {
namespace {

// More than any kernel queues: other users may go on sending when the job is over.
constexpr int rest_max = 4096;

// Of a socket that the kernel has named: a NUL and hexadecimal digits. "": it is something else.
std::string printable_name(const sockaddr_un& address, socklen_t size) {
  const std::size_t begin = offsetof(sockaddr_un, sun_path);
  if (size <= begin + 1 || size > sizeof address || address.sun_path[0] != '\0') return "";
  const std::string name(address.sun_path + 1, size - begin - 1);
  return name.find_first_not_of("0123456789abcdef") == name.npos ? '@' + name : "";
}

bool name_by_kernel(int socket) {
  sockaddr_un none = {};
  none.sun_family = AF_UNIX;
  return bind(socket, reinterpret_cast<sockaddr*>(&none), sizeof none.sun_family) == 0;
}

// Who the kernel says has sent it; false when it does not say. There is no room for descriptors,
// so the kernel has closed them.
bool sender_of(msghdr& message, uid_t& uid) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS) continue;
    ucred sender = {};
    std::memcpy(&sender, CMSG_DATA(part), sizeof sender);
    uid = sender.uid;
    return true;
  }
  return false;
}

}  // namespace

bool ReportSocket::open(uid_t user) {
  user_ = user;
  UniqueFd fresh(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  sockaddr_un address = {};
  socklen_t size = sizeof address;
  // Before it has a name: each message must come with its sender.
  if (!fresh || setsockopt(fresh.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0 ||
      !name_by_kernel(fresh.get()) ||
      getsockname(fresh.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return false;
  }
  name_ = printable_name(address, size);
  if (name_.empty()) return false;
  socket_ = std::move(fresh);
  return true;
}

// False: there is nothing.
bool ReportSocket::receive() {
  std::array<char, report_bytes_max> text;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control;
  iovec place = {text.data(), text.size()};
  msghdr message = {};
  message.msg_iov = &place;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0) return false;
  uid_t sender = 0;
  if (!sender_of(message, sender) || (sender != user_ && sender != 0)) return true;
  if ((message.msg_flags & MSG_TRUNC) != 0) {
    report_.refuse();
  } else {
    report_.take(std::string_view(text.data(), static_cast<std::size_t>(size)));
  }
  return true;
}

void ReportSocket::read(BootMs now) {
  if (!socket_ || now < pause_end_ms_) return;
  pause_end_ms_ = 0;
  if (now >= burst_end_ms_) {
    burst_end_ms_ = now + pause_ms;
    taken_ = 0;
  }
  while (taken_ < burst && receive()) ++taken_;
  if (taken_ == burst) pause_end_ms_ = burst_end_ms_;
}

void ReportSocket::read_rest() {
  for (int i = 0; socket_ && i < rest_max && receive(); ++i) continue;
}

}  // namespace hyades
