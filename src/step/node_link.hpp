// hrun's side of the connection to one node's step daemon, up to where both have proved who they
// are: over TCP to another node's, over a socket pair to one of our own for this node.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "step/descriptor_limit.hpp"
#include "step/step_channel.hpp"
#include "step/step_layout.hpp"

namespace hyades {

class NodeLink {
 public:
  struct Handlers {
    std::function<void()> ready;                   // it is who it should be
    std::function<void(StepMessage&&)> received;   // after that
    std::function<void(const std::string&)> lost;  // once; a clause
  };

  // `key`: of the job. `stepd`: the path of hyades-stepd, for this node (port 0).
  NodeLink(EventLoop& loop, StepShare share, std::string key, Handlers handlers);

  // False and `error` a clause when that fails at once; no handler is called then.
  bool open(const std::string& stepd, const DescriptorLimit& limit, std::string& error);

  void send(const StepMessage& message) {
    if (channel_) channel_->send(message);
  }
  void hold(bool held) {
    if (channel_) channel_->hold(held);
  }
  bool has_sent_all() const { return !channel_ || channel_->pending() == 0; }
  // Hangs up: the daemon ends what still runs. Waits for one of our own when `and_wait`.
  void close(bool and_wait);

  const StepShare& share() const { return share_; }
  const std::string& node() const { return share_.where.node; }

 private:
  bool connect(std::string& error);
  bool start_own_daemon(const std::string& stepd, const DescriptorLimit& limit, std::string& error);
  void use(UniqueFd socket);
  void received(StepMessage&& message);
  void closed(const std::string& why);
  void fail(const std::string& why);

  EventLoop& loop_;
  StepShare share_;
  std::string key_;
  Handlers handlers_;
  std::unique_ptr<StepChannel> channel_;
  pid_t daemon_ = 0;
  bool ready_ = false;
  std::string server_nonce_;
  std::string nonce_;
};

}  // namespace hyades
