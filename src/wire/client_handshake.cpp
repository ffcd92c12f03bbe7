#include "wire/client_handshake.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "wire/login_proof.hpp"
#include "wire/munge_records.hpp"
#include "wire/network_address.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {

namespace {

constexpr int kMungeTimeout_ms = 5000;

// 0, or the error.
int connect_in_time(int fd, const addrinfo& address, const ClientDeadline& deadline) {
  if (connect(fd, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS && errno != EINTR) return errno;
  if (!deadline.wait(fd, POLLOUT)) return ETIMEDOUT;
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0 ? errno : error;
}

std::optional<uid_t> uid_of(const std::string& name) {
  std::vector<char> buffer(16'384);
  passwd entry{};
  passwd* found = nullptr;
  getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? std::nullopt : std::optional(found->pw_uid);
}

// In the child: one record, the verdict and the credential or why there is none.
[[noreturn]] void encode_for(int out, const std::string& payload, uid_t uid,
                             const std::string& socket) {
  std::string text;
  std::string error;
  const MungeVerdict verdict = encode_credential(payload, uid, socket, text, error);
  const std::string record = join_record(static_cast<std::uint32_t>(verdict),
                                         verdict == MungeVerdict::Good ? text : error);
  _exit(send(out, record.data(), record.size(), MSG_NOSIGNAL) < 0 ? 1 : 0);
}

}  // namespace

int connect_to_master(const std::string& place, const ClientDeadline& deadline, std::string& error,
                      bool& hopeless) {
  NetworkAddress wanted;
  hopeless = true;
  if (!NetworkAddress::parse(place, wanted) || wanted.host.empty()) {
    error = "'" + place + "' does not say where the master is; it must be host:port.";
    return -1;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(wanted.host.c_str(), wanted.port.c_str(), &hints, &found);
  hopeless = failed != 0 && failed != EAI_AGAIN;
  if (failed != 0) {
    error = "The host " + wanted.host + " cannot be found: " + gai_strerror(failed) + ".";
    return -1;
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);
  int reason = 0;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    UniqueFd fd(socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    reason = fd ? connect_in_time(fd.get(), *at, deadline) : errno;
    if (reason != 0) continue;
    const int yes = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    return fd.release();
  }
  error = reason == ECONNREFUSED
              ? "Nobody listens at " + place +
                    ": is the cluster up, and does its [security] listen name this port?"
              : "Cannot connect to " + place + ": " + std::strerror(reason) + ".";
  return -1;
}

std::string check_master_user(uid_t uid, const std::string& expected) {
  if (uid == 0 || uid == geteuid()) return "";
  const std::string name = expected.empty() ? "hyades" : expected;
  const std::optional<uid_t> known = uid_of(name);
  if (known == uid) return "";
  return "it runs as user " + std::to_string(uid) + ", who is neither root, nor you, nor '" + name +
         "'. Nothing was sent. If that is right, set HYADES_MASTER_USER to that user's name.";
}

MadeCredential make_credential(const pb::Greeting& hello, std::string_view request_body,
                               const std::string& socket, const ClientDeadline& deadline) {
  MadeCredential made;
  made.secret = random_bytes(kSecretBytes);
  const std::string payload =
      encode_proof({hello.nonce(), made.secret, sha256(request_body), hello.cluster()});
  std::array<int, 2> pair{};
  made.error = "Cannot ask the MUNGE daemon: ";
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    made.error += std::strerror(errno);
    return made;
  }
  const UniqueFd ours(pair[0]);
  UniqueFd theirs(pair[1]);
  const pid_t child = fork();
  if (child == 0) encode_for(theirs.get(), payload, hello.uid(), socket);
  if (child < 0) {
    made.error += std::strerror(errno);
    return made;
  }
  theirs.reset();
  std::array<char, kMungeRecordBytesMax> buffer;
  const bool in_time = deadline.at_most(kMungeTimeout_ms).wait(ours.get(), POLLIN);
  const ssize_t count = in_time ? recv(ours.get(), buffer.data(), buffer.size(), 0) : 0;
  kill(child, SIGKILL);
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  std::uint32_t verdict = 0;
  std::string rest;
  if (count <= 0 ||
      !split_record({buffer.data(), static_cast<std::size_t>(count)}, verdict, rest)) {
    made.error = "The MUNGE daemon of this host does not answer: is munged running?";
    return made;
  }
  made.verdict = static_cast<MungeVerdict>(verdict);
  (made.verdict == MungeVerdict::Good ? made.text : made.error) = rest;
  return made;
}

}  // namespace hyades
