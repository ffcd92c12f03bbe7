// A node's spool on disk: one directory per node, one file per launch, named after its key.
//
//   <directory>/42.1.77       the record of a launch (record_file.hpp says what is in it)
//   <directory>/scripts/42.1.77   its batch script, and beside it, of a job on several nodes,
//                                 .steps and .hosts (launch_record.hpp)
//   <directory>/sequence, epoch   the highest ever seen
//   <directory>/42.1.77.lease     since when its lease runs, if it has one (lease_file.hpp)
//   <directory>/worker.lock       held by the one worker that owns the spool
//
// Whoever holds a record's flock may start the job or is running it. The lock belongs to the open
// file description, which goes from claim() through the launcher to the shepherd without a gap; so
// "not locked" proves that nobody will start the job any more.
//
// What survives: claims, `started` and the two numbers survive the death of any process; an exit
// record (synced by its shepherd) survives a power cut as well. For one thread.
#pragma once

#include <dirent.h>

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/ports.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {

// Why a spool cannot be used: what is wrong with which path, and what to do.
class SpoolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class DiskSpool final : public Spool {
 public:
  // Creates `directory` (its parent must exist) with mode 0700 when it is absent. Throws SpoolError
  // when it belongs to someone else, others may write to it, or another worker owns it.
  // `boot_id`: "" for the machine's. `patience_ms`: how long to wait for another worker to let go
  // of the spool; a killed MPI world needs a second or two to die.
  explicit DiskSpool(std::string directory, std::string boot_id = "", int patience_ms = 0);
  DiskSpool(const DiskSpool&) = delete;
  DiskSpool& operator=(const DiskSpool&) = delete;

  ClaimResult claim(const LaunchKey& key) override;
  void release(const LaunchKey& key) override;
  // Nothing only when there is no record. One that cannot be looked at (no descriptor left, a
  // broken disk) counts as held, with what was last seen in it: nothing may be decided by it.
  std::optional<SpoolRecord> look(const LaunchKey& key) override;
  std::vector<SpoolRecord> records() override;
  void remove(const LaunchKey& key) override;
  LaunchSequence high_sequence() const override { return sequence_.value; }
  void raise_sequence(LaunchSequence sequence) override;
  Epoch high_epoch() const override { return epoch_.value; }
  void raise_epoch(Epoch epoch) override;
  // Not synced: another boot has another clock.
  void renew_lease(const LaunchKey& key, BootMs from_ms) override;
  std::string last_error() const override { return error_; }

  // The descriptor of a claimed record, which carries the lock. Empty when there is no claim.
  UniqueFd take_claim(const LaunchKey& key);

  // Readable when records may have changed: wait for it, then call drain_watch() and give each key
  // to Agent::record_changed. Call drain_watch() on every tick, too: it is cheap, and a lock that
  // was just being let go is looked at again then. -1 when the system has no watch to give (they
  // are counted for each user): drain_watch() gives every key once a second then.
  int watch_fd() const { return watch_.get(); }
  // Why there is no watch; "" otherwise.
  const std::string& watch_failure() const { return watch_failure_; }
  std::vector<LaunchKey> drain_watch();

  const std::string& directory() const { return directory_; }
  const std::string& boot_id() const { return boot_id_; }
  std::string record_path(const LaunchKey& key) const;
  std::string script_path(const LaunchKey& key) const;

 private:
  struct CloseDirectory {
    void operator()(DIR* directory) const { closedir(directory); }
  };

  // A number in a file of its own, in fixed width, so that raising it is one pwrite.
  struct Counter {
    UniqueFd file;
    std::uint64_t value = 0;
  };

  void prepare_directory();
  void remove_stray_leases(const std::set<LaunchKey>& launches, bool new_boot);
  void lock_for_life(int patience_ms);
  std::string read_boot() const;
  bool mark_as_earlier(const LaunchKey& key);
  void enter_boot();
  void open_counter(const char* name, Counter& counter, bool new_boot);
  bool raise(const char* name, Counter& counter, std::uint64_t value);
  ClaimResult create_record(const LaunchKey& key, UniqueFd& record);
  ClaimResult fail(const std::string& what);
  bool list(std::vector<LaunchKey>& keys);
  std::vector<LaunchKey> keys();
  bool read_record_of(const LaunchKey& key, int file, SpoolRecord& record);
  SpoolRecord cannot_look(const LaunchKey& key, const std::string& what);
  bool read_events(std::set<LaunchKey>& changed, std::set<LaunchKey>& closed);
  bool settled(const LaunchKey& key);

  std::string directory_;
  std::string boot_id_;
  bool is_roots_job_directory_ = false;
  bool earlier_are_marked_ = false;  // so that a record without a boot is of this one
  std::string error_;
  // Open for life, so that it can be listed when no descriptor is left.
  std::unique_ptr<DIR, CloseDirectory> listing_;
  UniqueFd lock_;
  UniqueFd watch_;
  std::string watch_failure_;
  std::chrono::steady_clock::time_point looked_at_all_;  // without a watch
  Counter sequence_;
  Counter epoch_;
  std::map<LaunchKey, UniqueFd> claims_;
  std::set<LaunchKey> unsettled_;  // closed for writing, but the lock was still held
  // What was last seen of each record, until remove(). When the end is written and the lock is
  // free, nothing more comes, and the file is not looked at again.
  std::map<LaunchKey, SpoolRecord> seen_;
};

}  // namespace hyades
