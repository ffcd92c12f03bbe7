// The client server's clients on the network: each request is preceded by a nonce of ours and a
// credential of theirs, and is taken only when the credential was made for it.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "wire/client_server_core.hpp"
#include "wire/network_listener.hpp"

namespace hyades {

namespace {

// Whose connections and bytes those of clients are that have not shown who they are.
constexpr uid_t kStranger = static_cast<uid_t>(-1);

constexpr int kStrangersLogged = 20;  // between two sweeps
constexpr int kDeniedLogged = 50;     // also, of each user

}  // namespace

std::string ClientServer::Core::open_network() {
  if (options_.listen.empty()) return "";
  checker_ = std::make_unique<CredentialChecker>(options_.munge);
  const std::string trouble = checker_->try_out();
  if (!trouble.empty() && options_.munge_may_come_later) {
    if (options_.audit) options_.audit("nobody can come before MUNGE works again. " + trouble);
  } else if (!trouble.empty()) {
    return "[security] listen needs a working MUNGE, which says who comes over the network. " +
           trouble + " Start munged on this host, correct munge_socket, or remove listen.";
  }
  std::vector<int> descriptors{checker_->fd()};
  for (const std::string& place : options_.listen) {
    std::string error;
    std::vector<UniqueFd> sockets = listen_on_network(place, error);
    if (!error.empty()) return error;
    for (UniqueFd& socket : sockets) {
      descriptors.push_back(socket.get());
      listeners_.push_back(std::move(socket));
    }
  }
  for (const int fd : descriptors) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
  return "";
}

// ---- strangers --------------------------------------------------------------------------------

void ClientServer::Core::admit_stranger(int fd) {
  sockaddr_storage peer{};
  socklen_t length = sizeof peer;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0) {
    ::close(fd);
    return;
  }
  const std::string address = peer_host(peer, length);
  const auto known = strangers_.find(address);
  const bool crowd = known != strangers_.end() && known->second >= options_.strangers_per_address;
  if (crowd || accounts_.of(kStranger).connections >= options_.strangers_max ||
      connections_ >= static_cast<std::size_t>(options_.connections_max)) {
    return turn_away(
        fd, ErrorCode::Unavailable,
        crowd ? "Too many clients of " + address + " have not shown who they are yet. Try again."
              : "The master has too many clients. Try again.");
  }
  keep_watch_on(fd);
  ClientSession* const session = add_session(fd, kStranger, static_cast<gid_t>(-1), 0);
  if (session == nullptr) return;
  session->login = std::make_unique<NetworkLogin>();
  session->login->address = address;
  ++strangers_[address];
  greet(*session);
}

void ClientServer::Core::forget_stranger(const NetworkLogin& login) {
  const auto known = strangers_.find(login.address);
  if (known != strangers_.end() && --known->second <= 0) strangers_.erase(known);
}

// A fresh nonce for the next credential; the last one is good for nothing any more.
std::string ClientServer::Core::hello_frame(ClientSession& session) {
  NetworkLogin& login = *session.login;
  login.nonce = random_bytes(kNonceBytes);
  login.digest.clear();
  login.since_ms = now_;
  pb::Greeting hello;
  hello.set_nonce(login.nonce);
  hello.set_cluster(options_.cluster);
  hello.set_uid(geteuid());
  return make_frame(FrameType::Hello, hello.SerializeAsString());
}

void ClientServer::Core::greet(ClientSession& session) {
  const std::string frame = hello_frame(session);
  const std::size_t before = session.buffered_bytes();
  const ClientSession::Write result = session.write(frame, now_);
  account(session, before);
  settle(session, result);
}

// ---- credentials ------------------------------------------------------------------------------

void ClientServer::Core::take_credential(ClientSession& session, std::string_view credential) {
  const std::string copy(credential);
  const std::size_t before = session.buffered_bytes();
  session.forget_frame();
  account(session, before);
  // To the helper, nothing means something else.
  if (copy.empty() || copy.find('\0') != std::string::npos) {
    return refuse(session, ErrorCode::Denied, "This is not a MUNGE credential.");
  }
  session.login->deciding = next_id(session);
  watch(session, EPOLLRDHUP);
  checker_->check(session.login->deciding, copy, now_);
}

void ClientServer::Core::hear_verdicts() {
  verdicts_.clear();
  checker_->poll(verdicts_, now_);
  for (const CredentialChecker::Verdict& verdict : verdicts_) {
    ClientSession* const session = find(static_cast<int>(verdict.id & ((1u << kClientFdBits) - 1)));
    // The client may have gone, and another have come in its place.
    if (session == nullptr || !session->login || session->login->deciding != verdict.id) continue;
    session->login->deciding = 0;
    decide(*session, verdict);
  }
}

void ClientServer::Core::decide(ClientSession& session, const CredentialChecker::Verdict& verdict) {
  if (verdict.verdict != MungeVerdict::Good) {
    if (verdict.verdict == MungeVerdict::Refused) {
      return refuse(session, ErrorCode::Denied, verdict.error);
    }
    // Whoever reads it has a MUNGE daemon, too, which is well.
    return refuse(session, ErrorCode::Unavailable, "On the master's host: " + verdict.error);
  }
  LoginProof proof;
  const std::string why = objection(session, verdict.content, proof);
  if (!why.empty()) return refuse(session, ErrorCode::Denied, why);
  const uid_t uid = verdict.content.uid;
  if (!session.login->identified) {
    const ClientAccounts::Account& user = accounts_.of(uid);
    if (user.connections >= options_.connections_per_uid) {
      return refuse(session, ErrorCode::LimitReached,
                    "User " + std::to_string(uid) + " has " + std::to_string(user.connections) +
                        " connections to the master, which is the limit. Try again.");
    }
    identify(session, uid, verdict.content.gid);
  }
  session.login->nonce.clear();
  session.login->digest = proof.digest;
  session.login->since_ms = now_;
  const std::size_t before = session.buffered_bytes();
  const ClientSession::Write result =
      session.write(make_frame(FrameType::Proceed, proof.secret), now_);
  account(session, before);
  settle(session, result);
}

// Why a credential that is good as such is not good here; "" when it is.
std::string ClientServer::Core::objection(const ClientSession& session, const MungeContent& content,
                                          LoginProof& proof) const {
  const std::string who = "User " + std::to_string(content.uid) + "'s credential ";
  if (!decode_proof(content.payload, proof)) return who + "was not made for Hyades.";
  if (content.only_for != geteuid()) return who + "was not made for this master's user alone.";
  if (proof.cluster != options_.cluster) return who + "was made for another cluster.";
  if (session.login->nonce.empty() || proof.nonce != session.login->nonce) {
    return who + "was not made for this request (its nonce is another).";
  }
  if (session.login->identified && content.uid != session.uid) {
    return who + "came on a connection of user " + std::to_string(session.uid) + ".";
  }
  if (!any_user_ && content.uid != 0 && content.uid != geteuid()) {
    return "This cluster serves user " + std::to_string(geteuid()) + " alone.";
  }
  return content.uid == kStranger ? who + "names nobody." : "";
}

// From here on the session counts as its user's. It holds no bytes at this moment.
void ClientServer::Core::identify(ClientSession& session, uid_t uid, gid_t gid) {
  forget_stranger(*session.login);
  session.login->identified = true;
  --accounts_.of(kStranger).connections;
  ++accounts_.of(uid).connections;
  session.uid = uid;
  session.gid = gid;
}

bool ClientServer::Core::is_promised(ClientSession& session, std::string_view body) {
  if (!session.login || sha256(body) == session.login->digest) return true;
  refuse(session, ErrorCode::Denied,
         "User " + std::to_string(session.uid) + "'s request is not the one of its credential.");
  return false;
}

// ---- time and the log -------------------------------------------------------------------------

void ClientServer::Core::sweep_network(ClientSession& session) {
  const NetworkLogin& login = *session.login;
  if (!session.reading()) return;
  const BootMs silent = now_ - login.since_ms;
  if (!login.identified && silent >= options_.login_timeout_ms) {
    refuse(session, ErrorCode::Denied, "It took too long to show who you are.");
  } else if (silent >= options_.idle_timeout_ms) {
    // Between requests that is nobody's fault.
    if (!session.frame_begun() && session.wants_credential()) return close(session);
    refuse(session, ErrorCode::Invalid, "The request took too long to arrive.");
  }
}

void ClientServer::Core::note(RequestId id) {
  ClientSession* const session = find_open(id);
  if (session != nullptr) session->noted = true;
}

// How the open request ended, if that is for the log. Nor must those fill the disk who may not do
// what they ask for.
void ClientServer::Core::audit_end(const ClientSession& session, const std::string& error,
                                   const std::string& how) {
  const bool denied = error == to_string(ErrorCode::Denied);
  if (!session.login && !session.noted && !denied) return;
  if (!session.login && !session.noted && ++denied_logged_[session.uid] > kDeniedLogged) return;
  audit(session, session.asked + how);
}

// One user's cluster is nobody else's.
void ClientServer::Core::turn_other_away(int fd, uid_t uid) {
  const std::string why = "This cluster serves user " + std::to_string(geteuid()) + " alone.";
  if (options_.audit && ++denied_logged_[uid] <= kDeniedLogged) {
    options_.audit("uid " + std::to_string(uid) + " from this host: refused: " + why);
  }
  turn_away(fd, ErrorCode::Denied, why);
}

// Strangers must not fill the disk.
void ClientServer::Core::audit(const ClientSession& session, const std::string& what) {
  if (!options_.audit) return;
  const bool stranger = session.login && !session.login->identified;
  if (stranger && ++strangers_logged_ > kStrangersLogged) return;
  options_.audit((stranger ? "somebody" : "uid " + std::to_string(session.uid)) + " from " +
                 (session.login ? session.login->address : "this host") + ": " + what);
}

void ClientServer::Core::count_unlogged() {
  const auto say = [&](int logged, int most, const std::string& what) {
    if (options_.audit && logged > most) options_.audit(std::to_string(logged - most) + what);
  };
  say(strangers_logged_, kStrangersLogged, " more were refused before they had shown who they are");
  for (const auto& [uid, logged] : denied_logged_) {
    say(logged, kDeniedLogged, " more requests of uid " + std::to_string(uid) + " were denied");
  }
  strangers_logged_ = 0;
  denied_logged_.clear();
}

}  // namespace hyades
