#include "sim/memory_store.hpp"

#include <algorithm>
#include <set>

namespace hyades {

std::string MemoryStore::refuse(const Batch& batch) const {
  std::set<JobId> fresh;
  std::set<std::pair<std::uint32_t, std::string>> tokens;
  for (const NewJob& job : batch.new_jobs) {
    if (jobs_.count(job.job) || !fresh.insert(job.job).second)
      return "job id " + std::to_string(job.job) + " is taken";
    if (job.token.empty()) continue;
    const std::pair key{job.uid, job.token};
    if (tokens_.count(key) || !tokens.insert(key).second) return "token " + job.token + " is taken";
  }
  for (const JobEvent& event : batch.job_events) {
    if (!jobs_.count(event.job) && !fresh.count(event.job))
      return "an event of job " + std::to_string(event.job) + ", which does not exist";
  }
  return "";
}

CommitResult MemoryStore::commit(const Batch& batch) {
  last_error_ = refuse(batch);
  if (!last_error_.empty()) return CommitResult::Failed;
  for (const NewJob& job : batch.new_jobs) {
    jobs_[job.job].payload = job.payload;
    if (!job.token.empty()) tokens_[{job.uid, job.token}] = job.job;
    next_job_ = std::max(next_job_, job.job + 1);
  }
  for (const JobEvent& event : batch.job_events) append(event);
  for (const NodeEvent& event : batch.node_events) append(event);
  ++commits_;
  return CommitResult::Committed;
}

void MemoryStore::append(const JobEvent& event) {
  StoredJob& job = jobs_[event.job];
  job.events.emplace_back(length_++, event);
  if (const auto* assigned = std::get_if<Assigned>(&event.what))
    next_sequence_ = std::max(next_sequence_, assigned->key.sequence + 1);
  if (std::holds_alternative<Started>(event.what)) job.started = true;
  if (const auto* ended = std::get_if<Ended>(&event.what)) {
    job.started = job.started || ended->started_ms != 0;
    job.ended = EndedJob{ended->outcome, job.started};
  }
}

void MemoryStore::append(const NodeEvent& event) {
  if (!nodes_.count(event.node)) node_order_.push_back(event.node);
  StoredNode& node = nodes_[event.node];
  if (std::holds_alternative<NodeDefined>(event.what)) {
    node.defined = event;
  } else if (std::holds_alternative<NodeDeclaredDead>(event.what)) {
    node.dead = event;
  } else if (std::holds_alternative<NodeProfiled>(event.what)) {
    node.profiled = event;
  } else {
    node.admin = event;
  }
}

void MemoryStore::load(StoredState& state, const std::function<void(const JobEvent&)>& event) {
  last_error_.clear();
  state.next_job = next_job_;
  state.next_sequence = next_sequence_;
  state.node_events.clear();
  for (const std::string& name : node_order_) {
    const StoredNode& node = nodes_.at(name);
    if (node.defined) state.node_events.push_back(*node.defined);
    if (node.dead) state.node_events.push_back(*node.dead);
    if (node.profiled) state.node_events.push_back(*node.profiled);
    if (node.admin) state.node_events.push_back(*node.admin);
  }
  std::vector<std::pair<std::uint64_t, const JobEvent*>> live;
  for (const auto& [id, job] : jobs_) {
    if (job.ended) continue;
    for (const auto& [place, stored] : job.events) live.emplace_back(place, &stored);
  }
  std::sort(live.begin(), live.end());
  for (const auto& [place, stored] : live) event(*stored);
}

std::optional<JobPayload> MemoryStore::load_payload(JobId job) {
  last_error_.clear();
  const auto found = jobs_.find(job);
  if (found == jobs_.end() || !found->second.payload) {
    last_error_ = "job " + std::to_string(job) + " has no payload";
    return std::nullopt;
  }
  return *found->second.payload;
}

std::optional<EndedJob> MemoryStore::find_ended(JobId job) const {
  const auto found = jobs_.find(job);
  return found == jobs_.end() ? std::nullopt : found->second.ended;
}

std::optional<JobId> MemoryStore::find_token(std::uint32_t uid, const std::string& token) const {
  const auto found = tokens_.find({uid, token});
  if (found == tokens_.end()) return std::nullopt;
  return found->second;
}

std::vector<JobEvent> MemoryStore::events_of(JobId job) const {
  std::vector<JobEvent> events;
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return events;
  for (const auto& [place, event] : found->second.events) events.push_back(event);
  return events;
}

}  // namespace hyades
