// The queue on disk: one SQLite file, one transaction per batch, durable before commit() returns.
// One thread. Throws nothing; what goes wrong is in last_error().
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/ports.hpp"
#include "master/job_rows.hpp"
#include "master/model_rows.hpp"
#include "master/node_rows.hpp"
#include "master/queue_file.hpp"
#include "master/state_directory.hpp"
#include "master/stored_job.hpp"

namespace hyades {

class SqliteStore : public Store {
 public:
  // nullptr: `error` says why, naming path and way out. `directory` must outlive the store: it
  // holds the right to write.
  static std::unique_ptr<SqliteStore> open(const StateDirectory& directory, std::string& error,
                                           const QueueFile::Options& options = {});

  // Counts this master and commits the count; call once, before the controller is built. 0: it
  // could not be committed, see last_error().
  Epoch begin_epoch();

  CommitResult commit(const Batch& batch) override;
  void load(StoredState& state, const std::function<void(const JobEvent&)>& event) override;
  std::optional<JobPayload> load_payload(JobId job) override;
  std::optional<EndedJob> find_ended(JobId job) const override;
  std::optional<JobId> find_token(std::uint32_t uid, const std::string& token) const override;
  std::string step_key(const LaunchKey& key) override;
  std::string last_error() const override { return last_error_; }

  // Models of the learned policy: durable on return. Beside batches, never within one.
  CommitResult commit(const ModelChange& change);
  // Empty, with last_error(), when the queue cannot be read.
  ModelRegistry load_models();

  // 128 random bits in hex, drawn when the queue was created; names this cluster for ever.
  const std::string& cluster_id() const { return at_.cluster_id; }
  // The uid that submitted the job, ended or not.
  std::optional<std::uint32_t> owner(JobId job) const;
  // Newest first. Empty, with last_error(), when the queue cannot be read.
  std::vector<StoredJob> list_jobs(const JobQuery& query) const;
  // In the order of commits; empty when the job is unknown.
  std::vector<StoredEvent> events(JobId job) const;

  // See QueueFile.
  std::string backup() { return file_->backup(); }
  const std::string& warning() const { return file_->warning(); }
  std::uint64_t commits() const { return commits_; }

 private:
  explicit SqliteStore(std::unique_ptr<QueueFile> file);
  void write(const Batch& batch);
  template <typename Write>
  CommitResult in_transaction(const Write& write);
  CommitResult failed(const SqliteError& error);
  void checkpoint_when_large();
  void load_events(const std::function<void(const JobEvent&)>& event);

  std::unique_ptr<QueueFile> file_;
  JobRows jobs_;
  NodeRows nodes_;
  ModelRows models_;
  Statement set_epoch_;
  Statement set_next_sequence_;
  Statement select_ended_;
  Statement select_token_;
  Statement select_owner_;
  std::string step_secret_;
  QueueNote::Content at_;  // how far the queue has got
  std::uint64_t commits_ = 0;
  int log_pages_ = 0;   // in the write-ahead log after the last commit
  std::string broken_;  // not "": what the disk holds is not known any more
  mutable std::string last_error_;
};

}  // namespace hyades
