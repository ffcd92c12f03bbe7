#include "sim/faulty_store.hpp"

namespace hyades {

void FaultyStore::strike(Death death, Mark mark) {
  if (death_ != death) return;
  context_.marks.hit(mark);
  throw ProcessDied{};
}

CommitResult FaultyStore::commit(const Batch& batch) {
  strike(Death::BeforeCommit, Mark::master_killed_before_commit);
  if (fenced_) {
    last_error_ = "another process owns the directory";
    context_.marks.hit(Mark::old_master_refused_by_store);
    return CommitResult::Failed;
  }
  if (fail_next_) return fail(batch);
  if (disk_.full && (!disk_.full_for_jobs_only || !batch.new_jobs.empty())) {
    last_error_ = "database or disk is full";
    context_.marks.hit(Mark::store_full);
    return CommitResult::Full;
  }
  const CommitResult result = inner_.commit(batch);
  last_error_ = inner_.last_error();
  if (result != CommitResult::Committed) {
    throw Violation("store", "the store refuses a batch: " + last_error_);
  }
  observe_(batch);
  strike(Death::AfterCommit, Mark::master_killed_after_commit);
  return result;
}

CommitResult FaultyStore::fail(const Batch& batch) {
  fail_next_ = false;
  last_error_ = "input/output error";
  if (context_.random.chance(500)) {
    if (inner_.commit(batch) == CommitResult::Committed) observe_(batch);
    context_.marks.hit(Mark::store_failed_but_stored);
  } else {
    context_.marks.hit(Mark::store_failed_and_lost);
  }
  return CommitResult::Failed;
}

void FaultyStore::load(StoredState& state, const std::function<void(const JobEvent&)>& event) {
  inner_.load(state, event);
  last_error_ = inner_.last_error();
}

std::optional<JobPayload> FaultyStore::load_payload(JobId job) {
  strike(Death::LoadingPayload, Mark::master_killed_loading_payload);
  if (unreadable_ > 0) {
    --unreadable_;
    context_.marks.hit(Mark::payload_unreadable);
    last_error_ = "input/output error";
    return std::nullopt;
  }
  return inner_.load_payload(job);
}

}  // namespace hyades
