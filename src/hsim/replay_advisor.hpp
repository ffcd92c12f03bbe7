// What answers for learned queues in replays: the program that the master asks, too.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "policy/adviser.hpp"

namespace hyades {

// nullptr: no queue is learned. Of a question that it cannot answer it throws a Failure: a replay
// shall not go on by another rule than it was asked for. Start it once for many replays; one at a
// time.
std::unique_ptr<Adviser> replay_advisor(const ClusterConfig& config);

// Advisors that are used again, because each takes half a second to start. Any thread; but one ends
// with the thread that started it, so threads that share a pool must stay until all are done.
class AdvisorPool {
 public:
  // nullptr: none is needed.
  std::unique_ptr<Adviser> take(const ClusterConfig& config);
  void give_back(const ClusterConfig& config, std::unique_ptr<Adviser> advisor);

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<std::unique_ptr<Adviser>>> idle_;  // by model
};

}  // namespace hyades
