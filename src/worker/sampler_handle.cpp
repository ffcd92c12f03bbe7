#include "worker/sampler_handle.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "hyades.pb.h"
#include "wire/plain_child.hpp"
#include "wire/telemetry_codec.hpp"
#include "wire/wire_guard.hpp"
#include "worker/sampler_loop.hpp"

namespace hyades {

namespace {

constexpr BootMs kStartAgain_ms = 10'000;
constexpr int kSocketBytes = 1 << 20;

// What tests and sites set for it.
std::vector<std::string> passed_on() {
  std::vector<std::string> environment;
  for (const char* name : {"HYADES_NVML", "HYADES_TELEMETRY_ROOT"}) {
    const char* const value = std::getenv(name);
    if (value != nullptr) environment.push_back(std::string(name) + '=' + value);
  }
  return environment;
}

}  // namespace

SamplerHandle::SamplerHandle(Options options) : options_(std::move(options)) { start(); }

SamplerHandle::SamplerHandle(SamplerHandle&& other) noexcept
    : options_(std::move(other.options_)),
      socket_(std::move(other.socket_)),
      pid_(std::exchange(other.pid_, 0)),
      told_(other.told_),
      settings_(std::move(other.settings_)),
      start_again_ms_(other.start_again_ms_),
      trouble_(std::move(other.trouble_)) {}

// It may hang in a device; nobody waits for that, but then it is a zombie's parent who does.
SamplerHandle::~SamplerHandle() {
  socket_.reset();
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  for (int tries = 0; tries < 200 && waitpid(pid_, nullptr, WNOHANG) == 0; ++tries) {
    poll(nullptr, 0, 1);
  }
}

void SamplerHandle::start() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return lost(std::string("cannot create a socket: ") + std::strerror(errno));
  }
  UniqueFd here(ends[0]);
  const UniqueFd there(ends[1]);
  setsockopt(there.get(), SOL_SOCKET, SO_SNDBUF, &kSocketBytes, sizeof kSocketBytes);
  PlainChild child{.words = {options_.program, options_.spool_directory},
                   .environment = passed_on(),
                   .input = there.get()};
  if (options_.uid != 0) {
    child.words.push_back(std::to_string(options_.uid));
    child.words.push_back(std::to_string(options_.gid));
  }
  const int error = hyades::start(child, pid_);
  if (error != 0) {
    pid_ = 0;
    return lost("cannot run " + options_.program + ": " + std::strerror(error));
  }
  socket_ = std::move(here);
  told_ = false;
  trouble_.clear();
}

void SamplerHandle::lost(const std::string& why) {
  trouble_ = why;
  socket_.reset();
  if (pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == 0) kill(pid_, SIGKILL);
}

void SamplerHandle::turn(const TelemetrySettings& settings, int cores, BootMs now_ms) {
  if (!settings.enabled) {
    if (socket_) lost("switched off");
    return;
  }
  if (!socket_) {
    if (pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == 0) return;
    pid_ = 0;
    if (start_again_ms_ == 0) start_again_ms_ = now_ms + kStartAgain_ms;
    if (now_ms < start_again_ms_) return;
    start_again_ms_ = 0;
    start();
  }
  if (!socket_ || (told_ && settings == settings_)) return;
  pb::SamplerOrder order;
  to_pb(settings, *order.mutable_settings());
  order.set_cores(cores);
  const std::string bytes = order.SerializeAsString();
  const ssize_t sent = send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) return;  // on the next turn; or it has ended
  told_ = true;
  settings_ = settings;
}

void SamplerHandle::take(std::vector<TelemetryReport>& out) {
  buffer_.resize(kSamplerDatagramMax);
  while (socket_) {
    const ssize_t size = recv(socket_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (size == 0) return lost("the node's sampler has ended");
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return;
    if (size < 0) return lost(std::string("the node's sampler is lost: ") + std::strerror(errno));
    const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
    pb::TelemetryReport message;
    std::string error = check_wire(*pb::TelemetryReport::descriptor(), bytes);
    TelemetryReport report;
    if (error.empty() && message.ParseFromArray(buffer_.data(), static_cast<int>(size)) &&
        from_pb(message, report, error)) {
      out.push_back(std::move(report));
    } else {
      trouble_ = "a report of the node's sampler is refused: " + error;
    }
  }
}

}  // namespace hyades
