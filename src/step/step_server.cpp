#include "step/step_server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "step/step_socket.hpp"

namespace hyades {
namespace {

// Connections that have not proved anything yet; more of them wait in the kernel's queue.
constexpr int strangers_max = 32;
constexpr std::chrono::milliseconds starved_time{100};

}  // namespace

StepServer::StepServer(StepNodeFacts facts) : facts_(std::move(facts)) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  signals_.reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) throw std::system_error(errno, std::generic_category(), "signalfd");
  loop_.add(signals_.get(), EPOLLIN, [this](std::uint32_t) { signals_arrived(); });
}

void StepServer::signals_arrived() {
  signalfd_siginfo info;
  bool child = false;
  while (read(signals_.get(), &info, sizeof info) == sizeof info) {
    child = child || info.ssi_signo == SIGCHLD;
    if (info.ssi_signo != SIGTERM || !obeys_term_) continue;
    ending_ = true;
    for (StepSession& session : sessions_) session.terminate();
  }
  if (!child) return;
  for (StepSession& session : sessions_) session.child_has_changed();
}

bool StepServer::may_accept() const {
  return !ending_ && !is_starved_ &&
         std::count_if(sessions_.begin(), sessions_.end(),
                       [](const auto& session) { return !session.is_trusted(); }) < strangers_max;
}

void StepServer::accept_all(int listener) {
  while (may_accept()) {
    UniqueFd socket(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) {
      is_starved_ = errno != EAGAIN && errno != ECONNABORTED && errno != EINTR;
      if (is_starved_) loop_.after(starved_time, [this] { is_starved_ = false; });
      return;
    }
    prepare_step_socket(socket.get());
    open_session(std::move(socket));
  }
}

void StepServer::open_session(UniqueFd socket) {
  sessions_.emplace_back(loop_, facts_, std::move(socket));
}

void StepServer::turn() {
  loop_.turn();
  sessions_.remove_if([](const StepSession& session) { return session.is_finished(); });
  if (listener_ < 0 || accepting_ == may_accept()) return;
  accepting_ = !accepting_;
  loop_.change(listener_, accepting_ ? EPOLLIN : 0u);
}

void StepServer::serve(UniqueFd listener) {
  obeys_term_ = accepting_ = true;
  listener_ = listener.get();
  fcntl(listener_, F_SETFD, FD_CLOEXEC);
  fcntl(listener_, F_SETFL, O_NONBLOCK);
  loop_.add(listener_, EPOLLIN, [this](std::uint32_t) { accept_all(listener_); });
  const auto has_tasks = [](const StepSession& session) { return session.has_tasks(); };
  while (!ending_ || std::any_of(sessions_.begin(), sessions_.end(), has_tasks)) turn();
  loop_.remove(listener_);
  listener_ = -1;
}

void StepServer::serve_one(UniqueFd socket) {
  fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
  open_session(std::move(socket));
  while (!sessions_.empty()) turn();
}

}  // namespace hyades
