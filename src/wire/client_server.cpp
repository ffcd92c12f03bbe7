#include "wire/client_server.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/assert.hpp"
#include "core/failpoint.hpp"
#include "wire/client_listener.hpp"
#include "wire/client_server_core.hpp"
#include "wire/codec.hpp"
#include "wire/run_directory.hpp"

namespace hyades {

namespace {

constexpr std::size_t kReadsPerPoll = 16;  // of one connection, so that others get their turn
constexpr int kAcceptsPerPoll = 256;
constexpr BootMs kSweepMs = 500;
constexpr BootMs kAcceptPauseMs = 100;  // after the system had no descriptor for a client

bool out_of_descriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

// For the log: how a request ended.
std::string result_of(const pb::ClientReply& reply) {
  if (!reply.error().empty()) return ": " + reply.error();
  return (reply.job() == 0 ? "" : " job " + std::to_string(reply.job())) + ": ok";
}

}  // namespace

pb::ClientReply error_reply(ErrorCode code, const std::string& message) {
  pb::ClientReply reply;
  reply.set_error(std::string(to_string(code)));
  reply.set_message(to_utf8(message));
  return reply;
}

ClientServer::Core::Core(std::string path, const Options& options, bool any_user, int listener)
    : path_(std::move(path)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      options_(options),
      any_user_(any_user),
      reserve_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
  listeners_.emplace_back(listener);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, listener, &event);
}

ClientServer::Core::~Core() {
  sessions_.clear();
  listeners_.clear();
  ::close(epoll_);
  if (reserve_ >= 0) ::close(reserve_);
}

ClientSession* ClientServer::Core::find(int fd) const {
  const auto slot = static_cast<std::size_t>(fd);
  return slot < sessions_.size() ? sessions_[slot].get() : nullptr;
}

// The session whose request this is; null when its client is gone.
ClientSession* ClientServer::Core::find_open(RequestId id) const {
  ClientSession* const session = find(static_cast<int>(id & ((1u << kClientFdBits) - 1)));
  return session != nullptr && session->open == id ? session : nullptr;
}

// ---- accepting -------------------------------------------------------------------------------

// Whether anybody may come.
void ClientServer::Core::hear_listeners(std::uint32_t events) {
  for (const UniqueFd& listener : listeners_) {
    epoll_event event{};
    event.events = events;
    event.data.fd = listener.get();
    epoll_ctl(epoll_, EPOLL_CTL_MOD, listener.get(), &event);
  }
}

void ClientServer::Core::accept_clients(int listener) {
  for (int i = 0; i < kAcceptsPerPoll && accept_one(listener); ++i) {
  }
}

bool ClientServer::Core::accept_one(int listener) {
  const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    admit(fd, listener);
    return true;
  }
  if (errno == EINTR || errno == ECONNABORTED) return true;
  if (out_of_descriptors(errno)) shed(listener);
  return false;
}

// The client at the head of the queue is told why, and then nobody is accepted for a moment: the
// listener stays readable, and polling it in vain would take a whole core.
void ClientServer::Core::shed(int listener) {
  if (reserve_ >= 0) {
    ::close(reserve_);
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      turn_away(fd, ErrorCode::Unavailable,
                "The master has no file descriptor left for another client. Try again.");
    }
  }
  reserve_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  hear_listeners(0);
  accept_again_ms_ = now_ + kAcceptPauseMs;
}

void ClientServer::Core::admit(int fd, int listener) {
  if (fd >= (1 << kClientFdBits)) {
    ::close(fd);
  } else if (is_network(listener)) {
    admit_stranger(fd);
  } else {
    admit_local(fd);
  }
}

void ClientServer::Core::admit_local(int fd) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    ::close(fd);
    return;
  }
  if (!any_user_ && peer.uid != 0 && peer.uid != geteuid()) return turn_other_away(fd, peer.uid);
  if (room_for(fd, peer.uid)) add_session(fd, peer.uid, peer.gid, peer.pid);
}

// Else the client has been told and is gone.
bool ClientServer::Core::room_for(int fd, uid_t uid) {
  const ClientAccounts::Account& user = accounts_.of(uid);
  if (user.connections >= options_.connections_per_uid) {
    turn_away(fd, ErrorCode::LimitReached,
              "User " + std::to_string(uid) + " has " + std::to_string(user.connections) +
                  " connections to the master, which is the limit. Try again.");
    return false;
  }
  if (connections_ >= static_cast<std::size_t>(options_.connections_max)) {
    turn_away(fd, ErrorCode::Unavailable,
              "The master has " + std::to_string(connections_) +
                  " clients, which is the limit. Try again.");
    return false;
  }
  return true;
}

// Null when it could not be watched.
ClientSession* ClientServer::Core::add_session(int fd, uid_t uid, gid_t gid, pid_t pid) {
  const auto slot = static_cast<std::size_t>(fd);
  if (slot >= sessions_.size()) sessions_.resize(slot + 1);
  sessions_[slot] = std::make_unique<ClientSession>(fd, uid, gid, pid);
  ++accounts_.of(uid).connections;
  ++connections_;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;
  event.data.fd = fd;
  sessions_[slot]->interest = event.events;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) close(*sessions_[slot]);
  return sessions_[slot].get();
}

void ClientServer::Core::turn_away(int fd, ErrorCode code, const std::string& message) {
  const std::string frame = reply_frame(error_reply(code, message).SerializeAsString());
  // A fresh socket's buffer takes so few bytes. If not, the client just sees the connection close.
  if (::send(fd, frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) errno = 0;
  ::close(fd);
}

// ---- reading ---------------------------------------------------------------------------------

void ClientServer::Core::poll(std::vector<ClientRequest>& out, BootMs now) {
  now_ = now;
  if (accept_again_ms_ != 0 && now >= accept_again_ms_) {
    accept_again_ms_ = 0;
    hear_listeners(EPOLLIN);
  }
  std::array<epoll_event, 512> events;
  const int count = epoll_wait(epoll_, events.data(), events.size(), 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const auto is_it = [&](const UniqueFd& listener) { return listener.get() == event.data.fd; };
    if (std::any_of(listeners_.begin(), listeners_.end(), is_it)) {
      accept_clients(event.data.fd);
    } else if (ClientSession* session = find(event.data.fd)) {
      serve(*session, event.events, out);
    }
  }
  if (checker_) hear_verdicts();
  if (now - swept_ms_ >= kSweepMs) sweep();
}

void ClientServer::Core::serve(ClientSession& session, std::uint32_t events,
                               std::vector<ClientRequest>& out) {
  if ((events & (EPOLLHUP | EPOLLERR)) != 0 && !session.reading()) {
    close(session);
  } else if (session.writing()) {
    const std::size_t before = session.buffered_bytes();
    const ClientSession::Write result = session.flush(now_);
    account(session, before);
    settle(session, result);
  } else if (!session.reading()) {
    // Not its turn. Do not look at it again before the answer is out.
    if ((events & EPOLLRDHUP) != 0) session.half_closed = true;
    watch(session, session.half_closed ? 0u : std::uint32_t{EPOLLRDHUP});
  } else {
    read(session, out);
  }
}

void ClientServer::Core::read(ClientSession& session, std::vector<ClientRequest>& out) {
  for (std::size_t i = 0; i < kReadsPerPoll; ++i) {
    const ssize_t count = recv(session.fd, scratch_.data(), scratch_.size(), MSG_DONTWAIT);
    if (count > 0) {
      const std::string_view bytes(scratch_.data(), static_cast<std::size_t>(count));
      if (!take(session, bytes, out)) return;
      // What filled less than the buffer was all there was.
      if (bytes.size() < scratch_.size()) return;
    } else if (count == 0 && session.frame_begun()) {
      session.half_closed = true;
      refuse(session, ErrorCode::Invalid, "The request is cut off.");
      return;
    } else if (count < 0 && errno == EINTR) {
      continue;
    } else {
      if (count == 0 || errno != EAGAIN) close(session);
      return;
    }
  }
}

bool ClientServer::Core::take(ClientSession& session, std::string_view bytes,
                              std::vector<ClientRequest>& out) {
  std::string_view body;
  std::string error;
  const std::size_t before = session.buffered_bytes();
  if (!session.frame_begun()) session.frame_started_ms = now_;
  const ClientSession::Frame frame = session.take(
      bytes, session.wants_credential() ? kCredentialBytesMax : options_.request_bytes_max, body,
      error);
  account(session, before);
  switch (frame) {
    case ClientSession::Frame::Bad:
      refuse(session, ErrorCode::Invalid, error);
      return false;
    case ClientSession::Frame::Complete:
      if (session.wants_credential()) {
        take_credential(session, body);
      } else if (is_promised(session, body)) {
        take_request(session, body, out);
      }
      return false;
    case ClientSession::Frame::Partial:
      break;
  }
  if (accounts_.of(session.uid).bytes <= options_.bytes_per_uid) return true;
  refuse(session, ErrorCode::LimitReached,
         "User " + std::to_string(session.uid) +
             " has too many unfinished requests and unread replies. Try again.");
  return false;
}

void ClientServer::Core::take_request(ClientSession& session, std::string_view body,
                                      std::vector<ClientRequest>& out) {
  ClientRequest request;
  std::string error;
  const bool good = parse_request(body, request.what, error);
  const std::size_t before = session.buffered_bytes();
  session.forget_frame();
  account(session, before);
  if (!good) {
    refuse(session, ErrorCode::Invalid, "The request cannot be read: " + error + ".");
    return;
  }
  if (!accounts_.spend(session.uid, options_.requests_per_second_per_uid, now_)) {
    const pb::ClientReply reply =
        error_reply(ErrorCode::LimitReached,
                    "More than " + std::to_string(options_.requests_per_second_per_uid) +
                        " requests a second from one user. Try again.");
    session.asked = verb_and_object(request.what);
    audit_end(session, reply.error(), result_of(reply));
    write(session, reply_frame(reply.SerializeAsString()));
    return;
  }
  session.open = next_id(session);
  session.asked = verb_and_object(request.what);
  session.noted = false;
  request.id = session.open;
  request.uid = session.uid;
  request.gid = session.gid;
  request.pid = session.pid;
  out.push_back(std::move(request));
}

RequestId ClientServer::Core::next_id(const ClientSession& session) {
  return ++serial_ << kClientFdBits | static_cast<RequestId>(session.fd);
}

void ClientServer::Core::refuse(ClientSession& session, ErrorCode code,
                                const std::string& message) {
  const std::size_t before = session.buffered_bytes();
  session.forget_frame();
  account(session, before);
  session.close_after_flush = true;
  if (session.login) audit(session, "refused: " + message);
  write(session, reply_frame(error_reply(code, message).SerializeAsString()));
}

// ---- writing ---------------------------------------------------------------------------------

void ClientServer::Core::reply(RequestId id, const pb::ClientReply& reply) {
  ClientSession* const session = find_open(id);
  if (session == nullptr) return;
  HYADES_FAILPOINT("client_before_reply");
  session->open = 0;
  audit_end(*session, reply.error(), result_of(reply));
  const std::size_t size = reply.ByteSizeLong();
  const std::size_t held = accounts_.of(session->uid).bytes;
  const bool valid = valid_utf8_bytes(reply.message()) == reply.message().size();
  if (size > options_.reply_bytes_max || held + size > options_.bytes_per_uid) {
    const bool too_long = size > options_.reply_bytes_max;
    write(*session,
          reply_frame(error_reply(ErrorCode::LimitReached,
                                  too_long ? "The answer has " + std::to_string(size) +
                                                 " bytes, which is too much. Ask for less."
                                           : "Too many answers of this user wait to be read.")
                          .SerializeAsString()));
  } else if (!valid) {
    pb::ClientReply readable = reply;
    readable.set_message(to_utf8(reply.message()));
    write(*session, reply_frame(readable.SerializeAsString()));
  } else {
    frame_.resize(kFrameHeaderBytes + size);
    write_header({kProtocolVersion, FrameType::Reply, static_cast<std::uint32_t>(size)},
                 frame_.data());
    reply.SerializeWithCachedSizesToArray(
        reinterpret_cast<std::uint8_t*>(frame_.data() + kFrameHeaderBytes));
    write(*session, frame_);
    if (frame_.capacity() > 2 * kClientScratchBytes) std::string().swap(frame_);
  }
}

void ClientServer::Core::write(ClientSession& session, std::string_view frame) {
  const std::size_t before = session.buffered_bytes();
  std::string with_hello;
  if (session.login && !session.close_after_flush) {
    with_hello = std::string(frame) + hello_frame(session);
    frame = with_hello;
  }
  const ClientSession::Write result = session.write(frame, now_);
  account(session, before);
  settle(session, result);
}

void ClientServer::Core::settle(ClientSession& session, ClientSession::Write result) {
  const bool last = session.close_after_flush || session.half_closed;
  if (result == ClientSession::Write::Broken || (result == ClientSession::Write::Done && last)) {
    close(session);
  } else {
    watch(session, result == ClientSession::Write::Blocked ? EPOLLOUT : EPOLLIN | EPOLLRDHUP);
  }
}

void ClientServer::Core::watch(ClientSession& session, std::uint32_t events) {
  if (session.interest == events) return;
  session.interest = events;
  epoll_event event{};
  event.events = events;
  event.data.fd = session.fd;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, session.fd, &event);
}

void ClientServer::Core::account(ClientSession& session, std::size_t bytes_before) {
  std::size_t& bytes = accounts_.of(session.uid).bytes;
  bytes += session.buffered_bytes();
  bytes -= bytes_before;
}

void ClientServer::Core::close(ClientSession& session) {
  if (session.open != 0) {
    closed_.push_back(session.open);
    if (session.noted) audit_end(session, "", ": its client went away before the answer");
  }
  ClientAccounts::Account& user = accounts_.of(session.uid);
  user.bytes -= session.buffered_bytes();
  --user.connections;
  --connections_;
  if (session.login && !session.login->identified) forget_stranger(*session.login);
  sessions_[static_cast<std::size_t>(session.fd)].reset();
}

// ---- time ------------------------------------------------------------------------------------

void ClientServer::Core::sweep() {
  swept_ms_ = now_;
  for (std::unique_ptr<ClientSession>& session : sessions_) {
    if (!session) continue;
    if (session->writing()) {
      if (now_ - session->reply_moved_ms >= options_.reply_timeout_ms) close(*session);
    } else if (session->login) {
      sweep_network(*session);
    } else if (session->frame_begun() &&
               now_ - session->frame_started_ms >= options_.frame_timeout_ms) {
      refuse(*session, ErrorCode::Invalid, "The request took too long to arrive.");
    }
  }
  accounts_.forget_idle(now_);
  count_unlogged();
}

// ---- outside ----------------------------------------------------------------------------------

std::unique_ptr<ClientServer> ClientServer::open(const std::string& state_directory,
                                                 const Options& options, std::string& error) {
  HYADES_ASSERT(options.bytes_per_uid > options.request_bytes_max + options.reply_bytes_max);
  const bool any_user = options.any_user || geteuid() == 0;
  const int directory = make_run_directory(state_directory, any_user, error);
  if (directory < 0) return nullptr;
  const std::string path = client_socket_path(state_directory);
  const int listener = listen_for_clients(directory, path, any_user, error);
  ::close(directory);
  if (listener < 0) return nullptr;
  auto core = std::make_unique<Core>(path, options, any_user, listener);
  error = core->open_network();
  if (!error.empty()) return nullptr;
  return std::unique_ptr<ClientServer>(new ClientServer(std::move(core)));
}

ClientServer::ClientServer(std::unique_ptr<Core> core) : core_(std::move(core)) {}
ClientServer::~ClientServer() = default;

int ClientServer::fd() const { return core_->epoll_; }
void ClientServer::poll(std::vector<ClientRequest>& out, BootMs now) { core_->poll(out, now); }
void ClientServer::note(RequestId id) { core_->note(id); }
void ClientServer::reply(RequestId id, const pb::ClientReply& reply) { core_->reply(id, reply); }
std::vector<RequestId> ClientServer::take_closed() { return std::exchange(core_->closed_, {}); }
std::size_t ClientServer::connections() const { return core_->connections_; }
const std::string& ClientServer::socket_path() const { return core_->path_; }

}  // namespace hyades
