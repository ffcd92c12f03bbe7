#include "hsim/replay_advisor.hpp"

#include <algorithm>

#include "cli/failure.hpp"
#include "master/advisor_process.hpp"

namespace hyades {
namespace {

class StrictAdvisor : public Adviser {
 public:
  explicit StrictAdvisor(const std::string& model)
      : process_({.model = [model] { return model; }, .waits = true}) {}

  void ask(const GlobalQuestion& question) override { process_.ask(question); }
  bool idle() const override { return process_.idle(); }
  std::optional<AdviserReply> answer() override {
    std::optional<AdviserReply> reply = process_.answer();
    if (reply && !reply->advice) throw Failure("the advisor: " + reply->failure);
    return reply;
  }

 private:
  AdvisorProcess process_;
};

bool needs_advisor(const ClusterConfig& config) {
  return std::any_of(config.queues.begin(), config.queues.end(),
                     [](const QueueConfig& queue) { return is_advised(queue.order); });
}

}  // namespace

std::unique_ptr<Adviser> replay_advisor(const ClusterConfig& config) {
  if (!needs_advisor(config)) return nullptr;
  return std::make_unique<StrictAdvisor>(config.policy_model);
}

std::unique_ptr<Adviser> AdvisorPool::take(const ClusterConfig& config) {
  if (!needs_advisor(config)) return nullptr;
  {
    const std::lock_guard lock(mutex_);
    std::vector<std::unique_ptr<Adviser>>& idle = idle_[config.policy_model];
    if (!idle.empty()) {
      std::unique_ptr<Adviser> advisor = std::move(idle.back());
      idle.pop_back();
      return advisor;
    }
  }
  return replay_advisor(config);
}

void AdvisorPool::give_back(const ClusterConfig& config, std::unique_ptr<Adviser> advisor) {
  if (!advisor) return;
  const std::lock_guard lock(mutex_);
  idle_[config.policy_model].push_back(std::move(advisor));
}

}  // namespace hyades
