#include "worker/disk_spool.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>
#include <utility>

#include "core/failpoint.hpp"
#include "wire/boot_id.hpp"
#include "worker/job_directory.hpp"
#include "worker/lease_file.hpp"
#include "worker/record_file.hpp"
#include "worker/record_lock.hpp"
#include "worker/spool_layout.hpp"

namespace hyades {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds rescan_without_watch(1);

std::string why() { return std::strerror(errno); }

bool is_out_of_space(int error) { return error == ENOSPC || error == EDQUOT; }

// Makes the directory if need be, and refuses one in which others could plant something.
void require_own_directory(const std::string& path, mode_t mode) {
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    throw SpoolError("cannot create the spool directory " + path + ": " + why());
  }
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0) {
    throw SpoolError("cannot examine the spool directory " + path + ": " + why());
  }
  if (!S_ISDIR(info.st_mode)) {
    throw SpoolError("the spool " + path + " is not a directory; move it away");
  }
  if (info.st_uid != geteuid()) {
    throw SpoolError("the spool directory " + path + " belongs to uid " +
                     std::to_string(info.st_uid) + ", not to uid " + std::to_string(geteuid()) +
                     " that runs this worker; chown it or use another state directory");
  }
  if ((info.st_mode & 022) != 0) {
    throw SpoolError("others may write to the spool directory " + path + "; chmod go-w it");
  }
}

bool write_at(int file, std::string_view text, off_t offset) {
  while (!text.empty()) {
    const ssize_t written = pwrite(file, text.data(), text.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
    offset += written;
  }
  return true;
}

std::string counter_text(std::uint64_t value) {
  std::string digits = std::to_string(value);
  return std::string(20 - digits.size(), '0') + digits + '\n';
}

// "" counts as 0: created by a worker that died before it could write.
bool parse_counter(std::string_view text, std::uint64_t& value) {
  value = 0;
  if (text.empty()) return true;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && text.size() == 21 && end == text.data() + 20 && *end == '\n';
}

}  // namespace

DiskSpool::DiskSpool(std::string directory, std::string boot_id, int patience_ms)
    : directory_(std::move(directory)),
      boot_id_(boot_id.empty() ? current_boot_id() : std::move(boot_id)) {
  if (boot_id_.empty()) boot_id_ = "unknown";
  prepare_directory();
  lock_for_life(patience_ms);
  const bool new_boot = read_boot() != boot_id_;
  earlier_are_marked_ = !new_boot;
  open_counter("sequence", sequence_, new_boot);
  open_counter("epoch", epoch_, new_boot);
  if (new_boot) enter_boot();
  // A record is proof that its number was seen, whatever became of the file with the number.
  std::vector<LaunchKey> all;
  if (!list(all)) throw SpoolError(error_ + "; which jobs run here cannot be told without it");
  for (const LaunchKey& key : all) raise_sequence(key.sequence);
  remove_stray_job_files(directory_);
  remove_stray_leases({all.begin(), all.end()}, new_boot);
  watch_.reset(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch_ ||
      inotify_add_watch(watch_.get(), directory_.c_str(), IN_MODIFY | IN_CLOSE_WRITE) < 0) {
    watch_failure_ =
        "cannot watch the spool directory " + directory_ + ": " + why() +
        " (see /proc/sys/fs/inotify); the ends of jobs are noticed up to a second late";
    watch_.reset();
  }
}

void DiskSpool::prepare_directory() {
  // Jobs of other users, which only root can start, must be able to reach their scripts.
  const mode_t mode = geteuid() == 0 ? 0711 : 0700;
  require_own_directory(directory_, mode);
  struct stat info = {};
  const std::string job_files = job_file_directory(directory_);
  // The launcher's, which is still root, and it removes there what it has written.
  is_roots_job_directory_ =
      geteuid() != 0 && lstat(job_files.c_str(), &info) == 0 && info.st_uid == 0;
  if (!is_roots_job_directory_) require_own_directory(job_files, mode);
  listing_.reset(opendir(directory_.c_str()));
  if (!listing_) throw SpoolError("cannot open the spool " + directory_ + ": " + why());
}

// Those of an earlier boot are of another clock.
void DiskSpool::remove_stray_leases(const std::set<LaunchKey>& launches, bool new_boot) {
  rewinddir(listing_.get());
  while (const dirent* entry = readdir(listing_.get())) {
    LaunchKey key;
    if (!parse_lease_name(entry->d_name, key)) continue;
    if (new_boot || !launches.contains(key)) unlinkat(dirfd(listing_.get()), entry->d_name, 0);
  }
}

void DiskSpool::lock_for_life(int patience_ms) {
  const std::string path = directory_ + "/worker.lock";
  lock_.reset(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock_) throw SpoolError("cannot open " + path + ": " + why());
  const auto deadline = steady_clock::now() + std::chrono::milliseconds(patience_ms);
  while (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) throw SpoolError("cannot lock " + path + ": " + why());
    if (steady_clock::now() >= deadline) {
      char owner[32] = {};
      if (pread(lock_.get(), owner, sizeof owner - 1, 0) < 0) owner[0] = '\0';
      throw SpoolError("the spool " + directory_ + " is in use by the worker with pid " +
                       std::string(owner, std::strcspn(owner, "\n")) +
                       "; only one worker may serve a node");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  // For people only, so a failure (a full disk) does not matter.
  if (ftruncate(lock_.get(), 0) == 0) write_at(lock_.get(), pid, 0);
}

std::string DiskSpool::read_boot() const {
  std::ifstream file(directory_ + "/boot");
  std::string id;
  std::getline(file, id);
  return id;
}

// After a power cut a record may have lost its first line, with the boot in it. It must not be
// taken for one of this boot, in which an empty record proves that nothing started.
bool DiskSpool::mark_as_earlier(const LaunchKey& key) {
  UniqueFd file(open(record_path(key).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  std::string text;
  if (!file || !read_record(file.get(), text)) return false;
  const RecordContent content = parse_record(text);
  if (!content.boot_id.empty() || content.exit) return true;
  return write_at(file.get(), claimed_line("earlier"), 0);
}

// The new boot is noted only when each record can be told from one of it. Otherwise, as after a
// death in between, the next worker begins again, and this one trusts no record without a boot.
void DiskSpool::enter_boot() {
  std::vector<LaunchKey> all;
  earlier_are_marked_ = list(all);
  for (const LaunchKey& key : all) {
    earlier_are_marked_ = mark_as_earlier(key) && earlier_are_marked_;
  }
  if (!earlier_are_marked_) return;
  // Over what is there, which needs no space even on a full disk.
  const std::string path = directory_ + "/boot";
  UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file) write_at(file.get(), boot_id_ + "\n", 0);
}

void DiskSpool::open_counter(const char* name, Counter& counter, bool new_boot) {
  const std::string path = directory_ + "/" + name;
  counter.file.reset(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!counter.file) throw SpoolError("cannot open " + path + ": " + why());
  char text[64];
  ssize_t size = pread(counter.file.get(), text, sizeof text, 0);
  if (size < 0) throw SpoolError("cannot read " + path + ": " + why());
  if (!parse_counter({text, static_cast<std::size_t>(size)}, counter.value)) {
    if (!new_boot) {
      throw SpoolError(path + " is damaged; without it late orders cannot be told from new ones. " +
                       "Write the highest number this node has seen into it, as 20 digits and a "
                       "newline, or reboot the node");
    }
    // A power cut tore it. Orders of the earlier boot are refused by its name.
    if (ftruncate(counter.file.get(), 0) != 0) throw SpoolError("cannot empty " + path);
    counter.value = 0;
    size = 0;
  }
  // Written once in full, so that raising it needs no space.
  if (size == 0 && !write_at(counter.file.get(), counter_text(0), 0)) {
    throw SpoolError("cannot write " + path + ": " + why());
  }
}

bool DiskSpool::raise(const char* name, Counter& counter, std::uint64_t value) {
  if (value <= counter.value) return true;
  counter.value = value;
  if (write_at(counter.file.get(), counter_text(value), 0)) return true;
  error_ = "cannot write " + directory_ + "/" + name + ": " + why();
  return false;
}

void DiskSpool::raise_sequence(LaunchSequence sequence) {
  error_.clear();
  raise("sequence", sequence_, sequence);
}

void DiskSpool::raise_epoch(Epoch epoch) {
  error_.clear();
  raise("epoch", epoch_, epoch);
}

void DiskSpool::renew_lease(const LaunchKey& key, BootMs from_ms) {
  error_.clear();
  if (!write_lease(directory_, key, from_ms)) {
    error_ = "cannot write " + lease_path(directory_, key) + ": " + why();
  }
}

std::string DiskSpool::record_path(const LaunchKey& key) const {
  return directory_ + "/" + to_string(key);
}

std::string DiskSpool::script_path(const LaunchKey& key) const {
  return hyades::script_path(directory_, key);
}

ClaimResult DiskSpool::fail(const std::string& what) {
  const int error = errno;
  error_ = what + ": " + std::strerror(error);
  return is_out_of_space(error) ? ClaimResult::Full : ClaimResult::Failed;
}

ClaimResult DiskSpool::claim(const LaunchKey& key) {
  error_.clear();
  if (!raise("sequence", sequence_, key.sequence)) return ClaimResult::Failed;
  UniqueFd record;
  const ClaimResult result = create_record(key, record);
  if (result == ClaimResult::Claimed) {
    claims_[key] = std::move(record);
    HYADES_FAILPOINT("spool_after_claim");
  } else if (record) {
    unlink(record_path(key).c_str());  // it was created just now, by us
  }
  return result;
}

ClaimResult DiskSpool::create_record(const LaunchKey& key, UniqueFd& record) {
  const std::string name = to_string(key);
  const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  const int file = openat(dirfd(listing_.get()), name.c_str(), flags, 0600);
  if (file < 0 && errno == EEXIST) return ClaimResult::Exists;
  if (file < 0) return fail("cannot create " + record_path(key));
  record.reset(file);
  if (flock(file, LOCK_EX | LOCK_NB) != 0) return fail("cannot lock " + record_path(key));
  if (!write_at(file, claimed_line(boot_id_), 0)) return fail("cannot write " + record_path(key));
  // Reserved now, so that the end of the job can be written even when the disk is full by then.
  if (fallocate(file, FALLOC_FL_KEEP_SIZE, 0, record_bytes_max) != 0 && is_out_of_space(errno)) {
    return fail("cannot reserve space for " + record_path(key));
  }
  return ClaimResult::Claimed;
}

void DiskSpool::release(const LaunchKey& key) {
  error_.clear();
  claims_.erase(key);
}

UniqueFd DiskSpool::take_claim(const LaunchKey& key) {
  const auto found = claims_.find(key);
  if (found == claims_.end()) return UniqueFd();
  UniqueFd record = std::move(found->second);
  claims_.erase(found);
  return record;
}

std::optional<SpoolRecord> DiskSpool::look(const LaunchKey& key) {
  error_.clear();
  const auto known = seen_.find(key);
  if (known != seen_.end() && known->second.exit && !known->second.held) return known->second;
  const std::string name = to_string(key);
  const int directory = dirfd(listing_.get());
  UniqueFd file(openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) {
    const int error = errno;
    struct stat info = {};  // takes no descriptor
    const bool there =
        fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
    if (!there) return std::nullopt;
    errno = error;
    return cannot_look(key, "cannot open");
  }
  SpoolRecord record{.key = key, .exit = {}, .refusal = ""};
  if (!read_record_of(key, file.get(), record)) return cannot_look(key, "cannot read");
  seen_[key] = record;
  return record;
}

bool DiskSpool::read_record_of(const LaunchKey& key, int file, SpoolRecord& record) {
  // The lock first: once it is free nothing more is written. The other way round, a shepherd that
  // writes its last line between the two looks would seem to have been killed.
  const std::optional<bool> locked = is_record_locked(file);
  std::string text;
  if (!locked || !read_record(file, text)) return false;
  record.key = key;
  record.held = *locked;
  RecordContent content = parse_record(text);
  record.same_boot = content.boot_id.empty() ? earlier_are_marked_ : content.boot_id == boot_id_;
  if (content.started) {
    record.started_ms = content.started->at_ms;
    record.step_port = content.started->step_port;
    record.cores = std::move(content.started->cores);
    record.elastic = content.started->elastic;
  }
  record.exit = std::move(content.exit);
  record.refusal = std::move(content.refusal);
  return true;
}

SpoolRecord DiskSpool::cannot_look(const LaunchKey& key, const std::string& what) {
  error_ = what + ' ' + record_path(key) + ": " + why();
  SpoolRecord record{.key = key, .exit = {}, .refusal = ""};
  if (const auto known = seen_.find(key); known != seen_.end()) record = known->second;
  record.held = true;
  return record;
}

// False: there may be more.
bool DiskSpool::list(std::vector<LaunchKey>& keys) {
  rewinddir(listing_.get());
  errno = 0;
  while (const dirent* entry = readdir(listing_.get())) {
    LaunchKey key;
    if (parse_launch_key(entry->d_name, key)) keys.push_back(key);
    errno = 0;
  }
  if (errno == 0) return true;
  error_ = "cannot read the directory " + directory_ + ": " + why();
  return false;
}

std::vector<LaunchKey> DiskSpool::keys() {
  std::vector<LaunchKey> listed;
  if (list(listed)) return listed;
  std::set<LaunchKey> all(listed.begin(), listed.end());
  for (const auto& [key, record] : seen_) all.insert(key);
  return {all.begin(), all.end()};
}

std::vector<SpoolRecord> DiskSpool::records() {
  std::string first_error;
  std::vector<SpoolRecord> result;
  error_.clear();
  const std::vector<LaunchKey> all = keys();
  first_error = error_;
  for (const LaunchKey& key : all) {
    if (auto record = look(key)) result.push_back(std::move(*record));
    if (first_error.empty()) first_error = error_;
  }
  error_ = first_error;
  return result;
}

void DiskSpool::remove(const LaunchKey& key) {
  HYADES_FAILPOINT("worker_before_remove");
  error_.clear();
  claims_.erase(key);
  unsettled_.erase(key);
  seen_.erase(key);
  // The script first: a worker that dies in between leaves a record, which is removed again later.
  if (!is_roots_job_directory_ && !remove_job_files(directory_, key)) {
    error_ = "cannot remove " + script_path(key) + ": " + why();
  }
  const std::string lease = lease_path(directory_, key);
  if (unlink(lease.c_str()) != 0 && errno != ENOENT)
    error_ = "cannot remove " + lease + ": " + why();
  if (unlink(record_path(key).c_str()) != 0 && errno != ENOENT) {
    error_ = "cannot remove " + record_path(key) + ": " + why();
  }
}

// False: events were lost.
bool DiskSpool::read_events(std::set<LaunchKey>& changed, std::set<LaunchKey>& closed) {
  alignas(inotify_event) char buffer[16384];
  bool complete = true;
  while (true) {
    const ssize_t size = read(watch_.get(), buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return complete;
    for (const char* at = buffer; at < buffer + size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      at += sizeof(inotify_event) + event->len;
      LaunchKey key;
      if ((event->mask & IN_Q_OVERFLOW) != 0) complete = false;
      // Our own writing of a claim that is still here is no news.
      if (event->len == 0 || !parse_launch_key(event->name, key) || claims_.contains(key)) continue;
      changed.insert(key);
      if ((event->mask & IN_CLOSE_WRITE) != 0) closed.insert(key);
    }
  }
}

// After the last writer has closed the record. The kernel tells of the close a moment before it
// lets go of the lock, so a record without an end is waited for, very shortly.
bool DiskSpool::settled(const LaunchKey& key) {
  for (int tries = 0; tries < 20; ++tries) {
    const auto record = look(key);
    if (!record || record->exit || !record->held) return true;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  return false;
}

std::vector<LaunchKey> DiskSpool::drain_watch() {
  if (!watch_) {
    if (steady_clock::now() - looked_at_all_ < rescan_without_watch) return {};
    looked_at_all_ = steady_clock::now();
    return keys();
  }
  // Second looks: whoever still holds such a lock is not going away (the agent's rescans remain).
  std::set<LaunchKey> changed = std::exchange(unsettled_, {});
  std::set<LaunchKey> closed;
  if (!read_events(changed, closed)) {
    for (const LaunchKey& key : keys()) changed.insert(key);
  }
  for (const LaunchKey& key : closed) {
    if (!settled(key)) unsettled_.insert(key);
  }
  return {changed.begin(), changed.end()};
}

}  // namespace hyades
