// A master's connection to the store: passes everything on, unless it was told to fail.
#pragma once

#include <functional>

#include "core/ports.hpp"
#include "sim/sim_context.hpp"

namespace hyades {

class FaultyStore : public Store {
 public:
  enum class Death { None, BeforeCommit, AfterCommit, LoadingPayload };

  // What is wrong with the disk, for every master that uses it.
  struct Disk {
    bool full = false;
    bool full_for_jobs_only = false;  // small batches still fit
  };

  // `inner` holds what is durable; `observe` hears of every batch that became so.
  FaultyStore(SimContext& context, Store& inner, const Disk& disk,
              std::function<void(const Batch&)> observe)
      : context_(context), inner_(inner), disk_(disk), observe_(std::move(observe)) {}

  // Throws ProcessDied at the next opportunity of this kind.
  void die_at(Death death) { death_ = death; }
  // The next commit fails; whether the batch was stored is up to chance.
  void fail_next() { fail_next_ = true; }
  // Another process has taken the directory over: nothing can be written from here any more.
  void fence() { fenced_ = true; }
  bool fenced() const { return fenced_; }
  void make_payload_unreadable(int times) { unreadable_ = times; }
  // Forgets all of the above but the fence.
  void heal() {
    death_ = Death::None;
    fail_next_ = false;
    unreadable_ = 0;
  }

  CommitResult commit(const Batch& batch) override;
  void load(StoredState& state, const std::function<void(const JobEvent&)>& event) override;
  std::optional<JobPayload> load_payload(JobId job) override;
  std::optional<EndedJob> find_ended(JobId job) const override { return inner_.find_ended(job); }
  std::optional<JobId> find_token(std::uint32_t uid, const std::string& token) const override {
    return inner_.find_token(uid, token);
  }
  std::string step_key(const LaunchKey& key) override { return inner_.step_key(key); }
  std::string last_error() const override { return last_error_; }

 private:
  CommitResult fail(const Batch& batch);
  void strike(Death death, Mark mark);

  SimContext& context_;
  Store& inner_;
  const Disk& disk_;
  std::function<void(const Batch&)> observe_;
  Death death_ = Death::None;
  bool fail_next_ = false;
  bool fenced_ = false;
  int unreadable_ = 0;
  std::string last_error_;
};

}  // namespace hyades
