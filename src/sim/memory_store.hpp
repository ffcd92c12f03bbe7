// A Store that lives in memory: what a perfect disk would hold. It outlives the masters of a
// simulation and obeys the same contract as the one on disk.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/ports.hpp"

namespace hyades {

class MemoryStore : public Store {
 public:
  // Refuses (Failed, nothing stored) what the disk's constraints would refuse: an id or a token
  // that is taken, an event of a job that does not exist.
  CommitResult commit(const Batch& batch) override;
  void load(StoredState& state, const std::function<void(const JobEvent&)>& event) override;
  std::optional<JobPayload> load_payload(JobId job) override;
  std::optional<EndedJob> find_ended(JobId job) const override;
  std::optional<JobId> find_token(std::uint32_t uid, const std::string& token) const override;
  std::string step_key(const LaunchKey& key) override { return "key of " + to_string(key); }
  std::string last_error() const override { return last_error_; }

  // Every event of a job that has ended is kept, too.
  std::vector<JobEvent> events_of(JobId job) const;
  std::size_t commits() const { return commits_; }

 private:
  struct StoredJob {
    std::vector<std::pair<std::uint64_t, JobEvent>> events;  // with their place in the whole log
    std::shared_ptr<const JobPayload> payload;
    std::optional<EndedJob> ended;
    bool started = false;
  };
  struct StoredNode {
    std::optional<NodeEvent> defined;
    std::optional<NodeEvent> dead;
    std::optional<NodeEvent> profiled;
    std::optional<NodeEvent> admin;  // the last of NodeDrained and NodeResumed
  };

  std::string refuse(const Batch& batch) const;
  void append(const JobEvent& event);
  void append(const NodeEvent& event);

  std::map<JobId, StoredJob> jobs_;
  std::map<std::pair<std::uint32_t, std::string>, JobId> tokens_;
  std::vector<std::string> node_order_;
  std::map<std::string, StoredNode> nodes_;
  JobId next_job_ = 1;
  LaunchSequence next_sequence_ = 1;
  std::uint64_t length_ = 0;
  std::size_t commits_ = 0;
  std::string last_error_;
};

}  // namespace hyades
