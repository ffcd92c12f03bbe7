// The client server itself: one table of sessions, whichever way the clients came. Private to the
// client server, whose parts are client_server.cpp and, for clients on the network,
// client_server_network.cpp.
#pragma once

#include <array>
#include <map>

#include "wire/client_accounts.hpp"
#include "wire/client_server.hpp"
#include "wire/client_session.hpp"
#include "wire/login_proof.hpp"
#include "wire/network_login.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {

constexpr std::size_t kClientScratchBytes = 64u << 10;
constexpr unsigned kClientFdBits = 20;  // of a RequestId; the rest is a serial number

class ClientServer::Core {
 public:
  Core(std::string path, const Options& options, bool any_user, int listener);
  ~Core();

  // "" or why there is no listening on the network.
  std::string open_network();

  void poll(std::vector<ClientRequest>& out, BootMs now);
  void note(RequestId id);
  void reply(RequestId id, const pb::ClientReply& reply);

  std::vector<RequestId> closed_;
  std::size_t connections_ = 0;
  std::string path_;
  int epoll_;

 private:
  void hear_listeners(std::uint32_t events);
  void accept_clients(int listener);
  bool accept_one(int listener);
  void shed(int listener);
  void admit(int fd, int listener);
  void admit_local(int fd);
  bool room_for(int fd, uid_t uid);
  ClientSession* add_session(int fd, uid_t uid, gid_t gid, pid_t pid);
  void turn_away(int fd, ErrorCode code, const std::string& message);
  void turn_other_away(int fd, uid_t uid);

  void serve(ClientSession& session, std::uint32_t events, std::vector<ClientRequest>& out);
  void read(ClientSession& session, std::vector<ClientRequest>& out);
  // False when the session is gone or has to wait.
  bool take(ClientSession& session, std::string_view bytes, std::vector<ClientRequest>& out);
  void take_request(ClientSession& session, std::string_view body, std::vector<ClientRequest>& out);
  void refuse(ClientSession& session, ErrorCode code, const std::string& message);
  void write(ClientSession& session, std::string_view frame);
  void settle(ClientSession& session, ClientSession::Write result);
  void watch(ClientSession& session, std::uint32_t events);
  void account(ClientSession& session, std::size_t bytes_before);
  void close(ClientSession& session);
  void sweep();
  ClientSession* find(int fd) const;
  ClientSession* find_open(RequestId id) const;
  RequestId next_id(const ClientSession& session);

  // Clients on the network.
  bool is_network(int listener) const { return listener != listeners_.front().get(); }
  void admit_stranger(int fd);
  void greet(ClientSession& session);
  std::string hello_frame(ClientSession& session);
  void take_credential(ClientSession& session, std::string_view credential);
  void hear_verdicts();
  void decide(ClientSession& session, const CredentialChecker::Verdict& verdict);
  std::string objection(const ClientSession& session, const MungeContent& content,
                        LoginProof& proof) const;
  void identify(ClientSession& session, uid_t uid, gid_t gid);
  bool is_promised(ClientSession& session, std::string_view body);
  void sweep_network(ClientSession& session);
  void forget_stranger(const NetworkLogin& login);
  void audit(const ClientSession& session, const std::string& what);
  void audit_end(const ClientSession& session, const std::string& error, const std::string& how);
  void count_unlogged();

  Options options_;
  bool any_user_;
  std::vector<UniqueFd> listeners_;  // the Unix socket first
  int reserve_;                      // given up for a moment when there is no other descriptor left
  BootMs accept_again_ms_ = 0;
  BootMs swept_ms_ = 0;
  BootMs now_ = 0;
  RequestId serial_ = 0;
  std::vector<std::unique_ptr<ClientSession>> sessions_;  // by descriptor
  ClientAccounts accounts_;
  std::array<char, kClientScratchBytes> scratch_;
  std::string frame_;  // reused
  std::unique_ptr<CredentialChecker> checker_;
  std::vector<CredentialChecker::Verdict> verdicts_;  // reused
  std::map<std::string, int> strangers_;              // by address
  int strangers_logged_ = 0;                          // since the last sweep
  std::map<uid_t, int> denied_logged_;                // of this host's users, since then
};

}  // namespace hyades
