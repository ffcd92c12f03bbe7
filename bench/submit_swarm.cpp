#include "submit_swarm.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>

#include "wire/frame.hpp"
#include "wire/run_directory.hpp"

namespace hyades {

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

SubmitSwarm::SubmitSwarm(const std::string& state_directory, int connections)
    : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  connect(state_directory, connections);
}

SubmitSwarm::~SubmitSwarm() {
  for (const Client& client : clients_) close(client.fd);
  close(epoll_);
}

void SubmitSwarm::connect(const std::string& state_directory, int connections) {
  const int directory = open_run_directory(state_directory);
  if (directory < 0) throw std::runtime_error("there is no master in " + state_directory);
  const sockaddr_un address = client_socket_address(directory);
  for (int i = 0; i < connections; ++i) {
    Client client;
    client.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    clients_.push_back(client);
    if (::connect(client.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error(std::string("cannot connect to the master: ") +
                               std::strerror(errno));
    }
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = static_cast<std::uint32_t>(i);
    epoll_ctl(epoll_, EPOLL_CTL_ADD, client.fd, &event);
  }
  close(directory);
}

SubmitSwarm::Result SubmitSwarm::run(const Next& next, double seconds_max) {
  Result result;
  const double begin_s = now_s();
  const auto go_on = [&] { return seconds_max <= 0 || now_s() - begin_s < seconds_max; };
  std::size_t open = 0;
  for (Client& client : clients_) {
    if (send_next(client, next)) ++open;
  }
  std::array<epoll_event, 256> events;
  while (open > 0) {
    const int count = epoll_wait(epoll_, events.data(), events.size(), 10'000);
    if (count == 0) throw std::runtime_error("the master has not answered for ten seconds");
    for (int i = 0; i < count; ++i) {
      Client& client = clients_[events[static_cast<std::size_t>(i)].data.u32];
      if (!receive(client)) continue;
      ++result.acks;
      result.latency_ms.add(1000 * (now_s() - client.sent_s));
      if (!go_on() || !send_next(client, next)) --open;
    }
  }
  result.seconds = now_s() - begin_s;
  return result;
}

bool SubmitSwarm::send_next(Client& client, const Next& next) {
  if (!next(request_)) return false;
  frame_.resize(kFrameHeaderBytes);
  request_.AppendToString(&frame_);
  write_header({kProtocolVersion, FrameType::Request,
                static_cast<std::uint32_t>(frame_.size() - kFrameHeaderBytes)},
               frame_.data());
  client.sent_s = now_s();
  // A request fits into the socket's buffer, so this does not wait for the master.
  if (send(client.fd, frame_.data(), frame_.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(frame_.size())) {
    throw std::runtime_error(std::string("cannot send to the master: ") + std::strerror(errno));
  }
  return true;
}

// False: more of the answer is to come.
bool SubmitSwarm::receive(Client& client) {
  char buffer[4096];
  const ssize_t size = recv(client.fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (size <= 0) throw std::runtime_error("the master went away");
  client.received.append(buffer, static_cast<std::size_t>(size));
  if (client.received.size() < kFrameHeaderBytes) return false;
  FrameHeader header;
  if (read_header(client.received.data(), FrameType::Reply, kReplyBytesMax, header) !=
      FrameCheck::Good) {
    throw std::runtime_error("what the master sent is not an answer");
  }
  if (client.received.size() < kFrameHeaderBytes + header.length) return false;
  if (!reply_.ParseFromArray(client.received.data() + kFrameHeaderBytes,
                             static_cast<int>(header.length))) {
    throw std::runtime_error("the master's answer cannot be read");
  }
  client.received.clear();
  if (!reply_.error().empty() && reply_.error() != "None") {
    throw std::runtime_error("the master refused a job: " + reply_.error() + ": " +
                             reply_.message());
  }
  return true;
}

}  // namespace hyades
