#include "worker/living_jobs.hpp"

#include <fcntl.h>

#include <filesystem>

#include "wire/unique_fd.hpp"
#include "worker/record_lock.hpp"

namespace hyades {
namespace {

namespace fs = std::filesystem;

void add_living(const fs::path& spool, std::set<JobId>& jobs) {
  std::error_code error;
  for (fs::directory_iterator at(spool, error), end; !error && at != end; at.increment(error)) {
    LaunchKey key;
    if (!parse_launch_key(at->path().filename().string(), key)) continue;
    const UniqueFd record(open(at->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (record && is_record_locked(record.get()).value_or(false)) jobs.insert(key.job);
  }
}

}  // namespace

std::set<JobId> living_jobs(const std::string& root) {
  std::set<JobId> jobs;
  std::error_code error;
  for (fs::directory_iterator at(root, error), end; !error && at != end; at.increment(error)) {
    if (at->is_directory(error) && !at->is_symlink(error)) add_living(at->path(), jobs);
    error.clear();
  }
  return jobs;
}

}  // namespace hyades
