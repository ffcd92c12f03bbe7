#include "worker/living_jobs.hpp"

#include <fcntl.h>

#include <cerrno>
#include <filesystem>

#include "wire/unique_fd.hpp"
#include "worker/record_lock.hpp"

namespace hyades {
namespace {

namespace fs = std::filesystem;

// False: that cannot be told.
bool is_living(const fs::path& record, bool& living) {
  const UniqueFd file(open(record.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) return errno == ENOENT;  // it has just been removed
  const std::optional<bool> locked = is_record_locked(file.get());
  living = locked.value_or(false);
  return locked.has_value();
}

bool add_living(const fs::path& spool, std::set<JobId>& jobs) {
  std::error_code error;
  for (fs::directory_iterator at(spool, error), end; !error && at != end; at.increment(error)) {
    LaunchKey key;
    bool living = false;
    if (!parse_launch_key(at->path().filename().string(), key)) continue;
    if (!is_living(at->path(), living)) return false;
    if (living) jobs.insert(key.job);
  }
  return !error;
}

}  // namespace

std::optional<std::set<JobId>> living_jobs(const std::string& root) {
  std::set<JobId> jobs;
  std::error_code error;
  for (fs::directory_iterator at(root, error), end; !error && at != end; at.increment(error)) {
    std::error_code none;
    const bool is_spool = at->symlink_status(none).type() == fs::file_type::directory;
    if (is_spool && !add_living(at->path(), jobs)) return std::nullopt;
  }
  return error ? std::nullopt : std::optional(std::move(jobs));
}

}  // namespace hyades
