#include "wire/credential_checker.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "wire/munge_records.hpp"
#include "wire/plain_child.hpp"
#include "wire/system_clock.hpp"

namespace hyades {

CredentialChecker::CredentialChecker(Options options)
    : options_(std::move(options)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

CredentialChecker::~CredentialChecker() { end_helper(); }

bool CredentialChecker::start_helper() {
  std::array<int, 2> pair{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data()) != 0) {
    return false;
  }
  UniqueFd ours(pair[0]);
  const UniqueFd theirs(pair[1]);
  fcntl(theirs.get(), F_SETFL, 0);  // the helper waits
  PlainChild child{.words = {options_.program}, .environment = {}, .input = theirs.get()};
  if (!options_.socket.empty()) child.words.push_back(options_.socket);
  if (errno = start(child, process_); errno != 0) {
    process_ = 0;
    return false;
  }
  helper_ = std::move(ours);
  epoll_event event{};
  event.events = EPOLLIN;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, helper_.get(), &event);
  return true;
}

void CredentialChecker::end_helper() {
  helper_.reset();
  asked_ = false;
  if (process_ == 0) return;
  kill(process_, SIGKILL);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  process_ = 0;
}

std::string CredentialChecker::try_out() {
  check(0, "", SystemClock().now().boot_ms);
  std::vector<Verdict> verdicts;
  while (verdicts.empty()) {
    pollfd entry{epoll_.get(), POLLIN, 0};
    ::poll(&entry, 1, 50);
    poll(verdicts, SystemClock().now().boot_ms);
  }
  return verdicts.front().verdict == MungeVerdict::Good ? "" : verdicts.front().error;
}

void CredentialChecker::check(std::uint64_t id, std::string credential, BootMs now) {
  // Too many to be served in time: the rest would only wait in vain.
  const bool full = waiting_.size() >= options_.waiting_max;
  waiting_.push_back({id, std::move(credential), full ? now : now + options_.timeout_ms});
  ask_next();
}

void CredentialChecker::ask_next() {
  if (asked_ || waiting_.empty()) return;
  if (!helper_ && !start_helper()) return;  // tried again until the deadline
  const std::string record = join_record(waiting_.front().id, waiting_.front().credential);
  asked_ = send(helper_.get(), record.data(), record.size(), MSG_NOSIGNAL) >= 0;
  if (!asked_) end_helper();
}

void CredentialChecker::poll(std::vector<Verdict>& out, BootMs now) {
  hear(out);
  give_up_late(out, now);
  ask_next();
}

void CredentialChecker::hear(std::vector<Verdict>& out) {
  std::array<char, kMungeRecordBytesMax> buffer;
  while (helper_) {
    const ssize_t count = recv(helper_.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    MungeAnswerHead head;
    std::string rest;
    // It has died, or talks nonsense; what it was asked is asked again of a new one.
    if (count <= 0 || !asked_ ||
        !split_record({buffer.data(), static_cast<std::size_t>(count)}, head, rest) ||
        head.id != waiting_.front().id || head.verdict > 2) {
      return end_helper();
    }
    Verdict verdict{head.id, static_cast<MungeVerdict>(head.verdict), {}, ""};
    if (verdict.verdict == MungeVerdict::Good) {
      verdict.content = {head.uid, head.gid, head.only_for, std::move(rest)};
    } else {
      verdict.error = std::move(rest);
    }
    out.push_back(std::move(verdict));
    waiting_.pop_front();
    asked_ = false;
    ask_next();
  }
}

void CredentialChecker::give_up_late(std::vector<Verdict>& out, BootMs now) {
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    if (now < at->deadline_ms) {
      ++at;
      continue;
    }
    // A helper that is stuck would make all others wait as long.
    if (asked_ && at == waiting_.begin()) end_helper();
    const std::string why =
        process_ == 0 && !helper_ && access(options_.program.c_str(), X_OK) != 0
            ? "Cannot run " + options_.program + ": " + std::strerror(errno) + "."
            : "The MUNGE daemon does not answer in time.";
    out.push_back({at->id, MungeVerdict::Unavailable, {}, why});
    at = waiting_.erase(at);
  }
}

}  // namespace hyades
