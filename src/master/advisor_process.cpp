#include "master/advisor_process.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "policy/adviser_bytes.hpp"
#include "wire/system_clock.hpp"

namespace hyades {
namespace {

BootMs boot_now_ms() { return SystemClock().now().boot_ms; }

}  // namespace

AdvisorProcess::~AdvisorProcess() { end(); }

void AdvisorProcess::end() {
  socket_ = UniqueFd();
  if (process_ == 0) return;
  kill(-process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  process_ = 0;
}

bool AdvisorProcess::run(const ModelFile& model) {
  end();
  answered_ = outdated_ = false;
  model_ = model;
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    trouble_ = std::string("no socket for the advisor: ") + std::strerror(errno);
    return false;
  }
  socket_ = UniqueFd(ends[0]);
  const UniqueFd its(ends[1]);
  PlainChild child{.words = {settings_.program},
                   .environment = {"OMP_NUM_THREADS=1"},
                   .input = its.get(),
                   .output = its.get()};
  if (!model.path.empty()) child.words.push_back(model.path);
  if (!model.path.empty() && !model.digest.empty()) child.words.push_back(model.digest);
  const int error = start(child, process_);
  if (error == 0) return true;
  process_ = 0;
  trouble_ = "cannot run " + settings_.program + ": " + std::strerror(error);
  return false;
}

void AdvisorProcess::ask(const GlobalQuestion& question) {
  asked_ = true;
  trouble_.clear();
  const ModelFile model = settings_.model ? settings_.model() : ModelFile();
  if ((process_ == 0 || outdated_ || model != model_) && !run(model)) return;
  deadline_ms_ = boot_now_ms() + (answered_ ? settings_.next_ms : settings_.first_ms);
  const std::string bytes = to_bytes(NumberedQuestion{++number_, question});
  const ssize_t sent = send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  // That it has died is found out by whoever waits for the answer.
  if (sent < 0 && errno != EPIPE) {
    trouble_ = std::string("cannot ask the advisor: ") + std::strerror(errno);
  }
}

std::optional<AdviserReply> AdvisorProcess::answer() {
  if (!asked_) return std::nullopt;
  if (!trouble_.empty()) return failed(trouble_);
  do {
    pollfd ready{socket_.get(), POLLIN, 0};
    const BootMs left_ms = std::max<BootMs>(deadline_ms_ - boot_now_ms(), 0);
    const int count = poll(&ready, 1, settings_.waits ? static_cast<int>(left_ms) : 0);
    if (count > 0) {
      if (auto reply = read_reply()) return reply;
      continue;
    }
    if (left_ms == 0) return failed("the advisor did not answer in time");
  } while (settings_.waits);
  return std::nullopt;
}

// Nothing: it was the answer to a question that was given up.
std::optional<AdviserReply> AdvisorProcess::read_reply() {
  std::vector<char> buffer(adviser_message_most);
  const ssize_t count = recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (count <= 0) {
    int status = 0;
    const bool ended = waitpid(process_, &status, 0) == process_;
    process_ = 0;
    return failed("the advisor ended: " + (ended ? end_text(status) : "nobody knows how"));
  }
  std::optional<NumberedReply> reply;
  if (static_cast<std::size_t>(count) <= buffer.size()) {
    reply = reply_from({buffer.data(), static_cast<std::size_t>(count)});
  }
  if (!reply) return failed("the advisor said what is no answer");
  if (reply->number != 0 && reply->number != number_) return std::nullopt;
  if (!reply->reply.advice) return failed(reply->reply.failure);
  asked_ = false;
  answered_ = true;
  return std::move(reply->reply);
}

AdviserReply AdvisorProcess::failed(const std::string& why) {
  end();
  asked_ = false;
  if (settings_.complain) settings_.complain(why);
  return {std::nullopt, why};
}

}  // namespace hyades
