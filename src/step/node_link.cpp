#include "step/node_link.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "step/step_auth.hpp"
#include "step/step_socket.hpp"

extern char** environ;

namespace hyades {

NodeLink::NodeLink(EventLoop& loop, StepShare share, std::string key, Handlers handlers)
    : loop_(loop), share_(std::move(share)), key_(std::move(key)), handlers_(std::move(handlers)) {}

bool NodeLink::open(const std::string& stepd, const DescriptorLimit& limit, std::string& error) {
  return share_.where.port == 0 ? start_own_daemon(stepd, limit, error) : connect(error);
}

bool NodeLink::connect(std::string& error) {
  UniqueFd socket = connect_step_socket(share_.where.address, share_.where.port, error);
  if (!socket) return false;
  use(std::move(socket));
  return true;
}

bool NodeLink::start_own_daemon(const std::string& stepd, const DescriptorLimit& limit,
                                std::string& error) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    error = std::string("no socket pair: ") + std::strerror(errno);
    return false;
  }
  UniqueFd ours(ends[0]), theirs(ends[1]);
  // Of its own session: a terminal's Ctrl-C comes through us.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), 3);
  std::string program = stepd, option = "--connected";
  char* arguments[] = {program.data(), option.data(), nullptr};
  const DescriptorLimit::Usual usual(limit);
  const int trouble =
      posix_spawn(&daemon_, stepd.c_str(), &actions, &attributes, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (trouble != 0) {
    daemon_ = 0;
    error = "cannot run " + stepd + ": " + std::strerror(trouble);
    return false;
  }
  use(std::move(ours));
  // The pair needs no proof; but no handler is called from here.
  ready_ = true;
  channel_->trust();
  loop_.after(std::chrono::milliseconds(0), [this] { handlers_.ready(); });
  return true;
}

void NodeLink::use(UniqueFd socket) {
  channel_ = std::make_unique<StepChannel>(
      loop_, std::move(socket),
      StepChannel::Handlers{[this](StepMessage&& message) { received(std::move(message)); },
                            [this](const std::string& why) { closed(why); }, [] {}});
}

void NodeLink::received(StepMessage&& message) {
  if (ready_) return handlers_.received(std::move(message));
  if (const auto* challenge = std::get_if<StepChallenge>(&message);
      challenge && server_nonce_.empty() && challenge->nonce.size() == step_nonce_bytes) {
    server_nonce_ = challenge->nonce;
    nonce_ = fresh_nonce();
    send(StepResponse{nonce_, client_proof(key_, node(), server_nonce_, nonce_)});
    return;
  }
  const auto* proof = std::get_if<StepProof>(&message);
  if (proof == nullptr || server_nonce_.empty() ||
      !same_proof(proof->proof, server_proof(key_, node(), server_nonce_, nonce_))) {
    return fail("it is not the step daemon of this job");
  }
  ready_ = true;
  channel_->trust();
  handlers_.ready();
}

void NodeLink::closed(const std::string& why) {
  if (!why.empty()) {
    return fail(ready_ ? "the connection to its step daemon broke: " + why
                       : "its step daemon does not answer (" + why + "); has the job ended there?");
  }
  // Who does not believe us hangs up, and so does what is no step daemon of this job.
  fail(ready_ ? "its step daemon has gone" : "its step daemon refused to talk to this job");
}

void NodeLink::fail(const std::string& why) {
  channel_->close();
  handlers_.lost(why);
}

void NodeLink::close(bool and_wait) {
  if (channel_) channel_->close();
  if (and_wait && daemon_ > 0) waitpid(daemon_, nullptr, 0);
}

}  // namespace hyades
