#include "wire/client_connection.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "wire/frame.hpp"
#include "wire/run_directory.hpp"

namespace hyades {

class ClientConnection::Deadline {
 public:
  explicit Deadline(int timeout_ms)
      : bounded_(timeout_ms >= 0), end_(Clock::now() + std::chrono::milliseconds(timeout_ms)) {}

  int left_ms() const {
    if (!bounded_) return -1;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now()).count();
    return static_cast<int>(std::max<decltype(left)>(left, 0));
  }

  // Waits for the events; false when the time is over.
  bool wait(int fd, short events) const {
    pollfd entry{fd, events, 0};
    while (true) {
      const int left = left_ms();
      if (::poll(&entry, 1, left) > 0) return true;
      if (left == 0) return false;
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  bool bounded_;
  Clock::time_point end_;
};

ClientConnection::ClientConnection(std::string state_directory)
    : state_directory_(std::move(state_directory)) {}

ClientConnection::~ClientConnection() { close(); }

void ClientConnection::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

CallResult ClientConnection::call(const pb::ClientRequest& request, pb::ClientReply& reply,
                                  int timeout_ms, std::string& error) {
  const Deadline deadline(timeout_ms);
  const std::size_t size = request.ByteSizeLong();
  if (size > kRequestBytesMax) {
    error = "The request has " + std::to_string(size) + " bytes; the master takes at most " +
            std::to_string(kRequestBytesMax) + ".";
    return CallResult::Refused;
  }
  std::string frame(kFrameHeaderBytes, '\0');
  write_header({kProtocolVersion, FrameType::Request, static_cast<std::uint32_t>(size)},
               frame.data());
  request.AppendToString(&frame);
  while (true) {
    const bool reused = fd_ >= 0;
    if (!reused) {
      const CallResult connected = connect(deadline, error);
      if (connected != CallResult::Ok) return connected;
    }
    CallResult result = send_frame(frame, deadline, error);
    if (result == CallResult::Ok) {
      result = receive(reply, deadline, error);
      if (result != CallResult::Ok) close();
      return result;
    }
    // A master that turns a client away says why before it hangs up.
    std::string why;
    const CallResult said = receive(reply, Deadline(0), why);
    close();
    if (said == CallResult::Refused) error = why;
    if (said == CallResult::Ok || said == CallResult::Refused) return said;
    // The master of an earlier call may be gone; there may be a new one.
    if (!reused) return result;
  }
}

// ---- connecting ------------------------------------------------------------------------------

CallResult ClientConnection::connect(const Deadline& deadline, std::string& error) {
  const std::string path = client_socket_path(state_directory_);
  const int directory = open_run_directory(state_directory_);
  int reason = errno;
  CallResult result = CallResult::NotConnected;
  if (directory >= 0) {
    fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const sockaddr_un address = client_socket_address(directory);
    int connected;
    // EAGAIN: so many clients wait to be accepted that there is no room for another.
    while ((connected =
                ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address)) != 0 &&
           (errno == EAGAIN || errno == EINTR) && deadline.left_ms() != 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    reason = errno;
    if (connected == 0) result = check_server(directory, error);
    ::close(directory);
    if (connected == 0) {
      if (result != CallResult::Ok) close();
      return result;
    }
    close();
  }
  if (reason == EACCES || reason == EPERM) {
    error = "You may not use " + path + " (" + std::strerror(reason) +
            "): the cluster belongs to another user.";
    return CallResult::Refused;
  }
  error = reason == ENOENT || reason == ECONNREFUSED
              ? "No master answers on " + path + ". Start a cluster with 'hyades up --dir " +
                    state_directory_ + "', or name another with --dir or HYADES_DIR."
              : "Cannot connect to " + path + ": " + std::strerror(reason) + ".";
  return CallResult::NotConnected;
}

// Whoever sits on the socket will see scripts and environments: a stranger must not.
CallResult ClientConnection::check_server(int directory, std::string& error) const {
  ucred server{};
  socklen_t length = sizeof server;
  struct stat owner {};
  if (getsockopt(fd_, SOL_SOCKET, SO_PEERCRED, &server, &length) != 0 ||
      fstat(directory, &owner) != 0) {
    error = "Cannot find out who serves " + client_socket_path(state_directory_) + ": " +
            std::strerror(errno) + ".";
    return CallResult::NotConnected;
  }
  if (server.uid == 0 || server.uid == geteuid() || server.uid == owner.st_uid) {
    return CallResult::Ok;
  }
  error = client_socket_path(state_directory_) + " is served by user " +
          std::to_string(server.uid) +
          ", who is neither root, nor you, nor the owner of its directory. Nothing was sent.";
  return CallResult::Refused;
}

// ---- talking ---------------------------------------------------------------------------------

CallResult ClientConnection::send_frame(const std::string& frame, const Deadline& deadline,
                                        std::string& error) {
  std::size_t sent = 0;
  while (sent < frame.size()) {
    const ssize_t count = send(fd_, frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL);
    if (count >= 0) {
      sent += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      if (!deadline.wait(fd_, POLLOUT)) {
        error = "The master does not take the request in time. Nothing was done.";
        return CallResult::NotConnected;
      }
    } else if (errno != EINTR) {
      error = "The master went away before it had the whole request. Nothing was done.";
      return CallResult::NotConnected;
    }
  }
  return CallResult::Ok;
}

CallResult ClientConnection::receive(pb::ClientReply& reply, const Deadline& deadline,
                                     std::string& error) {
  std::string bytes;
  const CallResult headed = read_bytes(bytes, kFrameHeaderBytes, deadline, error);
  if (headed != CallResult::Ok) return headed;
  FrameHeader header;
  switch (read_header(bytes.data(), FrameType::Reply, kReplyBytesMax, header)) {
    case FrameCheck::Good:
      break;
    case FrameCheck::OtherVersion:
      error = "The master speaks version " + std::to_string(header.version) +
              " of Hyades' protocol, this program version " + std::to_string(kProtocolVersion) +
              ". Use commands and a master of the same release.";
      return CallResult::Refused;
    default:
      error = "What answers on " + client_socket_path(state_directory_) + " is not Hyades.";
      return CallResult::Refused;
  }
  bytes.clear();
  const CallResult read = read_bytes(bytes, header.length, deadline, error);
  if (read != CallResult::Ok) return read;
  if (!reply.ParseFromString(bytes) || !reply.GetReflection()->GetUnknownFields(reply).empty()) {
    error = "The master's answer cannot be read. Use commands and a master of the same release.";
    return CallResult::NoAnswer;
  }
  return CallResult::Ok;
}

CallResult ClientConnection::read_bytes(std::string& into, std::size_t count,
                                        const Deadline& deadline, std::string& error) {
  constexpr std::size_t kStep = 256u << 10;
  while (into.size() < count) {
    const std::size_t have = into.size();
    into.resize(have + std::min(kStep, count - have));
    const ssize_t got = recv(fd_, into.data() + have, into.size() - have, 0);
    const int reason = errno;
    into.resize(have + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0 || (got < 0 && reason != EAGAIN && reason != EINTR)) {
      error = "The master went away before it answered. The request may have been carried out.";
      return CallResult::NoAnswer;
    }
    if (got < 0 && !deadline.wait(fd_, POLLIN)) {
      error = "The master did not answer in time. The request may have been carried out.";
      return CallResult::NoAnswer;
    }
  }
  return CallResult::Ok;
}

}  // namespace hyades
