#include "cli/master_client.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "cli/printable.hpp"

namespace hyades {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kFirstPause = std::chrono::milliseconds(50);
constexpr auto kLongestPause = std::chrono::milliseconds(500);
constexpr auto kSilence = std::chrono::seconds(2);  // then people are told what we wait for

constexpr const char* kElsewhere = "set HYADES_MASTER=HOST:PORT (see INSTALL, step 7)";

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

// In a job the cluster is there, so what is missing is the way to it; elsewhere both can be.
std::string no_master_in(const std::string& directory) {
  const std::string option = " --dir " + shell_quote(directory);
  const std::string text = "cannot reach the master in " + directory + ": ";
  if (std::getenv("HYADES_JOB_ID") != nullptr) {
    return text + "it is down, or on another host than this job; for jobs on other hosts " +
           kElsewhere;
  }
  if (!exists(directory)) {
    return text + "there is no such directory; if the master is on another host, " + kElsewhere +
           "; to start a cluster here: hyades up --local 4" + option;
  }
  const bool hosts = exists(directory + "/run/hosts");
  return text + "is the cluster up? start it with: hyades up " +
         (hosts ? "--hostfile FILE" : "--local 4") + option + "; what is wrong: hyades status" +
         option;
}

}  // namespace

MasterClient::MasterClient(std::string name, MasterAddress address, int retry_ms)
    : name_(std::move(name)),
      address_(std::move(address)),
      retry_ms_(retry_ms),
      connection_(address_) {}

pb::ClientReply MasterClient::ask(const pb::ClientRequest& request, Retry retry, int wait_ms) {
  const auto started = Clock::now();
  const auto give_up_at = started + std::chrono::milliseconds(retry_ms_);
  auto pause = kFirstPause;
  bool sent_before = false;
  while (true) {
    pb::ClientReply reply;
    std::string error;
    may_have_been_sent_ = true;
    const CallResult result = connection_.call(request, reply, wait_ms, error);
    if (result == CallResult::Ok) return reply;
    sent_before = sent_before || result == CallResult::NoAnswer;
    may_have_been_sent_ = sent_before;
    const bool again = result == CallResult::NotConnected ||
                       (result == CallResult::NoAnswer && retry == Retry::Always);
    // Nobody ever started a cluster there: waiting cannot help.
    const bool nothing_there = result == CallResult::NotConnected && address_.network.empty() &&
                               !exists(address_.state_directory);
    const auto now = Clock::now();
    if (!again || nothing_there || now >= give_up_at) {
      give_up(sent_before && again ? CallResult::NoAnswer : result, error);
    }
    if (now - started >= kSilence) say_waiting();
    std::this_thread::sleep_for(std::min<Clock::duration>(pause, give_up_at - now));
    pause = std::min(2 * pause, kLongestPause);
  }
}

pb::ClientReply MasterClient::get(const pb::ClientRequest& request, Retry retry) {
  pb::ClientReply reply = ask(request, retry);
  if (!reply.error().empty()) throw Failure(reply.message());
  return reply;
}

void MasterClient::say_waiting() {
  if (said_waiting_ || quiet_) return;
  said_waiting_ = true;
  complain(name_, "waiting for the master " + address_.place() + " ...");
}

void MasterClient::give_up(CallResult result, const std::string& error) const {
  // The connection's own advice would only repeat ours.
  const bool said = error.empty() || error.find("hyades up") != std::string::npos;
  const std::string why = said ? "" : " (" + error + ")";
  switch (result) {
    case CallResult::NotConnected:
      if (!address_.network.empty()) {
        throw Failure("cannot reach the master at " + address_.network + ": " + error);
      }
      throw Failure(no_master_in(address_.state_directory) + why);
    case CallResult::NoAnswer:
      throw Failure("the master " + address_.place() +
                    " took the request but did not answer; it may have been done" + why);
    default:
      throw Failure("the master " + address_.place() + " cannot be used: " + error);
  }
}

}  // namespace hyades
