#include "wire/client_connection.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "core/request.hpp"
#include "wire/client_handshake.hpp"
#include "wire/login_proof.hpp"
#include "wire/run_directory.hpp"

namespace hyades {

namespace {

// A master that lives decides within five seconds.
constexpr int kLoginTimeout_ms = 15'000;

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

ClientConnection::ClientConnection(MasterAddress address)
    : address_(std::move(address)),
      munge_socket_(variable("HYADES_MUNGE_SOCKET")),
      master_user_(variable("HYADES_MASTER_USER")) {}

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
    bool answered = false;
    CallResult result = send_request(frame, reply, deadline, error, answered);
    if (answered) {
      close();
      return result;
    }
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

// `answered`: there is nothing to wait for any more, whatever the result.
CallResult ClientConnection::send_request(const std::string& frame, pb::ClientReply& reply,
                                          const Deadline& deadline, std::string& error,
                                          bool& answered) {
  if (!address_.network.empty()) {
    const std::string_view body = std::string_view(frame).substr(kFrameHeaderBytes);
    const CallResult result = log_in(body, reply, deadline, error, answered);
    if (answered || result != CallResult::Ok) return result;
  }
  return send_frame(frame, deadline, error);
}

// ---- connecting ------------------------------------------------------------------------------

CallResult ClientConnection::connect(const Deadline& deadline, std::string& error) {
  if (address_.network.empty()) return connect_local(deadline, error);
  bool hopeless = false;
  fd_ = connect_to_master(address_.network, deadline, error, hopeless);
  if (fd_ >= 0) return CallResult::Ok;
  return hopeless ? CallResult::Refused : CallResult::NotConnected;
}

// Shows the master who we are, and makes sure of who it is. Whatever breaks off here, nothing was
// done.
CallResult ClientConnection::log_in(std::string_view body, pb::ClientReply& reply,
                                    const Deadline& patience, std::string& error, bool& answered) {
  const Deadline deadline = patience.at_most(kLoginTimeout_ms);
  const auto hear = [&](FrameType wanted, std::string& text) {
    FrameType type = wanted;
    CallResult result = receive_frame(wanted, type, text, deadline, error);
    if (result == CallResult::NoAnswer) {
      error = "The master at " + address_.network + " does not answer, or hung up. " +
              "Nothing was done.";
      result = CallResult::NotConnected;
    }
    answered = result == CallResult::Refused;
    if (result != CallResult::Ok || type == wanted) return result;
    answered = true;
    result = parse_reply(text, reply, error);
    if (result != CallResult::Ok || reply.error() != to_string(ErrorCode::Unavailable))
      return result;
    error = reply.message();
    return CallResult::NotConnected;  // nothing was done, and later it may be
  };
  std::string text;
  CallResult result = hear(FrameType::Hello, text);
  if (result != CallResult::Ok || answered) return result;
  pb::Greeting hello;
  error = hello.ParseFromString(text) && hello.nonce().size() == kNonceBytes
              ? check_master_user(hello.uid(), master_user_)
              : "its greeting cannot be read. Use commands and a master of the same release.";
  answered = !error.empty();
  if (answered) return CallResult::Refused;
  const MadeCredential made = make_credential(hello, body, munge_socket_, deadline);
  error = made.error;
  answered = made.verdict != MungeVerdict::Good;
  if (answered) return CallResult::Refused;
  result = send_frame(make_frame(FrameType::Credential, made.text), deadline, error);
  if (result != CallResult::Ok) return result;
  result = hear(FrameType::Proceed, text);
  if (result != CallResult::Ok || answered) return result;
  if (text == made.secret) return CallResult::Ok;
  error = "it could not read our MUNGE credential. Nothing was sent.";
  answered = true;
  return CallResult::Refused;
}

CallResult ClientConnection::connect_local(const Deadline& deadline, std::string& error) {
  const std::string path = client_socket_path(address_.state_directory);
  const int directory = open_run_directory(address_.state_directory);
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
                    address_.state_directory + "', or name another with --dir or HYADES_DIR."
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
    error = "Cannot find out who serves " + client_socket_path(address_.state_directory) + ": " +
            std::strerror(errno) + ".";
    return CallResult::NotConnected;
  }
  if (server.uid == 0 || server.uid == geteuid() || server.uid == owner.st_uid) {
    return CallResult::Ok;
  }
  error = client_socket_path(address_.state_directory) + " is served by user " +
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
  std::string body;
  FrameType type = FrameType::Reply;
  const CallResult result = receive_frame(FrameType::Reply, type, body, deadline, error);
  return result == CallResult::Ok ? parse_reply(body, reply, error) : result;
}

CallResult ClientConnection::receive_frame(FrameType wanted, FrameType& type, std::string& body,
                                           const Deadline& deadline, std::string& error) {
  std::string bytes;
  const CallResult headed = read_bytes(bytes, kFrameHeaderBytes, deadline, error);
  if (headed != CallResult::Ok) return headed;
  FrameHeader header;
  type = FrameType::Reply;
  FrameCheck check = read_header(bytes.data(), FrameType::Reply, kReplyBytesMax, header);
  if (check == FrameCheck::NotHyades && wanted != FrameType::Reply) {
    type = wanted;
    check = read_header(bytes.data(), wanted, kCredentialBytesMax, header);
  }
  switch (check) {
    case FrameCheck::Good:
      break;
    case FrameCheck::OtherVersion:
      error = "The master speaks version " + std::to_string(header.version) +
              " of Hyades' protocol, this program version " + std::to_string(kProtocolVersion) +
              ". Use commands and a master of the same release.";
      return CallResult::Refused;
    default:
      error = "What answers on " + server_name() + " is not Hyades.";
      return CallResult::Refused;
  }
  body.clear();
  return read_bytes(body, header.length, deadline, error);
}

CallResult ClientConnection::parse_reply(const std::string& body, pb::ClientReply& reply,
                                         std::string& error) const {
  if (reply.ParseFromString(body) && reply.GetReflection()->GetUnknownFields(reply).empty()) {
    return CallResult::Ok;
  }
  error = "The master's answer cannot be read. Use commands and a master of the same release.";
  return CallResult::NoAnswer;
}

std::string ClientConnection::server_name() const {
  return address_.network.empty() ? client_socket_path(address_.state_directory) : address_.network;
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
